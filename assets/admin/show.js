// How values are written: amounts, times, durations, sizes, states.

import { fold, h, link } from "./dom.js";
import { has, language, t } from "./i18n.js";

const number = (value, most = 0) => new Intl.NumberFormat(language(), { maximumFractionDigits: most }).format(value);

// msat as sats.
export const sats = (msat) => (Number.isFinite(msat) ? t("unit.sats", { sats: number(msat / 1000, 3) }) : "–");

// Hundredths of a currency.
export function fiat(cents, currency) {
  if (!currency) return "";
  return new Intl.NumberFormat(language(), { style: "currency", currency }).format(cents / 100);
}

// A moment, whole, and how far it is away when somebody points at it.
export function time(text) {
  if (!text) return "–";
  const at = new Date(text);
  const shown = new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "short" }).format(at);
  return h("time", { datetime: text, title: ago(at) }, shown);
}

// The largest unit that fits into so many seconds, and its size.
const unitOf = (secs) => [["day", 86400], ["hour", 3600], ["minute", 60]].find(([, size]) => Math.abs(secs) >= size) ?? ["second", 1];

// How far away a moment is, in words.
export function ago(at) {
  const secs = (new Date(at) - Date.now()) / 1000;
  const [unit, size] = unitOf(secs);
  return new Intl.RelativeTimeFormat(language(), { numeric: "auto" }).format(Math.round(secs / size), unit);
}

// Seconds in the largest unit that fits.
export function span(secs) {
  if (!Number.isFinite(secs)) return "–";
  const [unit, size] = unitOf(secs);
  const form = { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: secs / size < 10 ? 1 : 0 };
  return new Intl.NumberFormat(language(), form).format(secs / size);
}

// A period that something is sold for.
export const period = (secs) => (secs ? span(secs) : t("unit.for_ever"));

export function bytes(size) {
  if (!Number.isFinite(size)) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const step = size ? Math.min(units.length - 1, Math.floor(Math.log2(size) / 10)) : 0;
  return `${number(size / 1024 ** step, 1)} ${units[step]}`;
}

export const yesNo = (is) => (is ? t("yes") : t("no"));

export const count = (value) => number(value);

const GOOD = new Set(["product.A", "order.P", "severity.info", "order.S"]);
const BAD = new Set(["order.N", "severity.critical"]);
const QUIET = new Set(["product.H", "product.D", "product.Z", "order.R"]);

// A state as a badge; what nobody knows yet is shown as it is.
export function badge(kind, state) {
  const key = `${kind}.${state}`;
  return tag(has(key) ? t(key) : state, GOOD.has(key) ? "good" : BAD.has(key) ? "bad" : QUIET.has(key) ? "quiet" : "");
}

export const tag = (text, kind) => h("span", { class: `badge ${kind ?? ""}` }, text);

export const alive = (is) => tag(is ? t("alive") : t("dead"), is ? "good" : "bad");

// Choices for a filter by state.
export const choices = (kind, states) => [["", t("any")], ...states.map((state) => [state, t(`${kind}.${state}`)])];

export const PRODUCT_STATES = ["I", "P", "A", "S", "H", "D", "Z"];
export const ORDER_STATES = ["I", "T", "P", "R", "N", "S"];

// Where one can look at what something is about.
const SCREEN_OF = { order: "orders", product: "products", host: "hosts", node: "nodes", operator: "people", deny_entry: "deny", site: "settings" };

export function about(kind, id) {
  const screen = SCREEN_OF[kind];
  if (!screen || !id) return id ?? "";
  return kind === screen.slice(0, -1) ? link(`${screen}/${id}`, short(id), { title: id }) : link(screen, id);
}

export const hostOf = (one) => link(`hosts/${one.host_id}`, one.host_name);

// The beginning of an id is enough to tell it from others.
export const short = (id) => (/^[0-9a-f-]{36}$/.test(id) ? id.slice(0, 8) : id);

// What happened to something, as the change log has it.
export const history = (changes) =>
  fold(t("history", { n: changes.length }), h("ol", { class: "plain log" }, changes.map((one) =>
    h("li", null, h("time", { datetime: one.at, class: "soft" }, one.at.replace("T", " ").replace("Z", " UTC")), " ", h("b", null, one.actor), " ", one.change))));
