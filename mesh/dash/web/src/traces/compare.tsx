// Two requests beside each other: the same calls on one line, with what one took longer; and calls that only one has.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api";
import { link } from "../state";
import * as words from "../words";
import { hue } from "./hue";
import type { Row, Trace } from "./types";

const both = signal<[Trace, Trace] | null>(null);
const wrong = signal("");

interface Pair {
  key: string;
  depth: number;
  service: string;
  request: string;
  one: Row | undefined;
  other: Row | undefined;
}

async function read(one: string, other: string): Promise<void> {
  try {
    both.value = await Promise.all([get<Trace>("trace", { id: one }), get<Trace>("trace", { id: other })]);
    wrong.value = "";
  } catch (error) {
    [both.value, wrong.value] = [null, (error as Error).message];
  }
}

/** A row is the same in both when the way to it is: who, asked for what, below whom, for which time. */
function keyed(trace: Trace): Map<string, Row> {
  const way: string[] = [];
  const found = new Map<string, Row>();
  for (const row of trace.rows) {
    way.length = row.depth;
    const path = [...way, `${row.service} ${row.request}`].join(" / ");
    let key = path;
    for (let again = 2; found.has(key); again++) key = `${path} (${again})`;
    way.push(key.slice(key.lastIndexOf(" / ") + (key.includes(" / ") ? 3 : 0)));
    found.set(key, row);
  }
  return found;
}

/** In the order of the first, with what only the second has after what precedes it there. */
export function pairs(first: Trace, second: Trace): Pair[] {
  const [ones, others] = [keyed(first), keyed(second)];
  const keys = [...ones.keys()];
  let after = -1;
  for (const key of others.keys()) {
    const at = keys.indexOf(key);
    if (at >= 0) after = at;
    else keys.splice(++after, 0, key);
  }
  return keys.map((key) => {
    const [one, other] = [ones.get(key), others.get(key)];
    const { depth, service, request } = (one ?? other) as Row;
    return { key, depth, service, request, one, other };
  });
}

export function Compare({ one, other }: { one: string; other: string }) {
  useEffect(() => void read(one, other), [one, other]);
  if (!both.value) return <div class="view"><h1>Two traces</h1>{wrong.value && <p class="notice bad" role="alert">{wrong.value}</p>}</div>;
  const [first, second] = both.value;
  const rows = pairs(first, second);
  const most = Math.max(1, ...rows.map((row) => Math.abs((row.other?.milliseconds ?? 0) - (row.one?.milliseconds ?? 0))));
  return (
    <div class="view">
      <p><a href={link("traces")}>Traces</a></p>
      <h1>Two traces</h1>
      <p class="sub">
        <a href={link("trace", first.trace)}>{first.request}, {first.start.slice(11, 19)}</a> took {words.milliseconds(first.milliseconds)};{" "}
        <a href={link("trace", second.trace)}>{second.request}, {second.start.slice(11, 19)}</a> took {words.milliseconds(second.milliseconds)}.
      </p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Spans of both">
        <table class="lines">
          <thead>
            <tr>
              <th scope="col">Call</th>
              <th scope="col" class="number">First</th>
              <th scope="col" class="number">Second</th>
              <th scope="col" class="number">Difference</th>
              <th scope="col" class="wide"><span class="unseen">How much</span></th>
            </tr>
          </thead>
          <tbody>{rows.map((row) => <Compared key={row.key} row={row} most={most} />)}</tbody>
        </table>
      </div>
    </div>
  );
}

function Compared({ row, most }: { row: Pair; most: number }) {
  const more = (row.other?.milliseconds ?? 0) - (row.one?.milliseconds ?? 0);
  const only = !row.one ? "only in the second" : !row.other ? "only in the first" : "";
  return (
    <tr>
      <th scope="row">
        <span class="who" style={{ paddingLeft: `${Math.min(row.depth, 10) * 0.9}rem` }}>
          <i class="dot" style={{ background: hue(row.service) }} aria-hidden="true" /> <b>{row.service}</b> {row.request} {only && <small>{only}</small>}
        </span>
      </th>
      <td class={row.one?.failed ? "number bad" : "number"}>{row.one ? words.milliseconds(row.one.milliseconds) : "–"}</td>
      <td class={row.other?.failed ? "number bad" : "number"}>{row.other ? words.milliseconds(row.other.milliseconds) : "–"}</td>
      <td class="number">{more >= 0 ? "+" : "−"}{words.milliseconds(Math.abs(more))}</td>
      <td class="wide"><meter min={0} max={1} value={Math.abs(more) / most} class={more > 0 ? "bad" : ""} aria-label={`${words.share(Math.abs(more) / most)} of the largest difference`} /></td>
    </tr>
  );
}
