// Messages that were delivered and not acknowledged, and who holds them.

import { h } from "../lib/dom.js";
import { duration } from "../lib/format.js";
import { to } from "../lib/router.js";
import { empty } from "../parts/states.js";
import { pagedTable } from "../parts/table.js";
import { exchangeTitle } from "./exchanges.js";

/** A table of these messages. */
export function unackedView(messages, route) {
  if (messages.length === 0) return empty("Nothing is held", "Every message that was delivered is acknowledged.");
  return pagedTable({
    label: "Unacknowledged messages",
    route,
    rows: messages,
    keyOf: (message) => `${message.channel_details.name} ${message.delivery_tag}`,
    columns: [
      { label: "Delivery tag", isTitle: true, isNumber: true, cell: (message) => message.delivery_tag },
      { label: "Held by", cell: ({ channel_details: channel }) => h("a", { href: to.channel(channel.name) }, channel.name) },
      { label: "Consumer", cell: (message) => (message.consumer_tag ? h("code", {}, message.consumer_tag) : "basic.get") },
      { label: "User", cell: (message) => message.channel_details.user },
      { label: "Exchange", cell: (message) => exchangeTitle(message.exchange) },
      { label: "Routing key", cell: (message) => h("code", {}, message.routing_key) },
      { label: "Bytes", isNumber: true, cell: (message) => message.payload_bytes },
      { label: "Held for", isNumber: true, cell: (message) => duration(message.held_for) },
      { label: "Age", isNumber: true, cell: (message) => duration(message.age) },
      { label: "Redelivered", cell: (message) => (message.redelivered ? "yes" : "no") },
    ],
  });
}
