// Tor bridges and aliases: finding them; one with its orders, and what can be done to it.

import { act, ask, badge, button, buttonTo, bytes, call, choices, code, dates, empty, facts, finish, h1, h2, history, hostOf, inRow, link, pages, para, period, PRODUCT_STATES, sats, short, soft, sorting, t, tag, time } from "./kit.js";
import { orderFiles, orderTable } from "./orders.js";

export const show = (place) => (place.id ? one(place) : list(place));

async function list(place) {
  return [h1(t("screen.products")), await pages({
    place,
    operation: "admin_product_list",
    caption: "screen.products",
    filters: [
      { name: "q", label: "order.search", hint: "product.search_hint" },
      { name: "status", type: "select", label: "state", options: choices("product", PRODUCT_STATES) },
      { name: "host", label: "product.host_id" },
      ...dates(),
      sorting(),
    ],
    columns: [
      ["product.what", (one) => link(`products/${one.id}`, one.target ?? one.alias)],
      ["state", (one) => badge("product", one.status)],
      ["product.port", (one) => one.port && `${one.host_ip}:${one.port}`],
      ["product.host", hostOf],
      ["product.ends", (one) => (one.suspend_after ? time(one.suspend_after) : "–")],
      ["product.created_at", (one) => time(one.created_at)],
      ["comment", (one) => one.comment],
      ["id", (one) => code(short(one.id))],
    ],
    none: empty(t("start.sale_text"), buttonTo("start", t("screen.start"))),
  })];
}

async function one({ id, me }) {
  const { product, orders, history: changes } = await call("admin_product_read", { id });
  return [
    para(link("products", t("back"))),
    h1(product.target ?? product.alias),
    facts(
      ["state", [badge("product", product.status), product.is_killed && [" ", tag(t("product.killed"), "bad")]]],
      ["product.host", hostOf(product)],
      product.port && ["product.port", `${product.host_ip}:${product.port}`],
      ["id", code(product.id)],
      ["product.key", product.public_key], ["comment", product.comment],
      ["product.ends", product.suspend_after ? time(product.suspend_after) : "–"],
      ["product.period", period(product.duration_secs)],
      ["product.price_extension", sats(product.price_extension)],
      product.bandwidth_initial > 0 && ["product.bandwidth", t("product.bandwidth_left", { left: bytes(product.bandwidth_remaining), all: bytes(product.bandwidth_initial) })],
      ...["created_at", "shown_at", "activated_at", "pending_since", "suspending_since", "suspended_at", "deleted_at"].map((name) => product[name] && [`product.${name}`, time(product[name])])),
    actions(product, me),
    h2(t("screen.orders")),
    orders.length ? [orderTable(orders), orderFiles({ q: id })] : soft(t("product.no_orders")),
    history(changes),
  ];
}

const REASON = () => ({ name: "reason", label: "reason", max_length: 140, hint: "reason_hint" });

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
  extend: () => [{ name: "secs", type: "days", label: "product.extend_secs", hint: "product.extend_hint" }],
  move: () => [{ name: "port", type: "number", label: "product.move_port", min: 1, max: 65535, hint: "product.move_hint" }],
  kill: (me) => (me.role === "administrator" ? [{ name: "deny_target", type: "check", label: "product.deny_target" }] : []),
};
const UNDO = { suspend: "resume", resume: "suspend" };

function actions(product, me) {
  const possible = Object.keys(POSSIBLE).filter((name) => POSSIBLE[name].includes(product.status));
  const isFinal = (name) => ["release", "delete", "kill"].includes(name);
  const run = async (name) => {
    const undo = UNDO[name] && (() => act(OPERATIONS[UNDO[name]], { id: product.id }, {}, t("undone")));
    const done = await ask({
      title: t(`product_do.${name}`),
      text: t(`product_will.${name}`, { what: product.target ?? product.alias }),
      fields: [...(MORE[name]?.(me) ?? []), REASON()],
      danger: isFinal(name), operation: OPERATIONS[name], args: { id: product.id },
    });
    if (done) finish(t("product.done", { state: t(`product.${done.status}`) }), undo);
  };
  return inRow(possible.map((name) => button(t(`product_do.${name}`), () => run(name), { class: isFinal(name) && "danger" })));
}
