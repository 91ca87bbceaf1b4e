// One node: what it says, its settings, and asking it now.

import { call } from "./api.js";
import { button, fill, h, link } from "./dom.js";
import { ask, form } from "./form.js";
import { count, sats, span, time, yesNo } from "./format.js";
import { t } from "./i18n.js";
import { nodeFields } from "./node-fields.js";
import { again, go } from "./place.js";
import { attempt, say } from "./say.js";
import { alive, tag } from "./states.js";
import { facts } from "./table.js";

export async function show({ id, me }) {
  const node = await call("admin_node_read", { id });
  const box = h("div", { "aria-live": "polite" });
  const check = () => attempt(async () => {
    fill(box, h("p", { class: "soft" }, t("node.asking")));
    const report = await call("admin_node_check", { id }).finally(() => fill(box));
    fill(box, h("section", { class: `note ${report.is_fine ? "good" : "bad"}` }, reportOf(report)));
  });
  return [
    h("p", null, link("nodes", t("back"))),
    h("h1", null, node.name),
    facts(
      [t("state"), [alive(node.is_alive), " ", !node.is_enabled && tag(t("node.disabled"), "quiet")]],
      node.last_error && [t("node.error"), h("span", { class: "bad", lang: "en" }, node.last_error)],
      node.clock_note && [t("node.clock"), h("span", { lang: "en" }, node.clock_note)],
      [t("id"), h("code", null, node.id)], [t("type"), t(`kind.${node.kind}`)], [t("node.host"), node.port ? `${node.host}:${node.port}` : node.host],
      [t("node.checked"), time(node.checked_at)], ...said(node),
      node.pubkey && [t("node.uris"), h("code", null, node.uris.join(", "))],
      node.cannot_hold && [t("node.cannot_hold"), h("span", { lang: "en" }, node.cannot_hold)],
      [t("node.certificate"), node.certificate_file ?? (node.has_certificate ? t("node.stored") : "–")],
      [t("node.macaroon"), node.macaroon_file ?? (node.has_macaroon ? t("node.stored") : "–")]),
    h("div", { class: "row" }, button(t("node.check"), check, { class: "main" }), toggle(node), button(t("remove"), () => remove(node), { class: "small danger" })),
    box,
    h("h2", null, t("host.settings")),
    form({
      fields: nodeFields(me, false), values: { ...node, certificate: "", macaroon: "" }, action: t("save"), onlyChanges: true,
      run: async ({ untested, ...settings }) => {
        const { changed } = await call("admin_node_update", { id }, { untested, settings });
        again();
        say(changed.length ? t("host.saved", { n: changed.length }) : t("nothing_changed"));
      },
    }),
  ];
}

// What a node says of itself, as far as it says it.
const said = (node) => [
  [t("node.alias"), node.alias], [t("node.network"), node.network], [t("node.version"), node.version],
  [t("node.pubkey"), node.pubkey && h("code", null, node.pubkey)],
  [t("node.channels"), node.active_channels], [t("node.inbound"), node.inbound_msat === null ? null : sats(node.inbound_msat)],
  [t("node.block"), node.block_height && count(node.block_height)],
  [t("node.synced"), node.synced_to_chain === null ? null : yesNo(node.synced_to_chain)],
];

// The answer of a node that was asked now.
export const reportOf = (report) => [
  h("p", { lang: "en" }, report.line),
  facts(...said(report),
    report.clock_ahead_secs && [t("node.ahead"), span(report.clock_ahead_secs)],
    report.certificate_until && [t("node.certificate_until"), time(report.certificate_until)]),
];

function toggle(node) {
  const set = (is_enabled) => attempt(async () => {
    await call("admin_node_update", { id: node.id }, { settings: { is_enabled } });
    again();
    say(t(is_enabled ? "node.enabled_now" : "node.disabled_now"), () => set(!is_enabled));
  });
  return button(node.is_enabled ? t("node.disable") : t("node.enable"), () => set(!node.is_enabled), { class: "small" });
}

async function remove(node) {
  const done = await ask({
    title: t("node.remove"), text: t("node.remove_text", node), action: t("node.remove"), danger: true,
    run: async () => {
      await call("admin_node_remove", { id: node.id });
      return true;
    },
  });
  if (!done) return;
  go("nodes");
  say(t("node.removed"));
}
