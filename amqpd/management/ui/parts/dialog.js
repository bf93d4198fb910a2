// Dialogs: the browser's own, so focus stays inside and Escape closes them.

import { h } from "../lib/dom.js";
import { refresh, stop } from "../lib/stage.js";
import { fieldset, valuesOf } from "./form.js";
import { icon } from "./icons.js";
import { explain } from "./states.js";
import { toast } from "./toast.js";

/** Show something in a dialog; returns the dialog. */
export function open({ title, content, isWide = false }) {
  const heading = h("h2", { id: "dialog-title" }, title);
  const close = h(
    "button",
    { type: "button", class: "quiet square", "aria-label": "Close", onclick: () => dialog.close() },
    icon("close"),
  );
  const dialog = h(
    "dialog",
    { class: isWide ? "wide" : null, "aria-labelledby": "dialog-title" },
    h("header", {}, heading, close),
    content,
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  (dialog.querySelector("[required]") ?? dialog.querySelector("input:not([type=hidden]), select, textarea"))?.focus();
  return dialog;
}

/**
 * Ask for values and do something with them. `run(values)` may return a text to say when it is done, or an element to show
 * in place of the form; what it throws is shown in the form, which stays.
 */
export function ask({ title, intro = null, fields = [], action, isDanger = false, isWide = false, run }) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: isDanger ? "danger" : "primary" }, action);
  const cancel = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const form = h(
    "form",
    {},
    intro && h("p", { class: "intro" }, intro),
    fieldset(fields),
    problem,
    h("footer", {}, cancel, submit),
  );
  const dialog = open({ title, content: form, isWide });
  if (fields.length === 0) submit.focus();
  form.onsubmit = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    problem.hidden = true;
    stop();
    try {
      const outcome = await run(await valuesOf(form, fields));
      if (outcome instanceof Element) form.replaceWith(outcome);
      else {
        dialog.close();
        if (outcome) toast(outcome);
      }
    } catch (error) {
      problem.textContent = explain(error).text;
      problem.hidden = false;
    } finally {
      submit.disabled = false;
      refresh();
    }
  };
  return dialog;
}
