// The own account: password, second factor, sessions, API tokens.

import { again, ask, button, call, card, copyable, empty, fill, finish, form, h, h1, h2, inRow, once, pages, para, reveal, say, t, tag, time } from "./kit.js";

const OLD = () => ({ name: "old_password", type: "password", label: "account.old", autocomplete: "current-password", required: true });

export async function show(place) {
  const me = await call("admin_me_read");
  const list = (operation, caption, columns, none) => pages({ place: { ...place, query: {} }, operation, caption, columns, none });
  const secret = h("div");
  // An administrator sees everybody's.
  const owner = me.role === "administrator" && ["owner", (one) => one.owner];
  return [
    h1(t("screen.account")),
    para(t("account.who", { name: me.name, role: t(`role.${me.role}`) })),
    h2(t("account.factor")),
    factor(me),
    h2(t("account.sessions")),
    inRow(button(t("account.end_others"), endOthers)),
    await list("admin_sessions_list", t("account.sessions"), [
      owner,
      ["client", (one) => [one.client, " ", one.is_this && tag(t("account.this"), "good")]],
      ["account.agent", (one) => h("span", { class: "soft" }, one.agent)],
      ["account.made", (one) => time(one.made_at)],
      ["account.used", (one) => time(one.used_at)],
      ["", (one) => !one.is_this && button(t("account.end"), () => end(one))],
    ].filter(Boolean)),
    h2(t("account.tokens")),
    para(t("account.tokens_text")),
    secret,
    inRow(button(t("host.rotate"), () => newToken(secret))),
    await list("admin_tokens_list", t("account.tokens"), [
      owner,
      ["name", (one) => one.name],
      ["account.scope", (one) => t(`scope.${one.scope}`)],
      ["product.ends", (one) => time(one.expires_at)],
      ["account.used", (one) => time(one.used_at)],
      ["", (one) => button(t("account.revoke"), () => revoke(one), { class: "danger" })],
    ].filter(Boolean), empty(t("account.no_tokens"))),
    h2(t("login.password")),
    card(form({
      fields: [OLD(), { name: "password", type: "password", label: "people.new_password", autocomplete: "new-password", required: true, hint: "password.rules" }],
      action: t("change"),
      run: async (given) => {
        await call("admin_me_password_create", {}, given);
        finish(t("account.password_changed"));
      },
    })),
  ];
}

function factor(me) {
  const box = card();
  const begin = async () => {
    const made = await ask({ name: "factor.add", fields: [OLD()], action: t("start.go"), operation: "admin_me_second_factor_create" });
    if (made) enrol(box, made);
  };
  const end = () => ask({ name: "factor.remove", fields: [OLD()], danger: true, operation: "admin_me_second_factor_remove", said: true });
  return fill(box, me.has_second_factor
    ? [para(t("factor.on", { n: me.recovery_codes })), inRow(button(t("factor.anew"), begin), button(t("factor.remove"), end, { class: "danger" }))]
    : [para(t("factor.off")), button(t("factor.add"), begin)]);
}

function enrol(box, { secret, qr }) {
  reveal(box, h("h3", { tabindex: "-1" }, t("factor.scan")), para(t("factor.scan_text")),
    h("img", { class: "qr", src: qr, alt: t("factor.qr") }), copyable(secret, t("factor.secret")),
    form({
      fields: [{ name: "code", label: "login.code", autocomplete: "one-time-code", required: true }],
      action: t("start.go"),
      run: async (given) => {
        const { recovery_codes } = await call("admin_me_second_factor_confirm", {}, given);
        say(t("factor.added"));
        reveal(box, once(t("factor.codes"), recovery_codes.join("\n"), para(t("factor.codes_text")), button(t("people.noted"), again)));
      },
    }));
}

const endOthers = () => ask({ name: "account.end_others", operation: "admin_sessions_end_others", said: true });

async function newToken(box) {
  const scopes = ["read", "sell", "admin"].map((scope) => [scope, t(`scope.${scope}`)]);
  const made = await ask({
    name: "host.rotate", text: "", operation: "admin_tokens_create",
    fields: [
      { name: "name", label: "name", required: true, max_length: 100 },
      { name: "scope", type: "select", label: "account.scope", options: scopes },
      { name: "days", type: "number", label: "account.days", min: 1, max: 3650, value: 365 },
    ],
  });
  if (made) reveal(box, once(t("account.new_token", made), made.token, button(t("people.noted"), again)));
}

const end = (one) => ask({ name: "account.end", words: one, danger: true, operation: "admin_sessions_delete", args: { id: one.id }, said: true });

const revoke = (one) => ask({ name: "account.revoke", words: one, danger: true, operation: "admin_tokens_delete", args: { id: one.id }, said: true });
