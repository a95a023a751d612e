// The last hour below the graph: how busy the mesh was, and the moment that is shown. Its slider goes back, and plays on from there.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { get } from "../api";
import { about, graph, moment, refresh } from "../state";
import { colour, painted } from "../theme";
import type { History } from "../types";
import * as words from "../words";

const PERIOD = 30_000;
const PLAY = 900;
const HEIGHT = 56;

const history = signal<History | null>(null);
const playing = signal(false);

async function read(): Promise<void> {
  history.value = await get<History>("history").catch(() => history.peek());
}

export function Replay() {
  useEffect(() => {
    void read();
    const timer = setInterval(() => void read(), PERIOD);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    if (!playing.value) return;
    const timer = setInterval(step, PLAY);
    return () => clearInterval(timer);
  }, [playing.value]);
  const found = history.value;
  if (!about.value?.metrics || !found || found.times.length < 2) return null;
  const last = found.times.length - 1;
  const now = moment.value === null ? last : Math.max(0, found.times.findLastIndex((at) => at <= (moment.value ?? 0)));
  return (
    <section class="replay" aria-label="The last hour">
      <button type="button" onClick={toggle} aria-label={playing.value ? "Pause" : "Play the last hour"}>{playing.value ? "❚❚" : "▶"}</button>
      <div class="track">
        <Chart found={found} at={found.times[now] ?? 0} />
        <input
          type="range"
          min={0}
          max={last}
          value={now}
          aria-label="Moment shown"
          aria-valuetext={moment.value === null ? "live" : words.clock(found.times[now] ?? 0)}
          onInput={(event) => show(Number(event.currentTarget.value))}
        />
      </div>
      <output>{moment.value === null ? words.rate(found.all[last] ?? 0) : words.clock(moment.value)}</output>
      <button type="button" class={moment.value === null ? "live on" : "live"} aria-pressed={moment.value === null} onClick={live}>Live</button>
    </section>
  );
}

function show(index: number): void {
  const found = history.peek();
  if (!found) return;
  moment.value = index >= found.times.length - 1 ? null : (found.times[index] ?? null);
  void refresh();
}

function live(): void {
  playing.value = false;
  moment.value = null;
  void refresh();
}

function toggle(): void {
  const found = history.peek();
  if (!playing.value && moment.value === null && found) show(firstBusy(found));
  playing.value = !playing.value;
}

function firstBusy(found: History): number {
  return Math.max(0, found.all.findIndex((rate) => rate > 0));
}

function step(): void {
  const found = history.peek();
  if (!found || moment.peek() === null) return live();
  const index = found.times.findIndex((at) => at > (moment.peek() ?? 0));
  if (index < 0 || index >= found.times.length - 1) live();
  else show(index);
}

function Chart({ found, at }: { found: History; at: number }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const target = place.current!;
    const plot = new uPlot(options(target.clientWidth, at), [found.times, found.all, found.failed], target);
    const watching = new ResizeObserver(() => plot.setSize({ width: target.clientWidth, height: HEIGHT }));
    watching.observe(target);
    return () => {
      watching.disconnect();
      plot.destroy();
    };
  }, [found, at, painted.value, graph.value?.window]);
  return <div class="chart" ref={place} aria-hidden="true" />;
}

function options(width: number, at: number): uPlot.Options {
  const line = (name: string): uPlot.Series => ({ stroke: colour(name), width: 1.5, points: { show: false } });
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [4, 0, 0, 0],
    scales: { x: { time: true }, y: { range: (_, __, most) => [0, Math.max(most, 1)] } },
    axes: [{ show: false }, { show: false }],
    series: [{}, { ...line("--accent"), fill: colour("--accent-soft") }, { ...line("--bad"), fill: colour("--bad-soft") }],
    hooks: {
      draw: [
        (plot) => {
          const x = plot.valToPos(at, "x", true);
          plot.ctx.fillStyle = colour("--ink-soft");
          plot.ctx.fillRect(x - 1, plot.bbox.top, 2, plot.bbox.height);
        },
      ],
    },
  };
}
