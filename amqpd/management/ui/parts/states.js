// What is shown while there is nothing to show: loading, empty, failed.

import { h } from "../lib/dom.js";
import { icon } from "./icons.js";

/** While the first data of a page is on its way. */
export function loading() {
  return h(
    "p",
    { class: "loading", "data-key": "loading", role: "status" },
    h("span", { class: "visually-hidden" }, "Loading"),
  );
}

/** A list without entries: what would be here, and how it gets here. */
export function empty(title, text, action = null) {
  return h("div", { class: "empty" }, icon("empty"), h("h2", {}, title), h("p", {}, text), action);
}

/** An error in place of a page. */
export function failure(error, retry) {
  const words = explain(error);
  return h(
    "div",
    { class: "empty failure", "data-key": "failure", role: "alert" },
    icon("warning"),
    h("h1", { tabindex: "-1" }, words.title),
    h("p", {}, words.text),
    h("button", { type: "button", onclick: () => retry() }, "Try again"),
  );
}

/** What an error means to the reader. */
export function explain(error) {
  if (error.status === 404) return { title: "Nothing here", text: "It may have been deleted meanwhile, or it never existed." };
  if (error.status === 401)
    return { title: "Not for this user", text: `${error.message}. Ask an administrator for the right.` };
  if (error.status === 400) return { title: "That did not work", text: error.message };
  if (error.status === undefined) return { title: "No answer", text: error.message };
  return { title: "Something went wrong", text: error.message };
}
