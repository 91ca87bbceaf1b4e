// Texts that somebody takes elsewhere: with a button that copies them, where the browser lets pages do that.

import { button, h } from "./dom.js";
import { t } from "./i18n.js";
import { say } from "./say.js";

export function copyable(text, label) {
  const block = h("pre", { tabindex: "0", role: "region", "aria-label": label }, text);
  block.addEventListener("focus", () => getSelection().selectAllChildren(block));
  const copy = navigator.clipboard && button(t("copy"), async () => {
    await navigator.clipboard.writeText(text);
    say(t("copied"));
  }, { class: "small" });
  return h("div", { class: "copyable" }, block, copy);
}

// What is shown this once.
export const once = (title, text, ...more) =>
  h("section", { class: "note good" }, h("h2", { tabindex: "-1" }, title), h("p", null, t("once")), copyable(text, title), more);
