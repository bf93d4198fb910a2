// A page that is a list: filtered, sorted and cut into pages by the broker, so that it is as fast with a hundred thousand
// entries as with ten.

import { get } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { go, here } from "../lib/router.js";
import { session } from "../lib/session.js";
import { head } from "./head.js";
import { pageOf, pager } from "./pager.js";
import { empty } from "./states.js";
import { table } from "./table.js";

const TYPING_MILLISECONDS = 250;

/**
 * A list page. `path(vhost)` is where the API has the list, `query` what else is asked for, `columns()` what is shown,
 * `tabs(route)` links to what is beside it, `actions()` what can be done, `nothing` the title and text of an empty list.
 */
export function listPage({ title, path, query = {}, columns, keyOf, tabs = () => null, actions = () => [], nothing }) {
  return {
    title: () => title,
    load: (route, signal) => load(path(session.vhost), query, route, signal),
    view: (data, route) => [
      head(title, { beside: total(data), actions: actions() }),
      tabs(route),
      filter(route, `Filter ${title.toLowerCase()} by name`),
      content(data, route, { title, columns: columns(), keyOf, nothing }),
    ],
  };
}

async function load(path, query, route, signal) {
  const { page, pageSize } = pageOf(route);
  const wanted = {
    ...query,
    page,
    page_size: pageSize,
    name: route.get("name"),
    use_regex: route.get("regex"),
    sort: route.get("sort"),
    sort_reverse: route.get("reverse"),
  };
  try {
    return await get(path, wanted, signal);
  } catch (error) {
    if (error.error !== "page_out_of_range") throw error;
    go(route.with({ page: "" }), { replace: true });
    return get(path, { ...wanted, page: 1 }, signal);
  }
}

function total(data) {
  return h("span", { class: "total" }, data.total_count.toLocaleString("en"));
}

function content(data, route, { title, columns, keyOf, nothing }) {
  if (data.total_count === 0) return empty(...nothing);
  if (data.filtered_count === 0)
    return empty(
      "No match",
      "Nothing has a name like that.",
      h("a", { class: "button", href: route.with({ name: "", regex: "" }) }, "Clear the filter"),
    );
  return [
    table({ label: title, columns, rows: data.items, keyOf, route }),
    pager(route, { page: data.page, pageSize: data.page_size, total: data.filtered_count }),
  ];
}

let typing = 0;

/** The field that filters a list by name, as its reader types. */
export function filter(route, label) {
  const changed = (name) => {
    clearTimeout(typing);
    typing = setTimeout(() => go(here().with({ name, page: "" }), { replace: true }), TYPING_MILLISECONDS);
  };
  return h(
    "form",
    { class: "filter", role: "search", onsubmit: (event) => event.preventDefault() },
    h("input", {
      type: "search",
      "aria-label": label,
      placeholder: `${label}…`,
      value: route.get("name"),
      autocomplete: "off",
      spellcheck: "false",
      oninput: (event) => changed(event.target.value),
    }),
    h(
      "label",
      { class: "check" },
      h("input", {
        type: "checkbox",
        checked: route.get("regex") === "true",
        onchange: (event) => go(here().with({ regex: event.target.checked ? "true" : "", page: "" }), { replace: true }),
      }),
      h("span", {}, "Regular expression"),
    ),
  );
}

/** The virtual host's column: only while lists span all of them. */
export function vhostColumn(get = (row) => row.vhost) {
  return { label: "Virtual host", sort: "vhost", cell: get, isHidden: session.vhost !== "" || session.vhosts.length < 2 };
}
