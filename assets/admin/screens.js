// The screens: each a module of its own, which is fetched when somebody goes there. `under` is the part of the menu that
// a screen belongs to, `group` where in the menu it stands; `all` are those for administrators alone.

export const SCREENS = {
  dashboard: { load: () => import("./dashboard.js"), group: "now" },
  start: { load: () => import("./start.js"), under: "dashboard" },
  alerts: { load: () => import("./alerts.js"), group: "now", all: true },
  hosts: { load: () => import("./hosts.js"), group: "sell" },
  host: { load: () => import("./host.js"), under: "hosts" },
  products: { load: () => import("./products.js"), group: "sell" },
  product: { load: () => import("./product.js"), under: "products" },
  orders: { load: () => import("./orders.js"), group: "sell" },
  order: { load: () => import("./order.js"), under: "orders" },
  deny: { load: () => import("./deny.js"), group: "sell", all: true },
  reports: { load: () => import("./reports.js"), group: "sell" },
  nodes: { load: () => import("./nodes.js"), group: "run" },
  node: { load: () => import("./node.js"), under: "nodes" },
  tasks: { load: () => import("./tasks.js"), group: "run", all: true },
  log: { load: () => import("./log.js"), group: "run", all: true },
  settings: { load: () => import("./settings.js"), group: "run", all: true },
  people: { load: () => import("./people.js"), group: "run", all: true },
  account: { load: () => import("./account.js"), group: "run" },
};

export const GROUPS = ["now", "sell", "run"];
