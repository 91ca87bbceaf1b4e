// States in words and colours.

import { h, link } from "./dom.js";
import { has, t } from "./i18n.js";

const GOOD = new Set(["product.A", "order.P", "severity.info", "order.S"]);
const BAD = new Set(["order.N", "severity.critical"]);
const QUIET = new Set(["product.H", "product.D", "product.Z", "order.R"]);

// A state as a badge; what nobody knows yet is shown as it is.
export function badge(kind, state) {
  const key = `${kind}.${state}`;
  return tag(has(key) ? t(key) : state, GOOD.has(key) ? "good" : BAD.has(key) ? "bad" : QUIET.has(key) ? "quiet" : "");
}

export const tag = (text, kind) => h("span", { class: `badge ${kind ?? ""}` }, text);

// Whether something is there.
export const alive = (is) => tag(is ? t("alive") : t("dead"), is ? "good" : "bad");

// Choices for a filter by state.
export const choices = (kind, states) => [["", t("any")], ...states.map((state) => [state, t(`${kind}.${state}`)])];

export const PRODUCT_STATES = ["I", "P", "A", "S", "H", "D", "Z"];
export const ORDER_STATES = ["I", "T", "P", "R", "N", "S"];

// Where one can look at what something is about.
const SCREEN_OF = { order: "order", product: "product", host: "host", node: "node", operator: "people", deny_entry: "deny", site: "settings", job: "tasks", purchase_order: "order", tor_bridge: "product", nostr_alias: "product" };

export function about(kind, id) {
  const screen = SCREEN_OF[kind];
  if (!screen || !id) return id ?? "";
  return ["order", "product", "host", "node"].includes(screen) ? link(`${screen}/${id}`, short(id), { title: id }) : link(screen, id);
}

// The beginning of an id is enough to tell it from others.
export const short = (id) => (/^[0-9a-f-]{36}$/.test(id) ? id.slice(0, 8) : id);

// What happened to something, as the change log has it.
export const history = (changes) =>
  h("details", { class: "group" }, h("summary", null, t("history", { n: changes.length })), h("ol", { class: "plain log" }, changes.map((one) =>
    h("li", null, h("time", { datetime: one.at, class: "soft" }, one.at.replace("T", " ").replace("Z", " UTC")), " ", h("b", null, one.actor), " ", one.change))));
