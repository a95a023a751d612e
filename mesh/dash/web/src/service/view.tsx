// One service: its methods with what their contract says and how they do, who calls it, by which rules, and a call of it.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api";
import { about, graph, link } from "../state";
import { name as short } from "../topology/words";
import type { Edge, Node } from "../types";
import * as words from "../words";
import { Facts, Problems } from "../topology/panel";
import { Explain } from "./explain";
import { Try } from "./try";
import type { Method, Service } from "./types";

const found = signal<Service | null>(null);
const wrong = signal("");
const PERIOD = 10_000;

async function read(namespace: string, service: string): Promise<void> {
  try {
    found.value = await get<Service>("service", { namespace, service });
    wrong.value = "";
  } catch (error) {
    wrong.value = (error as Error).message;
  }
}

export function ServiceView({ namespace, name }: { namespace: string; name: string }) {
  useEffect(() => {
    found.value = null;
    void read(namespace, name);
    const timer = setInterval(() => document.hidden || void read(namespace, name), PERIOD);
    return () => clearInterval(timer);
  }, [namespace, name]);
  const service = found.value;
  const nodes = graph.value?.nodes.filter((node) => service?.workloads.includes(node.id)) ?? [];
  const incoming = graph.value?.edges.filter((edge) => service?.workloads.includes(edge.target) && !edge.declared) ?? [];
  return (
    <div class="view">
      <p><a href={link("services")}>Services</a></p>
      <h1>{name}</h1>
      {wrong.value && <p class="notice bad" role="alert">{wrong.value}</p>}
      {service && (
        <>
          <p class="sub">{service.host} · {service.ports.map((port) => `${port.number}${port.name ? ` (${port.name})` : ""}`).join(", ")}</p>
          <Standing nodes={nodes} incoming={incoming} />
          <Methods service={service} />
          <div class="two">
            <Callers incoming={incoming} />
            <Rules service={service} />
          </div>
          <Explain service={service} />
          {about.value?.local && service.methods.length > 0 && <Try service={service} />}
          <Proxies nodes={nodes} />
        </>
      )}
    </div>
  );
}

function Standing({ nodes, incoming }: { nodes: Node[]; incoming: Edge[] }) {
  const rate = incoming.reduce((sum, edge) => sum + edge.rate, 0);
  const failing = incoming.reduce((sum, edge) => sum + edge.rate * edge.failed, 0);
  const why = [...new Set(nodes.flatMap((node) => node.why))];
  const worst = ["bad", "poor", "good"].find((health) => nodes.some((node) => node.health === health)) ?? "idle";
  const problems = [...new Set(nodes.flatMap((node) => node.problems))].flatMap((i) => graph.value?.problems[i] ?? []);
  return (
    <>
      <p class="verdict"><i class={`dot ${worst}`} aria-hidden="true" />{why.join("; ") || (worst === "idle" ? "not called in this window" : "healthy")}</p>
      <Facts>
        {[
          ["Calls", words.rate(rate)],
          ["Failing", rate ? words.share(failing / rate) : "–"],
          ["Callers", String(new Set(incoming.filter((edge) => edge.rate > 0).map((edge) => edge.source)).size)],
          ["Security", incoming.some((edge) => edge.mtls === false) ? "NOT all mTLS" : incoming.some((edge) => edge.mtls) ? "mTLS" : "–"],
        ]}
      </Facts>
      <Problems found={problems} />
    </>
  );
}

const LEVELS: Record<string, string> = { NO_SIDE_EFFECTS: "reads only", IDEMPOTENT: "may be repeated" };

