//! LND's REST messages: 64-bit numbers are strings, bytes are base64, errors carry the gRPC code.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fedimint_tonic_lnd::lnrpc;
use fedimint_tonic_lnd::lnrpc::InvoiceHtlcState;
use fedimint_tonic_lnd::lnrpc::invoice::InvoiceState;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tonic::Code;

use super::bolt11::Added;
use super::convert::invoice_from_lnd;
use ip2tor_domain::lightning::{Network, NodeError, NodeErrorKind, NodeInfo, NodeInvoice};

/// Answer to `POST /v1/invoices` and `POST /v2/invoices/hodl`.
#[derive(Deserialize)]
pub struct RestAdded {
    payment_request: String,
    #[serde(default, deserialize_with = "number")]
    add_index: u64,
}

impl From<RestAdded> for Added {
    fn from(added: RestAdded) -> Self {
        let add_index = Some(added.add_index).filter(|index| *index > 0);
        Self { payment_request: added.payment_request, add_index }
    }
}

/// Answer without content of interest.
#[derive(Deserialize)]
pub struct Nothing {}

/// Answer to `GET /v1/invoices`.
#[derive(Deserialize)]
pub struct Listed {
    /// The page.
    #[serde(default)]
    pub invoices: Vec<MaybeInvoice>,
    /// Where the next page starts.
    #[serde(default, deserialize_with = "number")]
    pub last_index_offset: u64,
}

/// An invoice among others: one that can't be read must not keep the others from being read.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum MaybeInvoice {
    /// One in the form that is known.
    Known(Box<RestInvoice>),
    /// Anything else.
    Odd(IgnoredAny),
}

impl MaybeInvoice {
    /// The invoice, if it has the form that is known.
    pub fn known(self) -> Option<RestInvoice> {
        match self {
            Self::Known(invoice) => Some(*invoice),
            Self::Odd(_) => None,
        }
    }

    /// The invoice, if it might be the shop's.
    pub fn readable(self) -> Option<NodeInvoice> {
        let read = self.known()?.into_node_invoice();
        read.inspect_err(|error| tracing::debug!(%error, "an invoice that can't be ours is passed over")).ok()
    }
}

/// Those that might be the shop's.
pub fn readable(invoices: Vec<MaybeInvoice>) -> Vec<NodeInvoice> {
    invoices.into_iter().filter_map(MaybeInvoice::readable).collect()
}

/// An invoice.
#[derive(Deserialize)]
pub struct RestInvoice {
    #[serde(default)]
    memo: String,
    r_hash: String,
    #[serde(default, deserialize_with = "number")]
    value_msat: i64,
    #[serde(default, deserialize_with = "number")]
    creation_date: i64,
    #[serde(default, deserialize_with = "number")]
    settle_date: i64,
    #[serde(default)]
    pub payment_request: String,
    #[serde(default, deserialize_with = "number")]
    expiry: i64,
    #[serde(default, deserialize_with = "number")]
    add_index: u64,
    #[serde(default, deserialize_with = "number")]
    settle_index: u64,
    #[serde(default, deserialize_with = "number")]
    amt_paid_msat: i64,
    #[serde(default = "open")]
    state: String,
    #[serde(default)]
    htlcs: Vec<RestHtlc>,
}

#[derive(Deserialize)]
struct RestHtlc {
    #[serde(default, deserialize_with = "number")]
    amt_msat: u64,
    #[serde(default)]
    accept_height: i32,
    #[serde(default)]
    expiry_height: i32,
    #[serde(default)]
    state: String,
}

fn open() -> String {
    "OPEN".to_owned()
}

impl RestInvoice {
    /// In the shop's terms, by way of the gRPC message that this mirrors.
    pub fn into_node_invoice(self) -> Result<NodeInvoice, NodeError> {
        let state = InvoiceState::from_str_name(&self.state).ok_or_else(|| odd("an unknown invoice state"))?;
        let r_hash = STANDARD.decode(&self.r_hash).map_err(|_| odd("a payment hash that is not base64"))?;
        invoice_from_lnd(lnrpc::Invoice {
            memo: self.memo,
            r_hash,
            value_msat: self.value_msat,
            creation_date: self.creation_date,
            settle_date: self.settle_date,
            payment_request: self.payment_request,
            expiry: self.expiry,
            add_index: self.add_index,
            settle_index: self.settle_index,
            amt_paid_msat: self.amt_paid_msat,
            state: state as i32,
            htlcs: self.htlcs.into_iter().map(RestHtlc::into_message).collect(),
            ..Default::default()
        })
    }
}

