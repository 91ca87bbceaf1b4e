// Orders: finding them, and taking them along as a file.

import { address } from "./api.js";
import { h, link } from "./dom.js";
import { sats, time } from "./format.js";
import { t } from "./i18n.js";
import { badge, choices, ORDER_STATES, short } from "./states.js";
import { empty, pages, table } from "./table.js";

const COLUMNS = () => [
  [t("order.id"), (one) => link(`order/${one.id}`, short(one.id))],
  [t("order.placed"), (one) => time(one.created_at)],
  [t("type"), (one) => t(`order.${one.kind}`)],
  [t("state"), (one) => badge("order", one.status)],
  [t("price"), (one) => sats(one.price), "num"],
  [t("order.owed"), (one) => (one.owed ? h("b", { class: "bad" }, sats(one.owed)) : "–"), "num"],
  [t("order.product"), (one) => link(`product/${one.product_id}`, one.what)],
  [t("product.host"), (one) => link(`host/${one.host_id}`, one.host_name)],
];

export const orderTable = (orders) => table(t("screen.orders"), COLUMNS(), orders);

export async function show(place) {
  const { q, ...forFile } = place.query;
  const file = (operation, text) => h("a", { href: address(operation, forFile), download: "", class: "button small" }, text);
  return [h("h1", null, t("screen.orders")), await pages({
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
    ],
    extra: h("p", { class: "row" }, file("admin_order_export_csv", t("order.csv")), file("admin_order_export_json", t("order.json"))),
    columns: COLUMNS(),
    none: empty(t("order.none"), link("start", t("screen.start"), { class: "button" })),
  })];
}
