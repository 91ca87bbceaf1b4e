//! The calls behind LND's REST face: from fields to messages, and back to JSON.

use std::sync::Arc;

use fedimint_tonic_lnd::invoicesrpc::lookup_invoice_msg::InvoiceRef;
use fedimint_tonic_lnd::{invoicesrpc, lnrpc, routerrpc};
use futures_util::stream::StreamExt;
use serde_json::{Value, json};
use tonic::Status;

use super::node::Node;
use super::rest_fields::Fields;
use super::streams::{Answers, begun};
use super::{calls, rest_json, streams};

/// What a call is answered with.
pub enum Reply {
    /// One document.
    One(Value),
    /// Documents as they come.
    Lines(Answers<Value>),
}

/// Makes the call `rpc` (a gRPC path) with what the request says.
pub async fn call(node: Arc<Node>, rpc: &str, argument: &str, mut fields: Fields) -> Result<Reply, Status> {
    let request = &mut fields;
    let one = |value| Ok(Reply::One(value));
    match rpc.rsplit('/').next().unwrap_or_default() {
        "GetInfo" => one(rest_json::info(&calls::get_info(node, lnrpc::GetInfoRequest {}).await?)),
        "ChannelBalance" => {
            let balance = calls::channel_balance(node, lnrpc::ChannelBalanceRequest {}).await?;
            one(rest_json::balance(&balance))
        }
        "AddInvoice" => {
            let invoice = new_invoice(request)?;
            fields.finish()?;
            one(rest_json::added(&calls::add_invoice(node, invoice).await?))
        }
        "ListInvoices" => one(rest_json::list(&calls::list_invoices(node, list_request(request)?).await?)),
        "LookupInvoice" => {
            let r_hash = hex::decode(argument).map_err(|error| super::auth::unknown(error.to_string()))?;
            let hash = lnrpc::PaymentHash { r_hash, ..Default::default() };
            one(rest_json::invoice(&calls::lookup_invoice(node, hash).await?))
        }
        "DecodePayReq" => {
            let request = lnrpc::PayReqString { pay_req: argument.to_owned() };
            one(rest_json::pay_req(&calls::decode_pay_req(node, request).await?))
        }
        "LookupInvoiceV2" => {
            let (hash, addr) = (request.bytes("payment_hash")?, request.bytes("payment_addr")?);
            let by_addr = (!addr.is_empty()).then_some(InvoiceRef::PaymentAddr(addr));
            let by_hash = (!hash.is_empty()).then_some(InvoiceRef::PaymentHash(hash));
            let request = invoicesrpc::LookupInvoiceMsg { invoice_ref: by_hash.or(by_addr), ..Default::default() };
            one(rest_json::invoice(&streams::lookup_invoice_v2(node, request).await?))
        }
        "SendPaymentSync" => one(rest_json::sent(&calls::send_payment_sync(node, send_request(request)?).await?)),
        _ => call_subserver(node, rpc, argument, fields).await,
    }
}

async fn call_subserver(node: Arc<Node>, rpc: &str, argument: &str, mut fields: Fields) -> Result<Reply, Status> {
    let request = &mut fields;
    match rpc.rsplit('/').next().unwrap_or_default() {
        "AddHoldInvoice" => {
            let invoice = new_hold_invoice(request)?;
            fields.finish()?;
            Ok(Reply::One(rest_json::added_hold(&streams::add_hold_invoice(node, invoice).await?)))
        }
        "SettleInvoice" => {
            let preimage = request.bytes("preimage")?;
            streams::settle_invoice(node, invoicesrpc::SettleInvoiceMsg { preimage }).await?;
            Ok(Reply::One(json!({})))
        }
        "CancelInvoice" => {
            let payment_hash = request.bytes("payment_hash")?;
            streams::cancel_invoice(node, invoicesrpc::CancelInvoiceMsg { payment_hash }).await?;
            Ok(Reply::One(json!({})))
        }
        "SubscribeInvoices" => {
            let (add_index, settle_index) = (request.unsigned("add_index")?, request.unsigned("settle_index")?);
            let request = lnrpc::InvoiceSubscription { add_index, settle_index };
            lines(streams::subscribe_invoices(node, request).await?, rest_json::invoice).await
        }
        "SubscribeSingleInvoice" => {
            let r_hash = Fields::decode(argument)?;
            let request = invoicesrpc::SubscribeSingleInvoiceRequest { r_hash };
            lines(streams::subscribe_single_invoice(node, request).await?, rest_json::invoice).await
        }
        "SendPaymentV2" => {
            let order = payment_request(request)?;
            fields.finish()?;
            lines(streams::send_payment_v2(node, order).await?, rest_json::payment).await
        }
        "TrackPaymentV2" => {
            let payment_hash = Fields::decode(argument)?;
            let no_inflight_updates = request.flag("no_inflight_updates")?;
            let request = routerrpc::TrackPaymentRequest { payment_hash, no_inflight_updates };
            lines(streams::track_payment_v2(node, request).await?, rest_json::payment).await
        }
        _ => Err(Status::not_found("Not Found")),
    }
}

