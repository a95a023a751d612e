// The rules that can be edited, with how they divide calls now.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api";
import { link } from "../state";
import type { Line } from "./types";

const rules = signal<Line[] | null>(null);
const wrong = signal("");

async function read(): Promise<void> {
  try {
    rules.value = (await get<{ rules: Line[] }>("rules")).rules;
    wrong.value = "";
  } catch (error) {
    wrong.value = (error as Error).message;
  }
}

export function Rules() {
  useEffect(() => void read(), []);
  return (
    <div class="view">
      <h1>Change</h1>
      {wrong.value && <p class="notice bad" role="alert">{wrong.value}</p>}
      {rules.value?.length === 0 && <p class="empty">There is no VirtualService and no DestinationRule.</p>}
      {(rules.value?.length ?? 0) > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Rules">
          <table>
            <thead>
              <tr>
                <th scope="col">Rule</th>
                <th scope="col">Kind</th>
                <th scope="col">Divides</th>
                <th scope="col">Accepted</th>
              </tr>
            </thead>
            <tbody>
              {rules.value?.map((rule) => (
                <tr key={`${rule.kind}/${rule.namespace}/${rule.name}`}>
                  <th scope="row"><a href={link("change", rule.kind, rule.namespace, rule.name)}>{rule.namespace}/{rule.name}</a></th>
                  <td>{rule.kind}</td>
                  <td>{rule.routes.map((route) => route.places.map((place) => `${place.subset || place.host} ${place.weight}`).join(", ")).join("; ") || "–"}</td>
                  <td>{rule.accepted ? rule.accepted.said : "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
