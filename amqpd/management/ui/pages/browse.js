// A queue's ready messages, looked at without touching them; filtered and chosen ones can be moved, copied or deleted.

import { get } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { count, plural } from "../lib/format.js";
import { go, here } from "../lib/router.js";
import { button } from "../parts/button.js";
import { onward } from "../parts/pager.js";
import { empty } from "../parts/states.js";
import { toast } from "../parts/toast.js";
import { messageCard } from "./message.js";
import { deleteMessages, move } from "./move.js";

const COUNT = 25;
const FILTERS = [
  ["routing_key", "Routing key", "text"],
  ["exchange", "Exchange", "text"],
  ["message_id", "Message id", "text"],
  ["header", "Header", "text", "name=value"],
  ["min_age", "Older than", "number", "seconds"],
  ["max_age", "Younger than", "number", "seconds"],
];

/** What the address asks for. */
export function loadMessages(queue, route, signal) {
  return get(`${queue}/messages`, { ...filterOf(route), count: COUNT, after: route.get("after") }, signal);
}

/** The filter as the API understands it. */
function filterOf(route) {
  const wanted = {};
  for (const [name] of FILTERS) if (route.get(name)) wanted[name] = route.get(name);
  if (wanted.header) {
    const [name, ...value] = wanted.header.split("=");
    wanted[`header.${name.trim()}`] = value.join("=").trim();
    delete wanted.header;
  }
  return wanted;
}

/** The messages, the filter, and what can be done with them. */
export function messagesView(queue, { messages, next, seen }, route) {
  const wanted = filterOf(route);
  const isFiltered = Object.keys(wanted).length > 0;
  const all = isFiltered ? "all messages that match" : "all messages";
  return h(
    "section",
    { class: "browse" },
    filterForm(route),
    h(
      "div",
      { class: "bar-head" },
      h(
        "p",
        { class: "intro", role: "status" },
        `${plural(messages.length, "message")} shown of ${count(queue.messages_ready)} ready`,
        isFiltered && `, ${count(seen)} looked at`,
      ),
      messages.length > 0 &&
        h(
          "div",
          { class: "actions" },
          button("Choose all", chooseAll, "small"),
          button("Move", () => withChoice((chosen, what) => move(queue, chosen, what), wanted, all), "small"),
          button("Copy", () => withChoice((chosen, what) => move(queue, chosen, what, { copies: true }), wanted, all), "small"),
          button("Delete", () => withChoice((chosen, what) => deleteMessages(queue, chosen, what), null, all), "small danger"),
        ),
    ),
    messages.length
      ? messages.map((message) => messageCard(message, { choice: choice(message) }))
      : empty(
          isFiltered ? "No match" : "No messages",
          isFiltered ? "None of these messages passes the filter." : "There is nothing ready in this queue.",
        ),
    onward(route, next),
  );
}

function choice(message) {
  return h("input", { type: "checkbox", class: "choice", value: message.id, "aria-label": `Choose message ${message.id}` });
}

function chooseAll() {
  for (const box of document.querySelectorAll(".choice")) box.checked = true;
}

/** Act on the messages that are ticked, or on all that the filter lets through. */
function withChoice(act, filter, all) {
  const ids = [...document.querySelectorAll(".choice:checked")].map((box) => box.value);
  if (ids.length > 0) act({ ids }, ids.length === 1 ? "this message" : `these ${ids.length} messages`);
  else if (filter !== null) act({ filter }, all);
  else toast("Choose messages first.");
}

function filterForm(route) {
  const form = h(
    "form",
    { class: "filters" },
    FILTERS.map(([name, label, type, placeholder]) =>
      h(
        "label",
        { class: "field" },
        h("span", {}, label),
        h("input", { name, type, min: "0", placeholder, value: route.get(name), autocomplete: "off", spellcheck: "false" }),
      ),
    ),
    h("button", { type: "submit" }, "Filter"),
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    const wanted = Object.fromEntries(new FormData(event.currentTarget));
    go(here().with({ ...wanted, after: "" }));
  };
  return form;
}
