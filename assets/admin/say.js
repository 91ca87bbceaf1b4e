// The one line that says what was just done, read out by screen readers, with a way back where there is one.

import { button, fill, h } from "./dom.js";
import { t } from "./i18n.js";

const line = h("p", { id: "said", role: "status", "aria-live": "polite" });

export const sayLine = () => line;

export function say(text, undo) {
  line.className = "";
  fill(line, text, undo && [" ", button(t("undo"), undo, { class: "small" })]);
}

export function sayError(error) {
  line.className = "error";
  fill(line, error.message);
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
