// Tor bridges and aliases: finding them; one with its orders, and what can be done to it.

import { call } from "./api.js";
import { button, code, h, h1, h2, inRow, link, para } from "./dom.js";
import { ask } from "./form.js";
import { t } from "./i18n.js";
import { finish } from "./say.js";
import { orderTable } from "./orders.js";
import { badge, bytes, choices, history, period, PRODUCT_STATES, sats, short, tag, time } from "./show.js";
import { empty, facts, pages, sorting } from "./table.js";

// One of them where the address names it, or all.
export const show = (place) => (place.id ? one(place) : list(place));

async function list(place) {
  return [h1(t("screen.products")), await pages({
    place,
    operation: "admin_product_list",
    caption: t("screen.products"),
    filters: [
      { name: "q", label: t("order.search"), hint: t("product.search_hint") },
      { name: "status", type: "select", label: t("state"), options: choices("product", PRODUCT_STATES) },
      { name: "host", label: t("product.host_id") },
      { name: "from", type: "date", label: t("from") },
      { name: "until", type: "date", label: t("until") },
      sorting(),
    ],
    columns: [
      [t("product.what"), (one) => link(`products/${one.id}`, one.target ?? one.alias)],
      [t("state"), (one) => badge("product", one.status)],
      [t("product.port"), (one) => one.port && `${one.host_ip}:${one.port}`],
      [t("product.host"), (one) => link(`hosts/${one.host_id}`, one.host_name)],
      [t("product.ends"), (one) => (one.suspend_after ? time(one.suspend_after) : "–")],
      [t("product.created_at"), (one) => time(one.created_at)],
      [t("comment"), (one) => one.comment],
      [t("id"), (one) => code(short(one.id))],
    ],
    none: empty(t("start.sale_text"), link("start", t("screen.start"), { class: "button" })),
  })];
}

async function one({ id, me }) {
  const { product, orders, history: changes } = await call("admin_product_read", { id });
  return [
    para(link("products", t("back"))),
    h1(product.target ?? product.alias),
    facts(
      [t("state"), [badge("product", product.status), product.is_killed && [" ", tag(t("product.killed"), "bad")]]],
      [t("product.host"), link(`hosts/${product.host_id}`, product.host_name)],
      product.port && [t("product.port"), `${product.host_ip}:${product.port}`],
      [t("id"), code(product.id)],
      [t("product.key"), product.public_key], [t("comment"), product.comment],
      [t("product.ends"), product.suspend_after ? time(product.suspend_after) : "–"],
      [t("product.period"), period(product.duration_secs)],
      [t("product.price_extension"), sats(product.price_extension)],
      product.bandwidth_initial > 0 && [t("product.bandwidth"), t("product.bandwidth_left", { left: bytes(product.bandwidth_remaining), all: bytes(product.bandwidth_initial) })],
      ...["created_at", "shown_at", "activated_at", "pending_since", "suspending_since", "suspended_at", "deleted_at"].map((name) => product[name] && [t(`product.${name}`), time(product[name])])),
    actions(product, me),
    h2(t("screen.orders")),
    orders.length ? orderTable(orders) : h("p", { class: "soft" }, t("product.no_orders")),
    history(changes),
  ];
}

const REASON = () => ({ name: "reason", label: t("reason"), max_length: 140, hint: t("reason_hint") });

// What can be done in each state; the shop itself has the last word.
const POSSIBLE = {
  suspend: ["A", "P"], resume: ["S", "H"], extend: ["P", "A", "S", "H"], move: ["H"], release: ["S", "H"],
  delete: ["I", "S", "H"], kill: ["I", "P", "A", "S", "H"],
};
const OPERATIONS = {
  suspend: "admin_product_suspend", resume: "admin_product_resume", extend: "admin_product_extend", move: "admin_product_move",
  release: "admin_product_release", delete: "admin_product_delete", kill: "admin_product_kill",
};
const MORE = {
  extend: () => [{ name: "secs", type: "days", label: t("product.extend_secs"), hint: t("product.extend_hint") }],
  move: () => [{ name: "port", type: "number", label: t("product.move_port"), min: 1, max: 65535, hint: t("product.move_hint") }],
  kill: (me) => (me.role === "administrator" ? [{ name: "deny_target", type: "check", label: t("product.deny_target") }] : []),
};
const UNDO = { suspend: "resume", resume: "suspend" };

function actions(product, me) {
  const possible = Object.keys(POSSIBLE).filter((name) => POSSIBLE[name].includes(product.status));
  const isFinal = (name) => ["release", "delete", "kill"].includes(name);
  const run = async (name) => {
    const undo = UNDO[name] && (async () => {
      await call(OPERATIONS[UNDO[name]], { id: product.id }, {});
      finish(t("undone"));
    });
    const done = await ask({
      title: t(`product.do.${name}`),
      text: t(`product.will.${name}`, { what: product.target ?? product.alias }),
      fields: [...(MORE[name]?.(me) ?? []), REASON()],
      danger: isFinal(name),
      run: (given) => call(OPERATIONS[name], { id: product.id }, given),
    });
    if (done) finish(t("product.done", { state: t(`product.${done.status}`) }), undo);
  };
  return inRow(possible.map((name) => button(t(`product.do.${name}`), () => run(name), { class: isFinal(name) && "danger" })));
}
