// Forms: fields by their description, values as the API takes them, messages beside the fields that they are about.

import { call, Refused } from "./api.js";
import { fill, h, inRow, para, uid } from "./dom.js";
import { has, t } from "./i18n.js";
import { finish } from "./say.js";

// How values are typed in units that people think in: what one unit is in the API.
const SCALES = { sats: 1000, days: 86400, gib: 1024 ** 3, number: 1 };

// One field: its element, how it is read, and where its messages go. `type` is text, password, number, sats (API: msat),
// days (API: seconds), gib (API: bytes), check, select, area or date; `label` and `hint` are names of texts.
function field(one, value) {
  const id = uid();
  const control = controlOf(one, id, value);
  const hint = one.hint && h("p", { class: "hint", id: `${id}-hint` }, t(one.hint));
  const wrong = h("p", { class: "error", id: `${id}-wrong`, hidden: true });
  control.setAttribute("aria-describedby", [hint && `${id}-hint`, `${id}-wrong`].filter(Boolean).join(" "));
  const parts = one.type === "check"
    ? [h("label", { class: "tick" }, control, t(one.label))]
    : [h("label", { for: id }, t(one.label)), control];
  const complain = (messages) => {
    fill(wrong, messages.join(" ")).hidden = !messages.length;
    control.ariaInvalid = messages.length ? "true" : null;
  };
  return { name: one.name, element: h("div", { class: "field" }, parts, hint, wrong), control, complain, read: () => read(one, control) };
}

function controlOf(one, id, value) {
  const usual = { id, name: one.name, required: one.required, autocomplete: one.autocomplete ?? "off" };
  if (one.type === "check") {
    const control = h("input", { id, name: one.name, type: "checkbox" });
    control.checked = Boolean(value);
    return control;
  }
  if (one.type === "select") {
    const option = ([key, text]) => h("option", { value: key, selected: key === value }, text);
    return h("select", { id, name: one.name }, one.options.map(option));
  }
  if (one.type === "area") return h("textarea", { ...usual, rows: 4, value: value ?? "" });
  const scale = SCALES[one.type];
  const shown = scale && Number.isFinite(value) ? value / scale : value;
  const limits = scale ? { min: one.min ?? 0, max: one.max, step: one.step ?? (one.type === "number" ? 1 : "any") } : {};
  const type = scale ? "number" : one.type ?? "text";
  return h("input", { ...usual, ...limits, type, maxlength: one.max_length, placeholder: one.placeholder, value: shown ?? "" });
}

function read(one, control) {
  if (one.type === "check") return control.checked;
  if (one.type in SCALES) return control.value === "" ? undefined : Math.round(Number(control.value) * SCALES[one.type]);
  if (control.value === "" && !one.may_be_empty) return undefined;
  return one.type === "password" ? control.value : control.value.trim();
}

// Fields that many forms have.
export const NOTE = () => ({ name: "note", label: "order.note", required: true, max_length: 140 });
export const dates = () => ["from", "until"].map((name) => ({ name, type: "date", label: name }));

let user = "";

// Whose passwords are typed from now on: browsers that keep them want to know.
export function passwordsOf(name) {
  user = name;
}

// A form. `fields` are descriptions, or arrays of them under a heading: `{ heading, fields }`. `run` is given the values,
// and the elements of the form go on to live until what it shows replaces them.
export function form({ fields, values = {}, action, run, danger, onlyChanges, cancel }) {
  const all = [];
  const make = (one) => {
    const made = field(one, values[one.name] ?? one.value);
    all.push(made);
    made.before = made.read();
    return made.element;
  };
  const parts = fields.map((one) =>
    one.fields ? h("details", { open: one.open, class: "group" }, h("summary", null, one.heading), one.fields.map(make)) : make(one));
  const isOwn = all.some((one) => one.control.type === "password") && !all.some((one) => one.control.autocomplete === "username");
  const owner = isOwn && h("input", { autocomplete: "username", value: user, hidden: true });
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  const submit = h("button", { class: danger ? "main danger" : "main" }, action);
  const element = h("form", { novalidate: true }, owner, parts, problem, inRow(submit, cancel));
  const isWrong = (one) => one.control.hasAttribute("aria-invalid");
  // Goes to the first field with a message, if there is one.
  const goToWrong = () => {
    const first = all.find(isWrong);
    first?.control.closest("details")?.setAttribute("open", "");
    first?.control.focus();
    return first;
  };
  const complain = (error) => {
    const fields = error instanceof Refused ? { ...error.fields } : {};
    for (const one of all) {
      const messages = [fields[one.name] ?? []].flat(9).map(textOf);
      one.complain(messages);
      delete fields[one.name];
    }
    const left = Object.values(fields).flat(9).map(textOf);
    const known = all.some(isWrong);
    fill(problem, left.length ? left.join(" ") : !known && error.message).hidden = known && !left.length;
    goToWrong();
  };
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (submit.ariaBusy) return;
    problem.hidden = true;
    for (const one of all) one.complain(one.control.checkValidity() ? [] : [one.control.validationMessage]);
    if (goToWrong()) return;
    const given = {};
    for (const one of all) {
      const value = one.read();
      if (value !== undefined && !(onlyChanges && value === one.before)) given[one.name] = value;
    }
    submit.ariaBusy = true;
    try {
      await run(given);
    } catch (error) {
      complain(error);
    } finally {
      submit.ariaBusy = null;
    }
  });
  return element;
}

// Messages of nested fields are objects.
const textOf = (message) => (typeof message === "string" ? message : Object.values(message ?? {}).flat(9).join(" "));

// What was done, by the words that asked for it.
export const did = (title) => t("done", { title });

// A form as a question in between: says what will happen, and happens only when that is wanted. Gives what `run`
// gives (usually what the operation answers), or undefined; and where it is `said` (true: in the words of the title), the
// screen is shown as it is then.
// `name` is that of the text for the title; what will happen stands under the same name with `_text`, made with `words`.
export function ask({ name, words, title = t(name), text = has(`${name}_text`) && t(`${name}_text`, words), action = title,
  fields = [], values, danger, operation, args, run = (given) => call(operation, args, fields.length ? given : undefined), said }) {
  return new Promise((resolve) => {
    let result;
    const id = uid();
    const close = h("button", { type: "button" }, t("cancel"));
    const body = form({
      fields, values, action, danger, cancel: close,
      run: async (given) => {
        result = await run(given);
        dialog.close();
        if (said) finish(said === true ? did(title) : typeof said === "function" ? said(result) : said);
      },
    });
    const says = [text].flat(9).filter(Boolean).map((one) => (one instanceof Node ? one : para(one)));
    const dialog = h("dialog", { "aria-labelledby": id }, h("h2", { id }, title), says, body);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
