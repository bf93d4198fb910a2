// Places for the nodes of a graph: exchanges in columns by how many bindings lead up to them, queues in the last one.

export const NODE_WIDTH = 190;
export const NODE_HEIGHT = 34;
const GAP_X = 150;
const GAP_Y = 14;
const PASSES = 4;

/** Nodes by id, each with `x` and `y`, and the size of the whole. An edge is an object with `from` and `to`. */
export function layOut(nodes, edges) {
  const columns = columnsOf(nodes, edges);
  for (let pass = 0; pass < PASSES; pass += 1) {
    for (const column of columns) order(column, nodes, edges);
    for (const column of [...columns].reverse()) order(column, nodes, edges);
  }
  const tallest = Math.max(...columns.map((column) => column.length), 1);
  columns.forEach((column, depth) => {
    const above = ((tallest - column.length) * (NODE_HEIGHT + GAP_Y)) / 2;
    column.forEach((id, position) => {
      Object.assign(nodes.get(id), { x: depth * (NODE_WIDTH + GAP_X), y: above + position * (NODE_HEIGHT + GAP_Y) });
    });
  });
  return {
    width: columns.length * (NODE_WIDTH + GAP_X) - GAP_X,
    height: tallest * (NODE_HEIGHT + GAP_Y) - GAP_Y,
  };
}

/** Ids in columns; a cycle of exchanges ends after as many steps as there are exchanges. */
function columnsOf(nodes, edges) {
  const exchanges = [...nodes.values()].filter((node) => node.kind === "exchange");
  const depth = new Map(exchanges.map((node) => [node.id, 0]));
  const between = edges.filter((edge) => depth.has(edge.to) && edge.from !== edge.to);
  for (let step = 1; step < Math.min(exchanges.length, 6); step += 1) {
    for (const edge of between) depth.set(edge.to, Math.min(Math.max(depth.get(edge.to), depth.get(edge.from) + 1), step));
  }
  const deepest = Math.max(0, ...depth.values());
  const columns = Array.from({ length: deepest + 2 }, () => []);
  for (const node of nodes.values()) columns[depth.get(node.id) ?? deepest + 1].push(node.id);
  const filled = columns.filter((column) => column.length);
  for (const column of filled) column.forEach((id, position) => { nodes.get(id).y = position; });
  return filled;
}

/** Each node beside the middle of its neighbours, so that few lines cross. */
function order(column, nodes, edges) {
  const wish = new Map(column.map((id) => {
    const near = edges.flatMap((edge) => (edge.from === id ? [edge.to] : edge.to === id ? [edge.from] : []));
    const places = near.map((other) => nodes.get(other).y);
    return [id, places.length ? places.reduce((sum, place) => sum + place, 0) / places.length : nodes.get(id).y];
  }));
  column.sort((one, other) => wish.get(one) - wish.get(other));
  column.forEach((id, position) => { nodes.get(id).y = position; });
}
