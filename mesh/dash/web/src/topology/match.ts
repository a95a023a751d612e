// What is written into Find and Hide: words that must all fit a node. `failing`, `idle`, `insecure` and `problem` are properties,
// `kind:database` and `ns:shop` ask for one, everything else is a part of a name.
import type { Line, Shown } from "./group";

export type Fits = (node: Shown, edges: Line[]) => boolean;

export function matcher(text: string): Fits {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean).map(word);
  return (node, edges) => words.every((fits) => fits(node, edges));
}

function word(text: string): Fits {
  const [name, value] = text.split(":", 2);
  if (name === "kind" && value !== undefined) return (node) => node.kind.startsWith(value);
  if (name === "ns" && value !== undefined) return (node) => node.namespace === value;
  if (text === "failing") return (node) => node.health === "bad" || node.health === "poor";
  if (text === "idle") return (node) => node.health === "idle";
  if (text === "problem") return (node) => node.problems.length > 0;
  if (text === "insecure") return (node, edges) => edges.some((edge) => edge.target === node.id && edge.mtls === false);
  return (node) => [node.id, node.label, node.detail, node.kind].some((part) => part.toLowerCase().includes(text));
}
