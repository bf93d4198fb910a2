// The pages of a long list.

import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { icon } from "./icons.js";

const PAGE_SIZES = [50, 100, 250, 500];
const PAGE_SIZE = 50;

/** Links to the other pages of a list of so many entries; none if it fits on the smallest page. */
export function pager(route, { page, pageSize, total }) {
  const last = Math.max(1, Math.ceil(total / pageSize));
  if (total <= PAGE_SIZES[0]) return null;
  const from = (page - 1) * pageSize + 1;
  const turn = (to, rel, name, sign) =>
    to > 0 && to <= last
      ? h("a", { class: "button square", href: route.with({ page: to }), rel, "aria-label": name }, icon(sign))
      : h("span", { class: "button square disabled", "aria-hidden": "true" }, icon(sign));
  return h(
    "nav",
    { class: "pager", "aria-label": "Pages" },
    h("span", { role: "status" }, `${count(from)}–${count(Math.min(page * pageSize, total))} of ${count(total)}`),
    h("label", {}, h("span", { class: "visually-hidden" }, "Rows on a page"), sizes(route, pageSize)),
    turn(page - 1, "prev", "Previous page", "previous"),
    turn(page + 1, "next", "Next page", "next"),
  );
}

function sizes(route, pageSize) {
  return h(
    "select",
    {
      onchange: (event) => {
        location.hash = route.with({ size: event.target.value, page: "" });
      },
    },
    PAGE_SIZES.map((size) => h("option", { value: size, selected: size === pageSize }, `${size} rows`)),
  );
}

/** The page and its size that an address asks for. */
export function pageOf(route) {
  const size = Number(route.get("size"));
  return { page: Math.max(1, Number(route.get("page", 1)) || 1), pageSize: PAGE_SIZES.includes(size) ? size : PAGE_SIZE };
}

/** Links to the start and to the next page of messages, where the API only says where to go on. */
export function onward(route, next) {
  if (!route.get("after") && next === null) return null;
  return h(
    "nav",
    { class: "pager", "aria-label": "Pages" },
    route.get("after") && h("a", { class: "button", href: route.with({ after: "" }) }, "From the start"),
    next !== null && h("a", { class: "button", href: route.with({ after: next }), rel: "next" }, "Next messages"),
  );
}