function Methods({ service }: { service: Service }) {
  if (service.methods.length === 0) {
    return <section><h2>Methods</h2><p class="sub">None is known: {about.value?.local ? "it has no reflection, or no pod is ready" : "on a cluster those are shown that traces have seen"}.</p></section>;
  }
  return (
    <section>
      <h2>Methods</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="Methods">
        <table class="lines">
          <thead>
            <tr>
              <th scope="col">Method</th>
              <th scope="col">By its contract</th>
              <th scope="col" class="number">Calls</th>
              <th scope="col" class="number">Failing</th>
              <th scope="col" class="number">p95</th>
            </tr>
          </thead>
          <tbody>
            {service.methods.map((method) => (
              <tr key={method.path}>
                <th scope="row"><b>{method.path.split("/")[1]}</b> <small>{method.path.split("/")[0]}</small></th>
                <td>{contract(method).join(" · ") || "–"}</td>
                <td class="number">{method.seen ? words.rate(method.seen.rate) : "–"}</td>
                <td class={method.seen && method.seen.failed >= 0.01 ? "number bad" : "number"}>{method.seen ? words.share(method.seen.failed) : "–"}</td>
                <td class="number">{method.seen ? words.milliseconds(method.seen.p95) : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="sub">Calls are counted in the traces of the last five minutes.</p>
    </section>
  );
}

/** What a contract says of a method: whether it may be repeated, whether it streams, and the plain values of its own options. */
function contract(method: Method): string[] {
  const level = method.options["idempotencyLevel"] as string | undefined;
  const own = Object.entries(method.options).filter(([key]) => key.startsWith("["));
  return [
    Object.keys(method.options).length || method.example !== "{}" ? (LEVELS[level ?? ""] ?? "must not be repeated") : "",
    method.streams && `streams from the ${method.streams}`,
    ...own.flatMap(([, value]) => plain(value)),
  ].filter(Boolean);
}

function plain(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).map(([key, each]) => {
    const name = key.replaceAll(/([A-Z])/g, " $1").toLowerCase();
    if (each === true) return name;
    const values = (Array.isArray(each) ? each : [each]).map((one) => (typeof one === "object" ? JSON.stringify(one) : spelled(String(one), key)));
    return `${name} ${values.join(", ")}`;
  });
}

/** An enum's value without the enum's name: "customer" of CALLER_CUSTOMER, for `callers`. */
function spelled(value: string, key: string): string {
  const prefix = `${key.replace(/s$/, "").replaceAll(/([A-Z])/g, "_$1").toUpperCase()}_`;
  return value.startsWith(prefix) ? value.slice(prefix.length).toLowerCase().replaceAll("_", " ") : value;
}

function Callers({ incoming }: { incoming: Edge[] }) {
  return (
    <section>
      <h2>Who calls it</h2>
      {incoming.length === 0 && <p class="sub">Nobody in this window.</p>}
      <ul class="list">
        {[...incoming].sort((a, b) => b.rate - a.rate).map((edge) => (
          <li key={`${edge.source}>${edge.target}`}>
            <i class={`dot ${edge.mtls === false || edge.failed >= 0.1 ? "bad" : edge.failed >= 0.01 ? "poor" : "good"}`} aria-hidden="true" /> <b>{short(edge.source)}</b> → {short(edge.target)}{" "}
            <small>{[words.rate(edge.rate), edge.failed >= 0.001 ? `${words.share(edge.failed)} fail` : "", `p95 ${words.milliseconds(edge.p95)}`, edge.mtls === null ? "" : edge.mtls ? "mTLS" : "NOT mTLS"].filter(Boolean).join(" · ")}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Rules({ service }: { service: Service }) {
  return (
    <section>
      <h2>Its rules</h2>
      {service.rules.length === 0 && <p class="sub">No rule names it.</p>}
      <ul class="list">
        {service.rules.map((rule) => (
          <li key={`${rule.kind}/${rule.name}`}>
            {rule.written ? <a href={link("change", rule.kind, rule.namespace, rule.name)}>{rule.name}</a> : rule.name} <small>{rule.kind}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Proxies({ nodes }: { nodes: Node[] }) {
  const pods = nodes.flatMap((node) => node.pods);
  if (pods.length === 0) return null;
  return (
    <section>
      <h2>Pods and their proxies</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="Pods">
        <table class="lines">
          <thead>
            <tr>
              <th scope="col">Pod</th>
              <th scope="col">Configuration</th>
              <th scope="col">Identity</th>
              <th scope="col">Certificate ends</th>
              <th scope="col" class="number">Restarts</th>
            </tr>
          </thead>
          <tbody>
            {pods.map((pod) => (
              <tr key={pod.name}>
                <th scope="row"><i class={`dot ${pod.ready ? "good" : "bad"}`} aria-hidden="true" /> {pod.name} {!pod.ready && <small>not ready {pod.reason}</small>}</th>
                <td class={pod.rejected ? "bad" : ""}>{pod.rejected ? `rejected: ${pod.rejected}` : pod.accepted === null ? "not told" : pod.accepted ? `accepted ${pod.version.slice(0, 8)}` : "not accepted yet"}</td>
                <td>{pod.identity.replace("spiffe://", "")}</td>
                <td>{pod.certificate_until ? words.distance(pod.certificate_until) : "not told"}</td>
                <td class="number">{pod.restarts}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
