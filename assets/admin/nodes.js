// Lightning nodes: all of them, a new one, and one with what it says and its settings.

import { call } from "./api.js";
import { button, code, fill, h, h1, h2, inRow, link, para } from "./dom.js";
import { ask, form } from "./form.js";
import { t } from "./i18n.js";
import { go } from "./place.js";
import { attempt, finish, say } from "./say.js";
import { alive, count, sats, span, tag, time, yesNo } from "./show.js";
import { empty, facts, table } from "./table.js";

// One of them where the address names it, or all.
export const show = (place) => (place.id ? one(place) : list(place));

async function list({ query, me }) {
  const title = h1(t("screen.nodes"));
  if (query.new) return [title, ...create(me)];
  const nodes = await call("admin_node_list");
  const add = link("nodes?new=1", t("node.add"), { class: "button main" });
  if (!nodes.length) return [title, empty(t("start.node_text"), add)];
  return [title, inRow(add), table(t("screen.nodes"), [
    [t("name"), (node) => link(`nodes/${node.id}`, node.name)],
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
    // From here on the shop knows by itself that it answers.
    if (report) await call("admin_node_check", { id: node.id });
    fill(box, h("section", { class: "note good" }, h("h2", { tabindex: "-1" }, t("node.added")),
      report ? reportOf(report) : para(t("node.untried")),
      inRow(link(`nodes/${node.id}`, t("node.to_node"), { class: "button" }), link("start", t("screen.start"), { class: "button main" }))));
    box.querySelector("h2").focus();
  };
  fill(box, h2(t("node.add")), para(t("node.add_text")),
    h("pre", { tabindex: "0" }, "lncli bakemacaroon invoices:read invoices:write info:read"),
    h("div", { class: "card" }, form({ fields: nodeFields(me, true), action: t("node.try"), run })));
  return [para(link("nodes", t("back"))), box];
}

async function one({ id, me }) {
  const node = await call("admin_node_read", { id });
  const box = h("div", { "aria-live": "polite" });
  const check = () => attempt(async () => {
    fill(box, h("p", { class: "soft" }, t("node.asking")));
    const report = await call("admin_node_check", { id }).finally(() => fill(box));
    fill(box, h("section", { class: `note ${report.is_fine ? "good" : "bad"}` }, reportOf(report)));
  });
  return [
    para(link("nodes", t("back"))),
    h1(node.name),
    facts(
      [t("state"), [alive(node.is_alive), " ", !node.is_enabled && tag(t("node.disabled"), "quiet")]],
      node.last_error && [t("node.error"), h("span", { class: "bad", lang: "en" }, node.last_error)],
      node.clock_note && [t("node.clock"), h("span", { lang: "en" }, node.clock_note)],
      [t("id"), code(node.id)], [t("type"), t(`kind.${node.kind}`)], [t("node.host"), node.port ? `${node.host}:${node.port}` : node.host],
      [t("node.checked"), time(node.checked_at)], ...said(node),
      node.pubkey && [t("node.uris"), code(node.uris.join(", "))],
      node.cannot_hold && [t("node.cannot_hold"), h("span", { lang: "en" }, node.cannot_hold)],
      [t("node.certificate"), node.certificate_file ?? (node.has_certificate ? t("node.stored") : "–")],
      [t("node.macaroon"), node.macaroon_file ?? (node.has_macaroon ? t("node.stored") : "–")]),
    inRow(button(t("node.check"), check, { class: "main" }), toggle(node), button(t("remove"), () => remove(node), { class: "danger" })),
    box,
    h2(t("host.settings")),
    form({
      fields: nodeFields(me, false), values: { ...node, certificate: "", macaroon: "" }, action: t("save"), onlyChanges: true,
      run: async ({ untested, ...settings }) => {
        const { changed } = await call("admin_node_update", { id }, { untested, settings });
        finish(changed.length ? t("host.saved", { n: changed.length }) : t("nothing_changed"));
      },
    }),
  ];
}

// What a node says of itself, as far as it says it.
const said = (node) => [
  [t("node.alias"), node.alias], [t("node.network"), node.network], [t("node.version"), node.version],
  [t("node.pubkey"), node.pubkey && code(node.pubkey)],
  [t("node.channels"), node.active_channels], [t("node.inbound"), node.inbound_msat === null ? null : sats(node.inbound_msat)],
  [t("node.block"), node.block_height && count(node.block_height)],
  [t("node.synced"), node.synced_to_chain === null ? null : yesNo(node.synced_to_chain)],
];

// The answer of a node that was asked now.
const reportOf = (report) => [
  h("p", { lang: "en" }, report.line),
  facts(...said(report),
    report.clock_ahead_secs && [t("node.ahead"), span(report.clock_ahead_secs)],
    report.certificate_until && [t("node.certificate_until"), time(report.certificate_until)]),
];

function toggle(node) {
  const set = (is_enabled) => attempt(async () => {
    await call("admin_node_update", { id: node.id }, { settings: { is_enabled } });
    finish(t(is_enabled ? "node.enabled_now" : "node.disabled_now"), () => set(!is_enabled));
  });
  return button(node.is_enabled ? t("node.disable") : t("node.enable"), () => set(!node.is_enabled));
}

async function remove(node) {
  const done = await ask({
    title: t("node.remove"), text: t("node.remove_text", node), danger: true,
    run: () => call("admin_node_remove", { id: node.id }),
  });
  if (done === undefined) return;
  go("nodes");
  say(t("node.removed"));
}

const setting = (name, type, more) => ({ name, type, label: t(`node.f.${name}`), ...more });

// Of a new one (`isNew`) or of one that is to change. Files of the shop's machine are named by administrators alone.
function nodeFields(me, isNew) {
  const kinds = ["lnd_grpc", "lnd_rest", "cln"].map((kind) => [kind, t(`kind.${kind}`)]);
  const isAdministrator = me.role === "administrator";
  const file = (name) => setting(name, "text", { hint: t("node.file_hint") });
  return [
    setting("name", "text", { required: true }),
    isNew && setting("kind", "select", { options: kinds }),
    setting("host", "text", { required: true, hint: t("node.host_hint") }),
    setting("port", "number", { min: 0, max: 65535, hint: t("node.port_hint") }),
    setting("certificate", "area", { hint: t(isNew ? "node.paste_hint" : "node.keep_hint") }),
    setting("macaroon", "area", { hint: t(isNew ? "node.paste_hint" : "node.keep_hint") }),
    isAdministrator && { heading: t("node.files"), fields: ["certificate_file", "macaroon_file", "details_macaroon_file", "payment_macaroon_file"].map(file) },
    {
      heading: t("node.more"),
      fields: [
        setting("priority", "number", { min: -1000 }),
        setting("use_holds", "check", { value: true }),
        setting("pays_refunds", "check"),
        setting("allow_spending", "check"),
        !isNew && setting("has_moved", "check", { hint: t("node.moved_hint") }),
        setting("untested", "check", { hint: t("node.untested_hint") }),
      ].filter(Boolean),
    },
  ].filter(Boolean);
}
