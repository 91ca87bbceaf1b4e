//! What the shop knows of Lightning: payment hashes and preimages, what is asked of a node and what
//! it answers, and how it can fail. Pure data; the connectors that speak to nodes live in
//! the crate `ip2tor_lightning`.

use std::fmt;

use sha2::{Digest, Sha256};

use super::clocks::Validity;
use super::money::Msat;
use super::time::Timestamp;

/// SHA-256 of a [`Preimage`]: names an invoice on every node and in every wallet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentHash(pub [u8; 32]);

impl fmt::Display for PaymentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PaymentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PaymentHash({self})")
    }
}

/// The secret that settles an invoice. Never shown: who knows it can take a payment in flight.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Preimage(pub [u8; 32]);

impl Preimage {
    /// The hash that an invoice with this preimage carries.
    pub fn hash(&self) -> PaymentHash {
        PaymentHash(Sha256::digest(self.0).into())
    }
}

impl fmt::Debug for Preimage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Preimage(hidden)")
    }
}

/// The chain that a node works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    /// Real money.
    Mainnet,
    /// Public test chains (testnet3, testnet4).
    Testnet,
    /// The signed test chain.
    Signet,
    /// A private chain of a developer; used only where the configuration names it.
    Regtest,
}

impl Network {
    /// The name as LND and the configuration write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet",
            Self::Testnet => "testnet",
            Self::Signet => "signet",
            Self::Regtest => "regtest",
        }
    }

    /// Reads [`Network::name`], and the spellings that nodes use for the same chain.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "mainnet" | "bitcoin" => Some(Self::Mainnet),
            "testnet" | "testnet3" | "testnet4" => Some(Self::Testnet),
            "signet" => Some(Self::Signet),
            "regtest" => Some(Self::Regtest),
            _ => None,
        }
    }

    /// The network that a BOLT11 payment request belongs to, from its prefix.
    pub fn of_payment_request(request: &str) -> Option<Self> {
        let lower = request.get(..6.min(request.len()))?.to_ascii_lowercase();
        // `lntbs` before `lntb`: the longer prefix decides.
        [("lnbcrt", Self::Regtest), ("lntbs", Self::Signet), ("lntb", Self::Testnet), ("lnbc", Self::Mainnet)]
            .into_iter()
            .find(|(prefix, _)| lower.starts_with(prefix))
            .map(|(_, network)| network)
    }
}

/// An invoice to be made.
#[derive(Clone, Debug)]
pub struct InvoiceRequest {
    /// The invoice's payment hash.
    pub hash: PaymentHash,
    /// Our own preimage for a plain invoice; `None` asks for a hold invoice.
    pub preimage: Option<Preimage>,
    /// The price.
    pub amount: Msat,
    /// The memo that the payer sees: `PO: <order id>`.
    pub memo: String,
    /// A text of which the payer's wallet sees the hash in place of the memo (LUD-06). The node keeps the memo.
    pub described_by: Option<String>,
    /// Seconds until the invoice can no longer be paid.
    pub expiry_secs: u32,
    /// Blocks that the last hop must leave (`min_final_cltv_expiry`); `None` leaves it to the node.
    pub cltv_expiry: Option<u32>,
    /// Whether route hints to private channels are added.
    pub private: bool,
}

impl InvoiceRequest {
    /// The hash that takes the place of the memo in the payment request.
    pub fn description_hash(&self) -> Option<[u8; 32]> {
        self.described_by.as_ref().map(|text| Sha256::digest(text).into())
    }
}

/// What a node says after making an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeInvoice {
    /// BOLT11.
    pub payment_request: String,
    /// When the node made it.
    pub created_at: Timestamp,
    /// When it can no longer be paid.
    pub expires_at: Timestamp,
    /// The node's running number of it, if the node told it: where its pages begin.
    pub add_index: Option<u64>,
}

/// The state of an invoice at its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeInvoiceState {
    /// Waits for payment.
    Open,
    /// A hold invoice whose payment has arrived in full and is held.
    Accepted,
    /// Paid; final.
    Settled,
    /// Cancelled or expired; final.
    Canceled,
}

/// An invoice as its node reports it.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInvoice {
    /// Names the invoice.
    pub hash: PaymentHash,
    pub state: NodeInvoiceState,
    /// The memo it was made with.
    pub memo: String,
    /// The amount asked.
    pub amount: Msat,
    /// The amount that came; for an accepted invoice the sum of the parts held.
    pub received: Msat,
    /// BOLT11.
    pub payment_request: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it can no longer be paid.
    pub expires_at: Timestamp,
    /// When it was settled, if it was.
    pub settled_at: Option<Timestamp>,
    /// The node's running number of it, 0 when it does not tell.
    pub add_index: u64,
    /// The node's running number of settlements, 0 when not settled. Cursor of its connector's
    /// stream of settlements.
    pub settle_index: u64,
    /// The lowest expiry height among the held parts (HTLCs), if any is held.
    pub nearest_htlc_expiry: Option<u32>,
    /// The height of the chain when the last held part arrived, if the node says so: a lower bound of
    /// the present height, for nodes whose macaroon does not tell more.
    pub accept_height: Option<u32>,
}

