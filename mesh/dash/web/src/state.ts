// What every view shares: the mesh, read again every few seconds, and where in the page one is.
import { computed, signal } from "@preact/signals";
import { get } from "./api";
import type { About, Graph } from "./types";

export const about = signal<About | null>(null);
export const graph = signal<Graph | null>(null);
/** Why the mesh cannot be read now; what is shown is the last that could be. */
export const trouble = signal("");
/** Seconds since 1970 that the topology shows; null follows the present. */
export const moment = signal<number | null>(null);
export const span = signal<number | null>(null);
/** What a screen reader is told, politely. */
export const said = signal("");

const PERIOD = 5000;
const hash = signal(location.hash);
addEventListener("hashchange", () => (hash.value = location.hash));

/** ["service", "shop", "catalog"] for #/service/shop/catalog. */
export const route = computed(() => hash.value.replace(/^#\/?/, "").split("?")[0]!.split("/").map(decodeURIComponent));
export const query = computed(() => new URLSearchParams(hash.value.split("?")[1] ?? ""));

export function link(...parts: string[]): string {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

export function go(where: string): void {
  location.hash = where;
}

let asked = 0;

export async function refresh(): Promise<void> {
  const mine = ++asked;
  try {
    about.value ??= await get<About>("about");
    const found = await get<Graph>("graph", { at: moment.value ?? undefined, window: span.value ?? undefined });
    if (mine !== asked) return; // a later question has been asked meanwhile
    graph.value = found;
    trouble.value = "";
  } catch (error) {
    if (mine === asked) trouble.value = error instanceof Error ? error.message : String(error);
  }
}

/** Reads until the page is closed; a page that nobody sees does not ask. */
export function follow(): void {
  void refresh();
  setInterval(() => {
    if (!document.hidden && moment.value === null) void refresh();
  }, PERIOD);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void refresh();
  });
}
