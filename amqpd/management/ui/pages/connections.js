// All connections.

import { path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { byteRate, count, time } from "../lib/format.js";
import { to } from "../lib/router.js";
import { badge } from "../parts/badge.js";
import { listPage, vhostColumn } from "../parts/list.js";

export const connectionsPage = listPage({
  title: "Connections",
  path: (vhost) => (vhost ? path`vhosts/${vhost}/connections` : "connections"),
  keyOf: (connection) => connection.name,
  nothing: ["No connections", "Clients that connect to this broker appear here."],
  columns: () => [
    { label: "Name", sort: "name", isTitle: true, cell: connectionName },
    vhostColumn(),
    { label: "User", sort: "user", cell: (connection) => connection.user },
    { label: "State", sort: "state", cell: (connection) => state(connection) },
    { label: "Client", cell: (connection) => clientOf(connection) },
    { label: "Channels", sort: "channels", isNumber: true, cell: (connection) => count(connection.channels) },
    {
      label: "From client",
      sort: "recv_oct_details.rate",
      isNumber: true,
      cell: (connection) => byteRate(connection.recv_oct_details.rate),
    },
    {
      label: "To client",
      sort: "send_oct_details.rate",
      isNumber: true,
      cell: (connection) => byteRate(connection.send_oct_details.rate),
    },
    { label: "Since", sort: "connected_at", cell: (connection) => time(connection.connected_at) },
  ],
});

function connectionName({ name, user_provided_name: title }) {
  const link = h("a", { href: to.connection(name) }, title || name);
  return title ? h("div", { class: "stacked" }, link, h("small", {}, name)) : link;
}

/** What the connection does, in colour. */
export function state(connection) {
  const kind = connection.state === "running" ? "good" : "warn";
  return [
    badge(connection.state, { kind }),
    connection.ssl ? badge(connection.ssl_protocol || "TLS", { title: connection.ssl_cipher }) : null,
  ];
}

/** Library and version of the client. */
export function clientOf({ client_properties: client }) {
  return [client.product ?? client.platform, client.version].filter(Boolean).join(" ");
}
