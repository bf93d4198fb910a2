// A message: where it came from, its properties and its payload.

import { h } from "../lib/dom.js";
import { bytes, duration, plural, time, value } from "../lib/format.js";
import { badge } from "../parts/badge.js";
import { details } from "../parts/details.js";
import { exchangeTitle } from "./exchanges.js";

/** A message as the API shows it; with `choice` it can be chosen. */
export function messageCard(message, { choice = null, beside = null } = {}) {
  return h(
    "article",
    { class: "message panel", "data-key": `message-${message.id}` },
    h(
      "header",
      {},
      choice,
      h(
        "div",
        { class: "route" },
        h("span", {}, exchangeTitle(message.exchange)),
        h("span", { "aria-hidden": "true" }, "→"),
        h("code", {}, message.routing_key || "(no routing key)"),
      ),
      h(
        "div",
        { class: "marks" },
        message.redelivered && badge("redelivered", { kind: "warn" }),
        message.persistent && badge("persistent"),
        badge(bytes(message.payload_bytes)),
        message.age !== undefined && badge(`${duration(message.age)} old`, { title: time(message.received_at) }),
      ),
    ),
    beside,
    facts(message),
    payload(message),
  );
}

function facts(message) {
  const { headers = {}, ...properties } = message.properties;
  const entries = [
    ...Object.entries(properties).map(([name, given]) => [name.replaceAll("_", " "), value(given)]),
    ...Object.entries(headers).map(([name, given]) => [h("span", {}, h("small", {}, "header "), name), value(given)]),
    message.returns ? ["returned", plural(message.returns, "time")] : null,
    message.expires_at ? ["expires", time(message.expires_at)] : null,
  ].filter(Boolean);
  return entries.length > 0 && details(entries);
}

function payload({ payload: content, payload_encoding: encoding, payload_bytes: size }) {
  if (size === 0) return h("p", { class: "intro" }, "Empty payload");
  return [
    encoding === "base64" && h("p", { class: "intro" }, "Not text, shown as base64"),
    h("pre", { tabindex: "0" }, pretty(content)),
  ];
}

/** JSON with indentation, anything else as it is. */
function pretty(content) {
  if (!/^\s*[[{]/.test(content)) return content;
  try {
    return JSON.stringify(JSON.parse(content), null, 2);
  } catch {
    return content;
  }
}
