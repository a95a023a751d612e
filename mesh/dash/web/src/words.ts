// Numbers as people read them.

export function rate(perSecond: number): string {
  if (perSecond === 0) return "0/s";
  if (perSecond < 0.1) return `${(perSecond * 60).toFixed(1)}/min`;
  return `${short(perSecond)}/s`;
}

export function share(part: number): string {
  if (part > 0 && part < 0.001) return "<0.1 %";
  const percent = part * 100;
  return `${percent >= 10 || Number.isInteger(percent) ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

export function milliseconds(ms: number | null): string {
  if (ms === null) return "–";
  if (ms === 0) return "0";
  if (ms >= 10_000) return `${(ms / 1000).toFixed(0)} s`;
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 10) return `${ms.toFixed(0)} ms`;
  return ms >= 1 ? `${ms.toFixed(1)} ms` : `${(ms * 1000).toFixed(0)} µs`;
}

export function bytes(perSecond: number): string {
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(1)} MB/s`;
  return perSecond >= 1e3 ? `${(perSecond / 1e3).toFixed(1)} kB/s` : `${perSecond.toFixed(0)} B/s`;
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

export function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** "in 23 h", "2 min ago": how far an ISO time is from now. */
export function distance(iso: string, now: number = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  if (Number.isNaN(seconds)) return "unknown";
  const size = Math.abs(seconds);
  const [divisor, unit] = size < 120 ? [1, "s"] : size < 7200 ? [60, "min"] : size < 172_800 ? [3600, "h"] : [86_400, "days"];
  const text = `${Math.round(size / (divisor as number))} ${unit}`;
  return seconds >= 0 ? `in ${text}` : `${text} ago`;
}

function short(number: number): string {
  if (number >= 10_000) return `${(number / 1000).toFixed(0)}k`;
  if (number >= 1000) return `${(number / 1000).toFixed(1)}k`;
  return number >= 10 ? number.toFixed(0) : number.toFixed(1);
}
