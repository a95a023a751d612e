// When each request was and how long it took, so that the outliers stand out. The table below has the same, for those who read.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { colour, painted } from "../theme";
import type { Line } from "./types";

const HEIGHT = 190;
const REACH = 18;

export function Scatter({ lines, open }: { lines: Line[]; open(trace: string): void }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const target = place.current!;
    const sorted = [...lines].sort((a, b) => a.start.localeCompare(b.start));
    const times = sorted.map((line) => Date.parse(line.start) / 1000);
    const well = sorted.map((line) => (line.errors ? null : line.milliseconds));
    const failed = sorted.map((line) => (line.errors ? line.milliseconds : null));
    const plot = new uPlot(options(target.clientWidth, typical(lines)), [times, well, failed], target);
    const click = (): void => {
      const found = nearest(plot, sorted, times);
      if (found) open(found.trace);
    };
    plot.over.addEventListener("click", click);
    const watching = new ResizeObserver(() => plot.setSize({ width: target.clientWidth, height: HEIGHT }));
    watching.observe(target);
    return () => {
      watching.disconnect();
      plot.destroy();
    };
  }, [lines, painted.value]);
  return <div class="scatter" ref={place} aria-hidden="true" />;
}

/** The duration that 95 of 100 stay below. */
function typical(lines: Line[]): number {
  const durations = lines.map((line) => line.milliseconds).sort((a, b) => a - b);
  return durations[Math.floor(durations.length * 0.95)] ?? 0;
}

function nearest(plot: uPlot, lines: Line[], times: number[]): Line | null {
  const { left, top } = plot.cursor;
  let best: Line | null = null;
  let far = REACH;
  lines.forEach((line, i) => {
    const away = Math.hypot(plot.valToPos(times[i] ?? 0, "x") - (left ?? 0), plot.valToPos(line.milliseconds, "y") - (top ?? 0));
    if (away < far) [best, far] = [line, away];
  });
  return best;
}

function options(width: number, usual: number): uPlot.Options {
  const points = (name: string): uPlot.Series => ({
    stroke: colour(name),
    paths: () => null,
    points: { show: true, size: 8, width: 0, fill: colour(name) },
  });
  const axis: uPlot.Axis = { stroke: colour("--ink-soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { distr: 3 } },
    axes: [axis, { ...axis, size: 62, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : tick >= 1000 ? `${tick / 1000} s` : `${tick} ms`)) }],
    series: [{}, points("--accent"), points("--bad")],
    hooks: {
      drawAxes: [
        (plot) => {
          const y = plot.valToPos(usual, "y", true);
          plot.ctx.strokeStyle = colour("--poor");
          plot.ctx.setLineDash([4, 4]);
          plot.ctx.beginPath();
          plot.ctx.moveTo(plot.bbox.left, y);
          plot.ctx.lineTo(plot.bbox.left + plot.bbox.width, y);
          plot.ctx.stroke();
          plot.ctx.setLineDash([]);
        },
      ],
    },
  };
}
