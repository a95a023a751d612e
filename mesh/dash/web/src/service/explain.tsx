// What a call of a method would meet, from a workload that one chooses: whether it is allowed, by which line, where it goes, what happens when it fails.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api";
import { name as short } from "../topology/words";
import type { Explained, Service } from "./types";

const answer = signal<Explained | null>(null);
const wrong = signal("");
const caller = signal("");
const method = signal("");

async function ask(service: Service): Promise<void> {
  try {
    answer.value = await get<Explained>("explain", { caller: caller.value, namespace: service.namespace, service: service.name, method: method.value });
    wrong.value = "";
  } catch (error) {
    [answer.value, wrong.value] = [null, (error as Error).message];
  }
}

export function Explain({ service }: { service: Service }) {
  useEffect(() => {
    [answer.value, wrong.value] = [null, ""];
    caller.value = service.callers[0] ?? "";
    method.value = service.methods[0]?.path ?? "";
  }, [service.host, service.methods.length]);
  if (service.methods.length === 0 || service.callers.length === 0) return null;
  return (
    <section>
      <h2>Explain a call</h2>
      <form class="tools plain" onSubmit={(event) => { event.preventDefault(); void ask(service); }}>
        <label class="field"><span>From</span>
          <select value={caller.value} onChange={(event) => (caller.value = event.currentTarget.value)}>
            {service.callers.map((id) => <option key={id} value={id}>{short(id)}</option>)}
          </select>
        </label>
        <label class="field"><span>Method</span>
          <select value={method.value} onChange={(event) => (method.value = event.currentTarget.value)}>
            {service.methods.map((each) => <option key={each.path} value={each.path}>{each.path.split("/")[1]}</option>)}
          </select>
        </label>
        <button type="submit">Explain</button>
      </form>
      {wrong.value && <p class="notice bad" role="alert">{wrong.value}</p>}
      {answer.value && (
        <div class="explained" role="status">
          <p><b class={answer.value.verdict === "allowed" ? "well" : "failed"}>{answer.value.verdict}</b> {answer.value.headline}</p>
          <dl>
            {answer.value.lines.map((line, i) => (
              <div key={i}>
                <dt>{line.label}</dt>
                <dd class={line.bad ? "failed" : ""}>{line.text} {line.at && <small>{line.at}</small>}</dd>
              </div>
            ))}
          </dl>
        </div>
      )}
    </section>
  );
}
