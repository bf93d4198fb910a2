// Consumers of a queue or of a channel.

import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { to } from "../lib/router.js";
import { badge } from "../parts/badge.js";
import { argumentList } from "../parts/details.js";
import { pagedTable } from "../parts/table.js";

const ACTIVITY = { up: "good", single_active: "good", waiting: "warn" };

/** A table of consumers as the API describes them. */
export function consumerTable(consumers, route, { withQueue = false } = {}) {
  return pagedTable({
    label: "Consumers",
    route,
    rows: consumers,
    keyOf: (consumer) => `${consumer.channel_details.name} ${consumer.consumer_tag}`,
    columns: [
      { label: "Tag", isTitle: true, cell: (consumer) => h("code", {}, consumer.consumer_tag) },
      {
        label: "Queue",
        isHidden: !withQueue,
        cell: ({ queue }) => h("a", { href: to.queue(queue.vhost, queue.name) }, queue.name),
      },
      {
        label: "Channel",
        isHidden: withQueue,
        cell: ({ channel_details: channel }) => h("a", { href: to.channel(channel.name) }, channel.name),
      },
      {
        label: "State",
        cell: (consumer) => badge(consumer.activity_status.replace("_", " "), { kind: ACTIVITY[consumer.activity_status] }),
      },
      { label: "Acknowledges", cell: (consumer) => (consumer.ack_required ? "yes" : "no") },
      { label: "Exclusive", cell: (consumer) => (consumer.exclusive ? "yes" : "no") },
      {
        label: "Prefetch",
        isNumber: true,
        cell: (consumer) => (consumer.prefetch_count ? count(consumer.prefetch_count) : "∞"),
      },
      { label: "Arguments", cell: (consumer) => argumentList(consumer.arguments) },
    ],
  });
}
