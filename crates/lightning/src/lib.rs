//! Connectors to Lightning nodes: translation between [`ip2tor_domain::lightning`] and each node's
//! protocol, no policy, no database.

pub mod bolt11;
pub mod check;
mod client;
pub mod cln;
mod cln_call;
mod cln_path;
pub mod connector;
mod convert;
pub mod credentials;
mod description;
pub mod dial;
mod link;
mod lnd_errors;
pub mod lnd_grpc;
pub mod lnd_rest;
pub mod macaroon;
mod outcome;
mod pages;
pub mod pasted;
pub mod paying;
pub mod permissions;
pub mod policy;
mod rest_http;
mod rest_json;
mod rights;
mod served;
mod stream;
pub mod supervise;
mod trust;

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use ip2tor_domain::lightning::{
    CancelOutcome, Certificate, InvoicePage, InvoiceRequest, MadeInvoice, NodeError, NodeInfo, NodeInvoice,
    PaymentHash, Preimage, SettleOutcome,
};

/// A stream of invoices that ends when the connection does; an error is its last item.
pub type InvoiceStream = BoxStream<'static, Result<NodeInvoice, NodeError>>;

/// A Lightning node that makes invoices for the shop. Every call has a deadline of its own and
/// reports what happened as a [`NodeError`]; every call may be repeated.
#[async_trait]
pub trait LightningNode: Send + Sync {
    /// Whether the node can hold payments (`InvoiceRequest::preimage == None`).
    fn can_hold(&self) -> bool;

    /// Whether the node may have forgotten an invoice although it was paid. LND keeps what was settled, and
    /// forgets only what was cancelled or has expired.
    fn forgets_paid(&self) -> bool {
        false
    }

    /// Makes the invoice. Idempotent by payment hash: when the node has it already, answers with
    /// the one that is there.
    async fn create(&self, request: &InvoiceRequest) -> Result<MadeInvoice, NodeError>;

    /// The invoice with this hash; `None` when the node does not know it.
    async fn look_up(&self, hash: PaymentHash) -> Result<Option<NodeInvoice>, NodeError>;

    /// Makes the invoice unpayable; a held payment goes back to the payer.
    async fn cancel(&self, hash: PaymentHash) -> Result<CancelOutcome, NodeError>;

    /// Takes the payment that a hold invoice holds.
    async fn settle(&self, preimage: Preimage) -> Result<SettleOutcome, NodeError>;

    /// Settlements with a `settle_index` greater than `cursor`, in the order in which the node's store has them, then
    /// new ones as they happen; what can't be the shop's may be left out. With LND a cursor of 0 replays
    /// nothing, so callers also compare; Core Lightning replays everything then. A node that has begun to count
    /// anew tells nothing up to the cursor (LND), or goes on with a lower index (Core Lightning).
    async fn settlements(&self, cursor: u64) -> Result<InvoiceStream, NodeError>;

    /// The states of one invoice: the present one first, then each change; ends when the node does not know
    /// it. The only way to hear of an accepted hold invoice.
    async fn watch(&self, hash: PaymentHash) -> Result<InvoiceStream, NodeError>;

    /// A page of open (and accepted) invoices, oldest first, with an add index greater than `after`. What can't
    /// be the shop's may be left out.
    async fn open_invoices(&self, after: u64, limit: u32) -> Result<InvoicePage, NodeError>;

    /// A page of everything that the node has of invoices, otherwise like [`LightningNode::open_invoices`].
    async fn all_invoices(&self, after: u64, limit: u32) -> Result<InvoicePage, NodeError>;

    /// Whether the node keeps an invoice that has expired until it is cancelled.
    fn keeps_expired(&self) -> bool {
        false
    }

    /// What the certificate says that the node must show, if one is given.
    async fn certificate(&self) -> Option<Certificate> {
        None
    }

    /// What the node says of itself, and what it can't do; succeeds with empty parts when only those are
    /// not allowed. Asks for nothing that the macaroon does not permit.
    async fn info(&self) -> Result<NodeInfo, NodeError>;
}
