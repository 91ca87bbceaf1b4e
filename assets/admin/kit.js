// What screens are made of, in one place to import from.

export * from "./api.js";
export * from "./dom.js";
export * from "./form.js";
export * from "./i18n.js";
export * from "./place.js";
export * from "./say.js";
export * from "./show.js";
export * from "./table.js";
