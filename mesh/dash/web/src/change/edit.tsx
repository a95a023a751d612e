// One rule: its weights, its YAML with what check says as it is typed, every proxy as it accepts it, the traffic as it moves.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { get, post } from "../api";
import { link, refresh, said } from "../state";
import { Moving } from "./moving";
import type { Checked, Divided, Rule } from "./types";

const rule = signal<Rule | null>(null);
const text = signal("");
const checked = signal<Checked | null>(null);
const wrong = signal("");
const done = signal("");
const before = signal("");
const busy = signal(false);

const PAUSE = 250;
const WATCH = 1000;
let asked = 0;
let typing = 0;

interface Name {
  kind: string;
  namespace: string;
  name: string;
}

async function open(name: Name): Promise<void> {
  [checked.value, done.value, before.value] = [null, "", ""];
  rule.value = null;
  try {
    rule.value = await get<Rule>("rule", { ...name });
    text.value = rule.value.text;
    await check(name);
  } catch (error) {
    wrong.value = (error as Error).message;
  }
}

/** Of what is typed, or of the same with other weights, which then stand in it. */
async function check(name: Name, weights?: { route: number; weights: number[] }): Promise<void> {
  const mine = ++asked;
  try {
    const found = await post<Checked>("check", { ...name, text: text.value, ...weights });
    if (mine !== asked) return;
    checked.value = found;
    if (weights) text.value = found.text;
    wrong.value = "";
  } catch (error) {
    if (mine === asked) wrong.value = (error as Error).message;
  }
}

async function apply(name: Name, given: string): Promise<void> {
  const old = rule.value;
  if (!old) return;
  busy.value = true;
  try {
    await post("apply", { ...name, text: given, version: old.version });
    before.value = old.text;
    rule.value = await get<Rule>("rule", { ...name });
    text.value = rule.value.text;
    [wrong.value, done.value] = ["", "applied"];
    await check(name);
    said.value = "Applied. Waiting for the proxies.";
    void refresh();
  } catch (error) {
    wrong.value = (error as Error).message;
  } finally {
    busy.value = false;
  }
}

/** What the proxies say, without touching what is typed. */
async function watch(name: Name): Promise<void> {
  const found = await get<Rule>("rule", { ...name }).catch(() => null);
  if (!found || !rule.value) return;
  if (found.accepted?.by_all && !rule.value.accepted?.by_all) said.value = `Accepted: ${found.accepted.said}`;
  const same = text.value === rule.value.text;
  rule.value = same ? found : { ...rule.value, accepted: found.accepted, proxies: found.proxies };
  if (same && text.value !== found.text) {
    text.value = found.text;
    void check(name);
  }
}

export function Edit(name: Name) {
  const key = `${name.kind}/${name.namespace}/${name.name}`;
  useEffect(() => {
    void open(name);
    const timer = setInterval(() => void watch(name), WATCH);
    return () => clearInterval(timer);
  }, [key]);
  const found = rule.value;
  const errors = checked.value?.findings.some((each) => each.severity === "error") ?? true;
  const ready = !errors && !busy.value && Boolean(checked.value?.changed);
  return (
    <div class="view">
      <p><a href={link("change")}>Change</a></p>
      <h1>{name.kind} {name.namespace}/{name.name}</h1>
      {wrong.value && <p class="notice bad" role="alert">{wrong.value}</p>}
      {found && (
        <div class="change">
          <div>
            {checked.value?.routes.map((route) => <Weights key={route.index} route={route} change={(weights) => void check(name, { route: route.index, weights })} />)}
            <Editor name={name} apply={() => ready && void apply(name, text.value)} />
            <div class="bar">
              <span>
                <button type="button" class="main" disabled={!ready} onClick={() => void apply(name, text.value)}>Apply</button>{" "}
                <button type="button" disabled={text.value === found.text} onClick={() => { text.value = found.text; void check(name); }}>Take back</button>{" "}
                {before.value && text.value === found.text && (
                  <button type="button" onClick={() => void apply(name, before.value)}>Undo what was applied</button>
                )}
              </span>
              <output>{done.value && text.value === found.text ? "applied" : checked.value?.changed ? "not applied yet" : "as it runs"}</output>
            </div>
          </div>
          <div>
            {found.services.filter((service) => service.includes("/")).slice(0, 1).map((service) => <Moving key={service} service={service} />)}
            <Acceptance rule={found} />
          </div>
        </div>
      )}
    </div>
  );
}

