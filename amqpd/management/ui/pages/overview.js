// The broker as a whole: what waits, what flows, what it needs.

import { get } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { byteRate, bytes, compact, count, duration, rate } from "../lib/format.js";
import { session } from "../lib/session.js";
import { badge } from "../parts/badge.js";
import { chart } from "../parts/chart.js";
import { details } from "../parts/details.js";
import { head } from "../parts/head.js";
import { meter } from "../parts/meter.js";
import { ranges, sampled } from "../parts/ranges.js";
import { points, rates } from "../parts/scale.js";
import { table } from "../parts/table.js";
import { tile } from "../parts/tile.js";

export const overviewPage = {
  title: () => "Overview",
  load: async (route, signal) => {
    const wanted = sampled(route, "lengths", "msg_rates");
    const [overview, vhosts, nodes] = await Promise.all([
      get("overview", wanted, signal),
      get("vhosts", {}, signal),
      session.monitors ? get("nodes", {}, signal) : [],
    ]);
    return { overview, vhosts, node: nodes[0] };
  },
  view: ({ overview, vhosts, node }, route) => [
    head("Overview", { beside: badge(`amqpd ${overview.amqpd_version}`), actions: ranges(route) }),
    node && alarms(node),
    tiles(overview),
    h("div", { class: "charts" }, queued(overview), flow(overview)),
    h("div", { class: "columns" }, node && resources(node), about(overview, node)),
    hosts(vhosts),
  ],
};

function alarms(node) {
  const low = [node.mem_alarm && "Memory", node.disk_free_alarm && "Disk space"].filter(Boolean);
  return (
    low.length > 0 &&
    h("p", { class: "alarm", role: "alert" }, `${low.join(" and ")} is low: publishers wait until there is more.`)
  );
}

function tiles({ queue_totals: totals, message_stats: stats, object_totals: objects }) {
  return h(
    "section",
    { class: "tiles", "aria-label": "Totals" },
    tile("Ready", compact(totals.messages_ready), { colour: 1 }),
    tile("Unacked", compact(totals.messages_unacknowledged), { colour: 2 }),
    tile("Published", rate(stats.publish_details.rate), { colour: 3 }),
    tile("Delivered", rate(stats.deliver_get_details.rate), { colour: 4 }),
    tile("Connections", count(objects.connections), { address: "#/connections" }),
    tile("Channels", count(objects.channels), { address: "#/channels" }),
    tile("Exchanges", count(objects.exchanges), { address: "#/exchanges" }),
    tile("Queues", count(objects.queues), { address: "#/queues" }),
    tile("Consumers", count(objects.consumers)),
  );
}

function queued({ queue_totals: totals }) {
  return chart({
    title: "Queued messages",
    format: compact,
    series: [
      { label: "Ready", colour: 1, points: points(totals.messages_ready_details), now: totals.messages_ready },
      {
        label: "Unacknowledged",
        colour: 2,
        points: points(totals.messages_unacknowledged_details),
        now: totals.messages_unacknowledged,
      },
    ],
  });
}

function flow({ message_stats: stats }) {
  return chart({
    title: "Message rates",
    format: rate,
    series: [
      { label: "Published", colour: 3, points: rates(stats.publish_details) },
      { label: "Delivered", colour: 4, points: rates(stats.deliver_get_details) },
      { label: "Acknowledged", colour: 5, points: rates(stats.ack_details) },
      { label: "Redelivered", colour: 6, points: rates(stats.redeliver_details) },
    ],
  });
}

function resources(node) {
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Resources"),
    meter("Memory", node.mem_used, node.mem_limit, `${bytes(node.mem_used)} of ${bytes(node.mem_limit)}`, node.mem_alarm),
    meter("Open files", node.fd_used, node.fd_total, `${count(node.fd_used)} of ${count(node.fd_total)}`),
    meter("Sockets", node.sockets_used, node.sockets_total, `${count(node.sockets_used)} of ${count(node.sockets_total)}`),
    details([
      ["Free disk space", `${bytes(node.disk_free)}, alarm below ${bytes(node.disk_free_limit)}`],
      ["Up for", duration(Math.floor(node.uptime / 1000))],
    ]),
  );
}

function about(overview, node) {
  const doors = (overview.listeners ?? []).map((door) =>
    h("li", {}, h("code", {}, `${door.protocol} ${door.ip_address}:${door.port}`)),
  );
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "This broker"),
    details([
      ["Name", overview.cluster_name],
      ["Node", overview.node],
      ["Compatible with", `${overview.product_name} ${overview.rabbitmq_version}`],
      ["Runs on", `Python ${overview.erlang_version}`],
      ["Listens on", doors.length > 0 && h("ul", { class: "plain" }, doors)],
      ["Data folder", node && h("code", {}, node.db_dir)],
    ]),
  );
}

function hosts(vhosts) {
  return h(
    "section",
    {},
    h("h2", {}, "Virtual hosts"),
    table({
      label: "Virtual hosts",
      rows: vhosts,
      keyOf: (vhost) => vhost.name,
      columns: [
        { label: "Name", isTitle: true, cell: (vhost) => h("strong", {}, vhost.name) },
        { label: "Ready", isNumber: true, cell: (vhost) => count(vhost.messages_ready) },
        { label: "Unacknowledged", isNumber: true, cell: (vhost) => count(vhost.messages_unacknowledged) },
        { label: "Published", isNumber: true, cell: (vhost) => rate(vhost.message_stats.publish_details.rate) },
        { label: "Delivered", isNumber: true, cell: (vhost) => rate(vhost.message_stats.deliver_get_details.rate) },
        { label: "From clients", isNumber: true, cell: (vhost) => byteRate(vhost.recv_oct_details.rate) },
        { label: "To clients", isNumber: true, cell: (vhost) => byteRate(vhost.send_oct_details.rate) },
      ],
    }),
  );
}
