// All users.

import { call, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { go, to } from "../lib/router.js";
import { badge } from "../parts/badge.js";
import { button } from "../parts/button.js";
import { ask } from "../parts/dialog.js";
import { listPage } from "../parts/list.js";
import { adminTabs } from "./admin.js";

const TAGS = ["administrator", "monitoring", "policymaker", "management"];

export const usersPage = listPage({
  title: "Users",
  path: () => "users",
  keyOf: (user) => user.name,
  tabs: adminTabs,
  actions: () => [button("New user", create, "primary")],
  nothing: ["No users", "Nobody can log in."],
  columns: () => [
    { label: "Name", sort: "name", isTitle: true, cell: (user) => h("a", { href: to.user(user.name) }, user.name) },
    { label: "Tags", cell: tagsOf },
    { label: "Password", cell: (user) => (user.password_hash ? "set" : "none: cannot log in") },
  ],
});

/** The user's tags. */
export function tagsOf(user) {
  return user.tags.map((tag) => badge(tag, { kind: tag === "administrator" ? "warn" : "" }));
}

/** Fields for tags; the tags known to the management as boxes. */
export function tagFields(tags = []) {
  return [
    ...TAGS.map((tag) => ({ name: tag, label: tag, type: "checkbox", value: tags.includes(tag), group: "Tags" })),
    {
      name: "otherTags",
      label: "Other tags",
      hint: "Separated by commas",
      value: tags.filter((tag) => !TAGS.includes(tag)).join(", "),
      group: "Tags",
    },
  ];
}

/** The tags that a form's values say. */
export function tagsIn(values) {
  const others = (values.otherTags ?? "")
    .split(",")
    .map((tag) => tag.trim())
    .filter(Boolean);
  return [...TAGS.filter((tag) => values[tag]), ...others];
}

function create() {
  ask({
    title: "New user",
    fields: [
      { name: "name", label: "Name", required: true },
      {
        name: "password",
        label: "Password",
        type: "password",
        autocomplete: "new-password",
        hint: "Empty: cannot log in with a password",
      },
      ...tagFields(),
    ],
    action: "Create",
    run: async (values) => {
      const secret = values.password === null ? { password_hash: "" } : { password: values.password };
      await call("PUT", path`users/${values.name}`, { ...secret, tags: tagsIn(values) });
      go(to.user(values.name));
      return `User ${values.name} is created; now give him permissions.`;
    },
  });
}
