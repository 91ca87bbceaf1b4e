//! Core Lightning over its unix socket. Plain invoices only: without a plugin it can't hold.
//!
//! Invoices are labelled with their payment hash, so that making one twice finds the first.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use cln_rpc::model::requests::{DelinvoiceRequest, DelinvoiceStatus, ListinvoicesRequest, WaitinvoiceRequest};
use cln_rpc::model::responses::{ListinvoicesInvoices, ListinvoicesInvoicesStatus, WaitanyinvoiceResponse};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::bolt11::Added;
use super::cln_call::{Failure, Socket};
use super::policy::Policy;
use super::{InvoiceStream, LightningNode, bolt11, outcome};
use ip2tor_domain::address::with_port;
use ip2tor_domain::lightning::{
    CancelOutcome, InvoicePage, InvoiceRequest, MadeInvoice, Network, NodeError, NodeErrorKind, NodeInfo, NodeInvoice,
    NodeInvoiceState, PaymentHash, Preimage, SettleOutcome,
};
use ip2tor_domain::money::Msat;
use ip2tor_domain::time::Timestamp;

/// How long lightningd waits for a settlement before it answers "none yet".
const POLL_SECS: u64 = 60;
/// A slow lightningd's grace beyond [`POLL_SECS`].
const POLL_LIMIT: Duration = Duration::from_secs(POLL_SECS + 15);
/// How long one invoice is watched at most: longer than any invoice of the shop lives.
const WATCH_LIMIT: Duration = Duration::from_secs(24 * 3600);
/// Code of `waitanyinvoice` for "none within the time asked for".
const NONE_YET: i32 = 904;

/// A Core Lightning node.
pub struct CoreLightning {
    socket: Socket,
    policy: Policy,
}

/// The part of the answer to `invoice` that the shop reads.
#[derive(Deserialize)]
struct Made {
    bolt11: String,
    created_index: Option<u64>,
}

/// The answer to `listinvoices`; an invoice that can't be read must not keep the others from being read.
#[derive(Deserialize)]
struct Listed {
    invoices: Vec<Value>,
}

/// The part of the answer to `listpeerchannels` that the shop reads.
#[derive(Deserialize)]
struct Channels {
    channels: Vec<Channel>,
}

/// What the names of our invoices begin with.
const LABEL: &str = "ip2tor-";

#[derive(Deserialize)]
struct Channel {
    state: String,
    /// Older lightningds don't say.
    #[serde(default = "yes")]
    peer_connected: bool,
    receivable_msat: Option<cln_rpc::primitives::Amount>,
    spendable_msat: Option<cln_rpc::primitives::Amount>,
}

/// The channels that can be used now.
#[derive(Default)]
struct Usable {
    channels: u32,
    /// What they can receive, in msat.
    inbound: u64,
    /// What they can send, in msat.
    outbound: u64,
}

const fn yes() -> bool {
    true
}

/// An answer without content of interest.
#[derive(Deserialize)]
struct Nothing {}

impl CoreLightning {
    /// The node with the socket at `path` (`~/.lightning/<network>/lightning-rpc`).
    pub const fn new(path: PathBuf, policy: Policy) -> Self {
        Self { socket: Socket { path }, policy }
    }

    async fn invoices(&self, request: ListinvoicesRequest) -> Result<Vec<ListinvoicesInvoices>, NodeError> {
        Ok(self.socket.call(&request, self.policy.call_limit).await?.invoices)
    }

    async fn find(&self, hash: PaymentHash) -> Result<Option<ListinvoicesInvoices>, NodeError> {
        let request = ListinvoicesRequest { payment_hash: Some(hash.to_string()), ..everything() };
        Ok(self.invoices(request).await?.pop())
    }

