// Policies and operator policies.

import { call, get, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { session } from "../lib/session.js";
import { badge } from "../parts/badge.js";
import { button } from "../parts/button.js";
import { argumentList } from "../parts/details.js";
import { ask } from "../parts/dialog.js";
import { head } from "../parts/head.js";
import { empty } from "../parts/states.js";
import { pagedTable } from "../parts/table.js";
import { adminTabs } from "./admin.js";

const TARGETS = ["all", "queues", "classic_queues", "quorum_queues", "exchanges"];

export const policiesPage = {
  title: () => "Policies",
  load: async (route, signal) => {
    const list = (kind) => get(session.vhost ? path`${kind}/${session.vhost}` : kind, {}, signal);
    const [policies, rulings] = await Promise.all([list("policies"), list("operator-policies")]);
    return { policies, rulings };
  },
  view: ({ policies, rulings }, route) => [
    head("Policies", { actions: [button("New policy", () => edit({ kind: "policies" }), "primary")] }),
    adminTabs(route),
    h(
      "p",
      { class: "intro" },
      "A policy gives arguments to all queues and exchanges whose names match it; the highest priority wins.",
      " Operator policies apply beside it and can only tighten limits.",
    ),
    policies.length
      ? policyTable(policies, "policies", route)
      : empty("No policies", "Limits, dead lettering and alternate exchanges can be set for many queues at once."),
    h(
      "section",
      {},
      h(
        "div",
        { class: "bar-head" },
        h("h2", {}, "Operator policies"),
        session.administers && button("New operator policy", () => edit({ kind: "operator-policies" })),
      ),
      rulings.length
        ? policyTable(rulings, "operator-policies", route)
        : empty("No operator policies", "Only administrators set them."),
    ),
  ],
};

function policyTable(policies, kind, route) {
  const canEdit = kind === "policies" || session.administers;
  return pagedTable({
    label: kind === "policies" ? "Policies" : "Operator policies",
    route,
    rows: policies,
    keyOf: (policy) => `${policy.vhost} ${policy.name}`,
    columns: [
      { label: "Name", isTitle: true, cell: (policy) => h("strong", {}, policy.name) },
      { label: "Virtual host", cell: (policy) => policy.vhost },
      { label: "Pattern", cell: (policy) => h("code", {}, policy.pattern) },
      { label: "Applies to", cell: (policy) => badge(policy["apply-to"]) },
      { label: "Definition", cell: (policy) => argumentList(policy.definition) },
      { label: "Priority", isNumber: true, cell: (policy) => policy.priority },
      {
        label: "",
        isHidden: !canEdit,
        cell: (policy) =>
          h(
            "div",
            { class: "actions" },
            button("Change", () => edit({ kind, policy }), "small"),
            button("Delete", () => remove(kind, policy), "small danger"),
          ),
      },
    ],
  });
}

function edit({ kind, policy = null }) {
  const noun = kind === "policies" ? "policy" : "operator policy";
  ask({
    title: policy ? `Change ${policy.name}` : `New ${noun}`,
    fields: [
      policy
        ? { name: "vhost", type: "hidden", value: policy.vhost }
        : { name: "vhost", label: "Virtual host", type: "select", options: session.vhosts, value: session.defaultVhost },
      policy ? { name: "name", type: "hidden", value: policy.name } : { name: "name", label: "Name", required: true },
      {
        name: "pattern",
        label: "Pattern",
        required: true,
        value: policy?.pattern,
        placeholder: "^orders\\.",
        hint: "A regular expression",
      },
      {
        name: "apply-to",
        label: "Applies to",
        type: "select",
        options: kind === "policies" ? TARGETS : TARGETS.filter((target) => target.endsWith("queues")),
        value: policy?.["apply-to"] ?? "queues",
      },
      { name: "priority", label: "Priority", type: "number", value: policy?.priority ?? 0 },
      {
        name: "definition",
        label: "Definition, as JSON",
        type: "json",
        isWide: true,
        value: policy ? JSON.stringify(policy.definition, null, 2) : "",
        placeholder: '{"max-length": 10000, "overflow": "reject-publish"}',
        hint: "message-ttl, expires, max-length, max-length-bytes, overflow, delivery-limit, dead-letter-exchange…",
      },
    ],
    action: "Save",
    run: async ({ vhost, name, ...body }) => {
      await call("PUT", path`${kind}/${vhost}/${name}`, { ...body, priority: body.priority ?? 0 });
      return `The ${noun} ${name} is saved.`;
    },
  });
}

function remove(kind, policy) {
  ask({
    title: `Delete ${policy.name}?`,
    intro: "It ceases to apply at once.",
    action: "Delete",
    isDanger: true,
    run: async () => {
      await call("DELETE", path`${kind}/${policy.vhost}/${policy.name}`);
      return `${policy.name} is deleted.`;
    },
  });
}
