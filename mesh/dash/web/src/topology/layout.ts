// Places nodes in columns, callers left of what they call (or in rows from top to bottom, on a narrow screen). Pure.
//
// Layers by the longest way from a node that nobody calls; in a layer, nodes are ordered by where their neighbours are (Sugiyama's method:
// K. Sugiyama et al., Methods for Visual Understanding of Hierarchical System Structures, 1981). A layer that is too long is folded into
// several columns, so that hundreds of services make a picture and no ribbon: that is why this is no library's.

export interface Order {
  number: number;
  nodes: string[];
  edges: [string, string][];
  width: number;
  height: number;
  upright: boolean;
}

export type Positions = Record<string, { x: number; y: number }>;

interface Links {
  callers: Map<string, string[]>;
  called: Map<string, string[]>;
}

const SWEEPS = 12;
const ASPECT = 1.7;
const GAP = { along: 150, upright: 84, across: 30, folded: 40 };
const SMALL = 80;
const BEND = "\u0000";
const BEND_SIZE = 22;

export function placed(order: Order): Positions {
  const direct = linked(order.nodes, order.edges);
  const met = order.nodes.filter((id) => direct.callers.get(id)?.length || direct.called.get(id)?.length);
  const through = met.length <= SMALL ? passing(layered(met, direct), order.edges) : { layers: layered(met, direct), edges: order.edges };
  const links = linked(through.layers.flat(), through.edges);
  const columns = folded(sorted(through.layers, links), order);
  const across = levelled(columns, links, order);
  const found: Positions = {};
  let along = 0;
  for (const { ids, first } of columns) {
    along += !first ? GAP.folded : order.upright ? GAP.upright : GAP.along;
    for (const id of ids) if (!isBend(id)) found[id] = at(order, along, across.get(id) ?? 0);
    along += order.upright ? order.height : order.width;
  }
  return { ...found, ...below(order, found) };
}

function at(order: Order, along: number, across: number): { x: number; y: number } {
  return order.upright ? { x: across, y: along } : { x: along, y: across };
}

function linked(nodes: string[], edges: [string, string][]): Links {
  const callers = new Map<string, string[]>(nodes.map((id) => [id, []]));
  const called = new Map<string, string[]>(nodes.map((id) => [id, []]));
  for (const [source, target] of edges) {
    callers.get(target)?.push(source);
    called.get(source)?.push(target);
  }
  return { callers, called };
}

const isBend = (id: string): boolean => id.startsWith(BEND);

/** An edge that skips layers gets a place in each of them, so that it passes beside nodes rather than behind them. */
function passing(layers: string[][], edges: [string, string][]): { layers: string[][]; edges: [string, string][] } {
  const depth = new Map(layers.flatMap((layer, i) => layer.map((id) => [id, i] as const)));
  const wider = layers.map((layer) => [...layer]);
  const found = edges.flatMap(([source, target]): [string, string][] => {
    const [from, to] = [depth.get(source) ?? 0, depth.get(target) ?? 0];
    const bends = Array.from({ length: Math.max(0, to - from - 1) }, (_, i) => `${BEND}${source}>${target}>${i}`);
    bends.forEach((id, i) => wider[from + 1 + i]?.push(id));
    const way = [source, ...bends, target];
    return way.slice(1).map((id, i) => [way[i] as string, id]);
  });
  return { layers: wider, edges: found };
}

/** An edge that would close a circle does not count: depth first from those whom nobody calls, in order of names. */
function layered(ids: string[], links: Links): string[][] {
  const back = new Set<string>();
  const state = new Map<string, "open" | "done">();
  const ended: string[] = [];
  const visit = (id: string): void => {
    state.set(id, "open");
    for (const next of links.called.get(id) ?? []) {
      if (state.get(next) === "open") back.add(`${id}>${next}`);
      else if (!state.has(next)) visit(next);
    }
    state.set(id, "done");
    ended.push(id);
  };
  const first = ids.filter((id) => !links.callers.get(id)?.length);
  for (const id of [...first, ...ids]) if (!state.has(id)) visit(id);
  const depth = new Map<string, number>();
  for (const id of ended.reverse()) {
    const above = (links.callers.get(id) ?? []).filter((each) => !back.has(`${each}>${id}`));
    depth.set(id, Math.max(0, ...above.map((each) => (depth.get(each) ?? 0) + 1)));
  }
  const layers: string[][] = [];
  for (const id of ids) (layers[depth.get(id) ?? 0] ??= []).push(id);
  return layers.filter((layer) => layer?.length);
}

