// What is chosen, in words and numbers; the whole mesh when nothing is.
import type { ComponentChildren } from "preact";
import { about, graph, link } from "../state";
import type { Edge, Finding } from "../types";
import * as words from "../words";
import type { Line, Picture, Shown } from "./group";
import { name, secured } from "./words";

interface Given {
  picture: Picture;
  chosen: string | null;
  choose(id: string | null): void;
}

export function Panel({ picture, chosen, choose }: Given) {
  const node = picture.nodes.find((each) => each.id === chosen);
  const edge = picture.edges.find((each) => each.id === chosen);
  return (
    <aside id="panel" class="panel" aria-label="Details">
      {node ? <OfNode node={node} edges={picture.edges} choose={choose} /> : edge ? <OfEdge edge={edge} choose={choose} /> : <OfMesh picture={picture} choose={choose} />}
    </aside>
  );
}

function Title({ children, choose }: { children: ComponentChildren; choose?(id: null): void }) {
  return (
    <div class="title">
      <h2 tabIndex={-1}>{children}</h2>
      {choose && (
        <button type="button" class="quiet" aria-label="Close details" onClick={() => choose(null)}>
          ✕
        </button>
      )}
    </div>
  );
}

function OfMesh({ picture, choose }: Omit<Given, "chosen">) {
  const calls = picture.edges.filter((edge) => edge.rate > 0);
  const rate = calls.reduce((sum, edge) => sum + edge.rate, 0);
  const failing = calls.reduce((sum, edge) => sum + edge.rate * edge.failed, 0);
  const insecure = picture.edges.filter((edge) => edge.mtls === false);
  const worst = calls.filter((edge) => edge.failed >= 0.001).sort((a, b) => b.rate * b.failed - a.rate * a.failed);
  return (
    <>
      <Title>The mesh</Title>
      <Facts>
        {[
          ["Workloads", String(graph.value?.nodes.filter((node) => node.pods.length).length ?? 0)],
          ["Calls", words.rate(rate)],
          ["Failing", rate ? words.share(failing / rate) : "–"],
          ["Not mTLS", insecure.length ? words.count(insecure.length, "edge") : "none"],
        ]}
      </Facts>
      {picture.nodes.some((node) => node.why.length) && (
        <section>
          <h3>Unwell</h3>
          <ul class="list">
            {picture.nodes.filter((node) => node.why.length).map((node) => (
              <li key={node.id}>
                <button type="button" class="row" onClick={() => choose(node.id)}>
                  <i class={`dot ${node.health}`} aria-hidden="true" />
                  <b>{node.label}</b>
                  <small>{node.why.join("; ")}</small>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      {worst.length > 0 && (
        <section>
          <h3>Failing calls</h3>
          <Ways edges={worst.slice(0, 8)} label={(edge) => `${name(edge.source)} → ${name(edge.target)}`} choose={choose} />
        </section>
      )}
      <Problems found={graph.value?.problems ?? []} />
      <Legend />
    </>
  );
}

function OfNode({ node, edges, choose }: { node: Shown; edges: Line[]; choose(id: string | null): void }) {
  const incoming = edges.filter((edge) => edge.target === node.id);
  const outgoing = edges.filter((edge) => edge.source === node.id);
  const pods = node.members.flatMap((member) => member.pods);
  return (
    <>
      <Title choose={choose}>{node.label}</Title>
      <p class="sub">{[node.kind, node.namespace, node.detail].filter(Boolean).join(" · ")}</p>
      {pods.length > 0 && (
        <p class="ways">
          <a href={link("service", node.namespace, node.members[0]?.service ?? "")}>The service</a>
          {about.value?.traces && <a href={`${link("traces")}?service=${encodeURIComponent(node.members[0]?.service ?? "")}`}>Traces</a>}
        </p>
      )}
      <p class="verdict">
        <i class={`dot ${node.health}`} aria-hidden="true" />
        {node.why.length ? node.why.join("; ") : node.health === "idle" ? "no calls in this window" : "healthy"}
      </p>
      <Problems found={node.problems.flatMap((i) => graph.value?.problems[i] ?? [])} />
      {incoming.length > 0 && (
        <section>
          <h3>Called by</h3>
          <Ways edges={incoming} label={(edge) => name(edge.source)} choose={choose} />
        </section>
      )}
      {outgoing.length > 0 && (
        <section>
          <h3>Calls</h3>
          <Ways edges={outgoing} label={(edge) => name(edge.target)} choose={choose} />
        </section>
      )}
      {pods.length > 0 && (
        <section>
          <h3>Pods</h3>
          <ul class="pods">
            {pods.map((pod) => (
              <li key={pod.name}>
                <i class={`dot ${pod.rejected || !pod.ready ? "bad" : "good"}`} aria-hidden="true" />
                <code>{pod.name}</code>
                <small>
                  {pod.ready ? "ready" : `not ready ${pod.reason}`}
                  {pod.restarts > 0 && `, ${words.count(pod.restarts, "restart")}`}
                  {pod.rejected ? `, rejected: ${pod.rejected}` : pod.accepted === null ? "" : pod.accepted ? `, accepted ${pod.version.slice(0, 8)}` : ", has not accepted its configuration yet"}
                  {pod.certificate_until && `, certificate ends ${words.distance(pod.certificate_until)}`}
                </small>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function OfEdge({ edge, choose }: { edge: Line; choose(id: string | null): void }) {
  const statuses = Object.entries(edge.statuses).sort((a, b) => b[1] - a[1]);
  return (
    <>
      <Title choose={choose}>
        {name(edge.source)} → {name(edge.target)}
      </Title>
      <p class="sub">{edge.protocol || "no calls"}</p>
      {edge.declared ? (
        <p>Known from the environment of {name(edge.source)}. Nothing counts what passes here.</p>
      ) : (
        <Facts>
          {[
            ["Rate", words.rate(edge.rate)],
            ["Failing", edge.rate ? words.share(edge.failed) : "–"],
            ["p50", words.milliseconds(edge.p50)],
            ["p95", words.milliseconds(edge.p95)],
            ["p99", words.milliseconds(edge.p99)],
            ["Security", secured(edge)],
            ...(edge.bytes ? [["Bytes", words.bytes(edge.bytes)]] : []),
            ["Retries", words.rate(edge.retries)],
            ["Circuit", edge.open ? "OPEN" : edge.refused > 0 ? `refuses ${words.rate(edge.refused)}` : "closed"],
            ["Ejected", edge.ejected ? words.count(edge.ejected, "pod") : "none"],
          ] as [string, string][]}
        </Facts>
      )}
      {statuses.length > 0 && (
        <section>
          <h3>By status</h3>
          <Bars rows={statuses.map(([status, rate]) => ({ name: status, value: rate / edge.rate, text: words.rate(rate), bad: status !== "OK" && !/^HTTP [1-4]/.test(status) }))} />
        </section>
      )}
      <Split parts={edge.parts} />
    </>
  );
}

/** As configured and as measured. */
function Split({ parts }: { parts: Edge[] }) {
  const split = parts.filter((part) => part.measured !== null);
  if (split.length === 0) return null;
  return (
    <section>
      <h3>Split</h3>
      <table class="small">
        <thead>
          <tr>
            <th scope="col">To</th>
            <th scope="col" class="number">Configured</th>
            <th scope="col" class="number">Measured</th>
          </tr>
        </thead>
        <tbody>
          {split.map((part) => (
            <tr key={`${part.source}>${part.target}`}>
              <th scope="row">{name(part.target)}</th>
              <td class="number">{part.configured === null ? "–" : words.share(part.configured)}</td>
              <td class="number">{words.share(part.measured ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function Facts({ children }: { children: [string, string][] }) {
  return (
    <dl class="facts">
      {children.map(([term, value]) => (
        <div key={term} class={/^(NOT|OPEN)/.test(value) ? "alarm" : ""}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Bars({ rows }: { rows: { name: string; value: number; text: string; bad?: boolean }[] }) {
  return (
    <ul class="bars">
      {rows.map((row) => (
        <li key={row.name}>
          <span>{row.name}</span>
          <meter class={row.bad ? "bad" : ""} min={0} max={1} value={row.value} aria-label={`${row.name}: ${row.text}`} />
          <span class="number">{row.text}</span>
        </li>
      ))}
    </ul>
  );
}

function Ways({ edges, label, choose }: { edges: Line[]; label(edge: Line): string; choose(id: string): void }) {
  return (
    <ul class="list">
      {[...edges].sort((a, b) => b.rate - a.rate).map((edge) => (
        <li key={edge.id}>
          <button type="button" class="row" onClick={() => choose(edge.id)}>
            <i class={`dot ${edge.failed >= 0.1 || edge.mtls === false ? "bad" : edge.failed >= 0.01 ? "poor" : edge.rate > 0 ? "good" : "idle"}`} aria-hidden="true" />
            <b>{label(edge)}</b>
            <small>{edge.declared ? "declared" : [words.rate(edge.rate), edge.failed >= 0.001 ? `${words.share(edge.failed)} fail` : "", edge.p95 === null ? "" : `p95 ${words.milliseconds(edge.p95)}`].filter(Boolean).join(" · ")}</small>
          </button>
        </li>
      ))}
    </ul>
  );
}

export function Problems({ found }: { found: Finding[] }) {
  if (found.length === 0) return null;
  return (
    <section>
      <h3>{words.count(found.length, "problem")} by check</h3>
      <ul class="problems">
        {found.map((each, i) => (
          <li key={i} class={each.severity}>
            <code>{each.code}</code> {each.message}
            <small>
              {each.object} {each.path}
            </small>
            {each.fix && <small class="fix">{each.fix}</small>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Legend() {
  return (
    <details class="legend">
      <summary>What the signs mean</summary>
      <ul>
        <li><i class="dot good" aria-hidden="true" /> healthy: answers calls, nearly all of them well</li>
        <li><i class="dot poor" aria-hidden="true" /> unwell: 1 % of the calls fail, or a pod is not ready</li>
        <li><i class="dot bad" aria-hidden="true" /> failing: 10 % fail, no pod is ready, a proxy rejects its configuration, or calls come without mTLS</li>
        <li><i class="dot idle" aria-hidden="true" /> runs, and is not called</li>
        <li>a closed lock: the called side saw mTLS; an open red one: it saw none</li>
        <li>a red cross: an open circuit, or pods that were ejected; an arrow in a circle: retries</li>
        <li>a dashed line: a database or broker that the environment names; nothing counts there</li>
      </ul>
    </details>
  );
}
