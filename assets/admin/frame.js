// What is around each screen: name, menu, the line that says what was done, languages, the way out.

import { button, h, h2, inRow, link } from "./dom.js";
import { choose, language, LANGUAGES, t } from "./i18n.js";
import { sayLine } from "./say.js";

// The screens: each a module, fetched when somebody goes there. `group`: where in the menu it stands;
// `all`: those for administrators alone; `nouns`: what has to change (or `any`thing) for the screen to be shown anew.
export const SCREENS = {
  dashboard: { load: () => import("./dashboard.js"), group: "now", nouns: ["order", "product", "alert", "host", "node"] },
  start: { load: () => import("./start.js"), nouns: ["host", "node", "site", "product"] },
  alerts: { load: () => import("./alerts.js"), group: "now", nouns: ["alert", "alert_channel"] },
  hosts: { load: () => import("./hosts.js"), group: "sell", nouns: ["host"] },
  products: { load: () => import("./products.js"), group: "sell", nouns: ["product", "order"] },
  orders: { load: () => import("./orders.js"), group: "sell", nouns: ["order", "product"] },
  deny: { load: () => import("./deny.js"), group: "sell", all: true, nouns: ["deny_entry"] },
  reports: { load: () => import("./reports.js"), group: "sell", nouns: ["order"] },
  nodes: { load: () => import("./nodes.js"), group: "run", nouns: ["node"] },
  tasks: { load: () => import("./tasks.js"), group: "run", all: true, nouns: ["job", "outbox", "log"] },
  log: { load: () => import("./log.js"), group: "run", all: true, nouns: ["any"] },
  settings: { load: () => import("./settings.js"), group: "run", all: true, nouns: ["site"] },
  people: { load: () => import("./people.js"), group: "run", all: true, nouns: ["operator"] },
  account: { load: () => import("./account.js"), group: "run", nouns: ["operator", "api token"] },
};

const GROUPS = ["now", "sell", "run"];

export function frame(me, signOut) {
  const isAdministrator = me.role === "administrator";
  const entries = (group) =>
    Object.entries(SCREENS).filter(([, screen]) => screen.group === group && (isAdministrator || !screen.all));
  const entry = ([name]) => h("li", null, link(name, t(`screen.${name}`), { "data-screen": name }));
  const menu = h("details", { class: "menu" },
    h("summary", null, t("menu")),
    h("nav", { "aria-label": t("menu") }, GROUPS.map((group) =>
      h("section", null, h2(t(`group.${group}`)), h("ul", { class: "plain" }, entries(group).map(entry))))));
  const isWide = matchMedia("(min-width: 62em)");
  const fit = () => {
    menu.open = isWide.matches;
  };
  isWide.addEventListener("change", fit);
  fit();
  // On a phone the menu gives way to what was chosen in it.
  menu.addEventListener("click", (event) => {
    if (event.target.closest("a")) fit();
  });
  return [
    h("a", { class: "skip", href: "#main", onclick: skip }, t("skip")),
    h("header", null,
      link("dashboard", t("title"), { class: "name" }),
      inRow(h("a", { href: "/" }, t("to_shop")), link("account", me.name),
        button(t("sign_out"), signOut))),
    h("div", { class: "columns" }, menu, h("div", null, sayLine(), h("main", { id: "main", tabindex: "-1" }))),
    languages(),
  ];
}

// The address is the screen's: what skips the menu must not change it.
function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

export const languages = () =>
  h("footer", null, Object.entries(LANGUAGES).filter(([tag]) => tag !== language()).map(([tag, name]) =>
    button(name, () => choose(tag), { lang: tag })), h("a", { href: "/docs/" }, "API"));
