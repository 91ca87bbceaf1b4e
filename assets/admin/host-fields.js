// The settings of a host as fields of a form. The shop's own defaults stand where nobody says otherwise.

import { t } from "./i18n.js";

const f = (name, type, more) => ({ name, type, label: t(`host.f.${name}`), ...more });
const group = (name, fields, open) => ({ heading: t(`host.g.${name}`), fields, open });

const basics = (required) => [
  f("name", "text", { required, max_length: 20 }),
  f("ip", "text", { required, hint: t("host.ip_hint") }),
  f("description", "text", { max_length: 140, may_be_empty: true }),
];
const bridges = () => [
  f("offers_tor_bridges", "check"),
  f("tor_bridge_price_initial", "sats", { value: 25000 }),
  f("tor_bridge_price_extension", "sats", { value: 20000 }),
  f("tor_bridge_duration", "days", { value: 86400, hint: t("host.for_ever_hint") }),
];

// What a new host needs.
export const NEW_HOST = () => [
  ...basics(true),
  f("first", "number", { required: true, min: 1, max: 65535, value: 20000, hint: t("host.ports_hint") }),
  f("last", "number", { required: true, min: 1, max: 65535, value: 20099 }),
  ...bridges(),
];

// All settings.
export const ALL_FIELDS = () => [
  group("basics", basics(true), true),
  group("bridges", [...bridges(), f("bridge_bandwidth_initial", "gib", { hint: t("host.bandwidth_hint") })]),
  group("aliases", [
    f("offers_nostr_aliases", "check"),
    f("nostr_alias_port", "number", { min: 1, max: 65535 }),
    f("nostr_alias_price_initial", "sats"),
    f("nostr_alias_price_extension", "sats"),
    f("nostr_alias_duration", "days", { hint: t("host.for_ever_hint") }),
  ]),
  group("terms", [f("terms_of_service", "area", { may_be_empty: true }), f("terms_of_service_url", "url", { may_be_empty: true })]),
  group("delivery", [
    f("use_holds", "check"),
    f("hold_limit_secs", "number", { min: 60 }),
    f("grace_secs", "number", { min: 600 }),
    f("late_secs", "number", { min: 60 }),
  ]),
  group("rare", [
    f("is_test_host", "check"),
    f("is_testnet", "check"),
    f("offers_rssh_tunnels", "check"),
    f("rssh_tunnel_price", "sats"),
  ]),
];
