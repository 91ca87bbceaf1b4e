// Tables, on phones one card for each row; and lists that go on page by page, with filters that stand in the address.

import { call } from "./api.js";
import { button, fill, h, inRow, link, para } from "./dom.js";
import { form } from "./form.js";
import { t } from "./i18n.js";
import { go } from "./place.js";
import { count } from "./show.js";
import { attempt } from "./say.js";

// A table: `caption` is the name of a text, `columns` are `[name of the label, cell of a row, class]`.
export function table(caption, columns, rows) {
  const head = h("tr", null, columns.map(([label, , kind]) => (label ? h("th", { scope: "col", class: kind }, t(label)) : h("td"))));
  const body = h("tbody", null, rows.map((row) => line(columns, row)));
  return h("table", { class: "cards" }, h("caption", { class: "hidden" }, t(caption)), h("thead", null, head), body);
}

const line = (columns, row) =>
  h("tr", null, columns.map(([label, cell, kind]) => h("td", { "data-label": label && t(label), class: kind }, cell(row))));

// What stands where nothing is: why, and what to do next.
export const empty = (text, ...next) => h("div", { class: "card empty" }, para(text), next.length > 0 && inRow(next));

// How a list is sorted, as a filter.
export const sorting = () => ({ name: "oldest_first", type: "select", label: "list.sort", options: [["", t("list.newest")], ["true", t("list.oldest")]] });

// A cell of a file: what a spreadsheet would take for a formula is text.
function cell(value) {
  const text = value && typeof value === "object" ? JSON.stringify(value) : String(value ?? "");
  return `"${(/^[=+@-]/.test(text) && typeof value === "string" ? `'${text}` : text).replaceAll("\"", "\"\"")}"`;
}

// Saves a list as files: `rows` are all of it, or fetch them.
export const files = (name, rows) => inRow(["CSV", "JSON"].map((kind) => button(kind, (pressed) => attempt(async () => {
  save(name, kind, Array.isArray(rows) ? rows : await rows(pressed));
  fill(pressed, kind);
}))));

// All pages of a list.
async function every(operation, wanted, pressed) {
  const rows = [];
  for (let after; after !== null;) {
    const page = await call(operation, { ...wanted, limit: 250, after });
    rows.push(...page.items);
    after = page.next;
    fill(pressed, count(rows.length));
  }
  return rows;
}

function save(name, kind, rows) {
  const names = [...new Set(rows.flatMap(Object.keys))];
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  const text = kind === "JSON" ? JSON.stringify(rows) : lines.map((line) => line.map(cell).join() + "\r\n").join("");
  const href = URL.createObjectURL(new Blob([text]));
  h("a", { href, download: `${name}.${kind.toLowerCase()}` }).click();
  URL.revokeObjectURL(href);
}

// A list in pages by key. `filters` are fields of a form; what they say stands in the address of the screen. `saved`: what
// saves it, where the shop does.
export async function pages({ place, operation, args, caption, columns, filters = [], none, extra, saved }) {
  const wanted = { ...args, ...place.query };
  const first = await call(operation, wanted);
  const isFiltered = filters.some((one) => place.query[one.name]);
  const parts = [filters.length > 0 && filterForm(place, filters), extra];
  if (!first.items.length) return [parts, isFiltered ? empty(t("list.no_match"), link(place.name, t("list.all"))) : none];
  const shown = table(caption, columns, first.items);
  const more = h("p", { class: "row" });
  let next = first.next;
  const offer = () => fill(more, next && button(t("list.more"), load));
  const load = () => attempt(async () => {
    const page = await call(operation, { ...wanted, after: next });
    const rows = page.items.map((row) => line(columns, row));
    settle(shown);
    shown.append(h("tbody", null, rows));
    next = page.next;
    offer();
    rows[0]?.querySelector("a, button")?.focus();
  });
  offer();
  return [parts, shown, more, saved ?? files(operation.slice(6), (pressed) => every(operation, wanted, pressed))];
}

// A table that grows keeps its columns: weighing all cells anew takes long. Cards have none.
function settle(shown) {
  if (shown.classList.contains("long")) return;
  const cells = [...shown.tHead.rows[0].cells];
  const widths = getComputedStyle(shown).display === "table" ? cells.map((one) => one.getBoundingClientRect().width) : [];
  const widest = Math.max(...widths);
  widths.forEach((one, index) => one < widest && cells[index].style.setProperty("width", `${(100 * (one + 1)) / shown.offsetWidth}%`));
  shown.classList.add("long");
}

// Lists beside others on one screen, whose address says nothing of them.
export const lists = (place) => (operation, caption, columns, none, args) =>
  pages({ place: { ...place, query: {} }, operation, caption, columns, none, args });

function filterForm(place, filters) {
  const isUsed = Object.keys(place.query).length > 0;
  const set = async (values) => go(place.name, place.id, values);
  const fields = form({ fields: filters, values: place.query, action: t("list.filter"), run: set });
  fields.className = "filter";
  const reset = isUsed && link(place.name, t("list.all"));
  return h("details", { class: "filters-box", open: isUsed || matchMedia("(min-width: 50em)").matches },
    h("summary", null, t("list.filters")), fields, reset);
}

// Names of texts and values below each other; pairs without a value are left out.
export const facts = (...pairs) =>
  h("dl", null, pairs.filter((pair) => pair && (pair[1] ?? "") !== "").map(([name, value]) => [h("dt", null, t(name)), h("dd", null, value)]));
