// One channel.

import { get, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { compact, count, rate } from "../lib/format.js";
import { to } from "../lib/router.js";
import { chart } from "../parts/chart.js";
import { details } from "../parts/details.js";
import { head } from "../parts/head.js";
import { sampled } from "../parts/ranges.js";
import { rates } from "../parts/scale.js";
import { empty } from "../parts/states.js";
import { tile } from "../parts/tile.js";
import { mode, prefetch } from "./channels.js";
import { consumerTable } from "./consumers.js";

export const channelPage = {
  title: (route) => route.segments[1],
  load: (route, signal) => get(path`channels/${route.segments[1]}`, sampled(route, "msg_rates"), signal),
  view: (channel, route) => [
    head(channel.name, { back: ["#/channels", "Channels"], beside: mode(channel) }),
    h(
      "section",
      { class: "tiles", "aria-label": "Totals" },
      tile("Unacked", compact(channel.messages_unacknowledged), { colour: 2 }),
      tile("Unconfirmed", compact(channel.messages_unconfirmed), { colour: 3 }),
      tile("Uncommitted publishes", compact(channel.messages_uncommitted)),
      tile("Uncommitted acks", compact(channel.acks_uncommitted)),
    ),
    h("div", { class: "columns" }, flow(channel), about(channel)),
    h(
      "section",
      {},
      h("h2", {}, "Consumers"),
      channel.consumer_details.length
        ? consumerTable(channel.consumer_details, route, { withQueue: true })
        : empty("No consumers", "This channel consumes from no queue."),
    ),
  ],
};

function flow({ message_stats: stats }) {
  return chart({
    title: "Message rates",
    format: rate,
    series: [
      { label: "Confirmed", colour: 3, points: rates(stats.confirm_details) },
      { label: "Delivered", colour: 4, points: rates(stats.deliver_get_details) },
    ],
  });
}

function about(channel) {
  const connection = channel.connection_details.name;
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Details"),
    details([
      ["Connection", h("a", { href: to.connection(connection) }, connection)],
      ["Number", count(channel.number)],
      ["User", channel.user],
      ["Virtual host", channel.vhost],
      ["Prefetch", prefetch(channel)],
      ["Transactions", channel.transactional ? "yes" : "no"],
      ["Confirms", channel.confirm ? "yes" : "no"],
      ["Idle since", channel.idle_since && new Date(channel.idle_since).toLocaleString()],
    ]),
  );
}
