//! Failures of background tasks.

use crate::services::Error;

/// Logs an error of a background task; there is nobody to answer to.
pub(super) fn log_failure(what: &str, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::error!(%error, "{what} failed");
    }
}
