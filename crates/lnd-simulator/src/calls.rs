//! The calls of `lnrpc.Lightning` that are answered once.

use std::sync::Arc;

use fedimint_tonic_lnd::lnrpc;
use sha2::{Digest, Sha256};
use tonic::{Code, Status};

use super::auth::unknown;
use super::bolt11;
use super::book::Refusal;
use super::invoice::{Hex32, Invoice, Terms};
use super::node::{AddFailure, Node, NodeFailure};
use super::oddity::Oddity;
use super::payment::{PayError, PayOrder, PaymentState};
use super::wire;
use ip2tor_domain::lightning::{Network, PaymentHash};

const VERSION: &str = "0.18.5-beta commit=simulator";
const MAX_MEMO: usize = 1024;
/// 100,000 BTC in msat.
const MAX_VALUE_MSAT: u64 = 10_000_000_000_000_000;
const DEFAULT_EXPIRY_SECS: i64 = 24 * 3600;
const MAX_EXPIRY_SECS: i64 = 365 * 24 * 3600;
const DEFAULT_CLTV: u64 = 80;
const MIN_CLTV: u64 = 18;
const MAX_CLTV: u64 = 65535;
const DEFAULT_PAGE: u64 = 100;

/// `GetInfo`: asks the chain backend.
#[expect(deprecated, reason = "LND still fills the fields that it calls deprecated, and clients read them")]
pub async fn get_info(node: Arc<Node>, _: lnrpc::GetInfoRequest) -> Result<lnrpc::GetInfoResponse, Status> {
    node.faults.chain_answers().await;
    let (height, key) = (node.lock().height, node.identity.public_key);
    let network = node.faults.told_network().unwrap_or(node.identity.network());
    Ok(lnrpc::GetInfoResponse {
        version: VERSION.to_owned(),
        identity_pubkey: key.to_string(),
        alias: node.alias.clone(),
        color: "#3399ff".to_owned(),
        num_active_channels: u32::from(!node.faults.peers_gone()),
        num_inactive_channels: u32::from(node.faults.peers_gone()),
        num_peers: u32::from(!node.faults.peers_gone()),
        block_height: height,
        block_hash: hex::encode(Sha256::digest(height.to_be_bytes())),
        best_header_timestamp: node.clock.now().secs(),
        synced_to_chain: node.faults.synced(),
        synced_to_graph: node.faults.synced(),
        testnet: network == Network::Testnet,
        chains: vec![lnrpc::Chain { chain: "bitcoin".to_owned(), network: network.name().to_owned() }],
        uris: vec![format!("{key}@127.0.0.1:9735")],
        ..Default::default()
    })
}

/// `ChannelBalance`
#[expect(deprecated, reason = "LND still fills the fields that it calls deprecated, and clients read them")]
pub async fn channel_balance(
    node: Arc<Node>,
    _: lnrpc::ChannelBalanceRequest,
) -> Result<lnrpc::ChannelBalanceResponse, Status> {
    let (local_msat, remote_msat) = {
        let state = node.lock();
        (state.local_msat, state.remote_msat)
    };
    let amount = |msat| Some(lnrpc::Amount { sat: msat / 1000, msat });
    Ok(lnrpc::ChannelBalanceResponse {
        balance: wire::signed(local_msat / 1000),
        local_balance: amount(local_msat),
        remote_balance: amount(remote_msat),
        unsettled_local_balance: amount(0),
        unsettled_remote_balance: amount(0),
        pending_open_local_balance: amount(0),
        pending_open_remote_balance: amount(0),
        ..Default::default()
    })
}

/// `AddInvoice`: the preimage is the caller's or a random one.
pub async fn add_invoice(node: Arc<Node>, request: lnrpc::Invoice) -> Result<lnrpc::AddInvoiceResponse, Status> {
    let preimage = match request.r_preimage.as_slice() {
        [] => node.random32(),
        bytes => thirty_two(bytes, "preimage")?,
    };
    let order = NewInvoice {
        hash: Sha256::digest(preimage).into(),
        preimage: Some(Hex32(preimage)),
        memo: request.memo,
        label: None,
        value: (request.value, request.value_msat),
        description_hash: request.description_hash,
        expiry: request.expiry,
        cltv_expiry: request.cltv_expiry,
        private: request.private,
    };
    let invoice = add(&node, order)?;
    Ok(lnrpc::AddInvoiceResponse {
        r_hash: invoice.terms.hash.0.to_vec(),
        payment_request: invoice.terms.payment_request.clone(),
        add_index: invoice.add_index,
        payment_addr: invoice.terms.payment_addr.0.to_vec(),
    })
}

