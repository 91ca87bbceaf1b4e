// Tor bridges and aliases: finding them.

import { h, link } from "./dom.js";
import { time } from "./format.js";
import { t } from "./i18n.js";
import { badge, choices, PRODUCT_STATES, short } from "./states.js";
import { empty, pages } from "./table.js";

export async function show(place) {
  return [h("h1", null, t("screen.products")), await pages({
    place,
    operation: "admin_product_list",
    caption: t("screen.products"),
    filters: [
      { name: "q", label: t("product.search"), hint: t("product.search_hint") },
      { name: "status", type: "select", label: t("state"), options: choices("product", PRODUCT_STATES) },
      { name: "host", label: t("product.host_id") },
      { name: "from", type: "date", label: t("from") },
      { name: "until", type: "date", label: t("until") },
    ],
    columns: [
      [t("product.what"), (one) => link(`product/${one.id}`, one.target ?? one.alias)],
      [t("state"), (one) => badge("product", one.status)],
      [t("product.port"), (one) => one.port && `${one.host_ip}:${one.port}`],
      [t("product.host"), (one) => link(`host/${one.host_id}`, one.host_name)],
      [t("product.ends"), (one) => (one.suspend_after ? time(one.suspend_after) : "–")],
      [t("product.ordered"), (one) => time(one.created_at)],
      [t("comment"), (one) => one.comment],
      [t("id"), (one) => h("code", null, short(one.id))],
    ],
    none: empty(t("product.none"), link("start", t("screen.start"), { class: "button" })),
  })];
}
