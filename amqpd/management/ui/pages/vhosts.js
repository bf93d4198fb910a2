// All virtual hosts.

import { call, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { reloadVhosts } from "../lib/session.js";
import { badge } from "../parts/badge.js";
import { button } from "../parts/button.js";
import { ask } from "../parts/dialog.js";
import { renewVhosts } from "../parts/frame.js";
import { listPage } from "../parts/list.js";
import { adminTabs } from "./admin.js";

export const vhostsPage = listPage({
  title: "Virtual hosts",
  path: () => "vhosts",
  keyOf: (vhost) => vhost.name,
  tabs: adminTabs,
  actions: () => [button("New virtual host", create, "primary")],
  nothing: ["No virtual hosts", "Clients cannot connect to anything."],
  columns: () => [
    { label: "Name", sort: "name", isTitle: true, cell: (vhost) => h("strong", {}, vhost.name) },
    { label: "Description", cell: (vhost) => vhost.description },
    { label: "Tags", cell: (vhost) => vhost.tags.map((tag) => badge(tag)) },
    { label: "Messages", sort: "messages", isNumber: true, cell: (vhost) => count(vhost.messages) },
    {
      label: "State",
      cell: (vhost) => [
        vhost.tracing && badge("traced", { kind: "warn" }),
        vhost.protected_from_deletion && badge("protected"),
      ],
    },
    {
      label: "",
      cell: (vhost) =>
        h(
          "div",
          { class: "actions" },
          button("Change", () => change(vhost), "small"),
          button("Delete", () => remove(vhost), "small danger"),
        ),
    },
  ],
});

function fields(vhost = {}) {
  return [
    { name: "description", label: "Description", value: vhost.description, isWide: true, keepsEmpty: true },
    { name: "tags", label: "Tags", value: (vhost.tags ?? []).join(", "), hint: "Separated by commas", keepsEmpty: true },
    { name: "tracing", label: "Trace: copy every message to amq.rabbitmq.trace", type: "checkbox", value: vhost.tracing },
    { name: "protected_from_deletion", label: "Protect from deletion", type: "checkbox", value: vhost.protected_from_deletion },
  ];
}

function create() {
  ask({
    title: "New virtual host",
    fields: [{ name: "name", label: "Name", required: true }, ...fields()],
    action: "Create",
    run: async ({ name, ...profile }) => {
      await call("PUT", path`vhosts/${name}`, profile);
      await renew();
      return `Virtual host ${name} is created.`;
    },
  });
}

function change(vhost) {
  ask({
    title: `Change ${vhost.name}`,
    fields: fields(vhost),
    action: "Save",
    run: async (profile) => {
      await call("PUT", path`vhosts/${vhost.name}`, profile);
      return `Virtual host ${vhost.name} is changed.`;
    },
  });
}

function remove(vhost) {
  ask({
    title: `Delete virtual host ${vhost.name}?`,
    intro:
      "All its queues, exchanges, messages and permissions go with it, and its connections are closed. This cannot be undone.",
    fields: [{ name: "name", label: `Enter ${vhost.name} to confirm`, required: true }],
    action: "Delete",
    isDanger: true,
    run: async ({ name }) => {
      if (name !== vhost.name) throw Object.assign(new Error("That is another name."), { status: 400 });
      await call("DELETE", path`vhosts/${vhost.name}`);
      await renew();
      return `Virtual host ${vhost.name} is deleted.`;
    },
  });
}

async function renew() {
  await reloadVhosts();
  renewVhosts();
}
