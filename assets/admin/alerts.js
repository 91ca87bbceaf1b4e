// Alerts: what is open, and what was.

import { call } from "./api.js";
import { button, h, link } from "./dom.js";
import { ask } from "./form.js";
import { t } from "./i18n.js";
import { to } from "./place.js";
import { about, ago, badge } from "./show.js";
import { empty } from "./table.js";

export async function show({ query, me }) {
  const closed = query.closed === "true";
  const all = await call("admin_alert_list", { closed });
  return [
    h("h1", null, t("screen.alerts")),
    h("p", { class: "filters row" },
      h("a", { href: to("alerts"), "aria-current": closed ? null : "true" }, t("alerts.open")),
      h("a", { href: to("alerts", null, { closed: true }), "aria-current": closed ? "true" : null }, t("alerts.all"))),
    all.length ? todoList(all, me) : empty(t("alerts.none"), link("tasks", t("screen.tasks"))),
  ];
}

// Where an operation stands that needs more than one press.
const WHERE = {
  admin_order_refund: (one) => `orders/${one.id}`,
  admin_order_read: (one) => `orders/${one.id}`,
  admin_product_release: (one) => `products/${one.id}`,
  admin_host_read: (one) => `hosts/${one.id}`,
  admin_host_range_add: (one) => `hosts/${one.id}`,
  admin_host_swept: (one) => `hosts/${one.id}`,
  admin_node_list: () => "nodes",
  admin_node_check: (one) => `nodes/${one.id}`,
  admin_outbox_list: () => "tasks",
  admin_job_run: () => "tasks",
};

export const todoList = (all, me) => h("ul", { class: "plain todo" }, all.map((one) => entry(one, me)));

function entry(one, me) {
  const where = WHERE[one.operation];
  return h("li", { class: `note ${one.severity === "critical" ? "bad" : one.severity === "warning" ? "warn" : ""}` },
    h("p", null, badge("severity", one.severity), " ", h("span", { lang: "en" }, one.text)),
    h("p", { class: "hint" }, h("code", null, one.topic), " ", about(one.about, one.id), " ",
      t("todo.since", { ago: ago(one.since) }), one.occurrences > 1 && ` · ${t("todo.times", { n: one.occurrences })}`,
      one.closed_at && ` · ${t("todo.closed", { ago: ago(one.closed_at) })}`),
    !one.closed_at && h("div", { class: "row" },
      where && link(where(one), t("todo.look"), { class: "button" }),
      me.role === "administrator" && button(t("todo.close"), () => close(one))));
}

async function close(one) {
  await ask({
    title: t("todo.close"),
    text: [one.text, t("todo.close_text")],
    run: () => call("admin_alert_close", { id: one.alert }),
    said: t("todo.closed_now"),
  });
}
