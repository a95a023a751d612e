// Dark or light, as the system has it unless somebody chose; and the theme's colours for what draws on a canvas.
import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";

export const theme = signal<Theme>((localStorage.getItem("mesh-theme") as Theme | null) ?? "auto");
/** Counts up whenever colours have changed. */
export const painted = signal(0);

let probe: HTMLElement | undefined;
const known = new Map<string, string>();

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
  localStorage.setItem("mesh-theme", theme.value);
  changed();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);

function changed(): void {
  known.clear();
  painted.value = painted.peek() + 1;
}

/** A custom property as rgb(...), which is what a canvas takes. */
export function colour(name: string): string {
  const have = known.get(name);
  if (have) return have;
  if (!probe) {
    probe = document.createElement("i");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(${name})`;
  const found = getComputedStyle(probe).color;
  known.set(name, found);
  return found;
}
