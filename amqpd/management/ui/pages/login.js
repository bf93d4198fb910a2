// Logging in.

import { h } from "../lib/dom.js";
import { logIn } from "../lib/session.js";

/** The form; `done()` once the broker let the user in. */
export function loginForm(done) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: "strong" }, "Log in");
  const form = h(
    "form",
    { class: "login panel" },
    h("img", { src: "icon.svg", alt: "", width: "44", height: "44" }),
    h("h1", {}, "amqpd"),
    h("p", { class: "intro" }, "Log in to manage this broker."),
    h(
      "label",
      { class: "field" },
      h("span", {}, "User"),
      h("input", { name: "username", required: true, autocomplete: "username", autocapitalize: "none", spellcheck: "false" }),
    ),
    h(
      "label",
      { class: "field" },
      h("span", {}, "Password"),
      h("input", { name: "password", type: "password", required: true, autocomplete: "current-password" }),
    ),
    problem,
    submit,
  );
  form.onsubmit = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    problem.hidden = true;
    try {
      await logIn(form.elements.username.value, form.elements.password.value);
      done();
    } catch (error) {
      problem.textContent = reason(error);
      problem.hidden = false;
      form.elements.password.select();
    } finally {
      submit.disabled = false;
    }
  };
  return h("main", { class: "alone" }, form);
}

function reason(error) {
  if (error.status === 401) {
    return error.error === "not_authorised"
      ? "This user may not use the management: he needs one of its tags."
      : "User or password are wrong.";
  }
  return error.message;
}
