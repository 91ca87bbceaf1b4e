// The way from an empty shop to one that sells: each step with what it is for, and where it is done.

import { call, h, h1, h2, link, para, t, tag } from "./kit.js";

export async function show({ me }) {
  const all = await steps(me, await call("admin_dashboard_read"));
  const next = all.find((step) => !step.done);
  const entry = (step) => h("li", { class: step === next ? "next" : null },
    h2(step.title, " ", tag(step.done ? t("start.done") : step.optional ? t("start.optional") : t("start.open"), step.done ? "good" : "")),
    !step.done && para(step.text),
    !step.done && para(link(step.place, t("start.do"), { class: step === next ? "button main" : "button" })));
  const isReady = all.every((step) => step.done || step.optional);
  return [
    h1(t("screen.start")),
    para(isReady ? t("start.ready") : t("start.lead")),
    h("ol", { class: "steps" }, all.map(entry)),
  ];
}

// The steps in their order. `look` is the dashboard.
export async function steps(me, look) {
  const [first] = (await call("admin_host_list", { limit: 1 })).items;
  const site = me.role === "administrator" && (await call("admin_site_read"));
  const hostPlace = first ? `hosts/${first.id}` : "hosts";
  const step = (name, done, place, more) => ({ name, done, place, title: t(`start.${name}`), text: t(`start.${name}_text`), ...more });
  return [
    site && step("site", !site.domain.startsWith("127."), "settings"),
    step("node", look.nodes > 0, "nodes?new=1"),
    step("node_alive", look.nodes_alive > 0, "nodes"),
    step("host", Boolean(first), "hosts?new=1"),
    step("ports", look.hosts_with_room > 0, hostPlace),
    step("host_alive", look.hosts_alive > 0, hostPlace),
    step("sale", look.active > 0 || look.suspended > 0, "products"),
    step("factor", me.has_second_factor, "account", { optional: true }),
  ].filter(Boolean);
}