/// A page of a node's invoices.
#[derive(Clone, Debug, Default)]
pub struct InvoicePage {
    /// Those of the page that were asked for.
    pub invoices: Vec<NodeInvoice>,
    /// Where the next page starts; `None` after the last.
    pub next: Option<u64>,
}

/// What a cancel call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// The invoice is cancelled, now or before; nothing can be paid any more.
    Cancelled,
    /// Too late: it is settled.
    AlreadySettled,
    /// The node does not know it (never made, or garbage-collected after expiry): gone unpaid.
    Unknown,
}

/// What a settle call of a hold invoice did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettleOutcome {
    /// The money is ours, now or before.
    Settled,
    /// Too late: it was cancelled and the payer has the money back.
    AlreadyCanceled,
    /// The node does not know it.
    Unknown,
}

/// What became of a payment that our node makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// The node never tried it: it may be tried.
    Unknown,
    /// It may still succeed or fail.
    InFlight,
    /// The payee has the money; final.
    Succeeded {
        /// What the route cost.
        fee: Msat,
    },
    /// The money is still ours; final for this attempt.
    Failed {
        /// Why, for the operator.
        reason: String,
    },
}

/// What a node says of itself. Parts that its credentials don't allow to read are empty.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NodeInfo {
    /// The node's public key (hex), the payee of its invoices.
    pub pubkey: Option<String>,
    /// The name it gives itself.
    pub alias: Option<String>,
    /// Addresses where peers reach it.
    pub uris: Vec<String>,
    /// The chain, when known.
    pub network: Option<Network>,
    /// Open channels.
    pub active_channels: Option<u32>,
    /// Best block.
    pub block_height: Option<u32>,
    /// What its channels could receive in all; a single payment may still need several of them.
    pub inbound: Option<Msat>,
    /// What its channels could send in all, where it may be asked.
    pub outbound: Option<Msat>,
    /// Whether it has caught up with the chain.
    pub synced_to_chain: Option<bool>,
    /// Software version.
    pub version: Option<String>,
    /// Why no invoice may be made there: it could not be cancelled, or its payment would not be noticed.
    pub lacks: Option<NodeError>,
    /// Why payments can't be held there although nodes of its kind can do that.
    pub cannot_hold: Option<String>,
    /// The certificate that it must show, where one is given.
    pub certificate: Option<Certificate>,
}

/// The certificate that a node must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The host names and IP addresses that it is for.
    pub names: Vec<String>,
    /// From when until when it is valid.
    pub validity: Validity,
}

/// How a call to a node failed. The kind decides what happens next, the text is for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct NodeError {
    /// What kind of failure it is.
    pub kind: NodeErrorKind,
    /// One line that says what is wrong and, where known, what to do. Holds no secrets.
    pub detail: String,
}

impl NodeError {
    /// An error of `kind`, explained by `detail`.
    pub fn new(kind: NodeErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// Whether the call may have been carried out although no answer came. Only a refusal before
    /// the request was sent, or an answer that says no, is certain.
    pub const fn may_have_happened(&self) -> bool {
        matches!(self.kind, NodeErrorKind::TimedOut | NodeErrorKind::Unavailable)
    }

    /// Whether the node can't be reached now. All other failures are about what it was asked: it may
    /// well do something else.
    pub const fn is_absence(&self) -> bool {
        use NodeErrorKind as K;
        matches!(self.kind, K::Refused | K::ConnectTimedOut | K::TimedOut | K::Unavailable)
    }

    /// Whether the node itself said no, so that the call had reached it.
    pub const fn is_an_answer(&self) -> bool {
        use NodeErrorKind as K;
        matches!(self.kind, K::Rejected | K::NotServed | K::NotSynced | K::WrongMacaroon)
    }
}

/// The kinds of [`NodeError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeErrorKind {
    /// Nothing listens there, or the connection could not be made: nothing was sent.
    Refused,
    /// No connection came about in time (a firewall, a machine that is off): nothing was sent.
    ConnectTimedOut,
    /// The certificate is not the pinned one or not valid for the address.
    WrongCertificate,
    /// The certificate has expired, or is not valid yet, by this machine's clock.
    ExpiredCertificate,
    /// The macaroon is not valid at this node or lacks a permission.
    WrongMacaroon,
    /// The macaroon could spend: refused on our side, nothing was sent.
    TooPowerfulMacaroon,
    /// A credentials file is missing or malformed: nothing was sent.
    BadCredentials,
    /// The node works on another network than needed.
    WrongNetwork,
    /// Another node answers than the one that made the invoices which are not final.
    OtherNode,
    /// The node has not caught up with the chain.
    NotSynced,
    /// No answer in time; the call may have been carried out.
    TimedOut,
    /// The connection broke or the node is shutting down; the call may have been carried out.
    Unavailable,
    /// The node, or what stands before it, does not have this call at all.
    NotServed,
    /// The node's clock is so far from ours that its invoice can't be paid in time.
    ClocksApart,
    /// The node answered that it will not do this (bad amount, no such feature, …).
    Rejected,
}
