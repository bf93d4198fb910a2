// Tables: on a narrow screen each row becomes a card, so roles are spelled out.
//
// A column is an object: `label`, `cell(row)`; `sort` (the member to sort by, if one can), `isNumber`, `isTitle` (heads the
// card), `isHidden`.

import { h } from "../lib/dom.js";
import { NOTHING } from "../lib/format.js";
import { pageOf, pager } from "./pager.js";

/** A table of rows; `keyOf(row)` tells rows apart. With a route, headings sort. */
export function table({ label, columns, rows, keyOf, route = null }) {
  const shown = columns.filter((column) => !column.isHidden);
  return h(
    "div",
    { class: "table", "data-key": `table-${label}` },
    h(
      "table",
      { role: "table", "aria-label": label },
      h(
        "thead",
        { role: "rowgroup" },
        h(
          "tr",
          { role: "row" },
          shown.map((column) => heading(column, route)),
        ),
      ),
      h(
        "tbody",
        { role: "rowgroup" },
        rows.map((row) => line(row, shown, keyOf(row))),
      ),
    ),
  );
}

function heading(column, route) {
  const isSorted = route && column.sort && route.get("sort") === column.sort;
  const isReverse = isSorted && route.get("reverse") === "true";
  const order = isSorted ? (isReverse ? "descending" : "ascending") : null;
  const title =
    route && column.sort
      ? h(
          "a",
          {
            href: route.with({ sort: column.sort, reverse: nextReverse(column, isSorted, isReverse), page: "" }),
            class: order,
          },
          column.label,
        )
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

/** A table of a list that came as a whole, however long: one page of it at a time. */
export function pagedTable({ route, rows, ...rest }) {
  const { page, pageSize } = pageOf(route);
  const window = rows.slice((page - 1) * pageSize, page * pageSize);
  const content = table({ rows: window, ...rest });
  return rows.length > pageSize ? [content, pager(route, { page, pageSize, total: rows.length })] : content;
}
