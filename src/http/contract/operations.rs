//! The operations of the API, by who uses them. They are the source of the OpenAPI document.

use poem_openapi::OpenApi;

/// All operations.
pub fn operations() -> impl OpenApi {
    (
        super::public::hosts::Hosts,
        super::public::orders::Orders,
        super::public::products::Products,
        super::public::nodes::Nodes,
        super::host::index::Index,
        super::host::bridges::Bridges,
        super::host::aliases::Aliases,
        super::host::hosts::Hosts,
    )
}
