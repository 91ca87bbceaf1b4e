//! How operations are grouped in the document.

use poem_openapi::Tags;

/// Groups of operations in the document.
#[derive(Tags)]
pub enum Tag {
    /// For buyers; no credentials needed.
    Public,
    /// For hosts, with their token.
    Host,
}
