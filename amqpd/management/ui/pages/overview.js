// The broker as a whole: what waits, what flows, what it needs.

import { get } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { byteRate, bytes, count, duration, rate } from "../lib/format.js";
import { session } from "../lib/session.js";
import { badge } from "../parts/badge.js";
import { details } from "../parts/details.js";
import { head } from "../parts/head.js";
import { meter } from "../parts/meter.js";
import { ranges, sampled } from "../parts/ranges.js";
import { table } from "../parts/table.js";
import { tile } from "../parts/tile.js";
import { lengthChart, messageTiles, rateChart } from "../parts/traffic.js";

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
    h("div", { class: "charts" }, lengthChart(overview.queue_totals), rateChart(overview.message_stats)),
    h("div", { class: "columns" }, node && resources(node), about(overview, node)),
    hosts(vhosts),
  ],
};

function alarms(node) {
  const low = [node.mem_alarm && "Memory", node.disk_free_alarm && "Disk space"].filter(Boolean);
  return [
    low.length > 0 && alarm(`${low.join(" and ")} is low: publishers wait until there is more.`),
    node.store_damages > 0 && alarm("Stored data is damaged: the log says which. Stop the broker and run amqpd check."),
  ];
}

function alarm(text) {
  return h("p", { class: "alarm", role: "alert" }, text);
}

function tiles({ queue_totals: totals, message_stats: stats, object_totals: objects }) {
  return h(
    "section",
    { class: "tiles", "aria-label": "Totals" },
    messageTiles(totals, stats),
    tile("Connections", count(objects.connections), { address: "#/connections" }),
    tile("Channels", count(objects.channels), { address: "#/channels" }),
    tile("Exchanges", count(objects.exchanges), { address: "#/exchanges" }),
    tile("Queues", count(objects.queues), { address: "#/queues" }),
    tile("Consumers", count(objects.consumers)),
  );
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
      ["Message store", `${bytes(node.store_bytes_in_use)} in use of ${bytes(node.store_file_bytes)} on disk`],
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
