// Lightning nodes: all of them, and a new one.

import { call } from "./api.js";
import { fill, h, link } from "./dom.js";
import { form } from "./form.js";
import { time } from "./format.js";
import { t } from "./i18n.js";
import { nodeFields } from "./node-fields.js";
import { reportOf } from "./node.js";
import { alive, tag } from "./states.js";
import { empty, table } from "./table.js";

export async function show({ query, me }) {
  const title = h("h1", null, t("screen.nodes"));
  if (query.new) return [title, ...create(me)];
  const nodes = await call("admin_node_list");
  const add = link("nodes?new=1", t("node.add"), { class: "button main" });
  if (!nodes.length) return [title, empty(t("node.none"), add)];
  return [title, h("p", { class: "row" }, add), table(t("screen.nodes"), [
    [t("name"), (node) => link(`node/${node.id}`, node.name)],
    [t("state"), (node) => [alive(node.is_alive), " ", !node.is_enabled && tag(t("node.disabled"), "quiet")]],
    [t("type"), (node) => t(`kind.${node.kind}`)],
    [t("node.host"), (node) => node.host],
    [t("node.priority"), (node) => node.priority, "num"],
    [t("node.checked"), (node) => time(node.checked_at)],
    [t("node.error"), (node) => node.last_error && h("span", { class: "bad", lang: "en" }, node.last_error)],
  ], nodes)];
}

function create(me) {
  const box = h("div");
  const run = async ({ kind, untested, ...settings }) => {
    const { node, report } = await call("admin_node_create", {}, { kind, untested, settings });
    fill(box, h("section", { class: "note good" }, h("h2", { tabindex: "-1" }, t("node.added")),
      report ? reportOf(report) : h("p", null, t("node.untried")),
      h("p", { class: "row" }, link(`node/${node.id}`, t("node.to_node"), { class: "button" }), link("start", t("screen.start"), { class: "button main" }))));
    box.querySelector("h2").focus();
  };
  fill(box, h("h2", null, t("node.add")), h("p", null, t("node.add_text")),
    h("pre", { tabindex: "0" }, "lncli bakemacaroon invoices:read invoices:write info:read"),
    h("div", { class: "card" }, form({ fields: nodeFields(me, true), action: t("node.try"), run })));
  return [h("p", null, link("nodes", t("back"))), box];
}