    async fn add(&self, request: &InvoiceRequest, preimage: Preimage) -> Result<Added, NodeError> {
        let mut params = json!({
            "amount_msat": request.amount.0,
            "label": label(request),
            "description": request.described_by.as_ref().unwrap_or(&request.memo),
            "expiry": request.expiry_secs,
            "preimage": hex::encode(preimage.0),
        });
        if let Some(blocks) = request.cltv_expiry {
            params["cltv"] = blocks.into();
        }
        if request.private {
            params["exposeprivatechannels"] = true.into();
        }
        if request.described_by.is_some() {
            params["deschashonly"] = true.into();
        }
        let made: Made = self.socket.call_with("invoice", params, self.policy.create_limit).await?;
        Ok(Added { payment_request: made.bolt11, add_index: made.created_index })
    }

    /// The channels that can be used now, and what they can receive and send: a channel without its peer can't, although
    /// `getinfo` counts it as active.
    async fn usable_channels(&self) -> Option<Usable> {
        let call = self.socket.call_with::<Channels>("listpeerchannels", json!({}), self.policy.call_limit);
        let channels = call.await.ok()?.channels.into_iter();
        let usable = |channel: &Channel| channel.state == "CHANNELD_NORMAL" && channel.peer_connected;
        let sum = |all: Usable, channel: Channel| Usable {
            channels: all.channels.saturating_add(1),
            inbound: all.inbound + channel.receivable_msat.map_or(0, |amount| amount.msat()),
            outbound: all.outbound + channel.spendable_msat.map_or(0, |amount| amount.msat()),
        };
        Some(channels.filter(usable).fold(Usable::default(), sum))
    }

    async fn delete(&self, invoice: ListinvoicesInvoices) -> Result<bool, NodeError> {
        let status = match invoice.status {
            ListinvoicesInvoicesStatus::EXPIRED => DelinvoiceStatus::EXPIRED,
            // A paid one is refused with this, as it should be.
            _ => DelinvoiceStatus::UNPAID,
        };
        let request = DelinvoiceRequest { label: invoice.label, status, desconly: None };
        let params = serde_json::to_value(&request).unwrap_or_default();
        let _: Nothing = self.socket.call_with("delinvoice", params, self.policy.call_limit).await?;
        Ok(true)
    }
}

#[async_trait]
impl LightningNode for CoreLightning {
    fn can_hold(&self) -> bool {
        false
    }

    /// `autoclean` and `delinvoice` remove paid ones as well.
    fn forgets_paid(&self) -> bool {
        true
    }

    async fn create(&self, request: &InvoiceRequest) -> Result<MadeInvoice, NodeError> {
        let Some(preimage) = request.preimage else { return Err(no_holds()) };
        let added = self.add(request, preimage).await;
        let added = outcome::existing_if_rejected(self, request.hash, added).await?;
        outcome::on_expected_network(self, &self.policy, request.hash, &added.payment_request).await?;
        bolt11::made(added, request)
    }

    async fn look_up(&self, hash: PaymentHash) -> Result<Option<NodeInvoice>, NodeError> {
        Ok(self.find(hash).await?.map(convert))
    }

    async fn cancel(&self, hash: PaymentHash) -> Result<CancelOutcome, NodeError> {
        let answer = match self.find(hash).await? {
            Some(invoice) => self.delete(invoice).await,
            None => Ok(false),
        };
        outcome::of_cancel(self, hash, answer).await
    }

    async fn settle(&self, _preimage: Preimage) -> Result<SettleOutcome, NodeError> {
        Err(no_holds())
    }

    async fn settlements(&self, cursor: u64) -> Result<InvoiceStream, NodeError> {
        self.socket.info(self.policy.call_limit).await?;
        let polls = stream::try_unfold((self.socket.clone(), cursor), |(socket, mut cursor)| async move {
            loop {
                let Some(paid) = next_paid(&socket, cursor).await? else { continue };
                cursor = paid.index;
                if let Some(invoice) = paid.invoice {
                    return Ok(Some((invoice, (socket, cursor))));
                }
            }
        });
        Ok(super::stream::run(polls))
    }