/** Each node goes where its neighbours are on average, forwards and backwards in turn. */
function sorted(layers: string[][], links: Links): string[][] {
  const rank = new Map<string, number>();
  const number = (layer: string[]): void => layer.forEach((id, i) => rank.set(id, (i + 0.5) / layer.length));
  layers.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const forwards = sweep % 2 === 0;
    const neighbours = forwards ? links.callers : links.called;
    for (const layer of forwards ? layers : [...layers].reverse()) {
      const wanted = new Map(layer.map((id) => [id, mean((neighbours.get(id) ?? []).map((each) => rank.get(each) ?? 0.5), rank.get(id) ?? 0.5)]));
      layer.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
      number(layer);
    }
  }
  return layers;
}

function mean(numbers: number[], otherwise: number): number {
  return numbers.length ? numbers.reduce((sum, each) => sum + each, 0) / numbers.length : otherwise;
}

/** As long as makes the whole about as wide as a screen. `first` begins a layer. */
function folded(layers: string[][], order: Order): { ids: string[]; first: boolean }[] {
  const longest = Math.max(1, ...layers.map((layer) => layer.length));
  const [thick, wide] = order.upright ? [order.height, order.width] : [order.width, order.height];
  const aspect = order.upright ? 1 / 0.62 : ASPECT;
  let best = longest;
  let off = Infinity;
  for (let most = 1; most <= longest; most++) {
    const columns = layers.reduce((sum, layer) => sum + Math.ceil(layer.length / most), 0);
    const along = columns * (thick + GAP.folded) + layers.length * (GAP.along - GAP.folded);
    const wrong = Math.abs(Math.log(along / (most * (wide + GAP.across)) / aspect));
    if (wrong < off) [best, off] = [most, wrong];
  }
  const most = Math.max(best, order.upright ? 2 : order.nodes.length <= SMALL ? 12 : 6);
  return layers.flatMap((layer) => {
    const parts = Math.ceil(layer.length / most);
    return Array.from({ length: parts }, (_, part) => ({ ids: layer.filter((_, i) => i % parts === part), first: part === 0 }));
  });
}

/** Nodes move towards their neighbours as far as the others in their column let them. */
function levelled(columns: { ids: string[] }[], links: Links, order: Order): Map<string, number> {
  const size = (id: string): number => (isBend(id) ? BEND_SIZE : (order.upright ? order.width : order.height) + GAP.across);
  const found = new Map<string, number>();
  const offsets = columns.map(({ ids }) => {
    let edge = 0;
    return ids.map((id) => (edge += size(id)) - size(id) / 2);
  });
  columns.forEach(({ ids }, c) => ids.forEach((id, i) => found.set(id, (offsets[c]?.[i] ?? 0) - (offsets[c]?.at(-1) ?? 0) / 2)));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    columns.forEach(({ ids }, c) => {
      const wanted = ids.map((id) => mean([...(links.callers.get(id) ?? []), ...(links.called.get(id) ?? [])].map((each) => found.get(each) ?? 0), 0));
      spread(wanted, offsets[c] ?? []).forEach((y, i) => found.set(ids[i] as string, y));
    });
  }
  return found;
}

/** The nearest places to those that are wanted, in the same order and as far apart as the offsets are. */
function spread(wanted: number[], offsets: number[]): number[] {
  const blocks: { sum: number; count: number }[] = [];
  wanted.forEach((y, i) => {
    let block = { sum: y - (offsets[i] ?? 0), count: 1 };
    for (let last = blocks.at(-1); last && last.sum / last.count >= block.sum / block.count; last = blocks.at(-1)) {
      blocks.pop();
      block = { sum: last.sum + block.sum, count: last.count + block.count };
    }
    blocks.push(block);
  });
  return blocks.flatMap(({ sum, count }) => Array<number>(count).fill(sum / count)).map((y, i) => y + (offsets[i] ?? 0));
}

/** Those that neither call nor are called, in rows below the others. */
function below(order: Order, others: Positions): Positions {
  const alone = order.nodes.filter((id) => !(id in others));
  const all = Object.values(others);
  const left = all.length ? Math.min(...all.map(({ x }) => x)) : 0;
  const right = all.length ? Math.max(...all.map(({ x }) => x)) : 0;
  const top = all.length ? Math.max(...all.map(({ y }) => y)) + order.height * 2 : 0;
  const columns = Math.max(1, Math.round((right - left) / (order.width + 30)) + 1, Math.ceil(Math.sqrt(alone.length / (order.upright ? 3 : 1))));
  return Object.fromEntries(
    alone.map((id, i) => [
      id,
      { x: left + (i % columns) * (order.width + 30), y: top + Math.floor(i / columns) * (order.height + 30) },
    ]),
  );
}
