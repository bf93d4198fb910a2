// One connection.

import { call, get, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { byteRate, bytes, count, duration, plural, time, value } from "../lib/format.js";
import { go } from "../lib/router.js";
import { button } from "../parts/button.js";
import { chart } from "../parts/chart.js";
import { details } from "../parts/details.js";
import { ask } from "../parts/dialog.js";
import { head } from "../parts/head.js";
import { sampled } from "../parts/ranges.js";
import { rates } from "../parts/scale.js";
import { empty } from "../parts/states.js";
import { table } from "../parts/table.js";
import { channelColumns } from "./channels.js";
import { clientOf, state } from "./connections.js";

export const connectionPage = {
  title: (route) => route.segments[1],
  load: async (route, signal) => {
    const here = path`connections/${route.segments[1]}`;
    const [connection, channels] = await Promise.all([
      get(here, sampled(route, "data_rates"), signal),
      get(`${here}/channels`, {}, signal),
    ]);
    return { connection, channels };
  },
  view: ({ connection, channels }) => [
    head(connection.user_provided_name || connection.name, {
      back: ["#/connections", "Connections"],
      beside: state(connection),
      actions: [button("Close connection", () => close(connection), "danger")],
    }),
    h("div", { class: "columns" }, traffic(connection), about(connection)),
    h(
      "section",
      {},
      h("h2", {}, plural(channels.length, "channel")),
      channels.length
        ? table({ label: "Channels", rows: channels, keyOf: (channel) => channel.name, columns: channelColumns() })
        : empty("No channels", "The client has opened none yet."),
    ),
    h("section", { class: "panel" }, h("h2", {}, "What the client says of itself"), clientTable(connection.client_properties)),
  ],
};

function traffic(connection) {
  return chart({
    title: "Traffic",
    format: byteRate,
    isOctets: true,
    series: [
      { label: "From client", colour: 3, points: rates(connection.recv_oct_details) },
      { label: "To client", colour: 4, points: rates(connection.send_oct_details) },
    ],
  });
}

function about(connection) {
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Details"),
    details([
      ["Name", connection.name],
      ["User", connection.user],
      ["Virtual host", connection.vhost],
      ["Client", clientOf(connection)],
      ["Protocol", connection.protocol],
      ["Authentication", connection.auth_mechanism],
      ["Connected", time(connection.connected_at)],
      ["Heartbeat", connection.timeout ? duration(connection.timeout) : "none"],
      ["Largest frame", bytes(connection.frame_max)],
      ["Most channels", count(connection.channel_max)],
      ["TLS", connection.ssl ? `${connection.ssl_protocol} ${connection.ssl_cipher}` : "no"],
      ["Received", `${bytes(connection.recv_oct)} in ${plural(connection.recv_cnt, "read")}`],
      ["Sent", `${bytes(connection.send_oct)} in ${plural(connection.send_cnt, "write")}`],
    ]),
  );
}

function clientTable(properties) {
  return details(
    Object.entries(properties)
      .filter(([name]) => name !== "capabilities")
      .map(([name, given]) => [name, value(given)])
      .concat([
        [
          "capabilities",
          Object.entries(properties.capabilities ?? {})
            .filter(([, has]) => has)
            .map(([name]) => name)
            .join(", "),
        ],
      ]),
  );
}

function close(connection) {
  ask({
    title: "Close this connection?",
    intro: `${connection.name} is told to close; most clients connect again.`,
    fields: [
      { name: "reason", label: "Reason, which the client is told", placeholder: "Closed via management plugin", isWide: true },
    ],
    action: "Close connection",
    isDanger: true,
    run: async ({ reason }) => {
      await call("DELETE", path`connections/${connection.name}`, undefined, reason ? { "X-Reason": reason } : {});
      go("#/connections");
      return "The connection is closed.";
    },
  });
}
