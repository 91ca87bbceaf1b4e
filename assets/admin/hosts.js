// Hosts: all of them, a new one, and one with its settings, its ports, its token.

import { act, alive, ask, button, buttonTo, call, card, code, copyable, empty, facts, fill, finish, fold, form, h, h1, h2, history, inRow, leave, link, once, pages, para, reveal, sats, soft, t, table, tag, time } from "./kit.js";

export const show = (place) => (place.id ? one(place) : list(place));

async function list(place) {
  const title = h1(t("screen.hosts"));
  if (place.query.new) return [title, ...create()];
  const add = buttonTo("hosts?new=1", t("host.add"), "main");
  return [title, await pages({ place, operation: "admin_host_list", caption: "screen.hosts", extra: inRow(add), none: empty(t("start.host_text")), columns: [
    ["name", (host) => link(`hosts/${host.id}`, host.name)],
    ["product.port", (host) => host.ip],
    ["state", state],
    ["host.ports", ports, "num"],
    ["price", (host) => (host.offers_tor_bridges ? sats(host.tor_bridge_price_initial) : "–"), "num"],
    ["host.check_in", (host) => time(host.ci_date)],
    ["owner", (host) => host.owner],
  ] })];
}

const state = (host) => [
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
    reveal(box, once(t("host.added"), made.block, para(t("start.host_alive_text")),
      made.warnings.map((text) => h("p", { class: "note warn", lang: "en" }, text)),
      inRow(buttonTo(`hosts/${made.id}`, t("host.to_host"), "main"), buttonTo("start", t("screen.start")))));
  };
  fill(box, h2(t("host.add")), para(t("host.add_text")),
    card(form({ fields: NEW_HOST(), action: t("host.add"), run, values: { offers_tor_bridges: true } })));
  return [para(link("hosts", t("back"))), box];
}

async function one({ id, me }) {
  const { host, warnings, block, presence, history: changes } = await call("admin_host_read", { id });
  const token = h("div");
  return [
    para(link("hosts", t("back"))),
    h1(host.name),
    warnings.map((text) => h("p", { class: "note warn", lang: "en" }, text)),
    facts(
      ["state", state(host)], ["product.port", host.ip], ["id", code(host.id)], ["owner", host.owner],
      ["host.check_in", time(host.ci_date)], host.ci_message && ["host.said", host.ci_message],
      host.unswept_since && ["host.unswept_since", time(host.unswept_since)]),
    inRow(
      buttonTo(`products?host=${host.id}`, t("screen.products")),
      buttonTo(`orders?host=${host.id}`, t("screen.orders")),
      toggle(host, "is_enabled", host.is_enabled ? "host.disable" : "host.enable"),
      toggle(host, "is_draining", host.is_draining ? "host.undrain" : "host.drain"),
      host.unswept_since && button(t("host.swept"), () => swept(host)),
      me.role === "administrator" && button(t("host.give"), () => give(host)),
      button(t("host.remove"), () => remove(host), { class: "danger" })),
    h2(t("host.ports")),
    ranges(host),
    h2(t("host.token")),
    para(t("host.token_text")),
    copyable(block, t("host.block")),
    inRow(button(t("host.rotate"), () => rotate(host, token))),
    token,
    h2(t("screen.settings")),
    form({ fields: ALL_FIELDS(), values: host, action: t("save"), onlyChanges: true, run: (given) => save(host, given) }),
    fold(t("host.presence"),
      presence.length ? h("ol", { class: "plain log" }, presence.map((one) => h("li", null, time(one.at), " ", one.is_alive ? t("host.came") : t("host.went"))))
        : soft(t("host.no_presence"))),
    history(changes),
  ];
}

async function save(host, given) {
  const { changed } = await call("admin_host_update", { id: host.id }, given);
  finish(changed.length ? t("host.saved", { n: changed.length }) : t("nothing_changed"));
}

// What is switched is switched back with one press.
function toggle(host, name, text) {
  const set = (value) =>
    act("admin_host_update", { id: host.id }, { [name]: value }, t(`host.${name}_${value}`), () => set(!value));
  return button(t(text), () => set(!host[name]), { title: t(`${text}_text`) });
}

const swept = (host) => ask({ name: "host.swept", operation: "admin_host_swept", args: { id: host.id }, said: t("host.swept_done") });

