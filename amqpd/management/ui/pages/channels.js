// All channels.

import { path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { count, rate } from "../lib/format.js";
import { to } from "../lib/router.js";
import { badge } from "../parts/badge.js";
import { listPage, vhostColumn } from "../parts/list.js";

/** What lists of channels show. */
export function channelColumns() {
  return [
    {
      label: "Channel",
      sort: "name",
      isTitle: true,
      cell: (channel) => h("a", { href: to.channel(channel.name) }, channel.name),
    },
    vhostColumn(),
    { label: "User", sort: "user", cell: (channel) => channel.user },
    { label: "Mode", cell: mode },
    { label: "Consumers", sort: "consumer_count", isNumber: true, cell: (channel) => count(channel.consumer_count) },
    { label: "Prefetch", sort: "prefetch_count", isNumber: true, cell: (channel) => prefetch(channel) },
    {
      label: "Unacknowledged",
      sort: "messages_unacknowledged",
      isNumber: true,
      cell: (channel) => count(channel.messages_unacknowledged),
    },
    {
      label: "Unconfirmed",
      sort: "messages_unconfirmed",
      isNumber: true,
      cell: (channel) => count(channel.messages_unconfirmed),
    },
    {
      label: "Confirmed",
      sort: "message_stats.confirm_details.rate",
      isNumber: true,
      cell: (channel) => rate(channel.message_stats.confirm_details.rate),
    },
    {
      label: "Delivered",
      sort: "message_stats.deliver_get_details.rate",
      isNumber: true,
      cell: (channel) => rate(channel.message_stats.deliver_get_details.rate),
    },
  ];
}

/** How the channel publishes. */
export function mode(channel) {
  if (channel.confirm) return badge("confirms", { title: "Publishes are confirmed" });
  return channel.transactional ? badge("transactions") : null;
}

/** Messages that the channel's consumers may hold. */
export function prefetch({ prefetch_count: each, global_prefetch_count: all }) {
  return all ? `${count(each)}, ${count(all)} in all` : each ? count(each) : "∞";
}

export const channelsPage = listPage({
  title: "Channels",
  path: (vhost) => (vhost ? path`vhosts/${vhost}/channels` : "channels"),
  keyOf: (channel) => channel.name,
  nothing: ["No channels", "A client opens channels on its connection to publish and to consume."],
  columns: channelColumns,
});
