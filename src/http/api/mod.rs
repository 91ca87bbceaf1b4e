//! The operations of the API, by who uses them. They are the source of the OpenAPI document.

pub mod host;
pub mod public;

use poem_openapi::{OpenApi, Tags};

/// Groups of operations in the document.
#[derive(Tags)]
pub enum Tag {
    /// For buyers; no credentials needed.
    Public,
    /// For hosts, with their token.
    Host,
}

/// All operations.
pub fn operations() -> impl OpenApi {
    (
        public::hosts::Hosts,
        public::orders::Orders,
        public::products::Products,
        public::nodes::Nodes,
        host::index::Index,
        host::bridges::Bridges,
        host::aliases::Aliases,
        host::hosts::Hosts,
    )
}
