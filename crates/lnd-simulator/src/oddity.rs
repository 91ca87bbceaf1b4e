//! In which ways an invoice can be strange.

use serde::{Deserialize, Serialize};

/// What is strange about an invoice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Oddity {
    /// Nothing.
    #[default]
    None,
    /// A spontaneous payment with AMP: no payment hash, no request, open for ever.
    Amp {
        /// LND's newest lists it with the state of what was paid last, and tells subscribers of it.
        newest: bool,
    },
    /// A spontaneous payment: no request.
    Keysend,
    /// Made with blinded paths: no payment secret, signed with a key of its own.
    Blinded,
    /// In a state by this number, which no program of today knows.
    State(i32),
    /// Its stored request can't be decoded: the node fails every answer that would contain it.
    Unreadable,
}

impl Oddity {
    /// Whether it is [`Oddity::None`].
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}
