//! The fields of request bodies, as the document shows them. Reading them follows the contract's
//! lenient rules (see [`crate::http::contract::body`]), so these types are never made.

use poem_openapi::Object;

/// An order.
#[derive(Debug, Object)]
pub struct OrderBody {
    /// `tor_bridge` or `nostr_alias` (`rssh_tunnel` is known, and not offered).
    pub product: String,
    /// The id of the host.
    pub host_id: String,
    /// Whether the host's terms of service are accepted.
    pub tos_accepted: bool,
    /// A note of the buyer's.
    #[oai(validator(max_length = 42))]
    pub comment: Option<String>,
    /// For a Tor bridge: a version 3 onion address and a port, `<56 characters>.onion:<port>`.
    #[oai(validator(max_length = 300))]
    pub target: Option<String>,
    /// For a Nostr alias: the name (letters, digits, `-` and `_`).
    #[oai(validator(max_length = 100))]
    pub alias: Option<String>,
    /// For a Nostr alias: `npub1…` or 64 hexadecimal digits.
    #[oai(validator(max_length = 5000))]
    pub public_key: Option<String>,
}

/// A check-in.
#[derive(Debug, Object)]
pub struct CheckInBody {
    /// 0 hello (the default), 1 goodbye, 2 farewell.
    #[oai(validator(minimum(value = "0"), maximum(value = "2")))]
    pub ci_status: Option<u8>,
    /// A text for the operator.
    #[oai(validator(max_length = 140))]
    pub ci_message: Option<String>,
}

/// What a host may change of its own record. Other fields must be absent or unchanged.
#[derive(Debug, Object)]
pub struct HostBody {
    /// Its name: no underscores, not `www` or `shop`.
    #[oai(validator(max_length = 20))]
    pub name: Option<String>,
}

/// What a host may report of a Tor bridge. Other fields must be absent or unchanged.
#[derive(Debug, Object)]
pub struct TorBridgeBody {
    /// P to A (it works), P to F (it can't work), S to H (it is suspended).
    pub status: Option<String>,
    /// The buyer's note.
    #[oai(validator(max_length = 42))]
    pub comment: Option<String>,
    /// Bytes left; only fewer than before.
    pub bandwidth_remaining: Option<i64>,
    /// When they were counted.
    pub bandwidth_last_checked: Option<String>,
}

/// What a host may report of a Nostr alias. Other fields must be absent or unchanged.
#[derive(Debug, Object)]
pub struct NostrAliasBody {
    /// P to A (it works), P to F (it can't work), S to H (it is suspended).
    pub status: Option<String>,
    /// The buyer's note.
    #[oai(validator(max_length = 42))]
    pub comment: Option<String>,
}

/// Traffic to be subtracted.
#[derive(Debug, Object)]
pub struct ConsumeBody {
    /// Bytes, as a number or a text.
    pub amount: String,
}
