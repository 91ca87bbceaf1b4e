// How values are written: amounts, times, durations, sizes.

import { language, t } from "./i18n.js";
import { h } from "./dom.js";

const number = (value, most = 0) => new Intl.NumberFormat(language(), { maximumFractionDigits: most }).format(value);

// msat as sats.
export const sats = (msat) => (msat === null || msat === undefined ? "–" : t("unit.sats", { sats: number(msat / 1000, 3) }));

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

// How far away a moment is, in words.
export function ago(at) {
  const secs = (new Date(at) - Date.now()) / 1000;
  const words = new Intl.RelativeTimeFormat(language(), { numeric: "auto" });
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(secs) >= size) return words.format(Math.round(secs / size), unit);
  }
  return words.format(Math.round(secs), "second");
}

// Seconds in the largest unit that fits.
export function span(secs) {
  if (secs === null || secs === undefined) return "–";
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(secs) >= size) return unitOf(secs / size, unit);
  }
  return unitOf(secs, "second");
}

function unitOf(value, unit) {
  const form = { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: value < 10 ? 1 : 0 };
  return new Intl.NumberFormat(language(), form).format(value);
}

// A period that something is sold for.
export const period = (secs) => (secs ? span(secs) : t("unit.for_ever"));

// Bytes.
export function bytes(size) {
  if (size === null || size === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const step = size ? Math.min(units.length - 1, Math.floor(Math.log2(size) / 10)) : 0;
  return `${number(size / 1024 ** step, 1)} ${units[step]}`;
}

export const yesNo = (is) => (is ? t("yes") : t("no"));

export const count = (value) => number(value);
