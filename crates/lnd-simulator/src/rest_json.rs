//! LND's messages as its REST gateway writes them: all fields, 64-bit numbers as strings, bytes as
//! base64, enumerations by name.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fedimint_tonic_lnd::{invoicesrpc, lnrpc};
use serde_json::{Map, Value, json};

fn bytes(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// An invoice.
#[expect(deprecated, reason = "LND still fills the fields that it calls deprecated, and clients read them")]
pub fn invoice(invoice: &lnrpc::Invoice) -> Value {
    json!({
        "memo": invoice.memo,
        "r_preimage": bytes(&invoice.r_preimage),
        "r_hash": bytes(&invoice.r_hash),
        "value": invoice.value.to_string(),
        "value_msat": invoice.value_msat.to_string(),
        "settled": invoice.settled,
        "creation_date": invoice.creation_date.to_string(),
        "settle_date": invoice.settle_date.to_string(),
        "payment_request": invoice.payment_request,
        "description_hash": bytes(&invoice.description_hash),
        "expiry": invoice.expiry.to_string(),
        "fallback_addr": invoice.fallback_addr,
        "cltv_expiry": invoice.cltv_expiry.to_string(),
        "route_hints": [],
        "private": invoice.private,
        "add_index": invoice.add_index.to_string(),
        "settle_index": invoice.settle_index.to_string(),
        "amt_paid": invoice.amt_paid.to_string(),
        "amt_paid_sat": invoice.amt_paid_sat.to_string(),
        "amt_paid_msat": invoice.amt_paid_msat.to_string(),
        "state": invoice_state(invoice.state),
        "htlcs": invoice.htlcs.iter().map(htlc).collect::<Vec<_>>(),
        "features": {},
        "is_keysend": invoice.is_keysend,
        "payment_addr": bytes(&invoice.payment_addr),
        "is_amp": invoice.is_amp,
        "amp_invoice_state": {},
        "is_blinded": invoice.is_blinded,
        "blinded_path_config": null,
    })
}

/// A number that has no name is written as it is.
fn invoice_state(number: i32) -> Value {
    match lnrpc::invoice::InvoiceState::try_from(number) {
        Ok(state) => state.as_str_name().into(),
        Err(_) => number.into(),
    }
}

fn htlc(htlc: &lnrpc::InvoiceHtlc) -> Value {
    json!({
        "chan_id": htlc.chan_id.to_string(),
        "htlc_index": htlc.htlc_index.to_string(),
        "amt_msat": htlc.amt_msat.to_string(),
        "accept_height": htlc.accept_height,
        "accept_time": htlc.accept_time.to_string(),
        "resolve_time": htlc.resolve_time.to_string(),
        "expiry_height": htlc.expiry_height,
        "state": htlc.state().as_str_name(),
        "custom_records": htlc.custom_records.iter().map(|(kind, record)| (kind.to_string(), bytes(record).into())).collect::<Map<_, _>>(),
        "mpp_total_amt_msat": htlc.mpp_total_amt_msat.to_string(),
        "amp": null,
        "custom_channel_data": "",
    })
}

/// `AddInvoice`
pub fn added(added: &lnrpc::AddInvoiceResponse) -> Value {
    json!({
        "r_hash": bytes(&added.r_hash),
        "payment_request": added.payment_request,
        "add_index": added.add_index.to_string(),
        "payment_addr": bytes(&added.payment_addr),
    })
}

/// `AddHoldInvoice`
pub fn added_hold(added: &invoicesrpc::AddHoldInvoiceResp) -> Value {
    json!({
        "payment_request": added.payment_request,
        "add_index": added.add_index.to_string(),
        "payment_addr": bytes(&added.payment_addr),
    })
}

/// `ListInvoices`
pub fn list(list: &lnrpc::ListInvoiceResponse) -> Value {
    json!({
        "invoices": list.invoices.iter().map(invoice).collect::<Vec<_>>(),
        "last_index_offset": list.last_index_offset.to_string(),
        "first_index_offset": list.first_index_offset.to_string(),
    })
}

/// `GetInfo`
#[expect(deprecated, reason = "LND still fills the fields that it calls deprecated, and clients read them")]
pub fn info(info: &lnrpc::GetInfoResponse) -> Value {
    let chain = |chain: &lnrpc::Chain| json!({ "chain": chain.chain, "network": chain.network });
    json!({
        "version": info.version,
        "commit_hash": info.commit_hash,
        "identity_pubkey": info.identity_pubkey,
        "alias": info.alias,
        "color": info.color,
        "num_pending_channels": info.num_pending_channels,
        "num_active_channels": info.num_active_channels,
        "num_inactive_channels": info.num_inactive_channels,
        "num_peers": info.num_peers,
        "block_height": info.block_height,
        "block_hash": info.block_hash,
        "best_header_timestamp": info.best_header_timestamp.to_string(),
        "synced_to_chain": info.synced_to_chain,
        "synced_to_graph": info.synced_to_graph,
        "testnet": info.testnet,
        "chains": info.chains.iter().map(chain).collect::<Vec<_>>(),
        "uris": info.uris,
        "features": {},
        "require_htlc_interceptor": info.require_htlc_interceptor,
        "store_final_htlc_resolutions": info.store_final_htlc_resolutions,
    })
}

/// `ChannelBalance`
#[expect(deprecated, reason = "LND still fills the fields that it calls deprecated, and clients read them")]
pub fn balance(balance: &lnrpc::ChannelBalanceResponse) -> Value {
    let amount = |amount: &Option<lnrpc::Amount>| {
        amount.as_ref().map(|amount| json!({ "sat": amount.sat.to_string(), "msat": amount.msat.to_string() }))
    };
    json!({
        "balance": balance.balance.to_string(),
        "pending_open_balance": balance.pending_open_balance.to_string(),
        "local_balance": amount(&balance.local_balance),
        "remote_balance": amount(&balance.remote_balance),
        "unsettled_local_balance": amount(&balance.unsettled_local_balance),
        "unsettled_remote_balance": amount(&balance.unsettled_remote_balance),
        "pending_open_local_balance": amount(&balance.pending_open_local_balance),
        "pending_open_remote_balance": amount(&balance.pending_open_remote_balance),
        "custom_channel_data": "",
    })
}

/// `DecodePayReq`
pub fn pay_req(decoded: &lnrpc::PayReq) -> Value {
    json!({
        "destination": decoded.destination,
        "payment_hash": decoded.payment_hash,
        "num_satoshis": decoded.num_satoshis.to_string(),
        "timestamp": decoded.timestamp.to_string(),
        "expiry": decoded.expiry.to_string(),
        "description": decoded.description,
        "description_hash": decoded.description_hash,
        "fallback_addr": decoded.fallback_addr,
        "cltv_expiry": decoded.cltv_expiry.to_string(),
        "route_hints": [],
        "payment_addr": bytes(&decoded.payment_addr),
        "num_msat": decoded.num_msat.to_string(),
        "features": {},
        "blinded_paths": [],
    })
}

/// `SendPaymentSync`
pub fn sent(sent: &lnrpc::SendResponse) -> Value {
    let route = |route: &lnrpc::Route| {
        json!({
            "total_time_lock": route.total_time_lock,
            "total_fees_msat": route.total_fees_msat.to_string(),
            "total_amt_msat": route.total_amt_msat.to_string(),
            "hops": [],
        })
    };
    json!({
        "payment_error": sent.payment_error,
        "payment_preimage": bytes(&sent.payment_preimage),
        "payment_route": sent.payment_route.as_ref().map(route),
        "payment_hash": bytes(&sent.payment_hash),
    })
}

/// An update of a payment.
#[expect(deprecated, reason = "LND still fills the fields that it calls deprecated, and clients read them")]
pub fn payment(payment: &lnrpc::Payment) -> Value {
    json!({
        "payment_hash": payment.payment_hash,
        "value": payment.value.to_string(),
        "creation_date": payment.creation_date.to_string(),
        "fee": payment.fee.to_string(),
        "payment_preimage": payment.payment_preimage,
        "value_sat": payment.value_sat.to_string(),
        "value_msat": payment.value_msat.to_string(),
        "payment_request": payment.payment_request,
        "status": payment.status().as_str_name(),
        "fee_sat": payment.fee_sat.to_string(),
        "fee_msat": payment.fee_msat.to_string(),
        "creation_time_ns": payment.creation_time_ns.to_string(),
        "htlcs": [],
        "payment_index": payment.payment_index.to_string(),
        "failure_reason": payment.failure_reason().as_str_name(),
        "first_hop_custom_records": {},
    })
}