    async fn watch(&self, hash: PaymentHash) -> Result<InvoiceStream, NodeError> {
        let Some(present) = self.find(hash).await? else { return Ok(super::stream::run(stream::empty())) };
        let label = present.label.clone();
        let present = convert(present);
        if present.state != NodeInvoiceState::Open {
            return Ok(super::stream::run(stream::iter([Ok(present)])));
        }
        let watcher = Self { socket: self.socket.clone(), policy: self.policy.clone() };
        let change = async move {
            match watcher.socket.call(&WaitinvoiceRequest { label }, WATCH_LIMIT).await {
                // Paid, expired or deleted: the look-up tells.
                Ok(_) | Err(Failure::Refused(_)) => {}
                Err(Failure::Node(error)) => return Err(error),
            }
            watcher.look_up(hash).await
        };
        let changed = futures_util::TryStreamExt::try_filter_map(stream::once(change), |item| async { Ok(item) });
        Ok(super::stream::run(futures_util::StreamExt::chain(stream::iter([Ok(present)]), changed)))
    }

    async fn open_invoices(&self, after: u64, limit: u32) -> Result<InvoicePage, NodeError> {
        // The node pages through all invoices; the open ones are picked here.
        let mut page = self.all_invoices(after, limit).await?;
        page.invoices.retain(|invoice| invoice.state == NodeInvoiceState::Open);
        Ok(page)
    }

    async fn all_invoices(&self, after: u64, limit: u32) -> Result<InvoicePage, NodeError> {
        let limit = limit.max(1);
        // Unlike LND, this begins with the invoice that has the index.
        let params = json!({"index": "created", "start": after.saturating_add(1), "limit": limit});
        let page: Listed = self.socket.call_with("listinvoices", params, self.policy.call_limit).await?;
        let full = page.invoices.len() >= limit as usize;
        let next = page.invoices.last().and_then(|invoice| invoice["created_index"].as_u64()).filter(|_| full);
        Ok(InvoicePage { invoices: page.invoices.into_iter().filter_map(readable).collect(), next })
    }

    fn keeps_expired(&self) -> bool {
        true
    }

    async fn info(&self) -> Result<NodeInfo, NodeError> {
        let info = self.socket.info(self.policy.call_limit).await?;
        let usable = self.usable_channels().await;
        let id = info.id.to_string();
        let uri = |host: &str, port: u16| format!("{id}@{}", with_port(host, port));
        Ok(NodeInfo {
            uris: info.address.iter().filter_map(|at| Some(uri(at.address.as_deref()?, at.port))).collect(),
            pubkey: Some(id),
            alias: Some(info.alias),
            network: Network::parse(&info.network),
            active_channels: usable.as_ref().map(|usable| usable.channels),
            block_height: Some(info.blockheight),
            inbound: usable.as_ref().map(|usable| Msat(usable.inbound)),
            outbound: usable.map(|usable| Msat(usable.outbound)),
            synced_to_chain: Some(info.warning_bitcoind_sync.is_none() && info.warning_lightningd_sync.is_none()),
            version: Some(info.version),
            ..NodeInfo::default()
        })
    }
}

/// An invoice that was paid.
struct Paid {
    /// Where to go on.
    index: u64,
    /// The invoice, if it might be the shop's.
    invoice: Option<NodeInvoice>,
}

/// The first invoice paid after `cursor`; `None` when there was none for a while. A node that has begun to count anew
/// answers with the next payment, whatever its index is.
async fn next_paid(socket: &Socket, cursor: u64) -> Result<Option<Paid>, NodeError> {
    let params = json!({"lastpay_index": cursor, "timeout": POLL_SECS});
    let paid: Value = match socket.call_with("waitanyinvoice", params, POLL_LIMIT).await {
        Ok(paid) => paid,
        Err(Failure::Refused(error)) if error.code == Some(NONE_YET) => return Ok(None),
        Err(failure) => return Err(failure.into()),
    };
    match paid["pay_index"].as_u64() {
        Some(index) if index != cursor => {
            let read = serde_json::from_value::<WaitanyinvoiceResponse>(paid);
            Ok(Some(Paid { index, invoice: read.ok().map(|paid| convert(listed(paid))) }))
        }
        _ => Err(NodeError::new(
            NodeErrorKind::Rejected,
            "the node answered waitanyinvoice with an invoice that was asked not to be repeated",
        )),
    }
}

