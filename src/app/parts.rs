//! What the parts of the composition root share: the interface that they serve, and how a start fails.

use std::sync::Arc;

use poem::Response;
use poem::endpoint::BoxEndpoint;

use crate::config::Problems;
use crate::services::Error;

/// The HTTP interface, shared by all listeners.
pub type Endpoint = Arc<BoxEndpoint<'static, Response>>;

/// Why the shop can't start; says what to do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StartError {
    /// Settings that turned out not to work.
    #[error("{0}")]
    Config(Problems),
    /// What trying again does not change: files of another user, a database of another version or a damaged one.
    #[error("{0}")]
    Final(String),
    /// Anything else: it may be better in a moment.
    #[error("{0}")]
    Failed(String),
}

impl From<Error> for StartError {
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}
