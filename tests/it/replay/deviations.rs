//! What differs from the recording on purpose, and why.

/// An exchange that is answered differently.
pub struct Deviation {
    pub exchange: &'static str,
    /// The status that this shop answers.
    pub status: u16,
    /// Why.
    pub reason: &'static str,
}

const fn deviation(exchange: &'static str, status: u16, reason: &'static str) -> Deviation {
    Deviation { exchange, status, reason }
}

// Each reason names an error of the predecessor that this shop does not repeat.
const HOST_MAY_NOT: &str =
    "a host may PATCH no arbitrary status, no suspend_after, no target, no negative or self-granted bandwidth";
const FAILED_IS_SUSPENDED: &str = "no arbitrary status: a host's report of F is accepted, and the product becomes S";
const EXTEND_UNPAID: &str = "extending a never-paid bridge activated it for the (lower) extension price";
const EXTEND_NOTHING: &str = "extension paid while the product is P, D, F, Z: order paid, nothing happens";
const DOCS: &str = "the browsable HTML API is a redirect to /docs/";
const NO_HALF_INVOICE: &str =
    "an order never waits without an invoice that can be paid: it is I without one until the node has made it";
const NO_POLLING: &str = "settlements are not polled for: order, invoice and product change in one commit";
const DISABLED: &str = "orders for a disabled or dead host are refused with 400 under host_id";
const ALIAS: &str = "slug and reserved-name rules are checked at the order, not later";
const TARGET: &str = "malformed targets were accepted; they are 400 under target with the reason";
const JSON_ERRORS: &str = "errors (and OPTIONS) of the telegraf endpoint are JSON";

/// All of them.
pub const DEVIATIONS: &[Deviation] = &[
    deviation("bridge_patch_set_Z", 400, HOST_MAY_NOT),
    deviation("bridge_patch_status_I", 400, HOST_MAY_NOT),
    deviation("bridge_patch_status_P", 400, HOST_MAY_NOT),
    deviation("bridge_patch_status_S", 400, HOST_MAY_NOT),
    deviation("bridge_patch_status_Z", 400, HOST_MAY_NOT),
    deviation("bridge_patch_suspend_after_date", 400, HOST_MAY_NOT),
    deviation("bridge_patch_suspend_after_naive", 400, HOST_MAY_NOT),
    deviation("bridge_patch_suspend_after_null", 400, HOST_MAY_NOT),
    deviation("bridge_patch_suspend_after_tz", 400, HOST_MAY_NOT),
    deviation("bridge_patch_target_ok", 400, HOST_MAY_NOT),
    deviation("bridge_patch_bandwidth_neg", 400, HOST_MAY_NOT),
    deviation("bridge_patch_set_F", 200, FAILED_IS_SUSPENDED),
    deviation("bridge_patch_status_F", 200, FAILED_IS_SUSPENDED),
    deviation("extend_initial_unpaid", 400, EXTEND_UNPAID),
    deviation("extend_status_Z", 404, EXTEND_NOTHING),
    deviation("format_query_api", 302, DOCS),
    deviation("life_po_2", 200, NO_HALF_INVOICE),
    deviation("life_po_3", 200, NO_HALF_INVOICE),
    deviation("life_po_6", 200, NO_POLLING),
    deviation("order_host_disabled", 400, DISABLED),
    deviation("order_nostr_alias_blacklisted", 400, ALIAS),
    deviation("order_target_bare", 400, TARGET),
    deviation("order_target_injection", 400, TARGET),
    deviation("order_target_newline", 400, TARGET),
    deviation("order_target_portneg", 400, TARGET),
    deviation("order_target_twoports", 400, TARGET),
    deviation("order_target_underscoreport", 400, TARGET),
    deviation("po_state_target_twoports", 200, TARGET),
    deviation("telegraf_anon", 401, JSON_ERRORS),
    deviation("telegraf_anon_acceptjson", 406, JSON_ERRORS),
    deviation("telegraf_badtoken", 401, JSON_ERRORS),
    deviation("telegraf_format_json", 404, JSON_ERRORS),
    deviation("telegraf_options", 200, JSON_ERRORS),
];
