// Small signs on the edges, drawn on a canvas above cytoscape's: a lock where the traffic is really mTLS, an open one where not,
// a broken circle for an open circuit, an arrow for retries. A problem's dot stands on its node.
import type cytoscape from "cytoscape";
import { colour } from "../theme";
import type { Line, Picture } from "./group";

const LEAST_ZOOM = 0.35;

export function marks(cy: cytoscape.Core, container: HTMLElement): { draw(picture: Picture): void; end(): void } {
  const layer = document.createElement("canvas");
  layer.className = "marks";
  layer.setAttribute("aria-hidden", "true");
  container.append(layer);
  let edges: Line[] = [];
  let problems: string[] = [];

  function paint(): void {
    const ratio = devicePixelRatio || 1;
    const [width, height] = [container.clientWidth, container.clientHeight];
    if (layer.width !== width * ratio || layer.height !== height * ratio) [layer.width, layer.height] = [width * ratio, height * ratio];
    const brush = layer.getContext("2d");
    if (!brush) return;
    brush.setTransform(ratio, 0, 0, ratio, 0, 0);
    brush.clearRect(0, 0, width, height);
    if (cy.zoom() < LEAST_ZOOM) return;
    const { x, y } = cy.pan();
    brush.translate(x, y);
    brush.scale(cy.zoom(), cy.zoom());
    for (const edge of edges) signs(brush, cy, edge);
    for (const id of problems) dot(brush, cy.getElementById(id));
  }

  cy.on("render", paint);
  return {
    draw(picture) {
      edges = picture.edges.filter((edge) => edge.mtls !== null || edge.open || edge.retries > 0 || edge.ejected > 0);
      problems = picture.nodes.filter((node) => node.problems.length > 0).map((node) => node.id);
      cy.forceRender();
    },
    end: () => layer.remove(),
  };
}

function signs(brush: CanvasRenderingContext2D, cy: cytoscape.Core, edge: Line): void {
  const drawn = cy.getElementById(edge.id);
  if (drawn.empty() || drawn.source().hasClass("unplaced") || drawn.target().hasClass("unplaced")) return;
  const [from, to] = [drawn.sourceEndpoint(), drawn.targetEndpoint()];
  if (!from || !to) return;
  const wanted: ((brush: CanvasRenderingContext2D, x: number, y: number) => void)[] = [];
  if (edge.mtls !== null) wanted.push(edge.mtls ? locked : unlocked);
  if (edge.open || edge.ejected > 0) wanted.push(broken);
  if (edge.retries > 0) wanted.push(again);
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  wanted.forEach((sign, i) => {
    const back = Math.min(0.45, (20 + i * 17) / length);
    sign(brush, to.x + (from.x - to.x) * back, to.y + (from.y - to.y) * back);
  });
}

function plate(brush: CanvasRenderingContext2D, x: number, y: number, border: string): void {
  brush.beginPath();
  brush.arc(x, y, 8, 0, Math.PI * 2);
  brush.fillStyle = colour("--ground");
  brush.fill();
  brush.lineWidth = 1;
  brush.strokeStyle = border;
  brush.stroke();
}

function lock(brush: CanvasRenderingContext2D, x: number, y: number, tint: string, open: boolean): void {
  plate(brush, x, y, tint);
  brush.fillStyle = brush.strokeStyle = tint;
  brush.fillRect(x - 3.4, y - 0.6, 6.8, 5);
  brush.lineWidth = 1.4;
  brush.beginPath();
  brush.arc(x + (open ? 1.6 : 0), y - 1, 2.2, Math.PI, open ? Math.PI * 1.9 : 0);
  brush.stroke();
}

const locked = (brush: CanvasRenderingContext2D, x: number, y: number): void => lock(brush, x, y, colour("--good"), false);
const unlocked = (brush: CanvasRenderingContext2D, x: number, y: number): void => lock(brush, x, y, colour("--bad"), true);

function broken(brush: CanvasRenderingContext2D, x: number, y: number): void {
  plate(brush, x, y, colour("--bad"));
  brush.lineWidth = 1.8;
  brush.strokeStyle = colour("--bad");
  brush.beginPath();
  for (const [dx, dy] of [[-3.4, -3.4], [3.4, -3.4]] as const) {
    brush.moveTo(x + dx, y + dy);
    brush.lineTo(x - dx, y - dy);
  }
  brush.stroke();
}

function again(brush: CanvasRenderingContext2D, x: number, y: number): void {
  plate(brush, x, y, colour("--poor"));
  brush.lineWidth = 1.5;
  brush.strokeStyle = brush.fillStyle = colour("--poor");
  brush.beginPath();
  brush.arc(x, y, 3.6, -Math.PI * 0.3, Math.PI * 1.3);
  brush.stroke();
  brush.beginPath();
  brush.moveTo(x + 0.2, y - 5.6);
  brush.lineTo(x + 4.6, y - 3.8);
  brush.lineTo(x + 0.9, y - 1.2);
  brush.fill();
}

function dot(brush: CanvasRenderingContext2D, node: cytoscape.CollectionReturnValue): void {
  if (node.empty() || node.hasClass("unplaced")) return;
  const box = node.boundingBox({ includeLabels: false, includeOverlays: false });
  brush.beginPath();
  brush.arc(box.x2 - 4, box.y1 + 4, 7, 0, Math.PI * 2);
  brush.fillStyle = colour("--bad");
  brush.fill();
  brush.fillStyle = colour("--ground");
  brush.font = "bold 10px system-ui, sans-serif";
  brush.textAlign = "center";
  brush.textBaseline = "middle";
  brush.fillText("!", box.x2 - 4, box.y1 + 4.5);
}
