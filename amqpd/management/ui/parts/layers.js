// Places for the nodes of a graph: in columns, by how many bindings lead up to each.

export const NODE_WIDTH = 164;
export const NODE_HEIGHT = 34;
const GAP_X = 100;
const GAP_Y = 14;
const PASSES = 4;
const COLUMNS_MAX = 8;

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

/** Ids in columns: each node behind those that lead to it; a cycle ends after so many steps as columns are allowed. */
function columnsOf(nodes, edges) {
  const depth = new Map([...nodes.keys()].map((id) => [id, 0]));
  for (let step = 1; step < COLUMNS_MAX; step += 1) {
    for (const { from, to } of edges)
      if (from !== to) depth.set(to, Math.min(Math.max(depth.get(to), depth.get(from) + 1), step));
  }
  const columns = Array.from({ length: COLUMNS_MAX }, () => []);
  for (const id of nodes.keys()) columns[depth.get(id)].push(id);
  const filled = columns.filter((column) => column.length);
  for (const column of filled)
    column.forEach((id, position) => {
      nodes.get(id).y = position;
    });
  return filled;
}

/** Each node beside the middle of its neighbours, so that few lines cross. */
function order(column, nodes, edges) {
  const wish = new Map(
    column.map((id) => {
      const near = edges.flatMap((edge) => (edge.from === id ? [edge.to] : edge.to === id ? [edge.from] : []));
      const places = near.map((other) => nodes.get(other).y);
      return [id, places.length ? places.reduce((sum, place) => sum + place, 0) / places.length : nodes.get(id).y];
    }),
  );
  column.sort((one, other) => wish.get(one) - wish.get(other));
  column.forEach((id, position) => {
    nodes.get(id).y = position;
  });
}
