// The calls to each version of a service, over ten minutes and now: how traffic moves after a change.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { get } from "../api";
import { colour, painted } from "../theme";
import { hue } from "../traces/hue";
import * as words from "../words";
import type { Shares } from "./types";

const PERIOD = 5000;
const HEIGHT = 170;
const found = signal<Shares | null>(null);

async function read(service: string): Promise<void> {
  const [namespace, name] = service.split("/");
  found.value = await get<Shares>("shares", { namespace, service: name }).catch(() => null);
}

export function Moving({ service }: { service: string }) {
  useEffect(() => {
    found.value = null;
    void read(service);
    const timer = setInterval(() => void read(service), PERIOD);
    return () => clearInterval(timer);
  }, [service]);
  if (!found.value || found.value.workloads.length === 0) return null;
  const now = found.value.workloads.map((each) => each.rates.at(-1) ?? 0);
  const total = now.reduce((sum, each) => sum + each, 0);
  return (
    <section class="moving">
      <h2>Calls to {service.split("/")[1]}</h2>
      <Chart shares={found.value} />
      <table class="small">
        <thead>
          <tr>
            <th scope="col">Workload</th>
            <th scope="col" class="number">Now</th>
            <th scope="col" class="number">Measured</th>
            <th scope="col" class="number">Configured</th>
          </tr>
        </thead>
        <tbody>
          {found.value.workloads.map((each, i) => (
            <tr key={each.name}>
              <th scope="row"><i class="dot" style={{ background: hue(each.name) }} aria-hidden="true" /> {each.name}</th>
              <td class="number">{words.rate(now[i] ?? 0)}</td>
              <td class="number">{total ? words.share((now[i] ?? 0) / total) : "–"}</td>
              <td class="number">{each.configured === null ? "–" : words.share(each.configured)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Chart({ shares }: { shares: Shares }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const target = place.current!;
    const axis: uPlot.Axis = { stroke: colour("--ink-soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const plot = new uPlot(
      {
        width: target.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_, __, most) => [0, Math.max(most, 0.1) * 1.05] } },
        axes: [axis, { ...axis, size: 54, values: (_, ticks) => ticks.map((tick) => words.rate(tick)) }],
        series: [{}, ...shares.workloads.map((each): uPlot.Series => ({ stroke: hue(each.name), width: 2, points: { show: false } }))],
      },
      [shares.times, ...shares.workloads.map((each) => each.rates)],
      target,
    );
    const watching = new ResizeObserver(() => plot.setSize({ width: target.clientWidth, height: HEIGHT }));
    watching.observe(target);
    return () => {
      watching.disconnect();
      plot.destroy();
    };
  }, [shares, painted.value]);
  return <div class="plot" ref={place} aria-hidden="true" />;
}
