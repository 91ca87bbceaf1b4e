// Hosts: all of them, and a new one.

import { call } from "./api.js";
import { once } from "./copy.js";
import { fill, h, link } from "./dom.js";
import { form } from "./form.js";
import { sats, time } from "./format.js";
import { NEW_HOST } from "./host-fields.js";
import { t } from "./i18n.js";
import { alive, tag } from "./states.js";
import { empty, table } from "./table.js";

export async function show({ query }) {
  const title = h("h1", null, t("screen.hosts"));
  if (query.new) return [title, ...create()];
  const hosts = await call("admin_host_list");
  const add = link("hosts?new=1", t("host.add"), { class: "button main" });
  if (!hosts.length) return [title, empty(t("host.none"), add)];
  return [title, h("p", { class: "row" }, add), table(t("screen.hosts"), [
    [t("name"), (host) => link(`host/${host.id}`, host.name)],
    [t("host.ip"), (host) => host.ip],
    [t("state"), state],
    [t("host.ports"), ports, "num"],
    [t("price"), (host) => (host.offers_tor_bridges ? sats(host.tor_bridge_price_initial) : "–"), "num"],
    [t("host.check_in"), (host) => time(host.ci_date)],
    [t("owner"), (host) => host.owner],
  ], hosts)];
}

export const state = (host) => [
  alive(host.is_alive), " ",
  !host.is_enabled && tag(t("host.disabled"), "quiet"), " ",
  host.is_draining && tag(t("host.draining")), " ",
  host.unswept_since && tag(t("host.unswept"), "bad"),
];

function ports(host) {
  const sum = (name) => host.ranges.reduce((all, range) => all + range[name], 0);
  return host.ranges.length ? t("host.ports_free", { free: sum("free"), all: sum("free") + sum("used") }) : "–";
}

function create() {
  const box = h("div");
  const run = async ({ first, last, ...settings }) => {
    const ranges = first && last ? [{ first, last }] : [];
    const made = await call("admin_host_create", {}, { settings, ranges });
    fill(box, once(t("host.added"), made.block, h("p", null, t("host.added_text")),
      made.warnings.map((text) => h("p", { class: "note warn", lang: "en" }, text)),
      h("p", { class: "row" }, link(`host/${made.id}`, t("host.to_host"), { class: "button main" }), link("start", t("screen.start"), { class: "button" }))));
    box.querySelector("h2").focus();
  };
  fill(box, h("h2", null, t("host.add")), h("p", null, t("host.add_text")),
    h("div", { class: "card" }, form({ fields: NEW_HOST(), action: t("host.add"), run, values: { offers_tor_bridges: true } })));
  return [h("p", null, link("hosts", t("back"))), box];
}
