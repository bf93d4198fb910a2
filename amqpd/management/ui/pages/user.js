// One user: tags, password, permissions.

import { call, get, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { go } from "../lib/router.js";
import { session } from "../lib/session.js";
import { button } from "../parts/button.js";
import { ask } from "../parts/dialog.js";
import { head } from "../parts/head.js";
import { empty } from "../parts/states.js";
import { table } from "../parts/table.js";
import { tagFields, tagsIn, tagsOf } from "./users.js";

export const userPage = {
  title: (route) => route.segments[2],
  load: async (route, signal) => {
    const here = path`users/${route.segments[2]}`;
    const [user, permissions, topics] = await Promise.all([
      get(here, {}, signal),
      get(`${here}/permissions`, {}, signal),
      get(`${here}/topic-permissions`, {}, signal),
    ]);
    return { user, permissions, topics };
  },
  view: ({ user, permissions, topics }) => [
    head(user.name, {
      back: ["#/admin/users", "Users"],
      beside: tagsOf(user),
      actions: [button("Change", () => change(user)), button("Delete", () => remove(user), "danger")],
    }),
    h(
      "section",
      {},
      h(
        "div",
        { class: "bar-head" },
        h("h2", {}, "Permissions"),
        button("Grant", () => grant(user, permissions)),
      ),
      permissions.length ? permissionTable(user, permissions) : empty("No permissions", "This user can enter no virtual host."),
    ),
    h(
      "section",
      {},
      h(
        "div",
        { class: "bar-head" },
        h("h2", {}, "Topic permissions"),
        button("Grant topics", () => grantTopics(user)),
      ),
      topics.length
        ? topicTable(user, topics)
        : empty("No topic permissions", "Without any, all routing keys of topic exchanges may be used."),
    ),
  ],
};

function permissionTable(user, permissions) {
  return table({
    label: "Permissions",
    rows: permissions,
    keyOf: (permission) => permission.vhost,
    columns: [
      { label: "Virtual host", isTitle: true, cell: (permission) => permission.vhost },
      ...["configure", "write", "read"].map((right) => ({
        label: right[0].toUpperCase() + right.slice(1),
        cell: (permission) => expression(permission[right]),
      })),
      {
        label: "",
        cell: (permission) =>
          button(
            "Withdraw",
            () => withdraw(user, path`permissions/${permission.vhost}/${user.name}`, `to ${permission.vhost}`),
            "small",
          ),
      },
    ],
  });
}

function topicTable(user, topics) {
  return table({
    label: "Topic permissions",
    rows: topics,
    keyOf: (permission) => `${permission.vhost} ${permission.exchange}`,
    columns: [
      { label: "Virtual host", isTitle: true, cell: (permission) => permission.vhost },
      { label: "Exchange", cell: (permission) => permission.exchange },
      { label: "Write", cell: (permission) => expression(permission.write) },
      { label: "Read", cell: (permission) => expression(permission.read) },
      {
        label: "",
        cell: (permission) =>
          button(
            "Withdraw",
            () =>
              withdraw(
                user,
                path`topic-permissions/${permission.vhost}/${user.name}/${permission.exchange}`,
                `to topics of ${permission.exchange}`,
              ),
            "small",
          ),
      },
    ],
  });
}

function expression(text) {
  return text ? h("code", {}, text) : "nothing";
}

function change(user) {
  ask({
    title: `Change ${user.name}`,
    fields: [
      {
        name: "password",
        label: "New password",
        type: "password",
        autocomplete: "new-password",
        hint: "Empty: stays as it is. A new one ends the user's sessions here",
      },
      ...tagFields(user.tags),
    ],
    action: "Save",
    run: async (values) => {
      const secret =
        values.password === null
          ? { password_hash: user.password_hash, hashing_algorithm: user.hashing_algorithm }
          : { password: values.password };
      await call("PUT", path`users/${user.name}`, { ...secret, tags: tagsIn(values) });
      return `User ${user.name} is changed.`;
    },
  });
}

function grant(user, permissions) {
  const present = permissions.find((permission) => permission.vhost === session.defaultVhost);
  ask({
    title: `Permissions of ${user.name}`,
    intro: "Regular expressions of the names that the user may use; empty ones match nothing.",
    fields: [
      { name: "vhost", label: "Virtual host", type: "select", options: session.vhosts, value: session.defaultVhost },
      { name: "configure", label: "Configure: declare and delete", value: present?.configure ?? ".*", keepsEmpty: true },
      { name: "write", label: "Write: publish and bind", value: present?.write ?? ".*", keepsEmpty: true },
      { name: "read", label: "Read: consume and get", value: present?.read ?? ".*", keepsEmpty: true },
    ],
    action: "Grant",
    run: async ({ vhost, ...rights }) => {
      await call("PUT", path`permissions/${vhost}/${user.name}`, rights);
      return "The permissions are granted.";
    },
  });
}

function grantTopics(user) {
  ask({
    title: `Topic permissions of ${user.name}`,
    intro: "Regular expressions of the routing keys that the user may use at a topic exchange.",
    fields: [
      { name: "vhost", label: "Virtual host", type: "select", options: session.vhosts, value: session.defaultVhost },
      { name: "exchange", label: "Exchange", required: true, value: "amq.topic" },
      { name: "write", label: "Write", value: ".*", keepsEmpty: true },
      { name: "read", label: "Read", value: ".*", keepsEmpty: true },
    ],
    action: "Grant",
    run: async ({ vhost, ...rights }) => {
      await call("PUT", path`topic-permissions/${vhost}/${user.name}`, rights);
      return "The topic permissions are granted.";
    },
  });
}

function withdraw(user, address, what) {
  ask({
    title: "Withdraw these permissions?",
    intro: `${user.name} loses access ${what}.`,
    action: "Withdraw",
    isDanger: true,
    run: async () => {
      await call("DELETE", address);
      return "The permissions are withdrawn.";
    },
  });
}

function remove(user) {
  ask({
    title: `Delete user ${user.name}?`,
    intro: "All connections of the user are closed.",
    action: "Delete",
    isDanger: true,
    run: async () => {
      await call("DELETE", path`users/${user.name}`);
      go("#/admin/users");
      return `User ${user.name} is deleted.`;
    },
  });
}