const give = ({ id, name }) => ask({
  name: "host.give", words: { name }, operation: "admin_host_give", args: { id }, said: t("changed"),
  fields: [{ name: "owner", label: "owner", required: true }],
});

async function remove({ id, name }) {
  const done = await ask({ name: "host.remove", words: { name }, danger: true, operation: "admin_host_remove", args: { id } });
  if (done !== undefined) leave("hosts", t("host.removed"));
}

async function rotate(host, box) {
  const made = await ask({
    name: "host.rotate", operation: "admin_host_token_rotate", args: { id: host.id },
    fields: [{ name: "at_once", type: "check", label: "host.at_once" }],
  });
  if (made) reveal(box, once(t("host.new_token"), made.block));
}

function ranges(host) {
  const remove = async (range) => {
    await ask({
      name: "host.range_remove", danger: true, words: { ...range, n: range.used },
      operation: "admin_host_range_remove", args: { id: host.id, range: range.id },
      said: t("host.range_removed"),
    });
  };
  const add = form({
    fields: [
      { name: "first", type: "number", label: "host.f.first", min: 1, max: 65535, required: true },
      { name: "last", type: "number", label: "host.f.last", min: 1, max: 65535, required: true },
    ],
    action: t("host.range_add"),
    run: async (given) => {
      await call("admin_host_range_add", { id: host.id }, given);
      finish(t("host.range_added"));
    },
  });
  add.className = "filter";
  return [
    host.ranges.length > 0 && table("host.ports", [
      ["host.ports", (range) => `${range.first}–${range.last}`],
      ["type", (range) => t(`range.${range.kind}`)],
      ["host.used", (range) => [range.used, " ", h("progress", { max: range.used + range.free, value: range.used, "aria-label": t("host.used") })], "num"],
      ["host.free", (range) => range.free, "num"],
      ["", (range) => button(t("remove"), () => remove(range), { "aria-label": t("host.range_remove") })],
    ], host.ranges),
    host.set_aside.length > 0 && h("p", { class: "hint" }, t("host.set_aside", { ports: host.set_aside.join(", ") })),
    add,
  ];
}

const f = (name, type, more) => ({ name, type, label: `host.f.${name}`, ...more });
const group = (name, fields, open) => ({ heading: t(`host.g.${name}`), fields, open });

const basics = (required) => [
  { name: "name", label: "name", required, max_length: 20 },
  f("ip", "text", { required, hint: "host.ip_hint" }),
  f("description", "text", { max_length: 140, may_be_empty: true }),
];
const bridges = () => [
  f("offers_tor_bridges", "check"),
  f("tor_bridge_price_initial", "sats", { value: 25000 }),
  f("tor_bridge_price_extension", "sats", { value: 20000 }),
  f("tor_bridge_duration", "days", { value: 86400, hint: "host.for_ever_hint" }),
];

// What a new host needs.
const NEW_HOST = () => [
  ...basics(true),
  f("first", "number", { required: true, min: 1, max: 65535, value: 20000, hint: "host.ports_hint" }),
  f("last", "number", { required: true, min: 1, max: 65535, value: 20099 }),
  ...bridges(),
];

// All settings.
const ALL_FIELDS = () => [
  group("basics", basics(true), true),
  group("bridges", [...bridges(), f("bridge_bandwidth_initial", "gib", { hint: "host.bandwidth_hint" })]),
  group("aliases", [
    f("offers_nostr_aliases", "check"),
    f("nostr_alias_port", "number", { min: 1, max: 65535 }),
    f("nostr_alias_price_initial", "sats"),
    f("nostr_alias_price_extension", "sats"),
    f("nostr_alias_duration", "days", { hint: "host.for_ever_hint" }),
  ]),
  group("terms", [f("terms_of_service", "area", { may_be_empty: true }), f("terms_of_service_url", "url", { may_be_empty: true })]),
  group("delivery", [
    f("use_holds", "check"),
    f("hold_limit_secs", "number", { min: 60 }),
    f("grace_secs", "number", { min: 600 }),
    f("late_secs", "number", { min: 60 }),
  ]),
  group("rare", [
    f("is_test_host", "check"),
    f("is_testnet", "check"),
    f("offers_rssh_tunnels", "check"),
    f("rssh_tunnel_price", "sats"),
  ]),
];
