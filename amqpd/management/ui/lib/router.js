// The address says everything about what is shown: #/queues/%2F/orders?range=3600.

/** Where the reader is. */
class Route {
  constructor(hash) {
    const [path, query] = splitOnce(hash.replace(/^#\/?/, ""), "?");
    this.segments = path.split("/").filter(Boolean).map(decode);
    this.query = new URLSearchParams(query);
  }

  /** The path alone: a change of the query stays on the page. */
  get path() {
    return href(this.segments);
  }

  /** A member of the query, or the default. */
  get(name, otherwise = "") {
    return this.query.get(name) ?? otherwise;
  }

  /** The address of the same page with other members in its query; empty ones are left out. */
  with(changes) {
    const query = Object.fromEntries(this.query);
    return href(this.segments, { ...query, ...changes });
  }
}

function splitOnce(text, mark) {
  const position = text.indexOf(mark);
  return position < 0 ? [text, ""] : [text.slice(0, position), text.slice(position + 1)];
}

function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The address of a page. */
export function href(segments, query = {}) {
  const members = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const search = new URLSearchParams(members.map(([name, value]) => [name, String(value)])).toString();
  return `#/${segments.map(encodeURIComponent).join("/")}${search ? `?${search}` : ""}`;
}

/** Where the reader is now. */
export function here() {
  return new Route(location.hash);
}

/** Go to an address; with `replace` the way back does not lead here. */
export function go(address, { replace = false } = {}) {
  if (replace) {
    history.replaceState(null, "", address);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = address;
  }
}

/** How the default exchange is named in addresses, here and in the API. */
export const DEFAULT_EXCHANGE = "amq.default";

export const to = {
  queue: (vhost, name, tab = "") => href(["queues", vhost, name, ...(tab ? [tab] : [])]),
  exchange: (vhost, name) => href(["exchanges", vhost, name || DEFAULT_EXCHANGE]),
  connection: (name) => href(["connections", name]),
  channel: (name) => href(["channels", name]),
  user: (name) => href(["admin", "users", name]),
};
