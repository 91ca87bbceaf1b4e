//! Tor bridges as their host works on them.

use poem_openapi::OpenApi;

use super::products;
use super::products::Products;
use super::telegraf;
use crate::domain::product::ProductKind;
use crate::http::contract::answer::{Deleted, ReadResult, Reply, Text, WriteResult};
use crate::http::contract::call::RequestContext;
use crate::http::contract::dto::product::ProductView;
use crate::http::contract::dto::request::{ConsumeBody, TorBridgeBody};
use crate::http::contract::extract::{Body, Caller, Id, Query};
use crate::http::contract::tag::Tag;

const KIND: ProductKind = ProductKind::TorBridge;

/// Tor bridges.
pub struct Bridges;

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Host")]
impl Bridges {
    /// Tor bridges, newest first
    ///
    /// A host polls `?status=P` for what is to be activated (the longest waiting first) and `?status=S` for what is
    /// to be suspended.
    #[oai(path = "/tor_bridges/", method = "get", operation_id = "tor_bridges_list")]
    async fn list(
        &self,
        call: &RequestContext,
        caller: Caller,
        host: Query,
        status: Query,
    ) -> ReadResult<Reply<Products>> {
        Ok(products::list(call, &caller.0, KIND, host.0.as_deref(), status.0.as_deref()).await?)
    }

    /// Never possible: bridges come from orders
    #[oai(path = "/tor_bridges/", method = "post", operation_id = "tor_bridges_create")]
    async fn create(&self, _caller: Caller, body: Body<TorBridgeBody>) -> WriteResult<Reply<ProductView>> {
        Err(products::never_writable(KIND, &body.read()?).into())
    }

    /// Monitoring configuration (Telegraf) of active bridges
    #[oai(path = "/tor_bridges/get_telegraf_config/", method = "get", operation_id = "tor_bridges_get_telegraf_config")]
    async fn telegraf(&self, call: &RequestContext, caller: Caller, port: Query) -> ReadResult<Text> {
        Ok(telegraf::config(call, &caller.0, port.0.as_deref()).await?)
    }

    /// A Tor bridge
    #[oai(path = "/tor_bridges/:id/", method = "get", operation_id = "tor_bridges_read")]
    async fn read(
        &self,
        call: &RequestContext,
        caller: Caller,
        #[oai(name = "id")] _id: Id,
    ) -> ReadResult<Reply<ProductView>> {
        Ok(products::read(call, &caller.0, KIND).await?)
    }

    /// Never possible: report changes with PATCH
    #[oai(path = "/tor_bridges/:id/", method = "put", operation_id = "tor_bridges_update")]
    async fn replace(
        &self,
        call: &RequestContext,
        caller: Caller,
        #[oai(name = "id")] _id: Id,
        body: Body<TorBridgeBody>,
    ) -> WriteResult<Reply<ProductView>> {
        products::find(call, &caller.0, KIND)?;
        Err(products::never_writable(KIND, &body.read()?).into())
    }

    /// Report the state or the traffic of a Tor bridge
    ///
    /// The allowed changes of `status` are P to A, P to F and S to H; repeating the present one changes
    /// nothing. Bandwidth can only be used up. `target` and `suspend_after` can't be changed.
    #[oai(path = "/tor_bridges/:id/", method = "patch", operation_id = "tor_bridges_partial_update")]
    async fn report(
        &self,
        call: &RequestContext,
        caller: Caller,
        #[oai(name = "id")] _id: Id,
        body: Body<TorBridgeBody>,
    ) -> WriteResult<Reply<ProductView>> {
        let before = products::find(call, &caller.0, KIND)?;
        Ok(products::patch(call, &caller.0, &before.product, &body.read()?).await?)
    }

    /// Forget a Tor bridge that is owed to nobody
    #[oai(path = "/tor_bridges/:id/", method = "delete", operation_id = "tor_bridges_delete")]
    async fn delete(&self, call: &RequestContext, caller: Caller, #[oai(name = "id")] _id: Id) -> WriteResult<Deleted> {
        Ok(products::delete(call, &caller.0, KIND).await?)
    }

    /// Subtract used bandwidth
    ///
    /// Sets `bandwidth_last_checked` to now.
    #[oai(
        path = "/tor_bridges/:id/consume_bandwidth/",
        method = "patch",
        operation_id = "tor_bridges_consume_bandwidth"
    )]
    async fn consume(
        &self,
        call: &RequestContext,
        caller: Caller,
        #[oai(name = "id")] _id: Id,
        body: Body<ConsumeBody>,
    ) -> WriteResult<Reply<ProductView>> {
        let before = products::find(call, &caller.0, KIND)?;
        Ok(products::consume(call, &caller.0, before.product.id, &body.read()?).await?)
    }
}
