// Alerts: what is open, and what was.

import { call } from "./api.js";
import { button, code, h, h1, h2, link, para } from "./dom.js";
import { ask } from "./form.js";
import { t } from "./i18n.js";
import { to } from "./place.js";
import { attempt, finish } from "./say.js";
import { about, ago, badge, time } from "./show.js";
import { empty, table } from "./table.js";

export async function show({ query, me }) {
  const closed = query.closed === "true";
  const all = await call("admin_alert_list", { closed });
  return [
    h1(t("screen.alerts")),
    h("p", { class: "filters row" },
      h("a", { href: to("alerts"), "aria-current": closed ? null : "true" }, t("alerts.open")),
      h("a", { href: to("alerts", null, { closed: true }), "aria-current": closed ? "true" : null }, t("alerts.all"))),
    all.length ? todoList(all, me) : empty(t("alerts.none"), link("tasks", t("screen.tasks"))),
    me.role === "administrator" && channels(await call("admin_alert_channel_list")),
  ];
}

// Where alerts go besides.
const channels = (all) => [h2(t("alerts.channels")), all.length ? table(t("alerts.channels"), [
  [t("name"), (one) => one.name],
  [t("alerts.place"), (one) => one.place],
  [t("alerts.sent"), (one) => one.sent_at && time(one.sent_at)],
  [t("alerts.failed"), (one) => one.failed_at && [time(one.failed_at), " ", one.failure]],
  ["", (one) => button(t("alerts.test"), () => test(one))],
], all) : para(t("alerts.nowhere"))];

const test = (one) => attempt(async () => {
  const { works, problem } = await call("admin_alert_channel_test", { name: one.name });
  finish(works ? t("alerts.tested", one) : `${one.name}: ${problem}`);
});

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
    para(badge("severity", one.severity), " ", h("span", { lang: "en" }, one.text)),
    h("p", { class: "hint" }, code(one.topic), " ", about(one.about, one.id), " ",
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
