//! A product: a Tor bridge or a Nostr alias on a host. Its states and the few moves that belong to
//! it alone; what payments do to it is in [`super::deal`].

use strum::EnumCount;

use super::id::{HostId, ProductId};
use super::money::Msat;
use super::time::Timestamp;
use super::transition::BrokenRule;

/// A plain paid product that is not activated within this time owes a refund. Seconds.
pub const ACTIVATION_LIMIT_SECS: i64 = 30 * 60;

/// What kind of product it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProductKind {
    /// A public port that is forwarded to an onion service.
    TorBridge,
    /// A name that a host answers for a Nostr public key (NIP-05).
    NostrAlias,
}

impl ProductKind {
    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TorBridge => "tor_bridge",
            Self::NostrAlias => "nostr_alias",
        }
    }

    /// Reads [`ProductKind::name`].
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "tor_bridge" => Some(Self::TorBridge),
            "nostr_alias" => Some(Self::NostrAlias),
            _ => None,
        }
    }
}

/// The states of a product; the letters are the contract's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumCount)]
pub enum ProductStatus {
    /// I: ordered, not paid; never shown to a host as work.
    Initial,
    /// P: the host is to activate it.
    NeedsActivate,
    /// A: it works.
    Active,
    /// S: the host is to suspend it.
    NeedsSuspend,
    /// H: suspended; its port is kept.
    Suspended,
    /// Z: archived; nothing is reserved for it.
    Archived,
    /// D: the host is to forget it.
    NeedsDelete,
    /// F: failed. Never stored: a host's report of it becomes S at once. Part of the contract's letters.
    Failed,
}

impl ProductStatus {
    /// Every state, in the contract's order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Initial,
        Self::NeedsActivate,
        Self::Active,
        Self::NeedsSuspend,
        Self::Suspended,
        Self::Archived,
        Self::NeedsDelete,
        Self::Failed,
    ];

    /// The contract's letter.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Initial => "I",
            Self::NeedsActivate => "P",
            Self::Active => "A",
            Self::NeedsSuspend => "S",
            Self::Suspended => "H",
            Self::Archived => "Z",
            Self::NeedsDelete => "D",
            Self::Failed => "F",
        }
    }

    /// Reads [`ProductStatus::letter`].
    pub fn parse(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.letter() == letter)
    }

    /// The whole transition table of a product.
    pub const fn may_become(self, next: Self) -> bool {
        use ProductStatus as P;
        matches!(
            (self, next),
            (P::Initial, P::NeedsActivate | P::Archived)
                | (P::NeedsActivate, P::Active | P::NeedsSuspend)
                | (P::Active, P::NeedsSuspend)
                | (P::NeedsSuspend, P::Suspended | P::NeedsActivate | P::Active)
                | (P::Suspended, P::NeedsActivate | P::NeedsDelete)
                | (P::Archived | P::NeedsDelete, P::NeedsActivate)
        )
    }
}

/// What is sold, by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The onion address and port that a bridge forwards to.
    Target(String),
    /// The alias and the public key that it stands for.
    Alias {
        /// The name, unique per public IP address.
        alias: String,
        /// The Nostr public key as an npub, the one form that hosts' scripts read.
        public_key: String,
    },
}

/// What was agreed at purchase; extensions keep to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Seconds per paid period; 0 means without end.
    pub duration_secs: i64,
    /// Seconds added to each paid period.
    pub grace_secs: i64,
    /// The price of an extension.
    pub price_extension: Msat,
    /// Bytes per paid period; 0 means without limit.
    pub bandwidth_initial: i64,
}

impl Terms {
    /// The bandwidth of so many periods, in bytes.
    pub fn bandwidth_of(&self, periods: u32) -> i64 {
        self.bandwidth_initial.saturating_mul(i64::from(periods))
    }
}

/// A Tor bridge or Nostr alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its public id.
    pub id: ProductId,
    /// The host that it is on.
    pub host_id: HostId,
    /// Its state.
    pub status: ProductStatus,
    /// The public port, last known even when no longer reserved.
    pub port: Option<u16>,
    /// Whether the port (of a bridge) or the name (of an alias) is reserved for it.
    pub placed: bool,
    /// What is sold.
    pub subject: Subject,
    /// The buyer's note, at most 42 characters.
    pub comment: Option<String>,
    /// When it is to be suspended; `None` is never.
    pub suspend_after: Option<Timestamp>,
    /// What was agreed.
    pub terms: Terms,
    /// Bytes left; may be negative after the last report.
    pub bandwidth_remaining: i64,
    /// When the host last reported bandwidth.
    pub bandwidth_checked_at: Option<Timestamp>,
    /// Whether it is part of the monitoring configuration.
    pub is_monitored: bool,
    /// Switched off by the operator for abuse: nothing is delivered on it any more.
    pub is_killed: bool,
    /// When its host was first told of it as P (by a poll or the push); `None` once the host has reported H.
    /// While it is `None` the host can have nothing of it.
    pub shown_at: Option<Timestamp>,
    /// Since when it has been P, while it is.
    pub pending_since: Option<Timestamp>,
    /// The first change from P to A.
    pub activated_at: Option<Timestamp>,
    /// Since when it has been S, while it is.
    pub suspending_since: Option<Timestamp>,
    /// Since when it has been H, while it is.
    pub suspended_at: Option<Timestamp>,
    /// When it was deleted; a tombstone stays.
    pub deleted_at: Option<Timestamp>,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

