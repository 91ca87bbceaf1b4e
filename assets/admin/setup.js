// The first run: behind the link that `serve` prints, the first administrator is made.

import { call } from "./api.js";
import { button, h } from "./dom.js";
import { form } from "./form.js";
import { languages } from "./frame.js";
import { t } from "./i18n.js";
import { go } from "./place.js";

export async function show({ key, then, login }) {
  const title = h("h1", { tabindex: "-1" }, t("setup.title"));
  const { is_needed, is_link_good } = await call("admin_setup_read", {}, undefined, { "X-Setup-Token": key });
  if (!is_needed) return [title, h("p", null, t("setup.done")), button(t("setup.to_login"), login, { class: "main" }), languages()];
  if (!is_link_good) return [title, h("p", { class: "note warn" }, t("setup.over")), h("pre", null, "ip2tor-shop operator first-run-link"), languages()];
  const fields = [
    { name: "name", label: t("login.name"), autocomplete: "username", required: true, value: "admin" },
    { name: "password", label: t("login.password"), type: "password", autocomplete: "new-password", required: true, hint: t("password.rules") },
  ];
  const run = async (given) => {
    await call("admin_setup_create", {}, { token: key, ...given });
    await then();
    go("start");
  };
  return [title, h("p", null, t("setup.lead")), h("div", { class: "card" }, form({ fields, action: t("setup.action"), run })), languages()];
}
