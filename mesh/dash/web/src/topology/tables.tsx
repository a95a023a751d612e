// The graph as two tables, for those who read rather than look; everything that the drawing shows is in them.
import * as words from "../words";
import type { Picture } from "./group";
import { name, readiness, secured } from "./words";

export function Tables({ picture, choose }: { picture: Picture; choose(id: string): void }) {
  return (
    <div class="tables">
      <div class="scroll" tabIndex={0} role="region" aria-label="Edges">
        <table>
          <caption>Who calls whom</caption>
          <thead>
            <tr>
              {["From", "To"].map((head) => <th scope="col" key={head}>{head}</th>)}
              {["Rate", "Failing", "p50", "p95", "p99", "Split", "Retries"].map((head) => <th scope="col" class="number" key={head}>{head}</th>)}
              <th scope="col">Security</th>
              <th scope="col">Circuit</th>
            </tr>
          </thead>
          <tbody>
            {[...picture.edges].sort((a, b) => b.rate - a.rate).map((edge) => (
              <tr key={edge.id}>
                <th scope="row"><button type="button" class="link" onClick={() => choose(edge.source)}>{name(edge.source)}</button></th>
                <td><button type="button" class="link" onClick={() => choose(edge.target)}>{name(edge.target)}</button></td>
                <td class="number">{edge.declared ? "–" : words.rate(edge.rate)}</td>
                <td class={edge.failed >= 0.01 ? "number bad" : "number"}>{edge.rate ? words.share(edge.failed) : "–"}</td>
                {[edge.p50, edge.p95, edge.p99].map((each, i) => <td key={i} class="number">{words.milliseconds(each)}</td>)}
                <td class="number">{edge.measured === null || edge.configured === null ? "–" : `${words.share(edge.measured)} of ${words.share(edge.configured)}`}</td>
                <td class="number">{edge.retries ? words.rate(edge.retries) : "–"}</td>
                <td class={edge.mtls === false ? "bad" : ""}>{secured(edge)}</td>
                <td class={edge.open ? "bad" : ""}>{edge.declared ? "–" : edge.open ? "OPEN" : "closed"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="Nodes">
        <table>
          <caption>What there is</caption>
          <thead>
            <tr>
              {["Name", "Version", "Namespace", "Kind", "Health", "Ready"].map((head) => <th scope="col" key={head}>{head}</th>)}
            </tr>
          </thead>
          <tbody>
            {picture.nodes.map((node) => (
              <tr key={node.id}>
                <th scope="row"><button type="button" class="link" onClick={() => choose(node.id)}>{node.label}</button></th>
                <td>{node.detail || "–"}</td>
                <td>{node.namespace || "–"}</td>
                <td>{node.kind}</td>
                <td class={node.health === "bad" ? "bad" : ""}>{node.why.join("; ") || node.health}</td>
                <td>{readiness(node.members)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
