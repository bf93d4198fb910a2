// Tables: on a narrow screen each row becomes a card, so roles are spelled out.
//
// A column is an object: `label`, `cell(row)`; `sort` (the member to sort by, if one can), `isNumber`, `isTitle` (heads the
// card), `isHidden`.

import { h } from "../lib/dom.js";
import { href } from "../lib/router.js";
import { NOTHING } from "../lib/format.js";
import { icon } from "./icons.js";

export const PAGE_SIZES = [50, 100, 250, 500];
export const PAGE_SIZE = 50;

/** A table of rows; `keyOf(row)` tells rows apart. With a route, headings sort. */
export function table({ label, columns, rows, keyOf, route = null }) {
  const shown = columns.filter((column) => !column.isHidden);
  return h(
    "div", { class: "table", "data-key": `table-${label}` },
    h(
      "table", { role: "table", "aria-label": label },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, shown.map((column) => heading(column, route)))),
      h("tbody", { role: "rowgroup" }, rows.map((row) => line(row, shown, keyOf(row)))),
    ),
  );
}

function heading(column, route) {
  const isSorted = route && column.sort && route.get("sort") === column.sort;
  const isReverse = isSorted && route.get("reverse") === "true";
  const order = isSorted ? (isReverse ? "descending" : "ascending") : null;
  const title = route && column.sort
    ? h("a", { href: route.with({ sort: column.sort, reverse: nextReverse(column, isSorted, isReverse), page: "" }), class: order }, column.label)
    : column.label || h("span", { class: "visually-hidden" }, "Actions");
  return h("th", { role: "columnheader", scope: "col", class: column.isNumber ? "number" : null, "aria-sort": order }, title);
}

/** Numbers start with the largest, texts with A. */
function nextReverse(column, isSorted, isReverse) {
  return (isSorted ? !isReverse : Boolean(column.isNumber)) ? "true" : "";
}

function line(row, columns, key) {
  const cells = columns.map((column) => {
    const kind = [column.isNumber && "number", column.isTitle && "title", !column.label && "actions"].filter(Boolean).join(" ");
    return h("td", { role: "cell", class: kind || null, "data-label": column.label }, column.cell(row) ?? NOTHING);
  });
  return h("tr", { role: "row", "data-key": key }, cells);
}

/** Links to the other pages of a list of so many entries; none if it fits on the smallest page. */
export function pager(route, { page, pageSize, total }) {
  const last = Math.max(1, Math.ceil(total / pageSize));
  if (total <= PAGE_SIZES[0]) return null;
  const from = (page - 1) * pageSize + 1;
  const turn = (to, rel, label, name) => (to >= 1 && to <= last
    ? h("a", { class: "button square", href: route.with({ page: to === 1 ? "" : to }), rel, "aria-label": label }, icon(name))
    : h("span", { class: "button square disabled", "aria-hidden": "true" }, icon(name)));
  return h(
    "nav", { class: "pager", "aria-label": "Pages" },
    h("span", { role: "status" }, `${from.toLocaleString("en")}–${Math.min(page * pageSize, total).toLocaleString("en")} of ${total.toLocaleString("en")}`),
    h("label", {}, h("span", { class: "visually-hidden" }, "Rows on a page"), sizes(route, pageSize)),
    turn(page - 1, "prev", "Previous page", "previous"),
    turn(page + 1, "next", "Next page", "next"),
  );
}

function sizes(route, pageSize) {
  return h(
    "select", { onchange: (event) => { location.hash = route.with({ size: event.target.value, page: "" }); } },
    PAGE_SIZES.map((size) => h("option", { value: size, selected: size === pageSize }, `${size} rows`)),
  );
}

/** The page and its size that an address asks for. */
export function pageOf(route) {
  const size = Number(route.get("size"));
  return { page: Math.max(1, Number(route.get("page", 1)) || 1), pageSize: PAGE_SIZES.includes(size) ? size : PAGE_SIZE };
}

/** A table of a list that came as a whole, however long: one page of it at a time. */
export function pagedTable({ route, rows, ...rest }) {
  const { page, pageSize } = pageOf(route);
  const window = rows.slice((page - 1) * pageSize, page * pageSize);
  const content = table({ rows: window, ...rest });
  return rows.length > pageSize ? [content, pager(route, { page, pageSize, total: rows.length })] : content;
}

/** Two columns: what it is, and its value; entries without a value are left out. */
export function details(entries) {
  const shown = entries.filter((entry) => entry && entry[1] !== null && entry[1] !== undefined && entry[1] !== "");
  return h("dl", { class: "details" }, shown.map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value))));
}

/** Names and values of an argument table. */
export function argumentList(values) {
  const entries = Object.entries(values ?? {});
  if (entries.length === 0) return NOTHING;
  return h("ul", { class: "arguments" }, entries.map(([name, value]) => h("li", {}, h("code", {}, `${name} = ${typeof value === "object" ? JSON.stringify(value) : value}`))));
}

/** A small word in a frame. */
export function badge(text, { kind = "", title = null } = {}) {
  return h("span", { class: `badge ${kind}`.trim(), title }, text);
}

/** Links between views of one thing; the segment behind the path chooses. */
export function tabs(route, depth, entries) {
  const chosen = route.segments[depth] ?? "";
  const base = route.segments.slice(0, depth);
  return h("nav", { class: "tabs", "aria-label": "Views" }, entries.map(([segment, label]) => h(
    "a", { href: href(segment ? [...base, segment] : base), "aria-current": chosen === segment ? "page" : null }, label,
  )));
}

/** The head of a page: title, what it says beside it, and what can be done. */
export function head(title, { beside = null, actions = [], back = null } = {}) {
  return h(
    "header", { class: "head" },
    h("div", { class: "names" }, back && h("a", { class: "back", href: back[0] }, icon("previous"), back[1]), h("h1", { tabindex: "-1" }, title), beside && h("div", { class: "beside" }, beside)),
    h("div", { class: "actions" }, actions),
  );
}

/** A button that does something. */
export function button(label, onclick, kind = null) {
  return h("button", { type: "button", class: kind, onclick }, kind === "primary" && icon("plus"), label);
}
