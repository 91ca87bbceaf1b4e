// Alerts: what is open, and what was.

import { about, act, ago, ask, attempt, badge, button, call, code, empty, english, files, finish, h, h1, h2, inRow, link, para, t, table, tag, time, to } from "./kit.js";

export async function show({ query, me }) {
  const closed = query.closed === "true";
  const all = await call("admin_alert_list", { closed });
  return [
    h1(t("screen.alerts")),
    h("p", { class: "filters row" },
      h("a", { href: to("alerts"), "aria-current": closed ? null : "true" }, t("alerts.open")),
      h("a", { href: to("alerts", null, { closed: true }), "aria-current": closed ? "true" : null }, t("alerts.all"))),
    all.length ? [todoList(all, me), files("alerts", all)] : empty(t("alerts.none"), link("dashboard", t("screen.dashboard"))),
    channels(await call("admin_alert_channel_list"), await call("admin_alert_channel_kinds")),
  ];
}

// Where alerts go: by the shop's channels, and by one's own.
const channels = (all, kinds) => [h2(t("alerts.channels")), inRow(button(t("alerts.add"), () => add(kinds))), all.length ? [table("alerts.channels", [
  ["name", (one) => one.name],
  ["alerts.owner", (one) => one.owner ?? t("alerts.shop")],
  ["alerts.place", (one) => [one.kind, " ", one.place]],
  ["alerts.least", (one) => [t(`severity.${one.severity}`), " ", one.quiet_hours]],
  ["alerts.sent", (one) => one.sent_at && time(one.sent_at)],
  ["alerts.failed", (one) => one.failed_at && [time(one.failed_at), " ", one.failure]],
  ["state", (one) => one.off_at && [tag(t("alerts.off"), "bad"), " ", time(one.off_at)]],
  ["tasks.waiting", (one) => one.waiting, "num"],
  ["", (one) => inRow(button(t("alerts.test"), () => test(one)), one.owner && button(t("remove"),
    () => remove(one), { class: "danger" }))],
], all), files("channels", all)] : para(t("alerts.nowhere"))];

const add = (kinds) => ask({
  name: "alerts.add", operation: "admin_alert_channel_add", said: t("alerts.added"),
  fields: [
    { name: "kind", type: "select", label: "alerts.kind", options: kinds.map((one) => [one, one]) },
    { name: "target", label: "alerts.place", required: true, hint: "alerts.place_hint" },
    { name: "secret", label: "alerts.secret", hint: "alerts.secret_hint" },
    { name: "token", label: "alerts.token" },
    { name: "severity", type: "select", label: "alerts.least", options: ["warning", "info", "critical"].map((one) => [one, t(`severity.${one}`)]) },
    { name: "quiet_hours", label: "alerts.quiet", placeholder: "22:00-07:00" },
  ],
});

const remove = (one) => ask({
  title: t("remove"), text: t("alerts.remove_text", one), danger: true, operation: "admin_alert_channel_remove", args: { name: one.name }, said: true,
});

const test = (one) => attempt(async () => {
  const { works, problem } = await call("admin_alert_channel_test", { name: one.name });
  finish(works ? t("alerts.tested", one) : `${one.name}: ${problem}`);
});

// Where an operation stands that needs more than one press; behind a slash comes the id.
const WHERE = {
  admin_order_refund: "orders/",
  admin_order_read: "orders/",
  admin_product_release: "products/",
  admin_host_read: "hosts/",
  admin_host_range_add: "hosts/",
  admin_host_swept: "hosts/",
  admin_node_list: "nodes",
  admin_node_check: "nodes/",
  admin_node_update: "nodes/",
  admin_outbox_list: "tasks",
  admin_job_run: "tasks",
};

export const todoList = (all, me) => h("ul", { class: "plain todo" }, all.map((one) => entry(one, me)));

function entry(one, me) {
  const where = WHERE[one.operation];
  return h("li", { class: `note ${one.severity === "critical" ? "bad" : one.severity === "warning" ? "warn" : ""}` },
    para(badge("severity", one.severity), " ", h("span", { lang: "en" }, one.text)),
    h("p", { class: "hint" }, code(one.topic), " ", about(one.about, one.id), " ",
      t("todo.since", { ago: ago(one.since) }), one.occurrences > 1 && ` · ${t("todo.times", { n: one.occurrences })}`,
      one.closed_at && ` · ${t("todo.closed", { ago: ago(one.closed_at) })}`),
    !one.closed_at && h("div", { class: "row" }, DEEDS[one.operation]?.(one, me),
      where && link(where.endsWith("/") ? where + one.id : where, t("todo.look"), { class: "button" }),
      me.role === "administrator" && button(t("todo.close"), () => close(one))));
}

export const sweep = ({ id }) => button(t("host.swept"), () =>
  ask({ name: "host.swept", operation: "admin_host_swept", args: { id }, said: true }));

// What one press does about an alert, by the operation that helps.
const DEEDS = {
  admin_alert_channel_list: () => link("alerts", t("alerts.channels"), { class: "button" }),
  admin_host_swept: sweep,
  admin_job_run: () => button(t("tasks.run"), () => act("admin_job_run", BACKUP, undefined, t("tasks.began", BACKUP))),
  admin_node_check: ({ id }) => button(t("node.check"), () => attempt(async () => finish(english((await call("admin_node_check", { id })).line)))),
  admin_node_update: ({ id }, me) => me.role === "administrator" && button(t("host.enable"), () =>
    act("admin_node_update", { id }, { settings: { is_enabled: true } }, t("node.enabled_now"))),
  admin_product_release: ({ id }) => button(t("product_do.release"), () => ask({
    title: t("product_do.release"), text: t("product_will.release", { what: id }), danger: true,
    operation: "admin_product_release", args: { id }, said: true,
  }), { class: "danger" }),
};
// The one job of which an alert tells.
const BACKUP = { name: "backup" };

async function close(one) {
  await ask({
    title: t("todo.close"),
    text: [one.text, t("todo.close_text")],
    run: () => call("admin_alert_close", { id: one.alert }),
    said: true,
  });
}
