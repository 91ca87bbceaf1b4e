// One host: whether it is there, its settings, its ports, its token.

import { call } from "./api.js";
import { copyable, once } from "./copy.js";
import { button, fill, h, link } from "./dom.js";
import { ask, form } from "./form.js";
import { time } from "./format.js";
import { ALL_FIELDS } from "./host-fields.js";
import { state } from "./hosts.js";
import { t } from "./i18n.js";
import { again } from "./place.js";
import { attempt, say } from "./say.js";
import { history } from "./states.js";
import { facts, table } from "./table.js";

export async function show({ id }) {
  const { host, warnings, block, presence, history: changes } = await call("admin_host_read", { id });
  const token = h("div");
  return [
    h("p", null, link("hosts", t("back"))),
    h("h1", null, host.name),
    warnings.map((text) => h("p", { class: "note warn", lang: "en" }, text)),
    facts(
      [t("state"), state(host)], [t("host.ip"), host.ip], [t("id"), h("code", null, host.id)], [t("owner"), host.owner],
      [t("host.check_in"), time(host.ci_date)], host.ci_message && [t("host.said"), host.ci_message],
      host.unswept_since && [t("host.unswept_since"), time(host.unswept_since)]),
    h("div", { class: "row" },
      link(`products?host=${host.id}`, t("screen.products"), { class: "button small" }),
      link(`orders?host=${host.id}`, t("screen.orders"), { class: "button small" }),
      toggle(host, "is_enabled", host.is_enabled ? "host.disable" : "host.enable"),
      toggle(host, "is_draining", host.is_draining ? "host.undrain" : "host.drain"),
      host.unswept_since && button(t("host.swept"), () => swept(host), { class: "small" })),
    h("h2", null, t("host.ports")),
    ranges(host),
    h("h2", null, t("host.token")),
    h("p", null, t("host.token_text")),
    copyable(block, t("host.block")),
    h("div", { class: "row" }, button(t("host.rotate"), () => rotate(host, token), { class: "small" })),
    token,
    h("h2", null, t("host.settings")),
    form({ fields: ALL_FIELDS(), values: host, action: t("save"), onlyChanges: true, run: (given) => save(host, given) }),
    h("details", { class: "group" }, h("summary", null, t("host.presence")),
      presence.length ? h("ol", { class: "plain log" }, presence.map((one) => h("li", null, time(one.at), " ", one.is_alive ? t("host.came") : t("host.went"))))
        : h("p", { class: "soft" }, t("host.no_presence"))),
    history(changes),
  ];
}

async function save(host, given) {
  const { changed } = await call("admin_host_update", { id: host.id }, given);
  again();
  say(changed.length ? t("host.saved", { n: changed.length }) : t("nothing_changed"));
}

// What is switched is switched back with one press.
function toggle(host, name, text) {
  const set = (value) => attempt(async () => {
    await call("admin_host_update", { id: host.id }, { [name]: value });
    again();
    say(t(`host.${name}_${value}`), () => set(!value));
  });
  return button(t(text), () => set(!host[name]), { class: "small", title: t(`${text}_text`) });
}

async function swept(host) {
  const done = await ask({
    title: t("host.swept"), text: t("host.swept_text"), action: t("host.swept"),
    run: () => call("admin_host_swept", { id: host.id }),
  });
  if (!done) return;
  again();
  say(t("host.swept_done"));
}

async function rotate(host, box) {
  const made = await ask({
    title: t("host.rotate"), text: t("host.rotate_text"), action: t("host.rotate"),
    fields: [{ name: "at_once", type: "check", label: t("host.at_once") }],
    run: (given) => call("admin_host_token_rotate", { id: host.id }, given),
  });
  if (!made) return;
  fill(box, once(t("host.new_token"), made.block));
  box.querySelector("h2").focus();
}

function ranges(host) {
  const remove = async (range) => {
    const done = await ask({
      title: t("host.range_remove"), danger: true, action: t("host.range_remove"),
      text: t("host.range_remove_text", { first: range.first, last: range.last, n: range.used }),
      run: () => call("admin_host_range_remove", { id: host.id, range: range.id }),
    });
    if (!done) return;
    again();
    say(t("host.range_removed"));
  };
  const add = form({
    fields: [
      { name: "first", type: "number", label: t("host.f.first"), min: 1, max: 65535, required: true },
      { name: "last", type: "number", label: t("host.f.last"), min: 1, max: 65535, required: true },
    ],
    action: t("host.range_add"),
    run: async (given) => {
      await call("admin_host_range_add", { id: host.id }, given);
      again();
      say(t("host.range_added"));
    },
  });
  add.className = "filter";
  return [
    host.ranges.length > 0 && table(t("host.ports"), [
      [t("host.range"), (range) => `${range.first}–${range.last}`],
      [t("type"), (range) => t(`range.${range.kind}`)],
      [t("host.used"), (range) => [range.used, " ", h("progress", { max: range.used + range.free, value: range.used, "aria-label": t("host.used") })], "num"],
      [t("host.free"), (range) => range.free, "num"],
      ["", (range) => button(t("remove"), () => remove(range), { class: "small", "aria-label": t("host.range_remove") })],
    ], host.ranges),
    host.set_aside.length > 0 && h("p", { class: "hint" }, t("host.set_aside", { ports: host.set_aside.join(", ") })),
    add,
  ];
}

