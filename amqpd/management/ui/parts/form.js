// Forms from descriptions of their fields.
//
// A field is an object: `name`, `label`; `type` (text, password, number, select, checkbox, textarea, json, file, hidden);
// `value`, `hint`, `required`, `options` of a select ([value, label] or value), `list` (values to suggest), `group`: a
// heading under which further fields hide.

import { h } from "../lib/dom.js";

let lists = 0;

/** The fields of a form. */
export function fieldset(fields) {
  const groups = [...new Set(fields.map((field) => field.group ?? ""))];
  return groups.map((group) => {
    const inside = fields.filter((field) => (field.group ?? "") === group).map(row);
    return group
      ? h("details", { class: "more" }, h("summary", {}, group), h("div", { class: "fields" }, inside))
      : h("div", { class: "fields" }, inside);
  });
}

function row(field) {
  if (field.type === "hidden") return h("input", { type: "hidden", name: field.name, value: field.value });
  if (field.type === "checkbox") {
    return h(
      "label",
      { class: "check" },
      h("input", { type: "checkbox", name: field.name, checked: Boolean(field.value) }),
      h("span", {}, field.label),
      hint(field),
    );
  }
  return h("label", { class: `field ${field.isWide ? "wide" : ""}` }, h("span", {}, field.label), control(field), hint(field));
}

function hint(field) {
  return field.hint && h("small", {}, field.hint);
}

function control(field) {
  const shared = {
    name: field.name,
    required: field.required,
    placeholder: field.placeholder,
    autocomplete: field.autocomplete ?? "off",
  };
  if (field.type === "select") {
    return h(
      "select",
      shared,
      field.options.map((option) => {
        const [value, label] = Array.isArray(option) ? option : [option, option];
        return h("option", { value, selected: value === field.value }, label);
      }),
    );
  }
  if (field.type === "textarea" || field.type === "json") {
    return h("textarea", { ...shared, rows: field.rows ?? 4, spellcheck: "false" }, field.value ?? "");
  }
  const input = h("input", {
    ...shared,
    type: field.type ?? "text",
    value: field.value,
    min: field.min,
    step: field.step,
    accept: field.accept,
    spellcheck: "false",
  });
  if (!field.list) return input;
  lists += 1;
  input.setAttribute("list", `suggestions-${lists}`);
  return [
    input,
    h(
      "datalist",
      { id: `suggestions-${lists}` },
      field.list.map((value) => h("option", { value })),
    ),
  ];
}

/** What was entered: numbers as numbers, JSON as what it says, files as their text; empty fields as null. */
export async function valuesOf(form, fields) {
  const values = {};
  for (const field of fields) values[field.name] = await read(form.elements[field.name], field);
  return values;
}

async function read(element, field) {
  if (field.type === "checkbox") return element.checked;
  if (field.type === "file") return element.files.length ? element.files[0].text() : null;
  if (field.type === "json") return parsed(element.value, field.label);
  if (element.value === "" && !field.keepsEmpty) return null;
  return field.type === "number" ? Number(element.value) : element.value;
}

function parsed(text, label) {
  if (!text.trim()) return {};
  try {
    return JSON.parse(text);
  } catch {
    throw Object.assign(new Error(`${label}: this is not JSON. An example: {"key": "value"}`), { status: 400 });
  }
}

/** The members that are not null. */
export function given(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined));
}
