// What is left to do until a new shop sells, found out from what there is.

import { call } from "./api.js";
import { t } from "./i18n.js";

// The steps in their order. `look` is the dashboard.
export async function steps(me, look) {
  const hosts = await call("admin_host_list");
  const isAdministrator = me.role === "administrator";
  const site = isAdministrator && (await call("admin_site_read"));
  const hasPorts = (host) => host.ranges.some((range) => range.free > 0) || host.offers_nostr_aliases;
  const first = hosts[0];
  const hostPlace = first ? `host/${first.id}` : "hosts";
  const step = (name, done, place, more) => ({ name, done, place, title: t(`start.${name}`), text: t(`start.${name}_text`), ...more });
  return [
    site && step("site", site.is_set ?? !/(^|\.)(localhost|example\.(com|org|net)|127\.0\.0\.1)(:|$)/.test(site.domain), "settings"),
    step("node", look.nodes > 0, "nodes?new=1"),
    step("node_alive", look.nodes_alive > 0, "nodes"),
    step("host", hosts.length > 0, "hosts?new=1"),
    step("ports", hosts.some((host) => host.is_enabled && hasPorts(host)), hostPlace),
    step("host_alive", hosts.some((host) => host.is_alive), hostPlace),
    step("sale", look.active > 0 || look.suspended > 0, "products"),
    step("factor", me.has_second_factor, "account", { optional: true }),
  ].filter(Boolean);
}
