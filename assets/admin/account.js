// The own account: password, second factor, sessions, API tokens.

import { call } from "./api.js";
import { button, fill, h, h1, h2, inRow, para } from "./dom.js";
import { ask, form } from "./form.js";
import { t } from "./i18n.js";
import { again } from "./place.js";
import { attempt, copyable, finish, once, say } from "./say.js";
import { tag, time } from "./show.js";
import { empty, pages } from "./table.js";

const OLD = () => ({ name: "old_password", type: "password", label: t("account.old"), autocomplete: "current-password", required: true });

export async function show(place) {
  const me = await call("admin_me_read");
  const list = (operation, caption, columns, none) => pages({ place: { ...place, query: {} }, operation, caption, columns, none });
  const secret = h("div");
  return [
    h1(t("screen.account")),
    para(t("account.who", { name: me.name, role: t(`role.${me.role}`) })),
    h2(t("account.factor")),
    factor(me),
    h2(t("account.sessions")),
    inRow(button(t("account.end_others"), endOthers)),
    await list("admin_sessions_list", t("account.sessions"), [
      [t("client"), (one) => [one.client, " ", one.is_this && tag(t("account.this"), "good")]],
      [t("account.agent"), (one) => h("span", { class: "soft" }, one.agent)],
      [t("account.made"), (one) => time(one.made_at)],
      [t("account.used"), (one) => time(one.used_at)],
      ["", (one) => !one.is_this && button(t("account.end"), () => remove("admin_sessions_delete", one.id, t("account.ended")))],
    ]),
    h2(t("account.tokens")),
    para(t("account.tokens_text")),
    secret,
    inRow(button(t("account.token_add"), () => newToken(secret))),
    await list("admin_tokens_list", t("account.tokens"), [
      [t("name"), (one) => one.name],
      [t("account.scope"), (one) => t(`scope.${one.scope}`)],
      [t("account.expires"), (one) => time(one.expires_at)],
      [t("account.used"), (one) => time(one.used_at)],
      ["", (one) => button(t("account.revoke"), () => revoke(one), { class: "danger" })],
    ], empty(t("account.no_tokens"))),
    h2(t("login.password")),
    h("div", { class: "card" }, form({
      fields: [OLD(), { name: "password", type: "password", label: t("account.new"), autocomplete: "new-password", required: true, hint: t("password.rules") }],
      action: t("account.change_password"),
      run: async (given) => {
        await call("admin_me_password_create", {}, given);
        finish(t("account.password_changed"));
      },
    })),
  ];
}

function factor(me) {
  const box = h("div", { class: "card" });
  const begin = async () => {
    const made = await ask({
      title: t("factor.add"), text: t("factor.add_text"), fields: [OLD()], action: t("factor.next"),
      run: (given) => call("admin_me_second_factor_create", {}, given),
    });
    if (made) enrol(box, made);
  };
  const end = async () => {
    await ask({
      title: t("factor.remove"), text: t("factor.remove_text"), fields: [OLD()], danger: true,
      run: (given) => call("admin_me_second_factor_remove", {}, given),
      said: t("factor.removed"),
    });
  };
  return fill(box, me.has_second_factor
    ? [para(t("factor.on", { n: me.recovery_codes })), inRow(button(t("factor.anew"), begin), button(t("factor.remove"), end, { class: "danger" }))]
    : [para(t("factor.off")), button(t("factor.add"), begin)]);
}

function enrol(box, { secret, qr }) {
  fill(box, h("h3", { tabindex: "-1" }, t("factor.scan")), para(t("factor.scan_text")),
    h("img", { class: "qr", src: qr, alt: t("factor.qr") }), copyable(secret, t("factor.secret")),
    form({
      fields: [{ name: "code", label: t("login.code"), autocomplete: "one-time-code", required: true }],
      action: t("factor.confirm"),
      run: async (given) => {
        const { recovery_codes } = await call("admin_me_second_factor_confirm", {}, given);
        fill(box, once(t("factor.codes"), recovery_codes.join("\n"), para(t("factor.codes_text")), button(t("people.noted"), again)));
        say(t("factor.added"));
        box.querySelector("h2").focus();
      },
    }));
  box.querySelector("h3").focus();
}

const remove = (operation, id, text) => attempt(async () => {
  await call(operation, { id });
  finish(text);
});

async function endOthers() {
  await ask({
    title: t("account.end_others"), text: t("account.end_others_text"),
    run: () => call("admin_sessions_end_others"),
    said: (answer) => t("account.others_ended", { n: answer.ended }),
  });
}

async function newToken(box) {
  const scopes = ["read", "sell", "admin"].map((scope) => [scope, t(`scope.${scope}`)]);
  const made = await ask({
    title: t("account.token_add"),
    fields: [
      { name: "name", label: t("name"), required: true, max_length: 100 },
      { name: "scope", type: "select", label: t("account.scope"), options: scopes },
      { name: "days", type: "number", label: t("account.days"), min: 1, max: 3650, value: 365 },
    ],
    run: (given) => call("admin_tokens_create", {}, given),
  });
  if (!made) return;
  fill(box, once(t("account.new_token", { name: made.name }), made.token, button(t("people.noted"), again)));
  box.querySelector("h2").focus();
}

async function revoke(one) {
  const wanted = await ask({ title: t("account.revoke"), text: t("account.revoke_text", one), action: t("account.revoke"), danger: true, run: async () => true });
  if (wanted) await remove("admin_tokens_delete", one.id, t("account.revoked"));
}