/// What `AddInvoice` and `AddHoldInvoice` have in common.
pub struct NewInvoice {
    pub hash: [u8; 32],
    pub preimage: Option<Hex32>,
    pub memo: String,
    /// Only Core Lightning names its invoices.
    pub label: Option<String>,
    /// Sat and msat; at most one is set.
    pub value: (i64, i64),
    pub description_hash: Vec<u8>,
    pub expiry: i64,
    pub cltv_expiry: u64,
    pub private: bool,
}

/// Makes an invoice by LND's rules.
pub fn add(node: &Node, order: NewInvoice) -> Result<Invoice, Status> {
    if order.memo.len() > MAX_MEMO {
        let size = order.memo.len();
        return Err(unknown(format!("memo too large: {size} bytes (maxsize={MAX_MEMO})")));
    }
    if !matches!(order.description_hash.len(), 0 | 32) {
        let size = order.description_hash.len();
        return Err(unknown(format!("description hash is {size} bytes, must be 32")));
    }
    let terms = Terms {
        hash: Hex32(order.hash),
        preimage: order.preimage,
        payment_addr: Hex32(node.random32()),
        memo: order.memo,
        label: order.label,
        description_hash: order.description_hash,
        value_msat: value_msat(order.value)?,
        expiry_secs: expiry_secs(order.expiry)?,
        cltv_expiry: cltv_expiry(order.cltv_expiry)?,
        private: order.private,
        payment_request: String::new(),
        created_ms: node.clock.now().0,
        oddity: Oddity::None,
        bulk: 0,
    };
    node.add(terms).map_err(|failure| match failure {
        AddFailure::Node(failure) => failed(failure),
        AddFailure::Unencodable(text) => unknown(text),
    })
}

fn value_msat((sat, msat): (i64, i64)) -> Result<u64, Status> {
    if sat != 0 && msat != 0 {
        return Err(unknown("sat and msat arguments are mutually exclusive".to_owned()));
    }
    let value = u64::try_from(i128::from(sat) * 1000 + i128::from(msat));
    match value {
        Ok(value) if value <= MAX_VALUE_MSAT => Ok(value),
        Ok(value) => Err(unknown(format!("invoice amount {} sat is too large", value / 1000))),
        Err(_) if sat < 0 || msat < 0 => Err(unknown("amount cannot be negative".to_owned())),
        Err(_) => Err(unknown("invoice amount is too large".to_owned())),
    }
}

fn expiry_secs(expiry: i64) -> Result<u64, Status> {
    if expiry > MAX_EXPIRY_SECS {
        return Err(unknown(format!(
            "expiry of {expiry} seconds greater than max expiry of {MAX_EXPIRY_SECS} seconds"
        )));
    }
    let expiry = if expiry > 0 { expiry } else { DEFAULT_EXPIRY_SECS };
    Ok(expiry.unsigned_abs())
}

fn cltv_expiry(delta: u64) -> Result<u64, Status> {
    match delta {
        0 => Ok(DEFAULT_CLTV),
        delta if delta > MAX_CLTV => {
            Err(unknown(format!("CLTV delta of {delta} is too large, max accepted is: {MAX_CLTV}")))
        }
        delta if delta < MIN_CLTV => {
            Err(unknown(format!("CLTV delta of {delta} must be greater than minimum of {MIN_CLTV}")))
        }
        delta => Ok(delta),
    }
}

/// `LookupInvoice`
#[expect(deprecated, reason = "LND still reads the hash as text")]
pub async fn lookup_invoice(node: Arc<Node>, request: lnrpc::PaymentHash) -> Result<lnrpc::Invoice, Status> {
    let hash = match request.r_hash_str.as_str() {
        "" => payment_hash(&request.r_hash)?,
        text => payment_hash(&hex::decode(text).map_err(|error| unknown(format!("encoding/hex: {error}")))?)?,
    };
    node.invoice(hash).as_ref().map(wire::told).ok_or_else(not_found)?
}

/// `ListInvoices`: pages by add index, always oldest first within a page.
pub async fn list_invoices(
    node: Arc<Node>,
    request: lnrpc::ListInvoiceRequest,
) -> Result<lnrpc::ListInvoiceResponse, Status> {
    let limit = if request.num_max_invoices == 0 { DEFAULT_PAGE } else { request.num_max_invoices };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let made_between = |invoice: &&Invoice| {
        let made = u64::try_from(invoice.terms.created_ms / 1000).unwrap_or(0);
        let end = if request.creation_date_end == 0 { u64::MAX } else { request.creation_date_end };
        (request.creation_date_start..=end).contains(&made)
    };
    let (invoices, read) = {
        let state = node.lock();
        if request.reversed {
            let before = if request.index_offset == 0 { u64::MAX } else { request.index_offset };
            let page = state.book.range(0..before, request.pending_only).rev().filter(made_between).take(limit);
            let mut page: Vec<_> = page.map(wire::told).collect::<Result<_, _>>()?;
            page.reverse();
            (page, 0)
        } else {
            let after = request.index_offset.saturating_add(1);
            let page = state.book.range(after..u64::MAX, request.pending_only);
            let page: Vec<_> = page.filter(made_between).take(limit).map(wire::told).collect::<Result<_, _>>()?;
            let end = page.last().filter(|_| page.len() == limit).map_or(u64::MAX, |last| last.add_index + 1);
            (page, state.book.count(after..end))
        }
    };
    node.read_through(read).await;
    let index = |invoice: Option<&lnrpc::Invoice>| invoice.map_or(0, |invoice| invoice.add_index);
    let (first_index_offset, last_index_offset) = (index(invoices.first()), index(invoices.last()));
    Ok(lnrpc::ListInvoiceResponse { invoices, last_index_offset, first_index_offset })
}

