// Orders: finding them, saving them; one with its invoice, and what is done about money that is owed.

import { about, address, ask, badge, button, buttonTo, bytes, call, choices, code, copyable, dates, empty, facts, fiat, fold, h, h1, h2, history, hostOf, inRow, link, NOTE, ORDER_STATES, pages, para, sats, short, sorting, span, t, table, time, yesNo } from "./kit.js";

export const show = (place) => (place.id ? one(place) : list(place));

const COLUMNS = () => [
  ["order.id", (one) => link(`orders/${one.id}`, short(one.id))],
  ["product.created_at", (one) => time(one.created_at)],
  ["type", (one) => t(`order.${one.kind}`)],
  ["state", (one) => badge("order", one.status)],
  ["price", (one) => sats(one.price), "num"],
  ["order.owed", (one) => (one.owed ? h("b", { class: "bad" }, sats(one.owed)) : "–"), "num"],
  ["order.product", (one) => link(`products/${one.product_id}`, one.what)],
  ["product.host", hostOf],
];

export const orderTable = (orders) => table("screen.orders", COLUMNS(), orders);

// Files that the shop makes while it reads them.
export const orderFiles = (query) => inRow([["admin_order_export_csv", "CSV"], ["admin_order_export_json", "JSON"]].map(([operation, text]) =>
  h("a", { href: address(operation, query), download: "", class: "button" }, text)));

async function list(place) {
  return [h1(t("screen.orders")), await pages({
    place,
    operation: "admin_order_list",
    caption: "screen.orders",
    filters: [
      { name: "q", label: "order.search", hint: "order.search_hint" },
      { name: "status", type: "select", label: "state", options: choices("order", ORDER_STATES) },
      { name: "owed", type: "select", label: "order.owed", options: [["", t("any")], ["true", t("order.only_owed")]] },
      { name: "host", label: "product.host_id" },
      ...dates(),
      sorting(),
    ],
    saved: orderFiles(place.query),
    columns: COLUMNS(),
    none: empty(t("order.none"), buttonTo("start", t("screen.start"))),
  })];
}

async function one({ id }) {
  const { order, refunds, history: changes } = await call("admin_order_read", { id });
  return [
    para(link("orders", t("back"))),
    h1(t("order.title", { id: short(order.id) })),
    due(order) > 0 && h("section", { class: order.owed ? "note bad" : "note warn" },
      para(order.owed ? t("order.owes", { sats: sats(order.owed) }) : t("order.was_late")),
      inRow(refundButton(order), deliverAgain(order), resolve(order))),
    facts(
      ["state", badge("order", order.status)], ["order.message", order.message], ["id", code(order.id)],
      ["type", t(`order.${order.kind}`)], ["product.created_at", time(order.created_at)],
      ["order.product", [link(`products/${order.product_id}`, order.what), " ", badge("product", order.product_status)]],
      ["product.host", hostOf(order)],
      ["price", sats(order.price)], order.received !== null && ["order.received", sats(order.received)],
      order.refunded > 0 && ["order.refunded", sats(order.refunded)],
      ["order.delivery", t(`delivery.${order.delivery}`)],
      order.late_secs && ["order.late", span(order.late_secs)],
      order.granted_secs > 0 && ["order.granted", span(order.granted_secs)],
      order.granted_bytes > 0 && ["order.granted_bytes", bytes(order.granted_bytes)]),
    h2(t("order.invoice")),
    invoice(order),
    refunds.length > 0 && [h2(t("order.refunds")), refundTable(order, refunds)],
    history(changes),
  ];
}

function invoice({ id, invoice }) {
  const rate = (one) => one && `${fiat(one.cents, one.currency)} / BTC`;
  const worth = (one) => one && fiat((invoice.amount * one.cents) / 1e11, one.currency);
  return [
    facts(
      ["state", t(`invoice.${invoice.state}`)], ["invoice.amount", sats(invoice.amount)],
      ["invoice.node", about("node", invoice.node_id)],
      ["invoice.hash", code(invoice.payment_hash)], ["invoice.hold", yesNo(invoice.is_hold)],
      ...["made_at", "expires_at", "held_at", "paid_at"].map((name) => invoice[name] && [`invoice.${name}`, time(invoice[name])]),
      ["invoice.tax_rate", rate(invoice.tax_rate)], ["report.fiat", worth(invoice.tax_rate)], ["invoice.info_rate", rate(invoice.info_rate)]),
    invoice.payment_request && fold(t("invoice.request"),
      copyable(invoice.payment_request, t("invoice.request")),
      h("img", { class: "qr", src: address("admin_order_invoice_qr", { id }), alt: t("invoice.qr"), loading: "lazy" })),
  ];
}

// What can be paid back: what is owed, or all that came for what was delivered too late for its buyer. Msat.
const due = (order) => order.owed || (order.late_secs && order.status === "P" && order.delivery === "delivered" && !order.refunded && order.received);

// What will happen, in the words of `name`.
const willPay = (name, order) => [t(name, { sats: sats(due(order)) }), !order.owed && t("order.was_late")];

function deliverAgain(order) {
  return order.status === "N" && button(t("order.deliver_again"), () => ask({ name: "order.deliver_again", operation: "admin_order_deliver_again", args: { id: order.id }, said: true }));
}

function resolve(order) {
  return button(t("order.resolve"), () => ask({
    name: "order.resolve", text: willPay("order.resolve_text", order), danger: true, operation: "admin_order_resolve", args: { id: order.id },
    fields: [NOTE()],
    said: true,
  }));
}

const refundTable = (order, refunds) => [
  table("order.refunds", [
    ["state", (one) => t(`refund.${one.state}`)],
    ["invoice.amount", (one) => sats(one.amount), "num"],
    ["invoice.hash", (one) => h("code", { title: one.payment_hash }, one.payment_hash.slice(0, 12))],
    ["invoice.node", (one) => short(one.node_id)],
    ["changed", (one) => time(one.modified_at)],
  ], refunds),
  refunds.some((one) => one.state === "intended") && button(t("refund.outcome"), () => state(order)),
];

const refundButton = (order) => button(t("refund.pay"), () => pay(order), { class: "main" });

const pay = (order) => ask({
  name: "refund.pay", text: willPay("refund.pay_text", order), operation: "admin_order_refund", args: { id: order.id },
  fields: [
    { name: "bolt11", type: "area", label: "refund.bolt11", required: true, hint: "refund.bolt11_hint" },
    { name: "fee_limit_msat", type: "sats", label: "refund.fee_limit", hint: "refund.fee_hint" },
    { name: "not_paid_since_the_backup", type: "check", label: "refund.backup" },
  ],
  said: (paid) => paid.is_this_request ? t("refund.paid", { sats: sats(paid.amount), fee: sats(paid.fee) }) : t("refund.paid_before"),
});

const state = (order) => ask({
  name: "refund.outcome", action: t("save"), danger: true, operation: "admin_order_refund_outcome", args: { id: order.id },
  fields: [
    { name: "outcome", type: "select", label: "tasks.outcome", options: [["paid", t("refund.was_paid")], ["failed", t("refund.was_not")]] },
    NOTE(),
  ],
  said: true,
});