fn new_invoice(fields: &mut Fields) -> Result<lnrpc::Invoice, Status> {
    Ok(lnrpc::Invoice {
        memo: fields.text("memo")?,
        r_preimage: fields.bytes("r_preimage")?,
        value: fields.signed("value")?,
        value_msat: fields.signed("value_msat")?,
        description_hash: fields.bytes("description_hash")?,
        expiry: fields.signed("expiry")?,
        cltv_expiry: fields.unsigned("cltv_expiry")?,
        private: fields.flag("private")?,
        ..Default::default()
    })
}

fn new_hold_invoice(fields: &mut Fields) -> Result<invoicesrpc::AddHoldInvoiceRequest, Status> {
    Ok(invoicesrpc::AddHoldInvoiceRequest {
        memo: fields.text("memo")?,
        hash: fields.bytes("hash")?,
        value: fields.signed("value")?,
        value_msat: fields.signed("value_msat")?,
        description_hash: fields.bytes("description_hash")?,
        expiry: fields.signed("expiry")?,
        cltv_expiry: fields.unsigned("cltv_expiry")?,
        private: fields.flag("private")?,
        ..Default::default()
    })
}

fn list_request(fields: &mut Fields) -> Result<lnrpc::ListInvoiceRequest, Status> {
    Ok(lnrpc::ListInvoiceRequest {
        pending_only: fields.flag("pending_only")?,
        index_offset: fields.unsigned("index_offset")?,
        num_max_invoices: fields.unsigned("num_max_invoices")?,
        reversed: fields.flag("reversed")?,
        creation_date_start: fields.unsigned("creation_date_start")?,
        creation_date_end: fields.unsigned("creation_date_end")?,
    })
}

fn send_request(fields: &mut Fields) -> Result<lnrpc::SendRequest, Status> {
    Ok(lnrpc::SendRequest {
        payment_request: fields.text("payment_request")?,
        amt: fields.signed("amt")?,
        amt_msat: fields.signed("amt_msat")?,
        ..Default::default()
    })
}

fn payment_request(fields: &mut Fields) -> Result<routerrpc::SendPaymentRequest, Status> {
    Ok(routerrpc::SendPaymentRequest {
        payment_request: fields.text("payment_request")?,
        amt: fields.signed("amt")?,
        amt_msat: fields.signed("amt_msat")?,
        fee_limit_sat: fields.signed("fee_limit_sat")?,
        fee_limit_msat: fields.signed("fee_limit_msat")?,
        no_inflight_updates: fields.flag("no_inflight_updates")?,
        timeout_seconds: i32::try_from(fields.signed("timeout_seconds")?).unwrap_or(i32::MAX),
        ..Default::default()
    })
}

/// The gateway, too, sends nothing before the first message.
async fn lines<T: Send + 'static>(answers: Answers<T>, write: fn(&T) -> Value) -> Result<Reply, Status> {
    let answers = begun(answers).await?;
    Ok(Reply::Lines(answers.map(move |answer| answer.map(|message| write(&message))).boxed()))
}
