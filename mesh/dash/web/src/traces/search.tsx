// Requests that the mesh has seen: asked for by service, operation, duration and tags; as points in time and as lines.
import { computed, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api";
import { go, graph, link, query, trouble } from "../state";
import * as words from "../words";
import { Scatter } from "./scatter";
import type { Line } from "./types";

const services = signal<string[]>([]);
const operations = signal<string[]>([]);
const lines = signal<Line[] | null>(null);
const wrong = signal("");
const picked = signal<string[]>([]);
const wish = signal({ service: "", operation: "", min: "", max: "", tags: "", errors: "", lookback: "1h" });

type Wish = typeof wish.value;
let asked = 0;

async function search(): Promise<void> {
  const mine = ++asked;
  try {
    const found = await get<{ traces: Line[] }>("traces", wish.value);
    if (mine !== asked) return;
    lines.value = found.traces;
    wrong.value = "";
    picked.value = picked.value.filter((id) => found.traces.some((line) => line.trace === id));
  } catch (error) {
    if (mine === asked) wrong.value = (error as Error).message;
  }
}

/** Where nobody tells them otherwise, sidecars call themselves NAME.NAMESPACE. */
const plain = (name: string): string => name.split(".")[0] ?? name;

/** The service that the link names, else a gateway, by which everything comes in. */
async function begin(): Promise<void> {
  try {
    services.value = (await get<{ services: string[] }>("services")).services;
    const gateways = new Set(graph.peek()?.nodes.filter((node) => node.kind === "gateway").map((node) => node.service));
    const given = query.peek().get("service") ?? wish.peek().service;
    const among = services.value;
    const service = among.find((name) => name === given) ?? among.find((name) => given && plain(name) === given) ?? among.find((name) => gateways.has(plain(name))) ?? among[0] ?? "";
    if (service) await choose({ service });
    else lines.value = [];
  } catch (error) {
    wrong.value = (error as Error).message;
  }
}

async function choose(change: Partial<Wish>): Promise<void> {
  if (change.service !== undefined && change.service !== wish.peek().service) change = { ...change, operation: "" };
  wish.value = { ...wish.peek(), ...change };
  const service = wish.peek().service;
  if (change.service !== undefined && service) operations.value = (await get<{ operations: string[] }>("services", { service })).operations;
  await search();
}

const ordered = computed(() => [...(lines.value ?? [])].sort((a, b) => b.start.localeCompare(a.start)));

export function Search() {
  const ready = graph.value !== null || trouble.value !== "";
  useEffect(() => {
    if (ready) void begin();
  }, [query.value.get("service"), ready]);
  const longest = Math.max(1, ...ordered.value.map((line) => line.milliseconds));
  return (
    <div class="view">
      <h1>Traces</h1>
      <form class="tools" onSubmit={(event) => { event.preventDefault(); void search(); }}>
        <Pick label="Service" value={wish.value.service} among={services.value} change={(service) => void choose({ service })} />
        <Pick label="Operation" value={wish.value.operation} among={operations.value} any change={(operation) => void choose({ operation })} />
        <Pick label="Last" value={wish.value.lookback} among={["5m", "15m", "1h", "6h", "1d", "2d"]} change={(lookback) => void choose({ lookback })} />
        <label class="field"><span>From</span><input class="short" inputMode="decimal" placeholder="0" value={wish.value.min} onInput={(event) => (wish.value = { ...wish.value, min: event.currentTarget.value })} /></label>
        <label class="field"><span>to</span><input class="short" inputMode="decimal" placeholder="any" value={wish.value.max} onInput={(event) => (wish.value = { ...wish.value, max: event.currentTarget.value })} /><span>ms</span></label>
        <label class="field grow"><span>Tags</span><input placeholder="user=ada http.method=POST" value={wish.value.tags} onInput={(event) => (wish.value = { ...wish.value, tags: event.currentTarget.value })} /></label>
        <label class="check"><input type="checkbox" checked={Boolean(wish.value.errors)} onChange={(event) => void choose({ errors: event.currentTarget.checked ? "1" : "" })} /> only failed</label>
        <button type="submit" class="main">Search</button>
      </form>
      {wrong.value && <p class="notice bad" role="alert">{wrong.value}</p>}
      {lines.value?.length === 0 && !wrong.value && <p class="empty">No trace is like that. The latest take a few seconds to arrive.</p>}
      {ordered.value.length > 0 && (
        <>
          <Scatter lines={ordered.value} open={(id) => go(link("trace", id))} />
          <div class="bar">
            <p>{words.count(ordered.value.length, "trace")}</p>
            <button type="button" disabled={picked.value.length !== 2} onClick={() => go(link("compare", ...picked.value))}>
              Compare {picked.value.length ? `${picked.value.length} of 2` : "two"}
            </button>
          </div>
          <div class="scroll" tabIndex={0} role="region" aria-label="Traces found">
            <table class="lines">
              <thead>
                <tr>
                  <th scope="col"><span class="unseen">Compare</span></th>
                  <th scope="col">Request</th>
                  <th scope="col">Time</th>
                  <th scope="col" class="number">Duration</th>
                  <th scope="col" class="wide"><span class="unseen">Share of the longest</span></th>
                  <th scope="col" class="number">Spans</th>
                  <th scope="col" class="number">Failed</th>
                </tr>
              </thead>
              <tbody>{ordered.value.map((line) => <Found key={line.trace} line={line} longest={longest} />)}</tbody>
            </table>
          </div>
        </>
      )}
    </div>
  );
}

function Found({ line, longest }: { line: Line; longest: number }) {
  const mine = picked.value.includes(line.trace);
  const pick = (): void => {
    picked.value = mine ? picked.value.filter((id) => id !== line.trace) : [...picked.value.slice(-1), line.trace];
  };
  return (
    <tr>
      <td><input type="checkbox" checked={mine} onChange={pick} aria-label={`Compare ${line.request} of ${line.start.slice(11, 23)}`} /></td>
      <th scope="row">
        <a href={link("trace", line.trace)}>{line.request}</a> <small>{line.services.join(", ")}</small>
      </th>
      <td class="number">{line.start.slice(11, 23)}</td>
      <td class="number">{words.milliseconds(line.milliseconds)}</td>
      <td class="wide"><meter min={0} max={1} value={line.milliseconds / longest} class={line.errors ? "bad" : ""} aria-label={`${words.share(line.milliseconds / longest)} of the longest`} /></td>
      <td class="number">{line.spans}</td>
      <td class={line.errors ? "number bad" : "number"}>{line.errors || "–"}</td>
    </tr>
  );
}

interface Picking {
  label: string;
  value: string;
  among: string[];
  any?: boolean;
  change(value: string): void;
}

export function Pick({ label, value, among, any, change }: Picking) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => change(event.currentTarget.value)}>
        {any && <option value="">any</option>}
        {among.map((name) => <option key={name} value={name}>{name.length > 60 ? `…${name.slice(-58)}` : name}</option>)}
      </select>
    </label>
  );
}
