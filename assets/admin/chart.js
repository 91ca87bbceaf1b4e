// Income by day as bars, and sums of it.

import { h } from "./dom.js";
import { fiat, sats } from "./format.js";
import { t } from "./i18n.js";

// The sum of some days; what was earned in several currencies stays apart.
export function sums(days) {
  const sum = (name) => days.reduce((all, day) => all + day[name], 0);
  const currencies = [...new Set(days.map((day) => day.currency).filter(Boolean))];
  const worth = (currency) =>
    fiat(days.filter((day) => day.currency === currency).reduce((all, day) => all + day.received_cents, 0), currency);
  return { received: sum("received_msat"), sold: sum("sold"), extended: sum("extended"), fiat: currencies.map(worth).join(", ") };
}

// A bar for each of `most` days from `first` on; days without income have none.
export function chart(days, first, most) {
  const begin = Date.parse(`${first}T00:00:00Z`);
  const all = Array.from({ length: most }, (_, at) => {
    const day = new Date(begin + at * 86400000).toISOString().slice(0, 10);
    return { day, ...sums(days.filter((one) => one.day === day)) };
  });
  const top = Math.max(...all.map((one) => one.received), 1);
  const bar = (one) => {
    const text = `${one.day}: ${sats(one.received)}${one.fiat && `, ${one.fiat}`}`;
    return h("li", { title: text, style: { "--height": `${(one.received / top) * 100}%` } }, h("span", { class: "hidden" }, text));
  };
  return h("figure", { class: "chart" },
    h("ol", { class: "plain", "aria-label": t("dashboard.chart") }, all.map(bar)),
    h("figcaption", { class: "soft" }, h("span", null, all[0].day), h("span", null, t("dashboard.top", { sats: sats(top) })), h("span", null, all.at(-1).day)));
}
