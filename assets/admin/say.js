// The line that says what was just done, read out by screen readers, with a way back where there is one; and texts that
// somebody takes elsewhere.

import { call } from "./api.js";
import { button, fill, h, para } from "./dom.js";
import { t } from "./i18n.js";
import { again, go } from "./place.js";

const line = h("p", { id: "said", role: "status", "aria-live": "polite" });

export const sayLine = () => line;

export function say(text, undo) {
  line.className = "";
  fill(line, text, undo && [" ", button(t("undo"), undo)]);
}

export function sayError(error) {
  line.className = "error";
  fill(line, error.message);
}

// Shows the screen as it is now, and says what was done.
export function finish(text, undo) {
  if (line.contains(document.activeElement)) document.getElementById("main").focus();
  again();
  say(text, undo);
}

// Goes to a screen from one whose thing is gone, and says so there once it is shown.
export function leave(screen, text) {
  go(screen);
  say(text);
}

// Nothing is said of what was done on another screen.
export function sayNothing() {
  fill(line);
}

// Does something that a button asks for; what goes wrong is said.
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    sayError(error);
    return undefined;
  }
}

// Calls an operation that a button asks for, and says that it is done.
export const act = (operation, args, body, text, undo) => attempt(async () => {
  await call(operation, args, body);
  finish(text, undo);
});

export function copyable(text, label) {
  const block = h("pre", { tabindex: "0", role: "region", "aria-label": label }, text);
  block.addEventListener("focus", () => getSelection().selectAllChildren(block));
  const copy = navigator.clipboard && button(t("copy"), async () => {
    await navigator.clipboard.writeText(text);
    say(t("copied"));
  });
  return h("div", { class: "copyable" }, block, copy);
}

// What is shown this once; nothing takes it away by itself.
export const once = (title, text, ...more) =>
  h("section", { class: "note good once" }, h("h2", { tabindex: "-1" }, title), para(t("once")), copyable(text, title), more);
