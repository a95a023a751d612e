// What is around every view: the name of the mesh, the ways to the views, the theme, what is wrong.
import type { ComponentChild } from "preact";
import { Edit } from "./change/edit";
import { Rules } from "./change/list";
import { Services } from "./service/list";
import { ServiceView } from "./service/view";
import { about, graph, link, moment, route, said, trouble } from "./state";
import { type Theme, theme } from "./theme";
import { Compare } from "./traces/compare";
import { Search } from "./traces/search";
import { Waterfall } from "./traces/waterfall";
import { Topology } from "./topology/view";
import * as words from "./words";

const VIEWS: [string, string][] = [["", "Topology"], ["services", "Services"], ["traces", "Traces"], ["change", "Change"]];

export function Shell() {
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href={link("")}>
          <img src="icon.svg" alt="" width="22" height="22" />
          <span>{about.value?.name ?? "mesh"}</span>
        </a>
        <nav aria-label="Views">
          {VIEWS.map(([path, name]) => (
            <a key={path} href={link(path)} aria-current={family(route.value[0] ?? "") === path ? "page" : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <Standing />
        <ThemeButton />
      </header>
      {trouble.value && (
        <p class="notice bad" role="alert">
          {trouble.value}
        </p>
      )}
      {graph.value?.notes.map((note) => (
        <p class="notice" key={note} role="status">
          {note}
        </p>
      ))}
      <main id="main" tabIndex={-1}>
        {view(route.value)}
      </main>
      <p class="unseen" role="status" aria-live="polite">
        {said.value}
      </p>
    </>
  );
}

function family(name: string): string {
  return { trace: "traces", compare: "traces", service: "services" }[name] ?? name;
}

function view(parts: string[]): ComponentChild {
  switch (parts[0]) {
    case "traces":
      return <Search />;
    case "trace":
      return <Waterfall id={parts[1] ?? ""} />;
    case "compare":
      return <Compare one={parts[1] ?? ""} other={parts[2] ?? ""} />;
    case "services":
      return <Services />;
    case "service":
      return <ServiceView namespace={parts[1] ?? ""} name={parts[2] ?? ""} />;
    case "change":
      return parts.length > 3 ? <Edit kind={parts[1]!} namespace={parts[2]!} name={parts[3]!} /> : <Rules />;
    default:
      return <Topology />;
  }
}

/** How the mesh is, in a few words. */
function Standing() {
  const found = graph.value;
  if (!found) return <span class="standing">reading…</span>;
  const bad = found.nodes.filter((node) => node.health === "bad").length;
  const poor = found.nodes.filter((node) => node.health === "poor").length;
  const state = bad ? "bad" : poor ? "poor" : "good";
  const text = bad ? `${bad} failing` : poor ? `${poor} unwell` : "all well";
  return (
    <span class="standing">
      <i class={`dot ${state}`} aria-hidden="true" />
      {text}
      <small class="when">{moment.value === null ? `live, ${words.clock(found.at)}` : `as of ${words.clock(moment.value)}`}</small>
    </span>
  );
}

const NEXT: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };

function ThemeButton() {
  return (
    <button type="button" class="quiet theme" onClick={() => (theme.value = NEXT[theme.value])} aria-label={`Theme: ${theme.value}. Change`}>
      <span aria-hidden="true">{{ auto: "◐", light: "○", dark: "●" }[theme.value]}</span> {theme.value}
    </button>
  );
}
