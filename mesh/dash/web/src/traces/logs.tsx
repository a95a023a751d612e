// What was logged meanwhile, of one span or of the whole trace.
import { useEffect, useState } from "preact/hooks";
import { get } from "../api";
import { about } from "../state";
import * as words from "../words";

interface Line {
  time: number | null;
  pod: string;
  container: string;
  level: string | null;
  message: string;
  spanID: string | null;
  line: string;
}

export function Logs({ trace, span = "" }: { trace: string; span?: string }) {
  const [lines, set] = useState<Line[] | null>(null);
  const [wrong, say] = useState("");
  const known = about.value?.logs ?? false;
  useEffect(() => {
    if (!known) return;
    set(null);
    get<{ lines: Line[] }>("logs", { trace, span }).then(
      (found) => set(found.lines),
      (error: Error) => say(error.message),
    );
  }, [trace, span, known]);
  if (!known) return null;
  return (
    <section class="loglines" aria-label={span ? "Logs of this span" : "Logs"}>
      <h2>{lines ? words.count(lines.length, "line") : "Lines"} logged {span ? "in this span" : "meanwhile"}</h2>
      {wrong && <p class="failed">{wrong}</p>}
      <ul>
        {lines?.map((line, i) => (
          <li key={i} class={line.level ?? ""}>
            <time>{line.time === null ? "–" : new Date(line.time / 1000).toISOString().slice(11, 23)}</time>
            <span>{line.pod}</span>
            <span>{line.message || line.line}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
