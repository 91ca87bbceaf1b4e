// Paying back what an order owes: through a node, or as somebody says that it was.

import { call } from "./api.js";
import { button, h } from "./dom.js";
import { ask } from "./form.js";
import { sats, time } from "./format.js";
import { t } from "./i18n.js";
import { again } from "./place.js";
import { say } from "./say.js";
import { short } from "./states.js";
import { table } from "./table.js";

export const refundTable = (order, refunds) => [
  table(t("order.refunds"), [
    [t("state"), (one) => t(`refund.${one.state}`)],
    [t("refund.amount"), (one) => sats(one.amount), "num"],
    [t("refund.hash"), (one) => h("code", { title: one.payment_hash }, one.payment_hash.slice(0, 12))],
    [t("invoice.node"), (one) => short(one.node_id)],
    [t("changed"), (one) => time(one.modified_at)],
  ], refunds),
  refunds.some((one) => one.state === "intended") && button(t("refund.outcome"), () => state(order), { class: "small" }),
];

export const refundButton = (order) => button(t("refund.pay"), () => pay(order), { class: "main" });

async function pay(order) {
  const paid = await ask({
    title: t("refund.pay"), text: t("refund.pay_text", { sats: sats(order.owed) }), action: t("refund.pay"),
    fields: [
      { name: "bolt11", type: "area", label: t("refund.bolt11"), required: true, hint: t("refund.bolt11_hint") },
      { name: "fee_limit_msat", type: "sats", label: t("refund.fee_limit"), hint: t("refund.fee_hint") },
      { name: "not_paid_since_the_backup", type: "check", label: t("refund.backup") },
    ],
    run: (given) => call("admin_order_refund", { id: order.id }, given),
  });
  if (!paid) return;
  again();
  say(paid.is_this_request ? t("refund.paid", { sats: sats(paid.amount), fee: sats(paid.fee) }) : t("refund.paid_before"));
}

async function state(order) {
  const done = await ask({
    title: t("refund.outcome"), text: t("refund.outcome_text"), action: t("save"), danger: true,
    fields: [
      { name: "outcome", type: "select", label: t("refund.what"), options: [["paid", t("refund.was_paid")], ["failed", t("refund.was_not")]] },
      { name: "note", label: t("order.note"), required: true, max_length: 140 },
    ],
    run: async (given) => {
      await call("admin_order_refund_outcome", { id: order.id }, given);
      return true;
    },
  });
  if (!done) return;
  again();
  say(t("refund.stated"));
}
