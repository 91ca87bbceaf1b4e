// One order with its item and its invoice, and what is done about money that is owed.

import { address, call } from "./api.js";
import { copyable } from "./copy.js";
import { button, h, link } from "./dom.js";
import { ask } from "./form.js";
import { bytes, fiat, sats, span, time, yesNo } from "./format.js";
import { t } from "./i18n.js";
import { again } from "./place.js";
import { refundButton, refundTable } from "./refunds.js";
import { say } from "./say.js";
import { badge, history, short } from "./states.js";
import { facts } from "./table.js";

export async function show({ id }) {
  const { order, refunds, history: changes } = await call("admin_order_read", { id });
  return [
    h("p", null, link("orders", t("back"))),
    h("h1", null, t("order.title", { id: short(order.id) })),
    order.owed > 0 && h("section", { class: "note bad" },
      h("p", null, t("order.owes", { sats: sats(order.owed) })),
      h("div", { class: "row" }, refundButton(order), deliverAgain(order), resolve(order))),
    facts(
      [t("state"), badge("order", order.status)], [t("order.message"), order.message], [t("id"), h("code", null, order.id)],
      [t("type"), t(`order.${order.kind}`)], [t("order.placed"), time(order.created_at)],
      [t("order.product"), [link(`product/${order.product_id}`, order.what), " ", badge("product", order.product_status)]],
      [t("product.host"), link(`host/${order.host_id}`, order.host_name)],
      [t("price"), sats(order.price)], order.received !== null && [t("order.received"), sats(order.received)],
      order.refunded > 0 && [t("order.refunded"), sats(order.refunded)],
      [t("order.delivery"), t(`delivery.${order.delivery}`)],
      order.late_secs && [t("order.late"), span(order.late_secs)],
      order.granted_secs > 0 && [t("order.granted"), span(order.granted_secs)],
      order.granted_bytes > 0 && [t("order.granted_bytes"), bytes(order.granted_bytes)]),
    h("h2", null, t("order.invoice")),
    invoice(order),
    refunds.length > 0 && [h("h2", null, t("order.refunds")), refundTable(order, refunds)],
    history(changes),
  ];
}

function invoice({ id, invoice }) {
  const rate = (one) => one && `${fiat(one.cents, one.currency)} / BTC`;
  const worth = (one) => one && fiat((invoice.amount * one.cents) / 1e11, one.currency);
  return [
    facts(
      [t("state"), t(`invoice.${invoice.state}`)], [t("invoice.amount"), sats(invoice.amount)],
      [t("invoice.node"), link(`node/${invoice.node_id}`, short(invoice.node_id))],
      [t("invoice.hash"), h("code", null, invoice.payment_hash)], [t("invoice.hold"), yesNo(invoice.is_hold)],
      ...["made_at", "expires_at", "held_at", "paid_at"].map((name) => invoice[name] && [t(`invoice.${name}`), time(invoice[name])]),
      [t("invoice.tax_rate"), rate(invoice.tax_rate)], [t("invoice.worth"), worth(invoice.tax_rate)], [t("invoice.info_rate"), rate(invoice.info_rate)]),
    invoice.payment_request && h("details", { class: "group" }, h("summary", null, t("invoice.request")),
      copyable(invoice.payment_request, t("invoice.request")),
      h("img", { class: "qr", src: address("admin_order_invoice_qr", { id }), alt: t("invoice.qr"), loading: "lazy" })),
  ];
}

function deliverAgain(order) {
  return order.status === "N" && button(t("order.deliver_again"), async () => {
    const done = await ask({
      title: t("order.deliver_again"), text: t("order.deliver_again_text"), action: t("order.deliver_again"),
      run: () => call("admin_order_deliver_again", { id: order.id }),
    });
    if (!done) return;
    again();
    say(t("order.delivering"));
  }, { class: "small" });
}

function resolve(order) {
  return button(t("order.resolve"), async () => {
    const done = await ask({
      title: t("order.resolve"), text: t("order.resolve_text", { sats: sats(order.owed) }), action: t("order.resolve"), danger: true,
      fields: [{ name: "note", label: t("order.note"), required: true, max_length: 140 }],
      run: (given) => call("admin_order_resolve", { id: order.id }, given),
    });
    if (!done) return;
    again();
    say(t("order.resolved"));
  }, { class: "small" });
}
