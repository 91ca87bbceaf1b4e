// Operators: who runs the shop, who owns hosts in it, and who has tried to sign in.

import { call } from "./api.js";
import { button, fill, h, h1, h2, inRow, para } from "./dom.js";
import { ask } from "./form.js";
import { t } from "./i18n.js";
import { again } from "./place.js";
import { attempt, finish, once } from "./say.js";
import { tag, time, yesNo } from "./show.js";
import { empty, pages, table } from "./table.js";

const ROLES = () => [["operator", t("role.operator")], ["administrator", t("role.administrator")]];

export async function show(place) {
  const box = h("div");
  const { items } = await call("admin_operators_list", { limit: 500 });
  const names = new Map(items.map((one) => [one.id, one.name]));
  return [
    h1(t("screen.people")),
    para(t("people.lead")),
    inRow(button(t("people.add"), () => add(box), { class: "main" })),
    box,
    table(t("screen.people"), [
      [t("name"), (one) => one.name],
      [t("people.role"), (one) => t(`role.${one.role}`)],
      [t("people.enabled"), (one) => tag(yesNo(one.is_enabled), one.is_enabled ? "good" : "bad")],
      [t("account.factor"), (one) => yesNo(one.has_second_factor)],
      [t("people.since"), (one) => time(one.created_at)],
      ["", (one) => inRow(actions(one, place.me, box))],
    ], items),
    h2(t("people.failed")),
    await pages({
      place: { ...place, query: {} }, operation: "admin_failed_logins_list", caption: t("people.failed"),
      columns: [
        [t("log.at"), (one) => time(one.at)],
        [t("name"), (one) => names.get(one.operator) ?? h("i", null, t("people.nobody"))],
        [t("client"), (one) => one.client],
        [t("people.reason"), (one) => t(`fault.${one.reason}`)],
      ],
      none: empty(t("people.none_failed")),
    }),
  ];
}

async function add(box) {
  const made = await ask({
    title: t("people.add"), text: t("people.add_text"),
    fields: [
      { name: "name", label: t("name"), required: true },
      { name: "role", type: "select", label: t("people.role"), options: ROLES() },
    ],
    run: (given) => call("admin_operators_create", {}, given),
  });
  if (made) told(box, made);
}

// A password is shown here, and the list anew only once somebody goes on.
function told(box, { name, password }) {
  fill(box, once(t("people.password_of", { name }), password, button(t("people.noted"), again)));
  box.querySelector("h2").focus();
}

function actions(one, me, box) {
  const change = (body, text, undo) => attempt(async () => {
    await call("admin_operators_update", { id: one.id }, body);
    finish(text, undo);
  });
  const other = one.role === "operator" ? "administrator" : "operator";
  const role = async () => {
    const wanted = await ask({
      title: t(`people.make.${other}`), text: t(`people.make_text.${other}`, one), run: async () => true,
    });
    if (wanted) await change({ role: other }, t("people.changed"), () => change({ role: one.role }, t("undone")));
  };
  const enable = async () => {
    const to = !one.is_enabled;
    const wanted = to || await ask({ title: t("people.disable"), text: t("people.disable_text", one), danger: true, action: t("people.disable"), run: async () => true });
    if (wanted) await change({ is_enabled: to }, t("people.changed"), () => change({ is_enabled: !to }, t("undone")));
  };
  const password = async () => {
    const made = await ask({
      title: t("people.new_password"), text: t("people.new_password_text", one), danger: true,
      run: () => call("admin_operators_password_create", { id: one.id }, {}),
    });
    if (made) told(box, made);
  };
  const factor = async () => {
    await ask({
      title: t("people.no_factor"), text: t("people.no_factor_text", one), danger: true,
      run: () => call("admin_operators_second_factor_remove", { id: one.id }),
      said: t("people.changed"),
    });
  };
  // What one does to oneself is on the screen of the own account.
  if (one.id === me.id) return tag(t("people.you"));
  return [
    button(t(`people.make.${other}`), role),
    button(one.is_enabled ? t("people.disable") : t("people.enable"), enable),
    button(t("people.new_password"), password),
    one.has_second_factor && button(t("people.no_factor"), factor),
  ];
}
