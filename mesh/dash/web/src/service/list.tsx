// Every service that has workloads, with how it does.
import { computed } from "@preact/signals";
import { graph, link } from "../state";
import { picture } from "../topology/group";
import { readiness } from "../topology/words";
import * as words from "../words";

const ALL = { by: "service", namespaces: [], hide: "", idle: true } as const;

const rows = computed(() => {
  if (!graph.value) return [];
  const { nodes, edges } = picture(graph.value, { ...ALL, namespaces: [] });
  return nodes
    .filter((node) => node.members.some((member) => member.pods.length > 0))
    .map((node) => {
      const incoming = edges.filter((edge) => edge.target === node.id && !edge.declared);
      const rate = incoming.reduce((sum, edge) => sum + edge.rate, 0);
      const failing = incoming.reduce((sum, edge) => sum + edge.rate * edge.failed, 0);
      const slowest = Math.max(...incoming.map((edge) => edge.p95 ?? -1));
      return { node, rate, failed: rate ? failing / rate : 0, p95: slowest >= 0 ? slowest : null };
    });
});

export function Services() {
  return (
    <div class="view">
      <h1>Services</h1>
      <div class="scroll" tabIndex={0} role="region" aria-label="Services">
        <table class="lines">
          <thead>
            <tr>
              <th scope="col">Service</th>
              <th scope="col">Health</th>
              <th scope="col" class="number">Calls</th>
              <th scope="col" class="number">Failing</th>
              <th scope="col" class="number">Slowest p95</th>
              <th scope="col" class="number">Ready</th>
            </tr>
          </thead>
          <tbody>
            {rows.value.map(({ node, rate, failed, p95 }) => (
              <tr key={node.id}>
                <th scope="row">
                  <a href={link("service", node.namespace, node.label)}>{node.label}</a> <small>{node.namespace}</small>
                </th>
                <td><i class={`dot ${node.health}`} aria-hidden="true" /> {node.why.join("; ") || (node.health === "idle" ? "not called" : "healthy")}</td>
                <td class="number">{words.rate(rate)}</td>
                <td class={failed >= 0.01 ? "number bad" : "number"}>{rate ? words.share(failed) : "–"}</td>
                <td class="number">{words.milliseconds(p95)}</td>
                <td class="number">{readiness(node.members)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
