// Short messages about what was just done.

import { h } from "../lib/dom.js";

const MILLISECONDS = 5000;

/** Say something; errors stay until they are dismissed. */
export function toast(text, { isError = false } = {}) {
  const note = h(
    "div",
    { class: isError ? "toast error" : "toast" },
    h("span", {}, text),
    h("button", { type: "button", class: "quiet", "aria-label": "Dismiss", onclick: () => note.remove() }, "×"),
  );
  tray().append(note);
  if (!isError) setTimeout(() => note.remove(), MILLISECONDS);
}

function tray() {
  const found = document.querySelector(".toasts");
  if (found) return found;
  const made = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
  document.body.append(made);
  return made;
}
