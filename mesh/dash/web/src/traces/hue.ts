// A colour for each service, the same wherever it appears.
const HUES = [208, 152, 32, 268, 340, 184, 84, 12, 232, 300];
const known = new Map<string, string>();

export function hue(service: string): string {
  const have = known.get(service);
  if (have) return have;
  const made = `oklch(0.66 0.11 ${HUES[known.size % HUES.length]})`;
  known.set(service, made);
  return made;
}
