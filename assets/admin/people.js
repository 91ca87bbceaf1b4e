// Operators: who runs the shop, who owns hosts in it, and who has tried to sign in.

import { act, again, ask, button, call, empty, h, h1, h2, inRow, lists, once, para, reveal, t, tag, time, yesNo } from "./kit.js";

const ROLES = () => [["operator", t("role.operator")], ["administrator", t("role.administrator")]];

export async function show(place) {
  const box = h("div");
  const list = lists(place);
  return [
    h1(t("screen.people")),
    para(t("people.lead")),
    inRow(button(t("people.add"), () => add(box), { class: "main" })),
    box,
    await list("admin_operators_list", "screen.people", [
      ["name", (one) => one.name],
      ["people.role", (one) => t(`role.${one.role}`)],
      ["people.enabled", (one) => tag(yesNo(one.is_enabled), one.is_enabled ? "good" : "bad")],
      ["account.factor", (one) => yesNo(one.has_second_factor)],
      ["people.since", (one) => time(one.created_at)],
      ["", (one) => inRow(actions(one, place.me, box))],
    ]),
    h2(t("people.failed")),
    await list("admin_failed_logins_list", "people.failed", [
      ["log.at", (one) => time(one.at)],
      ["name", (one) => one.name ?? h("i", null, t("people.nobody"))],
      ["client", (one) => one.client],
      ["people.reason", (one) => t(`fault.${one.reason}`)],
    ], empty(t("people.none_failed"))),
  ];
}

async function add(box) {
  const made = await ask({
    name: "people.add", operation: "admin_operators_create",
    fields: [
      { name: "name", label: "name", required: true },
      { name: "role", type: "select", label: "people.role", options: ROLES() },
    ],
  });
  if (made) told(box, made);
}

// A password is shown here, and the list anew only once somebody goes on.
const told = (box, { name, password }) =>
  reveal(box, once(t("people.password_of", { name }), password, button(t("people.noted"), again)));

function actions(one, me, box) {
  const { id } = one;
  const set = (name, to, text, undo) => act("admin_operators_update", { id }, { [name]: to }, text, undo);
  const change = async (name, to, question) => {
    if (question && !await ask({ ...question, run: async () => true })) return;
    await set(name, to, t("changed"), () => set(name, one[name], t("undone")));
  };
  const other = one.role === "operator" ? "administrator" : "operator";
  const role = () => change("role", other, { title: t(`people.make.${other}`), text: t(`people.make_text.${other}`, one) });
  const enable = () => change("is_enabled", !one.is_enabled, one.is_enabled && { name: "people.disable", words: one, danger: true });
  const password = async () => {
    const made = await ask({
      name: "people.new_password", words: one, danger: true, run: () => call("admin_operators_password_create", { id }, {}),
    });
    if (made) told(box, made);
  };
  const factor = () => ask({
    name: "people.no_factor", words: one, danger: true, operation: "admin_operators_second_factor_remove", args: { id },
    said: t("changed"),
  });
  // What one does to oneself is on the screen of the own account.
  if (id === me.id) return tag(t("people.you"));
  return [
    button(t(`people.make.${other}`), role),
    button(one.is_enabled ? t("people.disable") : t("people.enable"), enable),
    button(t("people.new_password"), password),
    one.has_second_factor && button(t("people.no_factor"), factor),
  ];
}
