// The deny lists: what is not sold to, and how far the review of each entry is.

import { act, again, ask, attempt, button, call, code, empty, h1, inRow, pages, para, say, t, tag, time } from "./kit.js";

const REVIEWS = () => ["denied", "recommended", "in_review", "proposed", "neutral", "initial"].map((one) => [one, t(`review.${one}`)]);

export async function show(place) {
  const add = button(t("deny.add"), () => edit({ kind: "target", status: "denied" }, t("deny.add")), { class: "main" });
  return [
    h1(t("screen.deny")),
    para(t("deny.lead")),
    await pages({ place, operation: "admin_deny_list", caption: "screen.deny", extra: inRow(add), none: empty(t("deny.none")), columns: [
      ["deny.value", (one) => code(one.value)],
      ["type", (one) => t(`denied.${one.kind}`)],
      ["deny.review", (one) => tag(t(`review.${one.status}`), one.denies ? "bad" : "quiet")],
      ["comment", (one) => one.comment],
      ["changed", (one) => time(one.modified_at)],
      ["", (one) => inRow(button(t("change"), () => edit(one, t("change"))), button(t("remove"), () => remove(one)))],
    ] }),
  ];
}

async function edit(one, title) {
  const isNew = !one.value;
  await ask({
    title, action: t("save"), values: one,
    text: one.value && code(one.value),
    fields: [
      isNew && { name: "kind", type: "select", label: "type", options: [["target", t("denied.target")], ["ip", t("denied.ip")]] },
      isNew && { name: "value", label: "deny.value", required: true, hint: "deny.value_hint" },
      { name: "status", type: "select", label: "deny.review", options: REVIEWS() },
      { name: "comment", label: "comment", max_length: 140, may_be_empty: true },
    ].filter(Boolean),
    run: (given) => call("admin_deny_set", {}, { kind: one.kind, value: one.value, ...given }),
    said: (done) => t(done.denies ? "deny.denies" : "deny.allows", done),
  });
}

const remove = (one) => attempt(async () => {
  await call("admin_deny_remove", { kind: one.kind }, { value: one.value });
  again();
  const { kind, value, status, comment } = one;
  say(t("deny.removed", one), () => act("admin_deny_set", {}, { kind, value, status, comment }, t("undone")));
});