function Weights({ route, change }: { route: Divided; change(weights: number[]): void }) {
  const total = route.places.reduce((sum, place) => sum + place.weight, 0);
  const set = (i: number, value: number): void => {
    const two = route.places.length === 2;
    change(route.places.map((place, j) => (i === j ? value : two ? 100 - value : place.weight)));
  };
  return (
    <fieldset class="weights">
      <legend>Weights of {route.name}</legend>
      {route.places.map((place, i) => {
        const name = place.subset || place.host;
        return (
          <label key={i}>
            <span>{name}</span>
            <input type="range" min={0} max={100} value={place.weight} aria-label={`Weight of ${name}`} onInput={(event) => set(i, Number(event.currentTarget.value))} />
            <input type="number" min={0} max={100} value={place.weight} aria-label={`Weight of ${name}, as a number`} onChange={(event) => set(i, Number(event.currentTarget.value))} />
          </label>
        );
      })}
      {total !== 100 && <p class="failed">they add up to {total}</p>}
    </fieldset>
  );
}

function Editor({ name, apply }: { name: Name; apply(): void }) {
  const area = useRef<HTMLTextAreaElement>(null);
  const type = (value: string): void => {
    text.value = value;
    done.value = "";
    clearTimeout(typing);
    typing = setTimeout(() => void check(name), PAUSE) as unknown as number;
  };
  const jump = (line: number): void => {
    const lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    area.current?.focus();
    area.current?.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
    const height = (area.current?.scrollHeight ?? 0) / lines.length;
    area.current?.scrollTo({ top: Math.max(0, (line - 6) * height) });
  };
  const findings = checked.value?.findings ?? [];
  return (
    <>
      <label class="editor">
        <span>YAML</span>
        <textarea
          ref={area}
          spellcheck={false}
          autocomplete="off"
          rows={Math.min(34, text.value.split("\n").length + 1)}
          value={text.value}
          aria-invalid={findings.some((each) => each.severity === "error")}
          aria-describedby="findings"
          onInput={(event) => type(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
              event.preventDefault();
              apply();
            }
          }}
        />
      </label>
      <div id="findings" role="status" aria-live="polite">
        {findings.length === 0 ? (
          <p class="sub"><i class="dot good" aria-hidden="true" /> check finds nothing wrong</p>
        ) : (
          <ul class="problems">
            {findings.map((each, i) => (
              <li key={i} class={each.severity}>
                {each.line > 0 && <button type="button" class="link" onClick={() => jump(each.line)}>line {each.line}</button>} <code>{each.code}</code> {each.message}
                {each.line === 0 && each.object !== "edit" && <small>{each.object}</small>}
                {each.fix && <small class="fix">{each.fix}</small>}
              </li>
            ))}
          </ul>
        )}
      </div>
    </>
  );
}

function Acceptance({ rule: found }: { rule: Rule }) {
  if (!found.accepted && found.proxies.length === 0) {
    return <section><h2>Proxies</h2><p class="sub">Nobody says here what the proxies have accepted: on a cluster, istioctl proxy-status does.</p></section>;
  }
  return (
    <section>
      <h2>Proxies</h2>
      {found.accepted && (
        <p class="verdict">
          <i class={`dot ${found.accepted.by_all ? "good" : found.accepted.current ? "bad" : "poor"}`} aria-hidden="true" />
          {found.accepted.current ? found.accepted.said : "being told…"}
        </p>
      )}
      <ul class="pods">
        {found.proxies.map((proxy) => (
          <li key={proxy.name}>
            <i class={`dot ${proxy.rejected ? "bad" : proxy.accepted ? "good" : "poor"}`} aria-hidden="true" />
            <span>{proxy.workload} <small>{proxy.rejected ? `rejects it: ${proxy.rejected}` : proxy.accepted ? `accepted ${proxy.version.slice(0, 8)}` : "has not answered yet"}</small></span>
          </li>
        ))}
      </ul>
      <p class="sub">{found.proxies.filter((proxy) => proxy.accepted).length} of {found.proxies.length} proxies have what is written</p>
    </section>
  );
}
