// How nodes and edges look, in the colours of the theme.
import type cytoscape from "cytoscape";
import { colour } from "../theme";

export const SIZE = { width: 156, height: 52 };

const SHAPES: Record<string, cytoscape.Css.NodeShape> = {
  workload: "round-rectangle",
  gateway: "round-hexagon",
  database: "barrel",
  broker: "cut-rectangle",
  service: "round-rectangle",
  external: "ellipse",
  unknown: "ellipse",
};

export function stylesheet(): cytoscape.StylesheetJson {
  const font = getComputedStyle(document.body).fontFamily;
  return [
    {
      selector: "node",
      style: {
        ...SIZE,
        shape: (node: cytoscape.NodeSingular) => SHAPES[node.data("kind")] ?? "round-rectangle",
        "background-color": colour("--raised"),
        "border-width": 1.5,
        "border-color": colour("--line-strong"),
        label: "data(label)",
        color: colour("--ink"),
        "font-family": font,
        "font-size": 14,
        "line-height": 1.25,
        "text-wrap": "wrap",
        "text-valign": "center",
        "text-halign": "center",
        "overlay-opacity": 0,
        "transition-property": "background-color, border-color",
        "transition-duration": 200,
      },
    },
    { selector: 'node[kind = "gateway"]', style: { width: SIZE.width + 34 } },
    { selector: "node.unplaced", style: { visibility: "hidden" } },
    { selector: 'node[kind = "service"], node[kind = "external"], node[kind = "unknown"]', style: { "border-style": "dashed" } },
    { selector: 'node[health = "good"]', style: { "border-color": colour("--good"), "background-color": colour("--good-soft") } },
    { selector: 'node[health = "poor"]', style: { "border-color": colour("--poor"), "background-color": colour("--poor-soft"), "border-width": 2 } },
    { selector: 'node[health = "bad"]', style: { "border-color": colour("--bad"), "background-color": colour("--bad-soft"), "border-width": 2.5 } },
    {
      selector: "edge",
      style: {
        width: "data(width)",
        "curve-style": "bezier",
        "control-point-step-size": 46,
        "line-color": colour("--edge"),
        "target-arrow-color": colour("--edge"),
        "target-arrow-shape": "triangle",
        "arrow-scale": 0.95,
        label: "data(label)",
        color: colour("--ink-soft"),
        "font-family": font,
        "font-size": 12,
        "text-background-color": colour("--ground"),
        "text-background-opacity": 0.88,
        "text-background-padding": "3px",
        "text-background-shape": "roundrectangle",
        "min-zoomed-font-size": 7,
        "overlay-opacity": 0,
      },
    },
    { selector: 'edge[state = "idle"]', style: { "line-color": colour("--line"), "target-arrow-color": colour("--line") } },
    { selector: 'edge[state = "declared"]', style: { "line-style": "dashed", "line-color": colour("--line-strong"), "target-arrow-color": colour("--line-strong"), "line-dash-pattern": [3, 5] } },
    { selector: 'edge[state = "poor"]', style: { "line-color": colour("--poor"), "target-arrow-color": colour("--poor") } },
    { selector: 'edge[state = "bad"]', style: { "line-color": colour("--bad"), "target-arrow-color": colour("--bad") } },
    { selector: 'edge[state = "insecure"]', style: { "line-color": colour("--bad"), "target-arrow-color": colour("--bad"), "line-style": "dashed" } },
    { selector: "edge.many", style: { "line-opacity": 0.45 } },
    { selector: ".near", style: { "z-index": 5 } },
    { selector: "edge.near", style: { "line-color": colour("--accent"), "target-arrow-color": colour("--accent"), color: colour("--ink"), "line-opacity": 1 } },
    { selector: "node.chosen", style: { "border-color": colour("--accent"), "border-width": 3.5, "z-index": 9 } },
    { selector: "edge.chosen", style: { "line-color": colour("--accent"), "target-arrow-color": colour("--accent"), color: colour("--ink"), "font-weight": "bold", "z-index": 9 } },
    { selector: "node.dim", style: { opacity: 0.22 } },
  ];
}
