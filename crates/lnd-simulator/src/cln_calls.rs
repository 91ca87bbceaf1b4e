//! The calls of Core Lightning that have to do with invoices, answered as lightningd answers them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::bolt11;
use super::book::Refusal;
use super::cln_params::{Params, Refused};
use super::cln_pay;
use super::invoice::{Hex32, Invoice, State, Terms};
use super::node::{AddFailure, Node, NodeFailure};
use super::oddity::Oddity;
use ip2tor_domain::lightning::{Network, PaymentHash};

const DUPLICATE_LABEL: i32 = 900;
const DUPLICATE_PREIMAGE: i32 = 901;
const EXPIRED_DURING_WAIT: i32 = 903;
const TIMED_OUT: i32 = 904;
const NOT_FOUND: i32 = 905;
const OTHER_STATUS: i32 = 906;
const UNKNOWN_COMMAND: i32 = -32601;
const INVALID_PARAMS: i32 = -32602;
const GENERAL: i32 = -1;

const VERSION: &str = "v24.11-simulator";
/// A week.
const DEFAULT_EXPIRY_SECS: u64 = 604_800;
const DEFAULT_CLTV: u64 = 18;

/// Makes one call.
pub async fn call(node: &Arc<Node>, method: &str, params: Params) -> Result<Value, Refused> {
    match method {
        "getinfo" => Ok(getinfo(node)),
        "listpeerchannels" => Ok(channels(node)),
        "invoice" => invoice(node, &params),
        "listinvoices" => list(node, &params),
        "delinvoice" => delete(node, &params),
        "waitanyinvoice" => wait_any(node, &params).await,
        "waitinvoice" => wait(node, &params).await,
        "decode" | "decodepay" => decode(node, &params),
        "pay" => cln_pay::pay(node, &params).await,
        "xpay" if !node.faults.cln.lacks_xpay() => cln_pay::xpay(node, &params).await,
        "listpays" => cln_pay::list(node, &params, "pays", "preimage"),
        "listsendpays" => cln_pay::list(node, &params, "payments", "payment_preimage"),
        _ => Err(Refused::new(UNKNOWN_COMMAND, format!("Unknown command '{method}'"))),
    }
}

fn getinfo(node: &Node) -> Value {
    let network = match node.identity.network() {
        Network::Mainnet => "bitcoin",
        other => other.name(),
    };
    let mut info = json!({
        "id": node.identity.public_key.to_string(),
        "alias": node.alias,
        "color": "3399ff",
        "num_peers": 1,
        "num_pending_channels": 0,
        // Counted by their state alone: whether the peer is there makes no difference.
        "num_active_channels": 1,
        "num_inactive_channels": 0,
        "address": [{ "type": "ipv4", "address": "127.0.0.1", "port": 9735 }],
        "binding": [],
        "version": VERSION,
        "blockheight": node.lock().height,
        "network": network,
        "fees_collected_msat": 0,
        "lightning-dir": "",
    });
    if !node.faults.synced() {
        info["warning_bitcoind_sync"] = "Bitcoind is not up-to-date with network.".into();
    }
    info
}

fn channels(node: &Node) -> Value {
    let state = node.lock();
    json!({ "channels": [{
        "peer_id": node.identity.public_key.to_string(),
        "peer_connected": !node.faults.peers_gone(),
        "state": "CHANNELD_NORMAL",
        "short_channel_id": "1x1x0",
        "total_msat": state.local_msat + state.remote_msat,
        "to_us_msat": state.local_msat,
        "spendable_msat": state.local_msat,
        "receivable_msat": state.remote_msat,
        "lost_state": false,
        "private": false,
    }] })
}

fn invoice(node: &Node, params: &Params) -> Result<Value, Refused> {
    let label = params.required("label")?;
    if node.lock().book.by_label(&label).is_some() {
        return Err(Refused::new(DUPLICATE_LABEL, format!("Duplicate label '{label}'")));
    }
    params.required("amount_msat")?;
    let preimage = params.hex32("preimage")?.unwrap_or_else(|| node.random32());
    let memo: String = params.required("description")?;
    let description_hash = if params.asked("deschashonly") { Sha256::digest(&memo).to_vec() } else { Vec::new() };
    let terms = Terms {
        hash: Hex32(Sha256::digest(preimage).into()),
        preimage: Some(Hex32(preimage)),
        payment_addr: Hex32(node.random32()),
        memo,
        label: Some(label),
        description_hash,
        value_msat: params.amount("amount_msat")?.unwrap_or(0),
        expiry_secs: params.number("expiry")?.unwrap_or(DEFAULT_EXPIRY_SECS),
        cltv_expiry: params.number("cltv")?.unwrap_or(DEFAULT_CLTV),
        private: params.asked("exposeprivatechannels"),
        payment_request: String::new(),
        created_ms: node.clock.now().0,
        oddity: Oddity::None,
        bulk: 0,
    };
    let invoice = node.add(terms).map_err(|failure| match failure {
        AddFailure::Node(NodeFailure::Refused(Refusal::Duplicate)) => {
            Refused::new(DUPLICATE_PREIMAGE, "preimage already used")
        }
        other => Refused::new(GENERAL, other.to_string()),
    })?;
    Ok(json!({
        "payment_hash": hex::encode(invoice.terms.hash.0),
        "expires_at": invoice.terms.expires_at().secs(),
        "bolt11": invoice.terms.payment_request,
        "payment_secret": hex::encode(invoice.terms.payment_addr.0),
        "created_index": invoice.add_index,
    }))
}

