// The words of the screens, in the reader's language: chosen once, kept in this browser.

const MODULES = { en: () => import("./en.js"), de: () => import("./de.js") };
const KEPT = "language";

// The languages, each as it calls itself.
export const LANGUAGES = { en: "English", de: "Deutsch" };

let words = {};
let tag = "en";

// The language of the page, as in `lang`.
export const language = () => tag;

export async function loadWords() {
  const wished = [localStorage.getItem(KEPT), ...navigator.languages.map((one) => one.slice(0, 2).toLowerCase())];
  tag = wished.find((one) => one in MODULES) ?? "en";
  words = (await MODULES[tag]()).default;
  document.documentElement.lang = tag;
}

export function choose(language) {
  localStorage.setItem(KEPT, language);
  location.reload();
}

// A text by its name, which begins with that of its group where it has one.
function find(key) {
  const at = key.indexOf(".");
  return at < 0 ? words[key] : words[key.slice(0, at)]?.[key.slice(at + 1)];
}

// A text with its values in the place of `{name}`. Where it has two forms, `one|many`, the value `n` decides.
export function t(key, values = {}) {
  const text = find(key) ?? key;
  const [one, many] = text.split("|");
  const form = many === undefined || values.n === 1 ? one : many;
  return form.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export const has = (key) => find(key) !== undefined;
