// Sums by month, in sats and in the currency of the rates.

import { buttonTo, call, count, empty, fiat, files, form, go, h1, language, sats, t, table } from "./kit.js";

export async function show({ query }) {
  const months = await call("admin_report_months", query);
  const name = (day) => new Intl.DateTimeFormat(language(), { year: "numeric", month: "long", timeZone: "UTC" }).format(new Date(day));
  const since = form({
    fields: [{ name: "from", type: "date", label: "from" }], values: query, action: t("list.filter"),
    run: async (given) => go("reports", null, given),
  });
  since.className = "filter";
  return [
    h1(t("screen.reports")),
    since,
    months.length ? [table("screen.reports", [
      ["report.month", (one) => name(one.day)],
      ["report.sold", (one) => count(one.sold), "num"],
      ["report.extended", (one) => count(one.extended), "num"],
      ["report.received", (one) => sats(one.received_msat), "num"],
      ["report.fiat", (one) => fiat(one.received_cents, one.currency) || "–", "num"],
      ["order.refunded", (one) => sats(one.refunded_msat), "num"],
      ["report.fiat", (one) => fiat(one.refunded_cents, one.currency) || "–", "num"],
      ["report.fees", (one) => sats(one.fees_msat), "num"],
      ["report.fiat", (one) => fiat(one.fees_cents, one.currency) || "–", "num"],
    ], months), files("months", months)] : empty(t("report.none"), buttonTo("orders", t("screen.orders"))),
  ];
}