fn list(node: &Node, params: &Params) -> Result<Value, Refused> {
    let state = node.lock();
    let one = |invoice: Option<&Invoice>| json!({ "invoices": invoice.map(show).into_iter().collect::<Vec<_>>() });
    if let Some(label) = params.text("label") {
        return Ok(one(state.book.by_label(&label)));
    }
    if let Some(hash) = params.hex32("payment_hash")? {
        return Ok(one(state.book.get(PaymentHash(hash))));
    }
    if let Some(request) = params.text("invstring") {
        let read = bolt11::read(&request, node.identity.network());
        let read = read.map_err(|error| Refused::new(INVALID_PARAMS, error))?;
        return Ok(one(state.book.get(PaymentHash(*AsRef::<[u8; 32]>::as_ref(read.payment_hash())))));
    }
    let start = params.number("start")?.unwrap_or(0);
    let limit = usize::try_from(params.number("limit")?.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let page: Vec<Value> = state.book.range(start..u64::MAX, false).take(limit).map(show).collect();
    node.count_read(u64::try_from(page.len()).unwrap_or(u64::MAX));
    Ok(json!({ "invoices": page }))
}

fn delete(node: &Node, params: &Params) -> Result<Value, Refused> {
    let (label, wanted) = (params.required("label")?, params.required("status")?);
    let state = match wanted.as_str() {
        "unpaid" => State::Open,
        "paid" => State::Settled,
        "expired" => State::Canceled,
        _ => return Err(Refused::new(INVALID_PARAMS, "status: should be unpaid, paid or expired")),
    };
    match node.delete(&label, state) {
        Ok(Ok(invoice)) => Ok(show(&invoice)),
        Ok(Err(other)) => Err(Refused::new(OTHER_STATUS, format!("Invoice status is {} not {wanted}", status(other)))),
        Err(NodeFailure::Refused(_)) => Err(Refused::new(NOT_FOUND, "Unknown invoice")),
        Err(error) => Err(Refused::new(GENERAL, error.to_string())),
    }
}

/// The first invoice that was paid after the index, or the next that will be, whatever its index is then.
/// Unlike LND's stream, this replays from the first settlement on.
async fn wait_any(node: &Node, params: &Params) -> Result<Value, Refused> {
    let after = params.number("lastpay_index")?.unwrap_or(0);
    let timeout = params.number("timeout")?.map(Duration::from_secs);
    let (_, mut live) = node.listen(0, 0);
    let paid = node.lock().book.settled_after(after).next().cloned();
    if let Some(invoice) = paid {
        return Ok(show(&invoice));
    }
    let next = async {
        while let Some(invoice) = live.recv().await {
            if invoice.state() == State::Settled {
                return Ok(show(&invoice));
            }
        }
        Err(Refused::new(GENERAL, "shutting down"))
    };
    match timeout {
        None => next.await,
        Some(limit) => tokio::time::timeout(limit, next).await.unwrap_or(Err(Refused::new(TIMED_OUT, "Timed out"))),
    }
}

async fn wait(node: &Node, params: &Params) -> Result<Value, Refused> {
    let label = params.required("label")?;
    let hash = node.lock().book.by_label(&label).map(Invoice::hash);
    let hash = hash.ok_or_else(|| Refused::new(GENERAL, "Label not found"))?;
    let (mut present, mut changes) = node.watch(hash);
    loop {
        match present {
            Some(invoice) if invoice.state() == State::Settled => return Ok(show(&invoice)),
            Some(invoice) if invoice.state() == State::Canceled => {
                return Err(Refused::new(EXPIRED_DURING_WAIT, "invoice expired during wait"));
            }
            Some(_) => present = changes.recv().await,
            None => return Err(Refused::new(GENERAL, "invoice deleted during wait")),
        }
    }
}

fn decode(node: &Node, params: &Params) -> Result<Value, Refused> {
    let request = params.text("string").map_or_else(|| params.required("bolt11"), Ok)?;
    let read = bolt11::read(&request, node.identity.network());
    let read = read.map_err(|error| Refused::new(INVALID_PARAMS, format!("Invalid bolt11: {error}")))?;
    Ok(json!({
        "type": "bolt11 invoice",
        "valid": true,
        "created_at": read.duration_since_epoch().as_secs(),
        "expiry": read.expiry_time().as_secs(),
        "payee": read.get_payee_pub_key().to_string(),
        "amount_msat": read.amount_milli_satoshis(),
        "description": read.description().to_string(),
        "min_final_cltv_expiry": read.min_final_cltv_expiry_delta(),
        "payment_secret": hex::encode(read.payment_secret().0),
        "payment_hash": read.payment_hash().to_string(),
    }))
}

/// The states that Core Lightning knows. A payment that is held here is none that it has.
fn status(state: State) -> &'static str {
    match state {
        State::Open | State::Accepted => "unpaid",
        State::Settled => "paid",
        State::Canceled => "expired",
    }
}

fn show(invoice: &Invoice) -> Value {
    let terms = &invoice.terms;
    let mut shown = json!({
        "label": terms.label(),
        "bolt11": terms.payment_request,
        "payment_hash": hex::encode(terms.hash.0),
        "status": status(invoice.state()),
        "description": terms.memo,
        "expires_at": terms.expires_at().secs(),
        "created_index": invoice.add_index,
    });
    if terms.value_msat > 0 {
        shown["amount_msat"] = terms.value_msat.into();
    }
    if let (State::Settled, Some(preimage)) = (invoice.state(), invoice.preimage()) {
        shown["pay_index"] = invoice.progress.settle_index.into();
        shown["amount_received_msat"] = invoice.paid_msat().into();
        shown["paid_at"] = invoice.progress.settled_ms.map(|ms| ms / 1000).into();
        shown["payment_preimage"] = hex::encode(preimage.0).into();
    }
    shown
}