/// `DecodePayReq`
pub async fn decode_pay_req(node: Arc<Node>, request: lnrpc::PayReqString) -> Result<lnrpc::PayReq, Status> {
    let invoice = bolt11::read(&request.pay_req, node.identity.network()).map_err(unknown)?;
    Ok(wire::pay_req(&invoice))
}

/// `SendPaymentSync`: blocks until the payment is through or has failed; a failure is in the answer.
pub async fn send_payment_sync(node: Arc<Node>, request: lnrpc::SendRequest) -> Result<lnrpc::SendResponse, Status> {
    server_active(&node)?;
    let amount_msat = optional_msat((request.amt, request.amt_msat))?;
    let order = PayOrder {
        fee_limit_msat: fee_limit(&request, amount_msat, &node),
        request: request.payment_request,
        amount_msat,
    };
    let mut started = match node.pay(&order) {
        Ok(started) => started,
        Err(PayError::Invalid(text)) => return Err(unknown(text)),
        Err(error) => return Ok(lnrpc::SendResponse { payment_error: error.to_string(), ..Default::default() }),
    };
    let payment = started.updates.recv().await.unwrap_or(started.payment);
    let payment_hash = payment.hash.0.to_vec();
    Ok(match &payment.state {
        PaymentState::Succeeded(preimage) => lnrpc::SendResponse {
            payment_preimage: preimage.0.to_vec(),
            payment_route: Some(wire::route(&payment)),
            payment_hash,
            ..Default::default()
        },
        PaymentState::Failed(reason) => {
            lnrpc::SendResponse { payment_error: reason.name().to_owned(), payment_hash, ..Default::default() }
        }
        PaymentState::InFlight => return Err(Status::unavailable("server shutting down")),
    })
}

/// The limit that is asked for; without one LND takes 5 %, or everything up to 1000 sat.
fn fee_limit(request: &lnrpc::SendRequest, amount_msat: Option<u64>, node: &Node) -> Option<u64> {
    use lnrpc::fee_limit::Limit;
    let asked = bolt11::read(&request.payment_request, node.identity.network());
    let amount_msat = amount_msat.or_else(|| asked.ok()?.amount_milli_satoshis()).unwrap_or(0);
    let limit = match request.fee_limit.as_ref().and_then(|limit| limit.limit.as_ref()) {
        Some(Limit::Fixed(sat)) => u64::try_from(*sat).unwrap_or(0).saturating_mul(1000),
        Some(Limit::FixedMsat(msat)) => u64::try_from(*msat).unwrap_or(0),
        Some(Limit::Percent(percent)) => amount_msat.saturating_mul(u64::try_from(*percent).unwrap_or(0)) / 100,
        None if amount_msat <= 1_000_000 => amount_msat,
        None => amount_msat / 20,
    };
    Some(limit)
}

/// An amount that may be left out.
pub fn optional_msat(value: (i64, i64)) -> Result<Option<u64>, Status> {
    Ok(Some(value_msat(value)?).filter(|value| *value > 0))
}

/// Payments need a node that has caught up with the chain.
pub fn server_active(node: &Node) -> Result<(), Status> {
    if node.faults.synced() {
        Ok(())
    } else {
        Err(unknown("chain backend is still syncing, server not active yet".to_owned()))
    }
}

/// The answer to a refused change.
pub fn failed(failure: NodeFailure) -> Status {
    unknown(failure.to_string())
}

/// The answer of a look-up that finds nothing.
pub fn not_found() -> Status {
    Status::new(Code::NotFound, Refusal::NotFound.to_string())
}

/// A payment hash from a request.
pub fn payment_hash(bytes: &[u8]) -> Result<PaymentHash, Status> {
    thirty_two(bytes, "hash").map(PaymentHash)
}

/// 32 bytes from a request, which are a `what`.
pub fn thirty_two(bytes: &[u8], what: &str) -> Result<[u8; 32], Status> {
    bytes.try_into().map_err(|_| unknown(format!("invalid {what} length of {}, want 32", bytes.len())))
}
