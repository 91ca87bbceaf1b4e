// Signing in: name and password, then a code where there is a second factor.

import { call } from "./api.js";
import { fill, h } from "./dom.js";
import { form } from "./form.js";
import { languages } from "./frame.js";
import { t } from "./i18n.js";

export async function show({ then }) {
  const box = h("div", { class: "card" });
  const name = { name: "name", label: t("login.name"), autocomplete: "username", required: true };
  const password = { name: "password", label: t("login.password"), type: "password", autocomplete: "current-password", required: true };
  const first = form({
    fields: [name, password],
    action: t("login.action"),
    run: async (given) => {
      const answer = await call("admin_login_create", {}, given);
      if (answer.signed_in) return then();
      return askForCode(box, given, answer, then);
    },
  });
  fill(box, first);
  const help = h("details", null, h("summary", null, t("login.help")), h("p", null, t("login.help_text")),
    h("pre", null, "ip2tor-shop operator set-password NAME\nip2tor-shop operator reset-totp NAME"),
    h("p", null, t("login.none_yet")), h("pre", null, "ip2tor-shop operator first-run-link"));
  return [h("h1", { tabindex: "-1" }, t("login.title")), box, help, languages()];
}

function askForCode(box, given, { takes_app_codes }, then) {
  const code = { name: "code", label: t("login.code"), autocomplete: "one-time-code", required: true,
    hint: takes_app_codes ? t("login.code_hint") : t("login.code_clock") };
  fill(box, form({
    fields: [code],
    action: t("login.action"),
    run: async ({ code }) => {
      await call("admin_login_create", {}, { ...given, code });
      await then();
    },
  }));
  box.querySelector("input").focus();
}
