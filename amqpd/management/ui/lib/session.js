// Who is logged in, and which virtual host he looks at.

import { call, get, token } from "./api.js";

const VHOST = "amqpd.vhost";

export const session = {
  /** Null while nobody is logged in. */
  user: null,
  tags: [],
  /** Names of the virtual hosts that the user may see. */
  vhosts: [],
  /** The name of the broker. */
  broker: "",

  /** The virtual host that lists are limited to; empty for all. */
  get vhost() {
    const name = localStorage.getItem(VHOST) ?? "";
    return this.vhosts.includes(name) ? name : "";
  },
  set vhost(name) {
    localStorage.setItem(VHOST, name);
  },
  /** Where something new goes unless the form says otherwise. */
  get defaultVhost() {
    return this.vhost || (this.vhosts.includes("/") ? "/" : this.vhosts[0]) || "/";
  },
  get administers() {
    return this.tags.includes("administrator");
  },
  get makesPolicies() {
    return this.administers || this.tags.includes("policymaker");
  },
  get monitors() {
    return this.administers || this.tags.includes("monitoring");
  },
};

/** Exchange name and password for a token. Throws Refused. */
export async function logIn(username, password) {
  token.value = null;
  const answer = await call("POST", "login", { username, password });
  token.value = answer.token.value;
  await resume();
}

/** Go on with the token that the browser kept. Throws Refused if it is good for nothing any more. */
export async function resume() {
  const [user, cluster] = await Promise.all([get("whoami"), get("cluster-name")]);
  await reloadVhosts();
  session.broker = cluster.name;
  session.tags = user.tags;
  session.user = user.name;
}

/** Ask again which virtual hosts there are. */
export async function reloadVhosts() {
  session.vhosts = (await get("vhosts", { columns: "name" })).map((vhost) => vhost.name);
}

/** Drop the token, here and at the broker. */
export async function logOut() {
  try {
    if (token.value) await call("DELETE", "login");
  } finally {
    forget();
  }
}

/** Drop the token here. */
export function forget() {
  token.value = null;
  session.user = null;
  session.tags = [];
  session.vhosts = [];
}
