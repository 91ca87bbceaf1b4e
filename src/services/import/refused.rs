//! Why a dump is refused.

/// Why nothing is imported: each line is one reason, with the object that it is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Refused(pub Vec<String>);

/// So many reasons are told; more say nothing new.
const MOST_REASONS: usize = 30;

impl Refused {
    /// One reason.
    pub(super) fn one(reason: impl Into<String>) -> Self {
        Self(vec![reason.into()])
    }

    /// Nothing, if there are no reasons.
    pub(super) fn of(mut reasons: Vec<String>) -> Result<(), Self> {
        let more = reasons.len().saturating_sub(MOST_REASONS);
        if more > 0 {
            reasons.truncate(MOST_REASONS);
            reasons.push(format!("and {more} more of this kind"));
        }
        if reasons.is_empty() { Ok(()) } else { Err(Self(reasons)) }
    }
}
