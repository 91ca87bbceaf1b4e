// The first look: what needs a hand, what came in, what runs, what ends next.

import { todoList } from "./alerts.js";
import { call } from "./api.js";
import { h, h1, h2, link, para } from "./dom.js";
import { t } from "./i18n.js";
import { badge, bytes, count, fiat, sats, time } from "./show.js";
import { steps } from "./start.js";
import { facts, table } from "./table.js";

export async function show({ me }) {
  const look = await call("admin_dashboard_read");
  const isAdministrator = me.role === "administrator";
  const left = (await steps(me, look)).filter((step) => !step.done && !step.optional);
  return [
    h1(t("screen.dashboard")),
    left.length > 0 && h("section", { class: "note" }, h2(t("start.left", { n: left.length })),
      para(left[0].title), para(link("start", t("start.go"), { class: "button main" }))),
    h2(t("dashboard.todo")),
    look.todo.length ? todoList(look.todo, me) : h("p", { class: "note good" }, t("dashboard.nothing_todo")),
    h2(t("dashboard.income")),
    income(look),
    h2(t("dashboard.now")),
    tiles(look),
    h2(t("dashboard.ending")),
    look.ending.length ? ending(look.ending) : h("p", { class: "soft" }, t("dashboard.none_ending")),
    isAdministrator && h2(t("dashboard.machine")),
    isAdministrator && facts(
      [t("node.version"), look.version], ["SQLite", look.sqlite_version],
      look.disk && [t("dashboard.database"), bytes(look.disk.database)],
      look.disk && [t("dashboard.disk"), t("dashboard.disk_free", { free: bytes(look.disk.free), total: bytes(look.disk.total) })]),
  ];
}

function income(look) {
  const today = look.now.slice(0, 10);
  const since = (days) => new Date(Date.parse(`${today}T00:00:00Z`) - (days - 1) * 86400000).toISOString().slice(0, 10);
  const row = (days, name) => ({ name, ...sums(look.days.filter((day) => day.day >= since(days))) });
  const rows = [row(1, t("dashboard.today")), row(7, t("dashboard.days", { n: 7 })), row(30, t("dashboard.days", { n: 30 }))];
  return [
    table(t("dashboard.income"), [
      [t("dashboard.period"), (one) => one.name],
      [t("report.received"), (one) => sats(one.received), "num"],
      [t("report.fiat"), (one) => one.fiat || "–", "num"],
      [t("report.sold"), (one) => count(one.sold), "num"],
      [t("report.extended"), (one) => count(one.extended), "num"],
    ], rows),
    look.days.length > 0 && chart(look.days, since(30), 30),
  ];
}

function tiles(look) {
  const tile = (value, text, to, kind) =>
    h("li", null, link(to, [h("b", { class: kind }, value), h("span", null, text)]));
  return h("ul", { class: "tiles plain" },
    tile(count(look.active), t("dashboard.active"), "products?status=A"),
    tile(count(look.to_activate), t("dashboard.to_activate"), "products?status=P"),
    tile(count(look.to_suspend), t("dashboard.to_suspend"), "products?status=S"),
    tile(count(look.suspended), t("dashboard.suspended"), "products?status=H"),
    tile(sats(look.owed_msat), t("dashboard.owed", { n: look.owing }), "orders?owed=true", look.owing ? "bad" : ""),
    tile(`${look.hosts_alive} / ${look.hosts}`, t("dashboard.hosts"), "hosts", look.hosts_alive < look.hosts ? "bad" : ""),
    tile(`${look.nodes_alive} / ${look.nodes}`, t("dashboard.nodes"), "nodes", look.nodes_alive < look.nodes ? "bad" : ""));
}

const ending = (products) =>
  table(t("dashboard.ending"), [
    [t("product.ends"), (one) => time(one.suspend_after)],
    [t("product.what"), (one) => link(`products/${one.id}`, one.target ?? one.alias)],
    [t("product.host"), (one) => link(`hosts/${one.host_id}`, one.host_name)],
    [t("state"), (one) => badge("product", one.status)],
  ], products);

// The sum of some days; what was earned in several currencies stays apart.
function sums(days) {
  const sum = (name) => days.reduce((all, day) => all + day[name], 0);
  const currencies = [...new Set(days.map((day) => day.currency).filter(Boolean))];
  const worth = (currency) =>
    fiat(days.filter((day) => day.currency === currency).reduce((all, day) => all + day.received_cents, 0), currency);
  return { received: sum("received_msat"), sold: sum("sold"), extended: sum("extended"), fiat: currencies.map(worth).join(", ") };
}

// A bar for each of `most` days from `first` on; days without income have none.
function chart(days, first, most) {
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