impl Product {
    /// One that was just ordered: its place is reserved, a bridge's port still to be chosen, nobody has been told of it, and it
    /// has the bandwidth of one period.
    pub const fn ordered(id: ProductId, host_id: HostId, subject: Subject, terms: Terms, now: Timestamp) -> Self {
        Self {
            id,
            host_id,
            status: ProductStatus::Initial,
            port: None,
            placed: true,
            subject,
            comment: None,
            suspend_after: None,
            bandwidth_remaining: terms.bandwidth_initial,
            terms,
            bandwidth_checked_at: None,
            is_monitored: true,
            is_killed: false,
            shown_at: None,
            pending_since: None,
            activated_at: None,
            suspending_since: None,
            suspended_at: None,
            deleted_at: None,
            created_at: now,
            modified_at: now,
        }
    }

    /// Its kind, from what is sold.
    pub const fn kind(&self) -> ProductKind {
        match self.subject {
            Subject::Target(_) => ProductKind::TorBridge,
            Subject::Alias { .. } => ProductKind::NostrAlias,
        }
    }

    /// The port where anybody finds it: none once that of a bridge was given back, since another bridge
    /// may have it now.
    pub const fn public_port(&self) -> Option<u16> {
        match self.subject {
            Subject::Target(_) if !self.placed => None,
            _ => self.port,
        }
    }

    /// Moves to `next` and keeps the times that belong to states. Staying is no move.
    ///
    /// # Errors
    /// When the transition table does not have the move; nothing is changed then.
    pub fn transition_to(&mut self, next: ProductStatus, now: Timestamp) -> Result<(), BrokenRule> {
        if self.status == next {
            return Ok(());
        }
        if !self.status.may_become(next) {
            let (from, to) = (self.status.letter(), next.letter());
            return Err(BrokenRule { noun: "product", id: self.id.to_string(), from, to });
        }
        self.status = next;
        self.pending_since = (next == ProductStatus::NeedsActivate).then_some(now);
        self.suspending_since = (next == ProductStatus::NeedsSuspend).then_some(now);
        self.suspended_at = (next == ProductStatus::Suspended).then_some(now);
        if next == ProductStatus::NeedsActivate {
            self.deleted_at = None;
        }
        if next == ProductStatus::Suspended {
            self.shown_at = None;
        }
        if next == ProductStatus::Active {
            self.activated_at.get_or_insert(now);
        }
        Ok(())
    }

    /// Whether no host has activated it for so long that its buyer is owed the money.
    pub fn is_activation_overdue(&self, now: Timestamp) -> bool {
        self.pending_since.is_some_and(|since| since.plus_secs(ACTIVATION_LIMIT_SECS) <= now)
    }

    /// Whether it has been suspended for so many days that its port is given back.
    pub fn is_suspended_too_long(&self, days: i64, now: Timestamp) -> bool {
        let since = self.suspended_at.filter(|_| self.status == ProductStatus::Suspended);
        since.is_some_and(|since| since.plus_secs(days.saturating_mul(86_400)) <= now)
    }

    /// Whether its time is over at `now`.
    pub fn is_due_to_suspend(&self, now: Timestamp) -> bool {
        self.status == ProductStatus::Active && self.suspend_after.is_some_and(|end| end <= now)
    }

    /// Adds paid periods, counted from `now` or from the end of what is already paid, whichever
    /// is later. Returns the seconds added (0 when it never ends).
    pub fn add_periods(&mut self, periods: u32, now: Timestamp) -> i64 {
        if self.terms.duration_secs == 0 {
            self.suspend_after = None;
            return 0;
        }
        let one = self.terms.duration_secs.saturating_add(self.terms.grace_secs);
        let secs = one.saturating_mul(i64::from(periods));
        let base = self.suspend_after.map_or(now, |end| end.max(now));
        self.suspend_after = Some(base.plus_secs(secs));
        secs
    }

    /// Whether the bandwidth is used up; never where it has no limit.
    pub const fn is_bandwidth_used_up(&self) -> bool {
        self.terms.bandwidth_initial > 0 && self.bandwidth_remaining <= 0
    }

    /// Adds the bandwidth of paid periods. What was used beyond the former one is forgiven: it is
    /// only known once it was used, and a buyer gets what they pay for. Returns the bytes added, those
    /// forgiven among them.
    pub fn add_bandwidth(&mut self, periods: u32) -> i64 {
        let before = self.bandwidth_remaining;
        self.bandwidth_remaining = before.max(0).saturating_add(self.terms.bandwidth_of(periods));
        self.bandwidth_remaining.saturating_sub(before)
    }
}
