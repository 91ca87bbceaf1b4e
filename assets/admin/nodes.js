// Lightning nodes: all of them, a new one, and one with what it says and its settings.

import { act, alive, ask, attempt, button, buttonTo, call, card, code, count, empty, english, facts, fill, finish, form, h, h1, h2, inRow, leave, link, pages, para, reveal, sats, soft, span, t, tag, time, yesNo } from "./kit.js";

export const show = (place) => (place.id ? one(place) : list(place));

async function list(place) {
  const title = h1(t("screen.nodes"));
  if (place.query.new) return [title, ...create(place.me)];
  const add = buttonTo("nodes?new=1", t("node.add"), "main");
  return [title, await pages({ place, operation: "admin_node_list", caption: "screen.nodes", extra: inRow(add), none: empty(t("start.node_text")), columns: [
    ["name", (node) => link(`nodes/${node.id}`, node.name)],
    ["state", (node) => [alive(node.is_alive), " ", !node.is_enabled && tag(t("host.disabled"), "quiet")]],
    ["type", (node) => t(`kind.${node.kind}`)],
    ["node.host", (node) => node.host],
    ["node.priority", (node) => node.priority, "num"],
    ["node.checked", (node) => time(node.checked_at)],
    ["node.error", (node) => node.last_error && english(node.last_error, "bad")],
  ] })];
}

function create(me) {
  const box = h("div");
  const run = async ({ kind, untested, ...settings }) => {
    const { node, report } = await call("admin_node_create", {}, { kind, untested, settings });
    // From here on the shop knows by itself that it answers.
    if (report) await call("admin_node_check", { id: node.id });
    reveal(box, h("section", { class: "note good" }, h("h2", { tabindex: "-1" }, t("node.added")),
      report ? reportOf(report) : para(t(mayConnect(node, me) ? "node.untried" : "node.waits")),
      inRow(buttonTo(`nodes/${node.id}`, t("node.to_node")), buttonTo("start", t("screen.start"), "main"))));
  };
  fill(box, h2(t("node.add")), para(t("node.add_text")),
    h("pre", { tabindex: "0" }, "lncli bakemacaroon invoices:read invoices:write info:read"),
    card(form({ fields: nodeFields(me, true), action: t("node.try"), run })));
  return [para(link("nodes", t("back"))), box];
}

async function one({ id, me }) {
  const node = await call("admin_node_read", { id });
  const box = h("div", { "aria-live": "polite" });
  const check = () => attempt(async () => {
    fill(box, soft(t("node.asking")));
    const report = await call("admin_node_check", { id }).finally(() => fill(box));
    fill(box, h("section", { class: `note ${report.is_fine ? "good" : "bad"}` }, reportOf(report)));
  });
  return [
    para(link("nodes", t("back"))),
    h1(node.name),
    facts(
      ["state", [alive(node.is_alive), " ", !node.is_enabled && tag(t("host.disabled"), "quiet")]],
      node.last_error && ["node.error", english(node.last_error, "bad")],
      node.clock_note && ["node.clock", english(node.clock_note)],
      ["id", code(node.id)], ["type", t(`kind.${node.kind}`)], ["node.host", node.port ? `${node.host}:${node.port}` : node.host],
      ["node.checked", time(node.checked_at)], ...said(node),
      node.pubkey && ["node.uris", code(node.uris.join(", "))],
      node.cannot_hold && ["node.cannot_hold", english(node.cannot_hold)],
      ["node.certificate", [node.certificate_file ?? (node.has_certificate ? t("node.stored") : "–"), certificate(node.certificate)]],
      ["node.macaroon", node.macaroon_file ?? (node.has_macaroon ? t("node.stored") : "–")]),
    !mayConnect(node, me) && h("p", { class: "note warn" }, t("node.waits")),
    inRow(mayConnect(node, me) && [button(t("node.check"), check, { class: "main" }), toggle(node)],
      button(t("remove"), () => remove(node), { class: "danger" })),
    box,
    h2(t("screen.settings")),
    form({
      fields: nodeFields(me, false), values: { ...node, certificate: "", macaroon: "" }, action: t("save"), onlyChanges: true,
      run: async ({ untested, ...settings }) => {
        const { changed } = await call("admin_node_update", { id }, { untested, settings });
        finish(changed.length ? t("host.saved", { n: changed.length }) : t("nothing_changed"));
      },
    }),
  ];
}

