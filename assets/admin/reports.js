// Sums by month, in sats and in the currency of the rates.

import { address, call } from "./api.js";
import { h, h1, inRow, link } from "./dom.js";
import { form } from "./form.js";
import { language, t } from "./i18n.js";
import { go } from "./place.js";
import { count, fiat, sats } from "./show.js";
import { empty, table } from "./table.js";

export async function show({ query }) {
  const months = await call("admin_report_months", query);
  const name = (day) => new Intl.DateTimeFormat(language(), { year: "numeric", month: "long", timeZone: "UTC" }).format(new Date(day));
  const since = form({
    fields: [{ name: "from", type: "date", label: t("from") }], values: query, action: t("list.filter"),
    run: async (given) => go("reports", null, given),
  });
  since.className = "filter";
  return [
    h1(t("screen.reports")),
    since,
    inRow(h("a", { href: address("admin_report_months_csv", query), download: "", class: "button" }, "CSV")),
    months.length ? table(t("screen.reports"), [
      [t("report.month"), (one) => name(one.day)],
      [t("report.sold"), (one) => count(one.sold), "num"],
      [t("report.extended"), (one) => count(one.extended), "num"],
      [t("report.received"), (one) => sats(one.received_msat), "num"],
      [t("report.fiat"), (one) => fiat(one.received_cents, one.currency) || "–", "num"],
      [t("order.refunded"), (one) => sats(one.refunded_msat), "num"],
      [t("report.fiat"), (one) => fiat(one.refunded_cents, one.currency) || "–", "num"],
      [t("report.fees"), (one) => sats(one.fees_msat), "num"],
    ], months) : empty(t("report.none"), link("orders", t("screen.orders"), { class: "button" })),
  ];
}
