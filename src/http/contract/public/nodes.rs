//! The Lightning nodes that invoices come from.

use poem_openapi::OpenApi;

use crate::domain::id::NodeId;
use crate::http::contract::answer::{ReadResult, Reply};
use crate::http::contract::call::RequestContext;
use crate::http::contract::dto::Nullable;
use crate::http::contract::dto::host::NodeView;
use crate::http::contract::extract::Id;
use crate::http::contract::tag::Tag;
use crate::http::problem::Problem;
use crate::services::Error;
use crate::store::node_state;

/// Lightning nodes.
pub struct Nodes;

#[OpenApi(prefix_path = "/api/v1/public", tag = "Tag::Public")]
impl Nodes {
    /// A Lightning node
    ///
    /// As it was when the shop last asked it; only nodes over LND's gRPC interface are shown.
    #[oai(path = "/lnnodes/lndgrpc/:id/", method = "get", operation_id = "public_lnnodes_lndgrpc_read")]
    async fn read(&self, call: &RequestContext, #[oai(name = "id")] _id: Id) -> ReadResult<Reply<NodeView>> {
        let id = call.id(NodeId::parse)?;
        let node = call.shop().db.read(|db| node_state::public(db, id).map_err(Error::from))?;
        let node = node.filter(|node| node.kind.has_compatible_view()).ok_or_else(Problem::not_found)?;
        Ok(Reply(NodeView {
            url: call.url(format_args!("public/lnnodes/lndgrpc/{id}/")),
            is_enabled: node.is_enabled,
            is_alive: node.is_alive,
            identity_pubkey: Nullable(node.pubkey),
        }))
    }
}
