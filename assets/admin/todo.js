// What needs a hand: each with where to look, and a button that does what helps.

import { call } from "./api.js";
import { h, link } from "./dom.js";
import { ask } from "./form.js";
import { ago } from "./format.js";
import { t } from "./i18n.js";
import { again } from "./place.js";
import { say } from "./say.js";
import { about, badge } from "./states.js";
import { button } from "./dom.js";

// Where an operation stands that needs more than one press.
const WHERE = {
  admin_order_refund: (one) => `order/${one.id}`,
  admin_order_read: (one) => `order/${one.id}`,
  admin_product_release: (one) => `product/${one.id}`,
  admin_host_read: (one) => `host/${one.id}`,
  admin_host_range_add: (one) => `host/${one.id}`,
  admin_host_swept: (one) => `host/${one.id}`,
  admin_node_list: () => "nodes",
  admin_node_check: (one) => `node/${one.id}`,
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
      where && link(where(one), t("todo.look"), { class: "button small" }),
      me.role === "administrator" && button(t("todo.close"), () => close(one), { class: "small" })));
}

async function close(one) {
  const done = await ask({
    title: t("todo.close"),
    text: [one.text, t("todo.close_text")],
    action: t("todo.close"),
    run: async () => {
      await call("admin_alert_close", { id: one.alert });
      return true;
    },
  });
  if (!done) return;
  again();
  say(t("todo.closed_now"));
}