impl RestHtlc {
    fn into_message(self) -> lnrpc::InvoiceHtlc {
        let state = InvoiceHtlcState::from_str_name(&self.state).unwrap_or(InvoiceHtlcState::Canceled);
        lnrpc::InvoiceHtlc {
            amt_msat: self.amt_msat,
            accept_height: self.accept_height,
            expiry_height: self.expiry_height,
            state: state as i32,
            ..Default::default()
        }
    }
}

/// Answer to `GET /v1/getinfo`.
#[derive(Deserialize)]
pub struct RestInfo {
    identity_pubkey: String,
    #[serde(default)]
    alias: String,
    #[serde(default)]
    uris: Vec<String>,
    #[serde(default)]
    chains: Vec<RestChain>,
    #[serde(default)]
    num_active_channels: u32,
    #[serde(default)]
    block_height: u32,
    #[serde(default)]
    synced_to_chain: bool,
    #[serde(default)]
    version: String,
}

#[derive(Deserialize)]
struct RestChain {
    #[serde(default)]
    network: String,
}

impl From<RestInfo> for NodeInfo {
    fn from(info: RestInfo) -> Self {
        Self {
            network: info.chains.first().and_then(|chain| Network::parse(&chain.network)),
            pubkey: Some(info.identity_pubkey),
            alias: Some(info.alias),
            uris: info.uris,
            active_channels: Some(info.num_active_channels),
            block_height: Some(info.block_height),
            inbound: None,
            outbound: None,
            synced_to_chain: Some(info.synced_to_chain),
            version: Some(info.version),
            ..Self::default()
        }
    }
}

/// Answer to `GET /v1/balance/channels`.
#[derive(Deserialize)]
pub struct Balance {
    /// What the peers hold.
    pub remote_balance: RestAmount,
    /// What the node holds.
    pub local_balance: RestAmount,
}

/// An amount.
#[derive(Deserialize)]
pub struct RestAmount {
    /// In millisatoshi.
    #[serde(default, deserialize_with = "number")]
    pub msat: u64,
}

/// One line of a stream.
#[derive(Deserialize)]
pub struct StreamLine {
    /// An invoice.
    pub result: Option<MaybeInvoice>,
    /// Why the stream ends.
    pub error: Option<Value>,
}

/// The gRPC code and the text of an error, as LND's gateway writes it in answers and in streams. A stream that fails
/// before its first message is an answer with the error of a stream in it.
pub fn read_error(error: &Value, http_status: u16) -> (Code, String) {
    let error = inner(error);
    let code = match code_of(error) {
        Some(code) => Code::from_i32(code),
        None => code_of_http(http_status),
    };
    let text = ["message", "error"].iter().find_map(|key| error.get(key)?.as_str());
    (code, text.map_or_else(|| format!("HTTP status {http_status}"), str::to_owned))
}

/// Whether LND itself says so, and not something that stands before it.
pub fn is_error_of_lnd(error: &Value) -> bool {
    code_of(inner(error)).is_some()
}

fn inner(error: &Value) -> &Value {
    error.get("error").filter(|inner| inner.is_object()).unwrap_or(error)
}

fn code_of(error: &Value) -> Option<i32> {
    let code = ["code", "grpc_code"].iter().find_map(|key| error.get(key)?.as_i64());
    code.and_then(|code| i32::try_from(code).ok())
}

/// For answers that don't come from LND itself but from a proxy before it.
const fn code_of_http(status: u16) -> Code {
    match status {
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        501 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

/// A number that may be written as a string.
pub fn number<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr + Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<T> {
        Number(T),
        Text(String),
    }
    match Either::<T>::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(|_| serde::de::Error::custom("not a number")),
    }
}

