// The way from an empty shop to one that sells: each step with what it is for, and where it is done.

import { call } from "./api.js";
import { h, link } from "./dom.js";
import { t } from "./i18n.js";
import { tag } from "./states.js";
import { steps } from "./steps.js";

export async function show({ me }) {
  const all = await steps(me, await call("admin_dashboard_read"));
  const next = all.find((step) => !step.done);
  const entry = (step) => h("li", { class: step === next ? "next" : null },
    h("h2", null, step.title, " ", tag(step.done ? t("start.done") : step.optional ? t("start.optional") : t("start.open"), step.done ? "good" : "")),
    !step.done && h("p", null, step.text),
    !step.done && h("p", null, link(step.place, t("start.do"), { class: step === next ? "button main" : "button" })));
  const isReady = all.every((step) => step.done || step.optional);
  return [
    h("h1", null, t("screen.start")),
    h("p", null, isReady ? t("start.ready") : t("start.lead")),
    h("ol", { class: "steps" }, all.map(entry)),
  ];
}
