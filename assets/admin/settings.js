// The shop as a web site, the rate that prices are shown with, and the settings in force.

import { call, card, code, fiat, files, finish, form, h1, h2, para, soft, t, table } from "./kit.js";

export async function show() {
  const [site, rates, settings] = await Promise.all([call("admin_site_read"), call("admin_rate_list"), call("admin_setting_list")]);
  return [
    h1(t("screen.settings")),
    h2(t("settings.site")),
    card(form({
      fields: [
        { name: "name", label: "name", required: true, max_length: 100 },
        { name: "domain", label: "settings.domain", required: true, max_length: 100, hint: "settings.domain_hint" },
      ],
      values: site, action: t("save"),
      run: async (given) => {
        await call("admin_site_update", {}, given);
        finish(t("changed"));
      },
    })),
    h2(t("settings.rates")),
    rates.length ? rates.map((rate) => para(`1 BTC = ${fiat(rate.cents, rate.currency)}`)) : soft(t("settings.no_rate")),
    h2(t("settings.in_force")),
    para(t("settings.in_force_text")),
    table("settings.in_force", [
      ["settings.key", (one) => code(one.key)],
      ["settings.value", (one) => code(one.value)],
    ], settings),
    files("settings", settings),
  ];
}
