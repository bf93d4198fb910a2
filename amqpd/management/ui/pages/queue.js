// One queue: how it does, who consumes, what is bound, and what is in it.

import { call, get, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { bytes, count, duration, plural } from "../lib/format.js";
import { go, to } from "../lib/router.js";
import { refresh } from "../lib/stage.js";
import { button } from "../parts/button.js";
import { argumentList, details } from "../parts/details.js";
import { ask } from "../parts/dialog.js";
import { head } from "../parts/head.js";
import { sampled } from "../parts/ranges.js";
import { empty } from "../parts/states.js";
import { tabs } from "../parts/tabs.js";
import { tile } from "../parts/tile.js";
import { toast } from "../parts/toast.js";
import { lengthChart, messageTiles, rateChart } from "../parts/traffic.js";
import { changeLimits } from "./arguments.js";
import { bind, bindingTable } from "./binding.js";
import { loadMessages, messagesView } from "./browse.js";
import { consumerTable } from "./consumers.js";
import { move } from "./move.js";
import { publish } from "./publish.js";
import { features, stateOf } from "./queues.js";
import { takeMessages } from "./take.js";
import { unackedView } from "./unacked.js";

const VIEWS = [
  ["", "Overview"],
  ["consumers", "Consumers"],
  ["bindings", "Bindings"],
  ["messages", "Messages"],
  ["unacked", "Unacknowledged"],
];

export const queuePage = {
  title: (route) => route.segments[2],
  load: async (route, signal) => {
    const [, vhost, name, view] = route.segments;
    const here = path`queues/${vhost}/${name}`;
    const [queue, more] = await Promise.all([
      get(here, sampled(route, "lengths", "msg_rates"), signal),
      loadMore(here, view, route, signal),
    ]);
    return { queue, more };
  },
  view: ({ queue, more }, route) => [
    head(queue.name, {
      back: ["#/queues", "Queues"],
      beside: [stateOf(queue), features(queue)],
      actions: actions(queue),
    }),
    tabs(route, 3, VIEWS),
    content(queue, more, route),
  ],
};

function loadMore(here, view, route, signal) {
  if (view === "bindings") return get(`${here}/bindings`, {}, signal);
  if (view === "messages") return loadMessages(here, route, signal);
  if (view === "unacked") return get(`${here}/unacked`, {}, signal);
  return null;
}

function content(queue, more, route) {
  switch (route.segments[3]) {
    case "consumers":
      return queue.consumer_details.length
        ? consumerTable(queue.consumer_details, route)
        : empty("No consumers", "Messages wait here until a client consumes them.");
    case "bindings":
      return bindings(queue, more, route);
    case "messages":
      return messagesView(queue, more, route);
    case "unacked":
      return unackedView(more, route);
    default:
      return [tiles(queue), h("div", { class: "charts" }, lengthChart(queue), rateChart(queue.message_stats)), about(queue)];
  }
}

function actions(queue) {
  const isPaused = queue.state === "paused";
  return [
    button("Publish", () => publish({ vhost: queue.vhost, routing_key: queue.name })),
    button("Get", () => takeMessages(queue)),
    button("Move", () => move(queue, { filter: {} }, "all messages")),
    button(isPaused ? "Resume" : "Pause", () => pause(queue, isPaused)),
    button("Purge", () => purge(queue), "danger"),
    button("Delete", () => remove(queue), "danger"),
  ];
}

function tiles(queue) {
  return h(
    "section",
    { class: "tiles", "aria-label": "Totals" },
    messageTiles(queue, queue.message_stats),
    tile("Consumers", count(queue.consumers), { address: to.queue(queue.vhost, queue.name, "consumers") }),
    tile("Oldest message", queue.oldest_message_age === undefined ? "–" : duration(queue.oldest_message_age)),
    tile("Size", bytes(queue.message_bytes)),
  );
}

function about(queue) {
  const ruled = queue.effective_policy_definition;
  return h(
    "section",
    { class: "panel" },
    h(
      "div",
      { class: "bar-head" },
      h("h2", {}, "Details"),
      button("Change limits", () => changeLimits(queue), "small"),
    ),
    details([
      ["Virtual host", queue.vhost],
      ["Type", queue.type],
      ["Arguments", argumentList(queue.arguments)],
      ["Policy", queue.policy],
      ["Operator policy", queue.operator_policy],
      ["In effect by policies", Object.keys(ruled).length > 0 && argumentList(ruled)],
      ["In memory", plural(queue.messages_ram, "message")],
      ["On disk alone", plural(queue.messages_paged_out, "message")],
      ["Memory", bytes(queue.memory)],
      ["Single active consumer", queue.single_active_consumer_tag],
      [
        "Exclusive to",
        queue.owner_pid_details && h("a", { href: to.connection(queue.owner_pid_details.name) }, queue.owner_pid_details.name),
      ],
      ["Idle since", queue.idle_since && new Date(queue.idle_since).toLocaleString()],
    ]),
  );
}

function bindings(queue, found, route) {
  const others = found.filter((binding) => binding.source);
  return h(
    "section",
    {},
    h(
      "div",
      { class: "bar-head" },
      h("p", { class: "intro" }, `The default exchange leads messages with routing key ${queue.name} here, too.`),
      button("Bind", () => bind({ vhost: queue.vhost, destination: queue.name })),
    ),
    others.length
      ? bindingTable(others, route, { withDestination: false, canUnbind: true })
      : empty("No bindings", "Only the default exchange leads here."),
  );
}

async function pause(queue, isPaused) {
  await attempt(
    call("PUT", path`queues/${queue.vhost}/${queue.name}/${isPaused ? "resume" : "pause"}`),
    isPaused ? "Consumers get messages again." : "Consumers get nothing until the queue is resumed.",
  );
}

async function attempt(promise, done) {
  try {
    await promise;
    toast(done);
  } catch (error) {
    toast(error.message, { isError: true });
  }
  refresh();
}

function purge(queue) {
  ask({
    title: `Purge ${queue.name}?`,
    intro: `${plural(queue.messages_ready, "ready message")} will be dropped. This cannot be undone.`,
    action: "Purge",
    isDanger: true,
    run: async () => {
      await call("DELETE", path`queues/${queue.vhost}/${queue.name}/contents`);
      return "The queue is purged.";
    },
  });
}

function remove(queue) {
  ask({
    title: `Delete queue ${queue.name}?`,
    intro: `Its ${plural(queue.messages, "message")} and its bindings go with it. This cannot be undone.`,
    fields: [
      { name: "unused", label: "Only if it has no consumers", type: "checkbox", value: true },
      { name: "empty", label: "Only if it is empty", type: "checkbox", value: false },
    ],
    action: "Delete",
    isDanger: true,
    run: async ({ unused, empty: isEmpty }) => {
      const only = [unused && "if-unused=true", isEmpty && "if-empty=true"].filter(Boolean).join("&");
      await call("DELETE", `${path`queues/${queue.vhost}/${queue.name}`}${only && `?${only}`}`);
      go("#/queues");
      return `Queue ${queue.name} is deleted.`;
    },
  });
}
