// Orders: finding them, taking them along as a file; one with its item and its invoice, and what is done about money that
// is owed.

import { address, call } from "./api.js";
import { button, code, h, h1, h2, inRow, link, para } from "./dom.js";
import { ask } from "./form.js";
import { t } from "./i18n.js";
import { copyable } from "./say.js";
import { badge, bytes, choices, fiat, history, ORDER_STATES, sats, short, span, time, yesNo } from "./show.js";
import { empty, facts, pages, sorting, table } from "./table.js";

// One of them where the address names it, or all.
export const show = (place) => (place.id ? one(place) : list(place));

const COLUMNS = () => [
  [t("order.id"), (one) => link(`orders/${one.id}`, short(one.id))],
  [t("product.created_at"), (one) => time(one.created_at)],
  [t("type"), (one) => t(`order.${one.kind}`)],
  [t("state"), (one) => badge("order", one.status)],
  [t("price"), (one) => sats(one.price), "num"],
  [t("order.owed"), (one) => (one.owed ? h("b", { class: "bad" }, sats(one.owed)) : "–"), "num"],
  [t("order.product"), (one) => link(`products/${one.product_id}`, one.what)],
  [t("product.host"), (one) => link(`hosts/${one.host_id}`, one.host_name)],
];

export const orderTable = (orders) => table(t("screen.orders"), COLUMNS(), orders);

async function list(place) {
  const { q, ...forFile } = place.query;
  const file = (operation, text) => h("a", { href: address(operation, forFile), download: "", class: "button" }, text);
  return [h1(t("screen.orders")), await pages({
    place,
    operation: "admin_order_list",
    caption: t("screen.orders"),
    filters: [
      { name: "q", label: t("order.search"), hint: t("order.search_hint") },
      { name: "status", type: "select", label: t("state"), options: choices("order", ORDER_STATES) },
      { name: "owed", type: "select", label: t("order.owed"), options: [["", t("any")], ["true", t("order.only_owed")]] },
      { name: "host", label: t("product.host_id") },
      { name: "from", type: "date", label: t("from") },
      { name: "until", type: "date", label: t("until") },
      sorting(),
    ],
    extra: inRow(file("admin_order_export_csv", "CSV"), file("admin_order_export_json", "JSON")),
    columns: COLUMNS(),
    none: empty(t("order.none"), link("start", t("screen.start"), { class: "button" })),
  })];
}

async function one({ id }) {
  const { order, refunds, history: changes } = await call("admin_order_read", { id });
  return [
    para(link("orders", t("back"))),
    h1(t("order.title", { id: short(order.id) })),
    order.owed > 0 && h("section", { class: "note bad" },
      para(t("order.owes", { sats: sats(order.owed) })),
      inRow(refundButton(order), deliverAgain(order), resolve(order))),
    facts(
      [t("state"), badge("order", order.status)], [t("order.message"), order.message], [t("id"), code(order.id)],
      [t("type"), t(`order.${order.kind}`)], [t("product.created_at"), time(order.created_at)],
      [t("order.product"), [link(`products/${order.product_id}`, order.what), " ", badge("product", order.product_status)]],
      [t("product.host"), link(`hosts/${order.host_id}`, order.host_name)],
      [t("price"), sats(order.price)], order.received !== null && [t("order.received"), sats(order.received)],
      order.refunded > 0 && [t("order.refunded"), sats(order.refunded)],
      [t("order.delivery"), t(`delivery.${order.delivery}`)],
      order.late_secs && [t("order.late"), span(order.late_secs)],
      order.granted_secs > 0 && [t("order.granted"), span(order.granted_secs)],
      order.granted_bytes > 0 && [t("order.granted_bytes"), bytes(order.granted_bytes)]),
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
      [t("state"), t(`invoice.${invoice.state}`)], [t("invoice.amount"), sats(invoice.amount)],
      [t("invoice.node"), link(`nodes/${invoice.node_id}`, short(invoice.node_id))],
      [t("invoice.hash"), code(invoice.payment_hash)], [t("invoice.hold"), yesNo(invoice.is_hold)],
      ...["made_at", "expires_at", "held_at", "paid_at"].map((name) => invoice[name] && [t(`invoice.${name}`), time(invoice[name])]),
      [t("invoice.tax_rate"), rate(invoice.tax_rate)], [t("invoice.worth"), worth(invoice.tax_rate)], [t("invoice.info_rate"), rate(invoice.info_rate)]),
    invoice.payment_request && h("details", { class: "group" }, h("summary", null, t("invoice.request")),
      copyable(invoice.payment_request, t("invoice.request")),
      h("img", { class: "qr", src: address("admin_order_invoice_qr", { id }), alt: t("invoice.qr"), loading: "lazy" })),
  ];
}

function deliverAgain(order) {
  return order.status === "N" && button(t("order.deliver_again"), async () => {
    await ask({
      title: t("order.deliver_again"), text: t("order.deliver_again_text"),
      run: () => call("admin_order_deliver_again", { id: order.id }),
      said: t("order.delivering"),
    });
  });
}

function resolve(order) {
  return button(t("order.resolve"), async () => {
    await ask({
      title: t("order.resolve"), text: t("order.resolve_text", { sats: sats(order.owed) }), danger: true,
      fields: [{ name: "note", label: t("order.note"), required: true, max_length: 140 }],
      run: (given) => call("admin_order_resolve", { id: order.id }, given),
      said: t("order.resolved"),
    });
  });
}

const refundTable = (order, refunds) => [
  table(t("order.refunds"), [
    [t("state"), (one) => t(`refund.${one.state}`)],
    [t("invoice.amount"), (one) => sats(one.amount), "num"],
    [t("invoice.hash"), (one) => h("code", { title: one.payment_hash }, one.payment_hash.slice(0, 12))],
    [t("invoice.node"), (one) => short(one.node_id)],
    [t("changed"), (one) => time(one.modified_at)],
  ], refunds),
  refunds.some((one) => one.state === "intended") && button(t("refund.outcome"), () => state(order)),
];

const refundButton = (order) => button(t("refund.pay"), () => pay(order), { class: "main" });

async function pay(order) {
  await ask({
    title: t("refund.pay"), text: t("refund.pay_text", { sats: sats(order.owed) }),
    fields: [
      { name: "bolt11", type: "area", label: t("refund.bolt11"), required: true, hint: t("refund.bolt11_hint") },
      { name: "fee_limit_msat", type: "sats", label: t("refund.fee_limit"), hint: t("refund.fee_hint") },
      { name: "not_paid_since_the_backup", type: "check", label: t("refund.backup") },
    ],
    run: (given) => call("admin_order_refund", { id: order.id }, given),
    said: (paid) => paid.is_this_request ? t("refund.paid", { sats: sats(paid.amount), fee: sats(paid.fee) }) : t("refund.paid_before"),
  });
}

async function state(order) {
  await ask({
    title: t("refund.outcome"), text: t("refund.outcome_text"), action: t("save"), danger: true,
    fields: [
      { name: "outcome", type: "select", label: t("tasks.outcome"), options: [["paid", t("refund.was_paid")], ["failed", t("refund.was_not")]] },
      { name: "note", label: t("order.note"), required: true, max_length: 140 },
    ],
    run: (given) => call("admin_order_refund_outcome", { id: order.id }, given),
    said: t("refund.stated"),
  });
}
