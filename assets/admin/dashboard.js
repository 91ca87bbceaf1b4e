// The first look: what needs a hand, what came in, what runs, what ends next.

import { badge, buttonTo, bytes, call, count, facts, fiat, h, h1, h2, hostOf, link, para, sats, soft, t, table, time } from "./kit.js";
import { todoList } from "./alerts.js";
import { steps } from "./start.js";

export async function show({ me }) {
  const look = await call("admin_dashboard_read");
  const left = (await steps(me, look)).filter((step) => !step.done && !step.optional);
  return [
    h1(t("screen.dashboard")),
    left.length > 0 && h("section", { class: "note" }, h2(t("start.left", { n: left.length })),
      para(left[0].title), para(buttonTo("start", t("start.go"), "main"))),
    h2(t("dashboard.todo")),
    look.todo.length ? todoList(look.todo, me) : h("p", { class: "note good" }, t("dashboard.nothing_todo")),
    h2(t("report.received")),
    income(look),
    h2(t("group.now")),
    tiles(look),
    h2(t("dashboard.ending")),
    look.ending.length ? ending(look.ending) : soft(t("dashboard.none_ending")),
    me.role === "administrator" && [h2(t("dashboard.machine")), facts(
      ["node.version", look.version], ["SQLite", look.sqlite_version],
      look.disk && ["dashboard.database", bytes(look.disk.database)],
      look.disk && ["dashboard.disk", t("dashboard.disk_free", { free: bytes(look.disk.free), total: bytes(look.disk.total) })])],
  ];
}

function income(look) {
  const today = look.now.slice(0, 10);
  const since = (days) => new Date(Date.parse(`${today}T00:00:00Z`) - (days - 1) * 86400000).toISOString().slice(0, 10);
  const row = (days, name) => ({ name, ...sums(look.days.filter((day) => day.day >= since(days))) });
  const rows = [row(1, t("dashboard.today")), row(7, t("dashboard.days", { n: 7 })), row(30, t("dashboard.days", { n: 30 }))];
  return [
    table("report.received", [
      ["dashboard.period", (one) => one.name],
      ["report.received", (one) => sats(one.received), "num"],
      ["report.fiat", (one) => one.fiat || "–", "num"],
      ["report.sold", (one) => count(one.sold), "num"],
      ["report.extended", (one) => count(one.extended), "num"],
    ], rows),
    look.days.length > 0 && chart(look.days, since(30), 30),
  ];
}

function tiles(look) {
  const tile = (value, text, to, kind) =>
    h("li", null, link(to, [h("b", { class: kind }, value), h("span", null, text)]));
  return h("ul", { class: "tiles plain" },
    tile(count(look.active), t("product.A"), "products?status=A"),
    tile(count(look.to_activate), t("product.P"), "products?status=P"),
    tile(count(look.to_suspend), t("product.S"), "products?status=S"),
    tile(count(look.suspended), t("product.H"), "products?status=H"),
    tile(sats(look.owed_msat), t("dashboard.owed", { n: look.owing }), "orders?owed=true", look.owing ? "bad" : ""),
    tile(`${look.hosts_alive} / ${look.hosts}`, t("dashboard.hosts"), "hosts", look.hosts_alive < look.hosts ? "bad" : ""),
    tile(`${look.nodes_alive} / ${look.nodes}`, t("dashboard.nodes"), "nodes", look.nodes_alive < look.nodes ? "bad" : ""));
}

const ending = (products) =>
  table("dashboard.ending", [
    ["product.ends", (one) => time(one.suspend_after)],
    ["product.what", (one) => link(`products/${one.id}`, one.target ?? one.alias)],
    ["product.host", hostOf],
    ["state", (one) => badge("product", one.status)],
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
