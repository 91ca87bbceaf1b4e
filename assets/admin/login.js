// In front of the door: signing in, and the first run.

import { button, call, card, fill, form, go, h, para, reveal, t } from "./kit.js";
import { languages } from "./frame.js";

const NAME = { name: "name", label: "name", autocomplete: "username", required: true };
const password = (autocomplete, hint) => ({ name: "password", label: "login.password", type: "password", autocomplete, required: true, hint });

export async function showLogin({ then }) {
  const box = card();
  const first = form({
    fields: [NAME, password("current-password")],
    action: t("login.title"),
    run: async (given) => {
      const answer = await call("admin_login_create", {}, given);
      if (answer.signed_in) return then();
      return askForCode(box, given, answer, then);
    },
  });
  fill(box, first);
  const help = h("details", null, h("summary", null, t("login.help")), para(t("login.help_text")),
    h("pre", null, "ip2tor-shop operator set-password NAME\nip2tor-shop operator reset-totp NAME"),
    para(t("login.none_yet")), h("pre", null, "ip2tor-shop operator first-run-link"));
  return [h("h1", { tabindex: "-1" }, t("login.title")), box, help, languages()];
}

function askForCode(box, given, { takes_app_codes }, then) {
  const code = { name: "code", label: "login.code", autocomplete: "one-time-code", required: true,
    hint: takes_app_codes ? "login.code_hint" : "login.code_clock" };
  reveal(box, form({
    fields: [code],
    action: t("login.title"),
    run: async ({ code }) => {
      await call("admin_login_create", {}, { ...given, code });
      await then();
    },
  }));
}

export async function showSetup({ key, then, login }) {
  const title = h("h1", { tabindex: "-1" }, t("setup.title"));
  const { is_needed, is_link_good } = await call("admin_setup_read", {}, undefined, { "X-Setup-Token": key });
  if (!is_needed) return [title, para(t("setup.done")), button(t("login.title"), login, { class: "main" }), languages()];
  if (!is_link_good) return [title, h("p", { class: "note warn" }, t("setup.over")), h("pre", null, "ip2tor-shop operator first-run-link"), languages()];
  const fields = [{ ...NAME, value: "admin" }, password("new-password", "password.rules")];
  const run = async (given) => {
    await call("admin_setup_create", {}, { token: key, ...given });
    await then();
    go("start");
  };
  return [title, para(t("setup.lead")), card(form({ fields, action: t("start.go"), run })), languages()];
}
