// Bindings drawn as a graph: exchanges and queues as nodes, a line for each pair with its routing keys.

import { h, svg } from "../lib/dom.js";
import { to } from "../lib/router.js";
import { NODE_HEIGHT, NODE_WIDTH, layOut } from "./layers.js";

const MARGIN = 12;
const KEYS_SHOWN = 2;
export const EDGES_MAX = 300;

/** The graph of these bindings, as the API describes them; `types` are those of exchanges by name. */
export function graph(bindings, types = new Map()) {
  const { nodes, edges } = gather(bindings.slice(0, EDGES_MAX));
  const { width, height } = layOut(nodes, edges);
  const box = `${-MARGIN} ${-MARGIN} ${width + 2 * MARGIN} ${height + 2 * MARGIN}`;
  const drawing = svg(
    "svg",
    {
      viewBox: box,
      width: width + 2 * MARGIN,
      height: height + 2 * MARGIN,
      role: "group",
      "aria-label": `Graph of ${edges.length} connections between exchanges and queues`,
    },
    edges.map((edge) => line(edge, nodes)),
    edges.map((edge) => label(edge, nodes)),
    [...nodes.values()].map((node) => frame(node, types)),
  );
  return h(
    "div",
    {
      class: "graph panel",
      onpointermove: light,
      onpointerleave: light,
      tabindex: "0",
      role: "region",
      "aria-label": "Graph of bindings",
    },
    drawing,
  );
}

function gather(bindings) {
  const nodes = new Map();
  const edges = new Map();
  const node = (kind, vhost, name) => {
    const id = `${kind} ${vhost} ${name}`;
    if (!nodes.has(id)) nodes.set(id, { id, kind, vhost, name });
    return id;
  };
  for (const { source, destination, destination_type, vhost, routing_key, arguments: values } of bindings) {
    const from = node("exchange", vhost, source);
    const into = node(destination_type, vhost, destination);
    const id = `${from} ${into}`;
    if (!edges.has(id)) edges.set(id, { from, to: into, keys: [] });
    edges.get(id).keys.push(routing_key || headers(values));
  }
  return { nodes, edges: [...edges.values()] };
}

function headers(values) {
  const entries = Object.entries(values).filter(([name]) => name !== "x-match");
  return entries.map(([name, value]) => `${name}=${value}`).join(", ");
}

function frame(node, types) {
  const { id, kind, vhost, name, x, y } = node;
  const shown = name || "(default exchange)";
  const type = types.get(name);
  return svg(
    "a",
    {
      href: kind === "queue" ? to.queue(vhost, name) : to.exchange(vhost, name),
      class: `node ${kind}`,
      "data-node": id,
      "aria-label": `${kind} ${shown}`,
    },
    svg("title", {}, `${kind} ${shown}${type ? ` (${type})` : ""}`),
    svg("rect", { x, y, width: NODE_WIDTH, height: NODE_HEIGHT, rx: kind === "queue" ? 6 : NODE_HEIGHT / 2 }),
    svg("text", { x: x + NODE_WIDTH / 2, y: y + NODE_HEIGHT / 2, dy: "0.35em" }, clipped(shown, 21)),
  );
}

/** Where an edge ends: at the side of a node further right, else at the top of a node in the same column or before. */
function ends({ from, to: into }, nodes) {
  const [start, end] = [nodes.get(from), nodes.get(into)];
  const isForward = end.x > start.x;
  return {
    isForward,
    x1: start.x + (isForward ? NODE_WIDTH : NODE_WIDTH / 2),
    y1: start.y + (isForward ? NODE_HEIGHT / 2 : NODE_HEIGHT),
    x2: end.x + (isForward ? 0 : NODE_WIDTH / 2),
    y2: end.y + (isForward ? NODE_HEIGHT / 2 : 0),
  };
}

function line(edge, nodes) {
  const { isForward, x1, y1, x2, y2 } = ends(edge, nodes);
  const middle = (x1 + x2) / 2;
  const curve = isForward ? `${middle} ${y1} ${middle} ${y2}` : `${x1} ${y1 + 40} ${x2} ${y2 - 40}`;
  return svg(
    "g",
    { class: "edge", "data-from": edge.from, "data-to": edge.to },
    svg("title", {}, edge.keys.filter(Boolean).join("\n")),
    svg("path", { d: `M${x1} ${y1}C${curve} ${x2} ${y2}` }),
    svg("circle", { cx: x2, cy: y2, r: 3 }),
  );
}

/** The edge's routing keys, above all lines. */
function label(edge, nodes) {
  const words = edge.keys.filter(Boolean);
  const shown = words.slice(0, KEYS_SHOWN).map((key) => clipped(key, 14));
  const more = words.length > KEYS_SHOWN ? ` +${words.length - KEYS_SHOWN}` : "";
  const { x2, y2 } = ends(edge, nodes);
  const text = svg("text", { x: x2 - 10, y: y2 - 6, class: "key" }, shown.join(", ") + more);
  return svg("g", { class: "edge", "data-from": edge.from, "data-to": edge.to }, text);
}

function clipped(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** Show what the node under the pointer is connected with. */
function light(event) {
  const area = event.currentTarget;
  const chosen = event.type === "pointerleave" ? null : (event.target.closest?.("[data-node]")?.dataset.node ?? null);
  area.classList.toggle("lit", chosen !== null);
  for (const edge of area.querySelectorAll(".edge")) {
    edge.classList.toggle("on", edge.dataset.from === chosen || edge.dataset.to === chosen);
  }
}
