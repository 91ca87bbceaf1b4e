//! What runs beside the answers, as those who run the shop look at it and turn to it: jobs, nodes, the way money goes back.
//! The use cases say here what they need; `background` does it, and the composition root brings the two together.

use async_trait::async_trait;

use super::payments::refunds::Stated;
use super::{Error, Principal};
use crate::domain::alert::Severity;
use crate::domain::alert_channel::{ChannelKind, OwnChannel};
use crate::domain::id::{NodeId, OrderId};
use crate::domain::lightning::{Certificate, PaymentHash};
use crate::domain::money::Msat;
use crate::domain::node::Node;
use crate::domain::purchase::OrderStatus;
use crate::domain::time::Timestamp;

pub use crate::store::job_runs::JobRun;

/// A scheduled job at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobNow {
    /// Its name, as in the configuration.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Its schedule: a cron expression with seconds, in UTC.
    pub schedule: String,
    /// Whether it runs.
    pub is_running: bool,
    /// Its last run, where that is not stored yet.
    pub last: Option<JobRun>,
}

/// A node in use at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamNow {
    /// The node.
    pub node: NodeId,
    /// Whether it did not answer when it was last asked.
    pub is_down: bool,
    /// Whether its stream has told a settlement since it was opened.
    pub has_told: bool,
    /// Since when its stream of settlements fails.
    pub stream_fails_since: Option<Timestamp>,
    /// Since when comparing its invoices fails.
    pub comparison_fails_since: Option<Timestamp>,
}

/// What a node says of itself, or exactly what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeReport {
    /// Whether it can be used.
    pub is_fine: bool,
    /// One line: what it is, or what is wrong and what to do.
    pub line: String,
    /// Its name in the network.
    pub alias: Option<String>,
    /// Its public key.
    pub pubkey: Option<String>,
    /// The network that it works on.
    pub network: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Its best block.
    pub block_height: Option<u32>,
    /// Whether it says that it has caught up with the chain.
    pub is_synced: Option<bool>,
    /// Its channels that are in use.
    pub active_channels: Option<u32>,
    /// What its channels can receive, if it tells.
    pub inbound: Option<Msat>,
    /// What its channels can send, if it tells.
    pub outbound: Option<Msat>,
    /// How far its clock is ahead of the machine's, if that was seen. Seconds.
    pub ahead_secs: Option<i64>,
    /// The certificate that it must show, where one is given.
    pub certificate: Option<Certificate>,
}

/// What is to be paid back, and to which payment request.
#[derive(Clone, Debug)]
pub struct RefundWish {
    /// The order that owes.
    pub order: OrderId,
    /// The buyer's payment request.
    pub bolt11: String,
    /// The amount, for a payment request without one.
    pub amount: Option<Msat>,
    /// The most that the route may cost; `None` takes a small share of the amount.
    pub fee_limit: Option<Msat>,
    /// The operator has made sure that it was not paid back between a backup and its restore.
    pub not_paid_since_backup: bool,
}

/// What was paid back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaidBack {
    /// Names the buyer's invoice that was paid.
    pub hash: PaymentHash,
    /// Whether that is the one of the request at hand, and not of an earlier one.
    pub is_this_request: bool,
    /// What the buyer got.
    pub amount: Msat,
    /// What the route cost.
    pub fee: Msat,
    /// The order's state now.
    pub status: OrderStatus,
    /// What the order still owes.
    pub owed: Msat,
}

/// Certificate and macaroon of a node as somebody pasted them, in any form.
#[derive(Clone, Default)]
pub struct Pasted {
    /// The certificate.
    pub certificate: Option<String>,
    /// The macaroon for invoices.
    pub macaroon: Option<String>,
}

/// The same as they are stored.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The certificate (PEM).
    pub certificate: Option<Vec<u8>>,
    /// The macaroon for invoices.
    pub macaroon: Option<Vec<u8>>,
}

/// A setting in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingNow {
    /// Its path in the configuration, `section.key`.
    pub key: String,
    /// Its value as it would stand there. Secrets are never in it.
    pub value: String,
}

/// A channel on which alerts leave the shop.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelNow {
    pub name: &'static str,
    /// Where its messages go, as far as that may be shown.
    pub place: String,
    /// What is less urgent is not told.
    pub severity: Severity,
}

/// What runs beside the answers.
#[async_trait]
pub trait Backstage: Send + Sync {
    /// The scheduled jobs.
    fn jobs(&self) -> Vec<JobNow>;

    /// Begins a job now; it goes on by itself.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] while it runs.
    fn begin_job(&self, name: &str) -> Result<(), Error>;

    /// Whether the shop is ending: whoever listens has to let go.
    fn is_stopping(&self) -> bool;

    /// The nodes in use.
    fn streams(&self) -> Vec<StreamNow>;

    /// The settings in force.
    fn settings(&self) -> Vec<SettingNow>;

    /// The channels on which alerts leave the shop.
    fn channels(&self) -> Vec<ChannelNow>;

    /// What an operator's own channel may be in this shop, as it is built and configured.
    fn channel_kinds(&self) -> Vec<ChannelKind>;

    /// Whether somebody's own channel can work, as far as that is seen without trying it.
    ///
    /// # Errors
    /// [`Error::Invalid`] by the field that is wrong.
    fn check_channel(&self, channel: &OwnChannel, by: &Principal) -> Result<(), Error>;

    /// Tries a channel; inside is why it does not work.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such channel, or it is somebody else's; [`Error::Conflict`] for an operator
    /// who has just tried it.
    async fn test_channel(&self, name: &str, by: &Principal) -> Result<Result<(), String>, Error>;

    /// Reads what was pasted: the certificate and the macaroon as they are stored.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is neither.
    fn read_pasted(&self, pasted: &Pasted) -> Result<Credentials, Error>;

    /// Asks a node what it is, has it make an invoice and cancel it; what it says is stored when the node itself is
    /// (`is_stored`), as the shop does each minute.
    ///
    /// # Errors
    /// Only those of the database: what is wrong with the node is the report.
    async fn ask(&self, node: &Node, is_stored: bool) -> Result<NodeReport, Error>;

    /// Pays what an order owes. Asked again it learns what became of the first payment, and never pays twice.
    ///
    /// # Errors
    /// When nothing was paid, with the reason; [`Error::Unavailable`] when the outcome is not known yet.
    async fn pay_back(&self, wish: RefundWish, by: &Principal) -> Result<PaidBack, Error>;

    /// Records what a person says became of a refund, unless its node itself can tell.
    ///
    /// # Errors
    /// [`Error::Conflict`] when no outcome is open, or the node knows of the payment.
    async fn state_refund(&self, order: OrderId, stated: Stated, by: &Principal, note: &str) -> Result<(), Error>;
}
