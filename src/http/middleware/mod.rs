//! What surrounds every request, whatever it asks for: rates, headers, other sites' requests.

pub(super) mod get_only;
pub(super) mod guard;
pub mod order_limit;
pub mod rate_limit;
pub(super) mod same_site;
