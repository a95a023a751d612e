// Who calls whom: the graph (or the same as tables), what is chosen in it, and the last hour below.
import { computed, signal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { graph, refresh, said, span } from "../state";
import { painted } from "../theme";
import { type Canvas, type Direction, canvas } from "./canvas";
import { type By, type Picture, picture } from "./group";
import { matcher } from "./match";
import { Panel } from "./panel";
import { Replay } from "./replay";
import { Tables } from "./tables";
import { spoken } from "./words";

const by = signal<By>("workload");
const namespaces = signal<string[]>([]);
const find = signal("");
const hide = signal("");
const idle = signal(true);
const tables = signal(false);
export const chosen = signal<string | null>(null);

const EMPTY: Picture = { nodes: [], edges: [], hidden: 0 };
const shown = computed(() =>
  graph.value ? picture(graph.value, { by: by.value, namespaces: namespaces.value, hide: hide.value, idle: idle.value }) : EMPTY,
);
const found = computed(() => {
  if (!find.value.trim()) return null;
  const fits = matcher(find.value);
  return new Set(shown.value.nodes.filter((node) => fits(node, shown.value.edges)).map((node) => node.id));
});

export function Topology() {
  return (
    <div class="topology">
      <h1 class="unseen">Topology</h1>
      <Tools />
      <div class="split">
        {tables.value ? <Tables picture={shown.value} choose={(id) => (chosen.value = id)} /> : <Drawing />}
        <Panel picture={shown.value} chosen={chosen.value} choose={(id) => (chosen.value = id)} />
      </div>
      <Replay />
    </div>
  );
}

function Tools() {
  const spaces = [...new Set(graph.value?.nodes.map((node) => node.namespace).filter(Boolean))];
  return (
    <div class="tools" role="toolbar" aria-label="What the graph shows">
      <label class="field grow">
        <span>Find</span>
        <input type="search" id="find" placeholder="name, failing, kind:database" value={find.value} onInput={(event) => (find.value = event.currentTarget.value)} onKeyDown={next} />
        {found.value && <output>{found.value.size}</output>}
      </label>
      <label class="field grow">
        <span>Hide</span>
        <input type="search" id="hide" placeholder="name, idle, ns:other" value={hide.value} onInput={(event) => (hide.value = event.currentTarget.value)} />
        {shown.value.hidden > 0 && <output>{shown.value.hidden} hidden</output>}
      </label>
      <label class="field">
        <span>Namespace</span>
        <select value={namespaces.value[0] ?? ""} onChange={(event) => (namespaces.value = event.currentTarget.value ? [event.currentTarget.value] : [])}>
          <option value="">all</option>
          {spaces.map((name) => <option key={name}>{name}</option>)}
        </select>
      </label>
      <label class="field">
        <span>Show</span>
        <select value={by.value} onChange={(event) => regroup(event.currentTarget.value as By)}>
          <option value="workload">workloads</option>
          <option value="version">versions</option>
          <option value="service">services</option>
          <option value="namespace">namespaces</option>
        </select>
      </label>
      <label class="field">
        <span>Rates over</span>
        <select
          value={String(span.value ?? graph.value?.window ?? 30)}
          onChange={(event) => {
            span.value = Number(event.currentTarget.value);
            void refresh();
          }}
        >
          {[...new Set([graph.value?.window ?? 30, 15, 30, 60, 120, 300, 600])].sort((a, b) => a - b).map((seconds) => (
            <option key={seconds} value={String(seconds)}>{seconds < 60 ? `${seconds} s` : `${seconds / 60} min`}</option>
          ))}
        </select>
      </label>
      <label class="check">
        <input type="checkbox" checked={idle.value} onChange={(event) => (idle.value = event.currentTarget.checked)} /> idle
      </label>
      <label class="check">
        <input type="checkbox" checked={tables.value} onChange={(event) => (tables.value = event.currentTarget.checked)} /> as tables
      </label>
    </div>
  );
}

function regroup(value: By): void {
  by.value = value;
  chosen.value = null;
}

/** Enter goes from one that was found to the next. */
function next(event: KeyboardEvent): void {
  if (event.key !== "Enter" || !found.value?.size) return;
  const ids = [...found.value];
  chosen.value = ids[(ids.indexOf(chosen.value ?? "") + 1) % ids.length] ?? null;
}

const ARROWS: Record<string, Direction> = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };

function Drawing() {
  const place = useRef<HTMLDivElement>(null);
  const drawing = useRef<Canvas | null>(null);
  useEffect(() => {
    drawing.current = canvas(place.current!, (id) => (chosen.value = id));
    drawing.current.show(shown.peek(), found.peek());
    return () => drawing.current?.end();
  }, []);
  useSignalEffect(() => drawing.current?.show(shown.value, found.value));
  useSignalEffect(() => {
    drawing.current?.choose(chosen.value, true);
    const node = shown.peek().nodes.find((each) => each.id === chosen.value);
    if (node) said.value = spoken(node, shown.peek().edges);
  });
  useSignalEffect(() => {
    if (painted.value) drawing.current?.restyle();
  });

  function press(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (arrow) chosen.value = drawing.current?.walk(arrow) ?? chosen.value;
    else if (event.key === "+" || event.key === "=") drawing.current?.zoom(1.25);
    else if (event.key === "-") drawing.current?.zoom(0.8);
    else if (event.key === "0") drawing.current?.fit();
    else if (event.key === "Escape") chosen.value = null;
    else if (event.key === "Enter") document.querySelector<HTMLElement>("#panel h2")?.focus();
    else return;
    event.preventDefault();
  }

  return (
    <div class="drawing">
      <div
        class="canvas"
        ref={place}
        tabIndex={0}
        role="application"
        aria-label={`Graph of ${shown.value.nodes.length} nodes and ${shown.value.edges.length} edges`}
        aria-describedby="keys"
        onKeyDown={press}
      />
      <div class="zooms">
        <button type="button" class="quiet" onClick={() => drawing.current?.zoom(1.25)} aria-label="Zoom in">+</button>
        <button type="button" class="quiet" onClick={() => drawing.current?.zoom(0.8)} aria-label="Zoom out">−</button>
        <button type="button" class="quiet" onClick={() => drawing.current?.fit()} aria-label="Show all">⤢</button>
        <button type="button" class="quiet" onClick={() => drawing.current?.tidy()}>Tidy</button>
      </div>
      <p class="keys" id="keys">arrows move, Enter reads, + − 0 zoom, Esc lets go</p>
      {graph.value && shown.value.nodes.length === 0 && <p class="empty">Nothing to show: no workload has a proxy, or all are hidden.</p>}
    </div>
  );
}