fn odd(what: &str) -> NodeError {
    NodeError::new(NodeErrorKind::Rejected, format!("the node answered with {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ip2tor_domain::lightning::NodeInvoiceState;
    use ip2tor_domain::money::Msat;

    #[test]
    fn an_invoice_is_read_with_its_numbers_in_strings() {
        let json = serde_json::json!({
            "memo": "PO: 1", "r_hash": STANDARD.encode([7; 32]), "value": "25", "value_msat": "25000",
            "creation_date": "100", "settle_date": "160", "payment_request": "lnbcrt1", "expiry": "3600",
            "settle_index": "12", "amt_paid_msat": "25001", "state": "SETTLED",
            "htlcs": [{"amt_msat": "25001", "expiry_height": 900, "state": "SETTLED", "chan_id": "1"}],
            "add_index": "7",
        });
        let invoice = serde_json::from_value::<RestInvoice>(json).unwrap().into_node_invoice().unwrap();
        assert_eq!((invoice.state, invoice.settle_index), (NodeInvoiceState::Settled, 12));
        assert_eq!((invoice.amount, invoice.received), (Msat(25_000), Msat(25_001)));
        assert_eq!((invoice.hash.0, invoice.add_index), ([7; 32], 7));
    }

    #[test]
    fn the_height_at_which_a_payment_was_accepted_is_read_and_0_is_none() {
        for (told, read) in [(serde_json::json!(812), Some(812)), (serde_json::json!(0), None)] {
            let part =
                serde_json::json!({"amt_msat": "1", "accept_height": told, "expiry_height": 900, "state": "ACCEPTED"});
            let json = serde_json::json!({"r_hash": STANDARD.encode([7; 32]), "state": "ACCEPTED", "htlcs": [part]});
            let invoice = serde_json::from_value::<RestInvoice>(json).unwrap().into_node_invoice().unwrap();
            assert_eq!(invoice.accept_height, read);
        }
    }

    #[test]
    fn invoices_that_cannot_be_read_keep_no_others_from_being_read() {
        let good = serde_json::json!({"r_hash": STANDARD.encode([7; 32]), "state": "OPEN"});
        let listed = serde_json::json!({"last_index_offset": "9", "invoices": [
            {"r_hash": "", "state": "OPEN"},
            {"r_hash": null, "state": "OPEN"},
            {"r_hash": STANDARD.encode([8; 32]), "state": "FROZEN"},
            {"r_hash": STANDARD.encode([8; 32]), "state": 7},
            {"r_hash": STANDARD.encode([8; 32]), "value_msat": "much"},
            {"r_hash": STANDARD.encode([8; 32]), "htlcs": [{"expiry_height": "soon"}]},
            {"r_hash": STANDARD.encode([8; 31]), "state": "SETTLED"},
            "an invoice", good,
        ]});
        let listed: Listed = serde_json::from_value(listed).unwrap();
        assert_eq!((listed.invoices.len(), listed.last_index_offset), (9, 9));
        let hashes: Vec<_> = readable(listed.invoices).into_iter().map(|invoice| invoice.hash.0).collect();
        assert_eq!(hashes, [[7; 32]]);
    }

    #[test]
    fn errors_are_read_from_answers_from_streams_and_from_proxies() {
        let answer = serde_json::json!({"code": 5, "message": "unable to locate invoice", "details": []});
        assert_eq!(read_error(&answer, 404).0, Code::NotFound);
        let stream = serde_json::json!({"grpc_code": 14, "message": "shutting down", "http_code": 503});
        assert_eq!(read_error(&stream, 200), (Code::Unavailable, "shutting down".to_owned()));
        assert_eq!(read_error(&Value::Null, 502).0, Code::Unavailable);
        let begun = serde_json::json!({"error": {"code": 2, "message": "permission denied", "details": []}});
        assert_eq!(read_error(&begun, 500), (Code::Unknown, "permission denied".to_owned()));
        assert!(is_error_of_lnd(&begun) && is_error_of_lnd(&answer) && !is_error_of_lnd(&Value::Null));
    }
}
