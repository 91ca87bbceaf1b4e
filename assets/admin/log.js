// The change log: who changed what.

import { h, h1 } from "./dom.js";
import { t } from "./i18n.js";
import { about, time } from "./show.js";
import { empty, pages } from "./table.js";

export async function show(place) {
  return [h1(t("screen.log")), await pages({
    place,
    operation: "admin_change_list",
    caption: t("screen.log"),
    filters: [
      { name: "noun", label: t("log.noun"), hint: t("log.noun_hint") },
      { name: "person", label: t("log.person"), hint: t("log.person_hint") },
      { name: "from", type: "date", label: t("from") },
      { name: "until", type: "date", label: t("until") },
    ],
    columns: [
      [t("log.at"), ({ change }) => time(change.at)],
      [t("log.person"), ({ change }) => change.actor],
      [t("log.about"), ({ change }) => [change.noun, " ", about(change.noun, change.noun_id)]],
      [t("log.change"), ({ change }) => h("span", { lang: "en" }, change.change)],
    ],
    none: empty(t("log.none")),
  })];
}
