// A call from the page, made by the sidecar of a workload that one chooses, so that it meets what that workload's calls meet.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { post } from "../api";
import { about, graph, link } from "../state";
import { name as short } from "../topology/words";
import * as words from "../words";
import type { Called, Service } from "./types";

const caller = signal("");
const method = signal("");
const request = signal("{}");
const answer = signal<Called | null>(null);
const wrong = signal("");
const busy = signal(false);

async function send(service: Service): Promise<void> {
  busy.value = true;
  try {
    answer.value = await post<Called>("call", { namespace: service.namespace, service: service.name, caller: caller.value, method: method.value, request: request.value });
    wrong.value = "";
  } catch (error) {
    [answer.value, wrong.value] = [null, (error as Error).message];
  } finally {
    busy.value = false;
  }
}

function choose(service: Service, path: string): void {
  method.value = path;
  request.value = service.methods.find((each) => each.path === path)?.example ?? "{}";
}

export function Try({ service }: { service: Service }) {
  useEffect(() => {
    [answer.value, wrong.value] = [null, ""];
    const gateways = new Set(graph.peek()?.nodes.filter((node) => node.kind === "gateway").map((node) => node.id));
    caller.value = service.callers.find((id) => gateways.has(id)) ?? service.callers[0] ?? "";
    choose(service, service.methods[0]?.path ?? "");
  }, [service.host, service.methods.length]);
  return (
    <section class="try">
      <h2>Try a call</h2>
      <form onSubmit={(event) => { event.preventDefault(); void send(service); }}>
        <div class="tools plain">
          <label class="field"><span>As</span>
            <select value={caller.value} onChange={(event) => (caller.value = event.currentTarget.value)}>
              {service.callers.map((id) => <option key={id} value={id}>{short(id)}</option>)}
            </select>
          </label>
          <label class="field"><span>Call</span>
            <select value={method.value} onChange={(event) => choose(service, event.currentTarget.value)}>
              {service.methods.map((each) => <option key={each.path} value={each.path}>{each.path.split("/")[1]}</option>)}
            </select>
          </label>
          <button type="submit" class="main" disabled={busy.value}>{busy.value ? "Calling…" : "Call"}</button>
        </div>
        <label class="editor"><span>Request</span>
          <textarea rows={Math.min(14, request.value.split("\n").length + 1)} spellcheck={false} value={request.value} onInput={(event) => (request.value = event.currentTarget.value)} />
        </label>
      </form>
      {wrong.value && <p class="notice bad" role="alert">{wrong.value}</p>}
      {answer.value && (
        <div class="answer" role="status">
          <p>
            <b class={answer.value.status === "OK" ? "well" : "failed"}>{answer.value.status}</b> in {words.milliseconds(answer.value.milliseconds)}
            {answer.value.metadata.filter(([key]) => key.startsWith("served-") || key === "attempt").map(([key, value]) => <small key={key}> · {key} {value}</small>)}
            {about.value?.traces && <> · <a href={link("trace", answer.value.trace)}>its trace</a></>}
          </p>
          <pre tabIndex={0}>{[...answer.value.messages, answer.value.error].filter(Boolean).join("\n")}</pre>
        </div>
      )}
    </section>
  );
}
