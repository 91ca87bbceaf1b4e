// The settings of a node as fields of a form.

import { t } from "./i18n.js";

const f = (name, type, more) => ({ name, type, label: t(`node.f.${name}`), ...more });

// Of a new one (`isNew`) or of one that is to change. Files of the shop's machine are named by administrators alone.
export function nodeFields(me, isNew) {
  const kinds = ["lnd_grpc", "lnd_rest", "cln"].map((kind) => [kind, t(`kind.${kind}`)]);
  const isAdministrator = me.role === "administrator";
  const file = (name) => f(name, "text", { hint: t("node.file_hint") });
  return [
    f("name", "text", { required: true }),
    isNew && f("kind", "select", { options: kinds }),
    f("host", "text", { required: true, hint: t("node.host_hint") }),
    f("port", "number", { min: 0, max: 65535, hint: t("node.port_hint") }),
    f("certificate", "area", { hint: t(isNew ? "node.paste_hint" : "node.keep_hint") }),
    f("macaroon", "area", { hint: t(isNew ? "node.paste_hint" : "node.keep_hint") }),
    isAdministrator && { heading: t("node.files"), fields: ["certificate_file", "macaroon_file", "details_macaroon_file", "payment_macaroon_file"].map(file) },
    {
      heading: t("node.more"),
      fields: [
        f("priority", "number", { min: -1000 }),
        f("use_holds", "check", { value: true }),
        f("pays_refunds", "check"),
        f("allow_spending", "check"),
        !isNew && f("has_moved", "check", { hint: t("node.moved_hint") }),
        f("untested", "check", { hint: t("node.untested_hint") }),
      ].filter(Boolean),
    },
  ].filter(Boolean);
}
