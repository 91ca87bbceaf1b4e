// The change log: who changed what.

import { about, dates, empty, english, h1, pages, t, time } from "./kit.js";

export async function show(place) {
  return [h1(t("screen.log")), await pages({
    place,
    operation: "admin_change_list",
    caption: "screen.log",
    filters: [
      { name: "noun", label: "log.noun", hint: "log.noun_hint" },
      { name: "person", label: "log.person", hint: "log.person_hint" },
      ...dates(),
    ],
    columns: [
      ["log.at", ({ change }) => time(change.at)],
      ["log.person", ({ change }) => change.actor],
      ["log.about", ({ change }) => [change.noun, " ", about(change.noun, change.noun_id)]],
      ["log.change", ({ change }) => english(change.change)],
    ],
    none: empty(t("log.none")),
  })];
}