// Where the shop connects to is an administrator's word.
const mayConnect = (node, me) => node.is_enabled || me.role === "administrator";

// What a node says of itself, as far as it says it.
const said = (node) => [
  ["node.alias", node.alias], ["node.network", node.network], ["node.version", node.version],
  ["node.pubkey", node.pubkey && code(node.pubkey)],
  ["node.channels", node.active_channels], ["node.inbound", node.inbound_msat === null ? null : sats(node.inbound_msat)],
  ["node.outbound", node.outbound_msat === null ? null : sats(node.outbound_msat)],
  ["node.block", node.block_height && count(node.block_height)],
  ["node.synced", node.synced_to_chain === null ? null : yesNo(node.synced_to_chain)],
];

// What the certificate says that a node must show.
const certificate = (one) => one && [" ", code(one.names.join(", ")), " ", time(one.from), " – ", time(one.until)];

// The answer of a node that was asked now.
const reportOf = (report) => [
  h("p", { lang: "en" }, report.line),
  facts(...said(report),
    report.clock_ahead_secs && ["node.ahead", span(report.clock_ahead_secs)],
    ["node.certificate", certificate(report.certificate)]),
];

function toggle(node) {
  const set = (is_enabled) => act("admin_node_update", { id: node.id }, { settings: { is_enabled } },
    t(is_enabled ? "node.enabled_now" : "node.disabled_now"), () => set(!is_enabled));
  return button(t(node.is_enabled ? "host.disable" : "host.enable"), () => set(!node.is_enabled));
}

async function remove(node) {
  const done = await ask({ name: "node.remove", words: node, danger: true, operation: "admin_node_remove", args: { id: node.id } });
  if (done !== undefined) leave("nodes", t("node.removed"));
}

// Settings with a label that others have.
const LABELS = { name: "name", kind: "type", host: "product.host", port: "product.move_port", certificate: "node.certificate" };
const setting = (name, type, more) => ({ name, type, label: LABELS[name] ?? `node_field.${name}`, ...more });

// Of a new one (`isNew`) or of one that is to change. Files of the shop's machine are named by administrators alone.
function nodeFields(me, isNew) {
  const kinds = ["lnd_grpc", "lnd_rest", "cln"].map((kind) => [kind, t(`kind.${kind}`)]);
  const isAdministrator = me.role === "administrator";
  const file = (name) => setting(name, "text", { hint: "node.file_hint" });
  return [
    setting("name", "text", { required: true }),
    isNew && setting("kind", "select", { options: kinds }),
    setting("host", "text", { required: true, hint: "node.host_hint" }),
    setting("port", "number", { min: 0, max: 65535, hint: "node.port_hint" }),
    setting("certificate", "area", { hint: isNew ? "node.paste_hint" : "node.keep_hint" }),
    setting("macaroon", "area", { hint: isNew ? "node.paste_hint" : "node.keep_hint" }),
    isAdministrator && { heading: t("node.files"), fields: ["certificate_file", "macaroon_file", "details_macaroon_file", "payment_macaroon_file"].map(file) },
    {
      heading: t("node.more"),
      fields: [
        setting("priority", "number", { min: -1000 }),
        setting("use_holds", "check", { value: true }),
        setting("pays_refunds", "check"),
        setting("allow_spending", "check"),
        !isNew && setting("has_moved", "check", { hint: "node.moved_hint" }),
        setting("untested", "check", { hint: "node.untested_hint" }),
      ].filter(Boolean),
    },
  ].filter(Boolean);
}
