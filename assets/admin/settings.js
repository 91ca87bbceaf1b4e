// The shop as a web site, the rate that prices are shown with, and the settings in force.

import { call } from "./api.js";
import { code, h, h1, h2, para } from "./dom.js";
import { form } from "./form.js";
import { t } from "./i18n.js";
import { finish } from "./say.js";
import { fiat } from "./show.js";
import { table } from "./table.js";

export async function show() {
  const [site, rates, settings] = await Promise.all([call("admin_site_read"), call("admin_rate_list"), call("admin_setting_list")]);
  return [
    h1(t("screen.settings")),
    h2(t("settings.site")),
    h("div", { class: "card" }, form({
      fields: [
        { name: "name", label: t("name"), required: true, max_length: 100, hint: t("settings.name_hint") },
        { name: "domain", label: t("settings.domain"), required: true, max_length: 100, hint: t("settings.domain_hint") },
      ],
      values: site, action: t("save"),
      run: async (given) => {
        await call("admin_site_update", {}, given);
        finish(t("settings.saved"));
      },
    })),
    h2(t("settings.rates")),
    rates.length ? rates.map((rate) => para(`1 BTC = ${fiat(rate.cents, rate.currency)}`)) : h("p", { class: "soft" }, t("settings.no_rate")),
    h2(t("settings.in_force")),
    para(t("settings.in_force_text")),
    table(t("settings.in_force"), [
      [t("settings.key"), (one) => code(one.key)],
      [t("settings.value"), (one) => code(one.value)],
    ], settings),
  ];
}
