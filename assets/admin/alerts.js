// Alerts: what is open, and what was.

import { call } from "./api.js";
import { h, link } from "./dom.js";
import { t } from "./i18n.js";
import { to } from "./place.js";
import { empty } from "./table.js";
import { todoList } from "./todo.js";

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
