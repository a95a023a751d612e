// The graph on a canvas, by cytoscape: shows a picture, keeps every node where it is as pictures follow each other, tells what is chosen.
import cytoscape from "cytoscape";
import type { Line, Picture, Shown } from "./group";
import type { Order, Positions } from "./layout";
import { marks } from "./marks";
import { SIZE, stylesheet } from "./look";
import { labelled, told } from "./words";

export interface Canvas {
  show(picture: Picture, found: Set<string> | null): void;
  choose(id: string | null, centre?: boolean): void;
  walk(direction: Direction): string | null;
  fit(): void;
  zoom(factor: number): void;
  tidy(): void;
  restyle(): void;
  end(): void;
}

export type Direction = "left" | "right" | "up" | "down";

const NARROW = 640;
const NEAR = 28;
const MANY = 150;

/** Starts while the mesh is still being read. */
const worker = new Worker(new URL("layout.js", document.baseURI), { type: "module" });
let orders = 0;

export function canvas(container: HTMLElement, chosen: (id: string | null) => void): Canvas {
  const cy = cytoscape({
    container,
    style: stylesheet(),
    minZoom: 0.08,
    maxZoom: 2.5,
    boxSelectionEnabled: false,
    selectionType: "single",
    pixelRatio: "auto",
  });
  const drawn = marks(cy, container);
  let asked = 0;
  let current: Picture = { nodes: [], edges: [], hidden: 0 };
  let whole = true;

  cy.on("tap", (event) => chosen(event.target === cy ? null : event.target.id()));
  worker.onmessage = (event: MessageEvent<{ number: number; positions: Positions }>) => {
    if (event.data.number === asked) place(event.data.positions);
  };

  const upright = (): boolean => container.clientWidth < NARROW;

  function lay(): void {
    const order: Order = {
      ...SIZE,
      number: (asked = ++orders),
      nodes: current.nodes.map((node) => node.id),
      edges: current.edges.map((edge) => [edge.source, edge.target]),
      upright: upright(),
    };
    worker.postMessage(order);
  }

  /** What is new comes beside the neighbour that was there already; what was there does not move. */
  function place(positions: Positions): void {
    cy.batch(() => {
      for (const node of cy.nodes(".unplaced")) {
        const wanted = positions[node.id()] ?? { x: 0, y: 0 };
        const beside = whole ? undefined : node.neighborhood("node").filter((each) => !each.hasClass("unplaced"))[0];
        const from = beside && positions[beside.id()];
        node.position(from ? { x: wanted.x - from.x + beside.position("x"), y: wanted.y - from.y + beside.position("y") } : wanted);
      }
      cy.nodes().removeClass("unplaced");
    });
    if (whole) fit();
    whole = false;
    container.dataset["laid"] = String(asked);
  }

  function fit(): void {
    cy.resize();
    if (cy.nodes().empty()) return;
    cy.fit(undefined, NEAR);
    if (cy.zoom() > 1.15) {
      cy.zoom(1.15);
      cy.center();
    }
  }

  function show(picture: Picture, found: Set<string> | null): void {
    const before = new Set(cy.nodes().map((node) => node.id()));
    current = picture;
    cy.batch(() => {
      const wanted = new Set([...picture.nodes, ...picture.edges].map((each) => each.id));
      cy.elements().filter((each) => !wanted.has(each.id())).remove();
      for (const node of picture.nodes) putNode(node);
      for (const edge of picture.edges) putEdge(edge, picture.edges.length);
      const many = picture.edges.length > MANY;
      cy.edges().filter((each) => each.hasClass("many") !== many).toggleClass("many", many);
      cy.nodes(".dim").filter((each) => !found || found.has(each.id())).removeClass("dim");
      if (found) cy.nodes().filter((each) => !found.has(each.id())).addClass("dim");
    });
    const fresh = picture.nodes.some((node) => !before.has(node.id));
    whole ||= before.size === 0 || !picture.nodes.some((node) => before.has(node.id));
    if (fresh) lay();
    drawn.draw(picture);
  }

  function putNode(node: Shown): void {
    const data = { id: node.id, label: labelled(node), kind: node.kind, health: node.health, problem: node.problems.length > 0 };
    const have = cy.getElementById(node.id);
    if (have.empty()) cy.add({ group: "nodes", data, classes: "unplaced" });
    else if (differs(have.data(), data)) have.data(data);
  }

  function putEdge(edge: Line, many: number): void {
    const state = edge.declared ? "declared" : edge.mtls === false ? "insecure" : edge.failed >= 0.1 ? "bad" : edge.failed >= 0.01 ? "poor" : edge.rate > 0 || edge.bytes > 0 ? "good" : "idle";
    const width = edge.declared ? 1.2 : 1.4 + Math.round(Math.min(4.5, Math.log10(1 + edge.rate) * 1.7) * 5) / 5;
    const data = { id: edge.id, source: edge.source, target: edge.target, state, width, label: many <= 60 ? told(edge) : "" };
    const have = cy.getElementById(edge.id);
    if (have.empty()) cy.add({ group: "edges", data });
    else if (differs(have.data(), data)) have.data(data);
  }

  function choose(id: string | null, centre = false): void {
    cy.elements().removeClass("chosen near");
    const one = id ? cy.getElementById(id) : cy.collection();
    if (one.empty()) return;
    one.addClass("chosen");
    one.connectedEdges().union(one.connectedNodes()).addClass("near");
    if (centre) cy.animate({ center: { eles: one }, duration: still() ? 0 : 180 });
  }

  function walk(direction: Direction): string | null {
    const from = cy.nodes(".chosen")[0];
    if (!from) return cy.nodes().sort((a, b) => a.position("x") - b.position("x") || a.position("y") - b.position("y"))[0]?.id() ?? null;
    const { x, y } = from.position();
    let best: string | null = null;
    let nearest = Infinity;
    for (const node of cy.nodes()) {
      const [dx, dy] = [node.position("x") - x, node.position("y") - y];
      const [ahead, aside] = direction === "left" ? [-dx, dy] : direction === "right" ? [dx, dy] : direction === "up" ? [-dy, dx] : [dy, dx];
      const far = ahead + Math.abs(aside) * 2;
      if (ahead > 1 && far < nearest) [best, nearest] = [node.id(), far];
    }
    return best;
  }

  const restyle = (): void => {
    cy.style(stylesheet());
    drawn.draw(current);
  };
  const watching = new ResizeObserver(() => cy.resize());
  watching.observe(container);

  return {
    show,
    choose,
    walk,
    fit,
    restyle,
    zoom: (factor) => cy.zoom({ level: cy.zoom() * factor, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } }),
    tidy: () => {
      whole = true;
      cy.nodes().addClass("unplaced");
      lay();
    },
    end: () => {
      watching.disconnect();
      worker.onmessage = null;
      drawn.end();
      cy.destroy();
    },
  };
}

/** To style hundreds of elements anew takes a while: only those are that have changed. */
function differs(have: Record<string, unknown>, wanted: Record<string, unknown>): boolean {
  return Object.entries(wanted).some(([key, value]) => have[key] !== value);
}

export function still(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