/// An invoice of a list, if it might be the shop's.
fn readable(invoice: Value) -> Option<NodeInvoice> {
    let read = serde_json::from_value::<ListinvoicesInvoices>(invoice);
    read.inspect_err(|error| tracing::debug!(%error, "an invoice that can't be ours is passed over")).ok().map(convert)
}

/// What `waitanyinvoice` tells, in the form of `listinvoices`. It only tells of paid ones.
fn listed(paid: WaitanyinvoiceResponse) -> ListinvoicesInvoices {
    ListinvoicesInvoices {
        status: ListinvoicesInvoicesStatus::PAID,
        amount_msat: paid.amount_msat,
        amount_received_msat: paid.amount_received_msat,
        bolt11: paid.bolt11,
        bolt12: paid.bolt12,
        description: paid.description,
        invreq_payer_note: None,
        local_offer_id: None,
        paid_at: paid.paid_at,
        paid_outpoint: None,
        pay_index: paid.pay_index,
        payment_preimage: None,
        updated_index: paid.updated_index,
        created_index: paid.created_index,
        expires_at: paid.expires_at,
        label: paid.label,
        payment_hash: paid.payment_hash,
    }
}

fn convert(invoice: ListinvoicesInvoices) -> NodeInvoice {
    let state = match invoice.status {
        ListinvoicesInvoicesStatus::UNPAID => NodeInvoiceState::Open,
        ListinvoicesInvoicesStatus::PAID => NodeInvoiceState::Settled,
        ListinvoicesInvoicesStatus::EXPIRED => NodeInvoiceState::Canceled,
    };
    let payment_request = invoice.bolt11.unwrap_or_default();
    let expires_at = seconds(invoice.expires_at);
    // Core Lightning does not say when it made an invoice, but the payment request does.
    let created_at = bolt11::created_at(&payment_request).unwrap_or(expires_at);
    NodeInvoice {
        hash: PaymentHash(*AsRef::<[u8; 32]>::as_ref(&invoice.payment_hash)),
        state,
        memo: memo_in(&invoice.label).map_or_else(|| invoice.description.unwrap_or_default(), str::to_owned),
        amount: Msat(invoice.amount_msat.map_or(0, |amount| amount.msat())),
        received: Msat(invoice.amount_received_msat.map_or(0, |amount| amount.msat())),
        payment_request,
        created_at,
        expires_at,
        settled_at: invoice.paid_at.map(seconds),
        add_index: invoice.created_index,
        settle_index: invoice.pay_index.unwrap_or(0),
        nearest_htlc_expiry: None,
        accept_height: None,
    }
}

/// Names the invoice at the node. Where another text is its description, the memo stands here, since the node keeps it
/// nowhere else: it tells whose the invoice is.
fn label(request: &InvoiceRequest) -> String {
    match request.described_by {
        Some(_) => format!("{LABEL}{} {}", request.hash, request.memo),
        None => format!("{LABEL}{}", request.hash),
    }
}

fn memo_in(label: &str) -> Option<&str> {
    Some(label.strip_prefix(LABEL)?.split_once(' ')?.1)
}

fn seconds(value: u64) -> Timestamp {
    Timestamp::from_secs(i64::try_from(value).unwrap_or(i64::MAX).min(i64::from(u32::MAX)))
}

const fn everything() -> ListinvoicesRequest {
    ListinvoicesRequest {
        index: None,
        invstring: None,
        label: None,
        limit: None,
        offer_id: None,
        payment_hash: None,
        start: None,
    }
}

fn no_holds() -> NodeError {
    NodeError::new(NodeErrorKind::Rejected, "Core Lightning can't hold payments; use plain invoices with this node")
}
