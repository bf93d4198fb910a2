// The messages that a delaying exchange holds back, the next ones first.

import { call, get, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { plural, time } from "../lib/format.js";
import { badge } from "../parts/badge.js";
import { button } from "../parts/button.js";
import { ask } from "../parts/dialog.js";
import { onward } from "../parts/pager.js";
import { empty } from "../parts/states.js";
import { messageCard } from "./message.js";

const COUNT = 25;

/** A page of them, from where the address says. */
export function loadScheduled(exchange, route, signal) {
  return get(`${exchange}/scheduled`, { count: COUNT, after: route.get("after") }, signal);
}

/** The messages, each with its time and a way to cancel it. */
export function scheduledView(exchange, { messages, next }, route) {
  return h(
    "section",
    { class: "browse" },
    h("h2", {}, "Scheduled"),
    h("p", { class: "intro", role: "status" }, `${plural(exchange.messages_delayed, "message")} held back`),
    messages.length
      ? messages.map((message) => messageCard(message, { beside: due(exchange, message) }))
      : empty("Nothing is held back", "Messages with the header x-delay wait here until they are due."),
    onward(route, next),
  );
}

function due(exchange, message) {
  return h(
    "div",
    { class: "bar-head" },
    badge(`due ${time(message.due_at)}`),
    button("Cancel", () => cancel(exchange, message), "small danger"),
  );
}

function cancel(exchange, message) {
  ask({
    title: "Cancel this message?",
    intro: "It is dropped and never delivered. This cannot be undone.",
    action: "Cancel the message",
    isDanger: true,
    run: async () => {
      await call("DELETE", path`exchanges/${exchange.vhost}/${exchange.name}/scheduled/${message.id}`);
      return "The message is cancelled.";
    },
  });
}
