//! Moves from state to state that no transition table has.

/// A defect: something was about to take a state that its own does not lead to. The move is not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{noun} {id} can't go from {from} to {to}: its transition table does not have that")]
pub struct BrokenRule {
    /// What kind of thing it is.
    pub noun: &'static str,
    /// Its id; of an invoice its payment hash.
    pub id: String,
    /// The state that it stays in.
    pub from: &'static str,
    /// The state that it does not take.
    pub to: &'static str,
}
