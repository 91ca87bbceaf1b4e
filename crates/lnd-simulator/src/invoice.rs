//! An invoice as the simulated node keeps it: terms that never change, progress that does.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::oddity::Oddity;
use ip2tor_domain::lightning::{PaymentHash, Preimage};
use ip2tor_domain::time::Timestamp;

/// 32 bytes, written as hex: hashes, preimages and payment addresses in the journal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hex32(pub [u8; 32]);

impl Serialize for Hex32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Hex32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(de::Error::custom)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Hex32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hex32(hidden)")
    }
}

/// What an invoice was made with. `value_msat` of 0 lets the payer choose.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Terms {
    /// The payment hash.
    pub hash: Hex32,
    /// Empty for a hold invoice, whose preimage the node learns when it is settled.
    pub preimage: Option<Hex32>,
    /// The payment secret of BOLT11.
    pub payment_addr: Hex32,
    /// The description that the payer sees.
    pub memo: String,
    /// The name that Core Lightning's face made it under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// SHA-256 of a longer description; replaces the memo in the payment request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub description_hash: Vec<u8>,
    /// The amount asked.
    pub value_msat: u64,
    /// How long it can be paid.
    pub expiry_secs: u64,
    /// Blocks that the last hop must leave.
    pub cltv_expiry: u64,
    /// Whether the payment request leads over a private channel.
    pub private: bool,
    /// BOLT11.
    pub payment_request: String,
    /// When it was made: Unix milliseconds.
    pub created_ms: i64,
    /// What is strange about it.
    #[serde(default, skip_serializing_if = "Oddity::is_none")]
    pub oddity: Oddity,
    /// Bytes of records that each part of a payment to it carries.
    #[serde(default)]
    pub bulk: usize,
}

impl Terms {
    /// Names the invoice.
    pub fn hash(&self) -> PaymentHash {
        PaymentHash(self.hash.0)
    }

    /// The name that Core Lightning's face shows; invoices made by LND's faces get one, too.
    pub fn label(&self) -> String {
        self.label.clone().unwrap_or_else(|| format!("lnd-{}", self.hash()))
    }

    /// From this moment on an open invoice is cancelled.
    pub fn expires_at(&self) -> Timestamp {
        Timestamp(self.created_ms).plus_secs(i64::try_from(self.expiry_secs).unwrap_or(i64::MAX))
    }
}

/// The states of an invoice, or of a part of a payment to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Waits for payment.
    #[default]
    Open,
    /// Paid.
    Settled,
    /// Cancelled or expired.
    Canceled,
    /// A hold invoice whose payment is held.
    Accepted,
}

impl State {
    /// Whether nothing can change any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Settled | Self::Canceled)
    }
}

/// A part of a payment that has arrived.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Htlc {
    /// Running number of parts.
    pub index: u64,
    /// This part.
    pub amount_msat: u64,
    /// The whole payment, as the payer announced it.
    pub total_msat: u64,
    /// The height of the chain when it arrived.
    pub accept_height: u32,
    /// The height at which it times out on the chain.
    pub expiry_height: u32,
    /// When it arrived: Unix milliseconds.
    pub accepted_ms: i64,
    /// When it was taken or given back: Unix milliseconds.
    pub resolved_ms: Option<i64>,
    /// `Accepted`, `Settled` or `Canceled`.
    pub state: State,
}

/// How far an invoice has come.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Progress {
    /// The present state.
    pub state: State,
    /// The preimage that a hold invoice was settled with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revealed: Option<Hex32>,
    /// Running number of settlements; 0 when not settled.
    pub settle_index: u64,
    /// When it was settled: Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_ms: Option<i64>,
    /// The parts of payments that have arrived, also those given back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub htlcs: Vec<Htlc>,
}

/// An invoice. Cheap to clone: that is the snapshot that subscribers get.
#[derive(Clone, Debug)]
pub struct Invoice {
    /// What it was made with.
    pub terms: Arc<Terms>,
    /// Running number of invoices, from 1.
    pub add_index: u64,
    /// How far it has come.
    pub progress: Progress,
}

impl Invoice {
    /// Names the invoice.
    pub fn hash(&self) -> PaymentHash {
        self.terms.hash()
    }

    /// The present state.
    pub fn state(&self) -> State {
        self.progress.state
    }

    /// Whether everybody is told of it when it is made.
    pub fn is_announced(&self) -> bool {
        !matches!(self.terms.oddity, Oddity::Amp { .. } | Oddity::Keysend)
    }

    /// Whether settling waits for a call with the preimage.
    pub fn is_hold(&self) -> bool {
        self.terms.preimage.is_none()
    }

    /// The preimage, once it may be known.
    pub fn preimage(&self) -> Option<Preimage> {
        self.terms.preimage.or(self.progress.revealed).map(|bytes| Preimage(bytes.0))
    }

    /// The sum of the parts that are held or taken.
    pub fn paid_msat(&self) -> u64 {
        let counts = |htlc: &&Htlc| matches!(htlc.state, State::Accepted | State::Settled);
        self.progress.htlcs.iter().filter(counts).map(|htlc| htlc.amount_msat).sum()
    }

    /// The lowest block height at which a held part would time out.
    pub fn nearest_htlc_expiry(&self) -> Option<u32> {
        let held = self.progress.htlcs.iter().filter(|htlc| htlc.state == State::Accepted);
        held.map(|htlc| htlc.expiry_height).min()
    }
}
