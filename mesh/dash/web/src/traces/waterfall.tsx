// One request from top to bottom: who called whom, what took how long, and on what the whole duration was spent.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api";
import { link } from "../state";
import * as words from "../words";
import { hue } from "./hue";
import { Logs } from "./logs";
import type { Row, Trace } from "./types";

const found = signal<Trace | null>(null);
const wrong = signal("");
const proxies = signal(false);
const open = signal<string | null>(null);

async function read(id: string): Promise<void> {
  try {
    found.value = await get<Trace>("trace", { id, proxies: proxies.value ? 1 : "" });
    wrong.value = "";
  } catch (error) {
    [found.value, wrong.value] = [null, (error as Error).message];
  }
}

export function Waterfall({ id }: { id: string }) {
  useEffect(() => void read(id), [id, proxies.value]);
  const trace = found.value;
  return (
    <div class="view">
      <p><a href={link("traces")}>Traces</a></p>
      {wrong.value && <p class="notice bad" role="alert">{wrong.value}</p>}
      {trace && (
        <>
          <h1>{trace.request}</h1>
          <p class="sub">
            {trace.start.slice(0, 19).replace("T", " ")} · {words.milliseconds(trace.milliseconds)} · {words.count(trace.spans, "span")} of {words.count(trace.services.length, "service")}
            {trace.errors > 0 && <b class="failed"> · {trace.errors} failed</b>} · <code>{trace.trace}</code>
          </p>
          <div class="bar">
            <label class="check">
              <input type="checkbox" checked={proxies.value} onChange={(event) => (proxies.value = event.currentTarget.checked)} /> sidecars ({trace.proxies} spans)
            </label>
            <p class="key"><i class="critical" aria-hidden="true" /> critical path: a shorter span here makes the whole shorter</p>
          </div>
          <ol class="waterfall" aria-label="Spans">
            <li class="scale" aria-hidden="true">
              {[0, 0.25, 0.5, 0.75, 1].map((part) => <span key={part}>{words.milliseconds(trace.milliseconds * part)}</span>)}
            </li>
            {trace.rows.map((row) => <Bar key={row.span} row={row} whole={trace.milliseconds} trace={trace.trace} />)}
          </ol>
          <Logs trace={trace.trace} />
        </>
      )}
    </div>
  );
}

function Bar({ row, whole, trace }: { row: Row; whole: number; trace: string }) {
  const shown = open.value === row.span;
  const percent = (ms: number): string => `${Math.min(100, Math.max(0, (ms / (whole || 1)) * 100))}%`;
  return (
    <li class={row.failed ? "span failed" : "span"}>
      <button type="button" aria-expanded={shown} onClick={() => (open.value = shown ? null : row.span)}>
        <span class="who" style={{ paddingLeft: `${Math.min(row.depth, 14) * 0.9}rem` }}>
          <i class="dot" style={{ background: hue(row.service) }} aria-hidden="true" />
          <b>{row.service}</b> {row.request}
          {row.proxy && <small> sidecar</small>}
          {row.failed && <small class="failed"> {row.outcome}</small>}
        </span>
        <span class="time">
          <span class={row.critical ? "extent critical" : "extent"} style={{ left: percent(row.start), width: percent(row.milliseconds), background: hue(row.service) }} />
          <span class={beside(row, whole) === "within" ? "took within" : "took"} style={where(row, whole, percent)}>
            {words.milliseconds(row.milliseconds)}
          </span>
          <span class="unseen">{row.critical ? "on the critical path" : ""}, starts at {words.milliseconds(row.start)}</span>
        </span>
      </button>
      {shown && <Attributes row={row} trace={trace} />}
    </li>
  );
}

/** Where there is room for the number: right of the bar, left of it, or on it. */
function beside(row: Row, whole: number): "right" | "left" | "within" {
  if (row.start + row.milliseconds < whole * 0.82) return "right";
  return row.start > whole * 0.18 ? "left" : "within";
}

function where(row: Row, whole: number, percent: (ms: number) => string): Record<string, string> {
  const side = beside(row, whole);
  if (side === "right") return { left: `calc(${percent(row.start + row.milliseconds)} + 0.4rem)` };
  return side === "left" ? { right: `calc(100% - ${percent(row.start)} + 0.4rem)` } : { right: "0.4rem" };
}

function Attributes({ row, trace }: { row: Row; trace: string }) {
  return (
    <div class="attributes">
      <dl>
        {[["operation", row.operation], ["kind", row.kind], ["workload", row.workload], ["outcome", row.outcome], ...Object.entries(row.attributes)]
          .filter(([, value]) => value !== "")
          .map(([name, value]) => (
            <div key={name as string}>
              <dt>{name}</dt>
              <dd>{String(value)}</dd>
            </div>
          ))}
      </dl>
      <Logs trace={trace} span={row.span} />
    </div>
  );
}
