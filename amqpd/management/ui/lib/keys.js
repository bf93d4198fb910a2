// Keyboard shortcuts: single keys, and `g` followed by another one to go somewhere.

import { h } from "./dom.js";
import { go } from "./router.js";
import { open } from "../parts/dialog.js";
import { toggleTheme } from "./theme.js";

const PLACES = [
  ["o", "Overview", "#/"],
  ["c", "Connections", "#/connections"],
  ["h", "Channels", "#/channels"],
  ["e", "Exchanges", "#/exchanges"],
  ["q", "Queues", "#/queues"],
  ["b", "Bindings", "#/bindings"],
  ["a", "Admin", "#/admin"],
];
const KEYS = [
  ["/", "Filter the list", () => focus("input[type=search]")],
  ["n", "Create something new", () => document.querySelector("main .primary")?.click()],
  ["j", "Next row", () => step(1)],
  ["k", "Previous row", () => step(-1)],
  ["[", "Previous page of the list", () => document.querySelector("a[rel=prev]")?.click()],
  ["]", "Next page of the list", () => document.querySelector("a[rel=next]")?.click()],
  ["t", "Switch between dark and light", toggleTheme],
  ["?", "Show these shortcuts", showHelp],
];
const SEQUENCE_MILLISECONDS = 1200;

let leader = 0;

/** Listen for shortcuts. */
export function listen() {
  document.addEventListener("keydown", press);
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]"))
    return;
  const isSecond = Date.now() - leader < SEQUENCE_MILLISECONDS;
  leader = event.key === "g" ? Date.now() : 0;
  const place = isSecond && PLACES.find(([key]) => key === event.key);
  const single = !isSecond && KEYS.find(([key]) => key === event.key);
  if (!place && !single) return;
  event.preventDefault();
  if (place) go(place[2]);
  else single[2]();
}

function isTyping(element) {
  return element.closest("input, textarea, select") !== null;
}

function focus(selector) {
  document.querySelector(selector)?.focus();
}

function step(direction) {
  const links = [...document.querySelectorAll("main tbody tr")].map((row) => row.querySelector("a, button")).filter(Boolean);
  const at = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
  links[Math.max(0, Math.min(links.length - 1, at + direction))]?.focus();
}

/** Show all shortcuts. */
export function showHelp() {
  const rows = [...PLACES.map(([key, label]) => [["g", key], label]), ...KEYS.map(([key, label]) => [[key], label])].map(
    ([keys, label]) => [
      h(
        "dt",
        {},
        keys.map((key) => h("kbd", {}, key)),
      ),
      h("dd", {}, label),
    ],
  );
  open({ title: "Keyboard shortcuts", content: h("dl", { class: "shortcuts" }, rows) });
}
