//! Nostr aliases as their host works on them.

use poem_openapi::OpenApi;

use super::products;
use super::products::Products;
use crate::domain::product::ProductKind;
use crate::http::contract::answer::{Deleted, ReadResult, Reply, WriteResult};
use crate::http::contract::call::RequestContext;
use crate::http::contract::dto::product::ProductView;
use crate::http::contract::dto::request::NostrAliasBody;
use crate::http::contract::extract::{Body, Caller, Id, Query};
use crate::http::contract::tag::Tag;

const KIND: ProductKind = ProductKind::NostrAlias;

/// Nostr aliases.
pub struct Aliases;

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Host")]
impl Aliases {
    /// Nostr aliases, newest first
    #[oai(path = "/nostr_aliases/", method = "get", operation_id = "nostr_aliases_list")]
    async fn list(
        &self,
        call: &RequestContext,
        caller: Caller,
        host: Query,
        status: Query,
    ) -> ReadResult<Reply<Products>> {
        Ok(products::list(call, &caller.0, KIND, host.0.as_deref(), status.0.as_deref()).await?)
    }

    /// Never possible: aliases come from orders
    #[oai(path = "/nostr_aliases/", method = "post", operation_id = "nostr_aliases_create")]
    async fn create(&self, _caller: Caller, body: Body<NostrAliasBody>) -> WriteResult<Reply<ProductView>> {
        Err(products::never_writable(KIND, &body.read()?).into())
    }

    /// A Nostr alias
    #[oai(path = "/nostr_aliases/:id/", method = "get", operation_id = "nostr_aliases_read")]
    async fn read(
        &self,
        call: &RequestContext,
        caller: Caller,
        #[oai(name = "id")] _id: Id,
    ) -> ReadResult<Reply<ProductView>> {
        Ok(products::read(call, &caller.0, KIND).await?)
    }

    /// Never possible: report changes with PATCH
    #[oai(path = "/nostr_aliases/:id/", method = "put", operation_id = "nostr_aliases_update")]
    async fn replace(
        &self,
        call: &RequestContext,
        caller: Caller,
        #[oai(name = "id")] _id: Id,
        body: Body<NostrAliasBody>,
    ) -> WriteResult<Reply<ProductView>> {
        products::find(call, &caller.0, KIND)?;
        Err(products::never_writable(KIND, &body.read()?).into())
    }

    /// Report the state of a Nostr alias
    ///
    /// As for a Tor bridge; `alias` and `public_key` can't be changed.
    #[oai(path = "/nostr_aliases/:id/", method = "patch", operation_id = "nostr_aliases_partial_update")]
    async fn report(
        &self,
        call: &RequestContext,
        caller: Caller,
        #[oai(name = "id")] _id: Id,
        body: Body<NostrAliasBody>,
    ) -> WriteResult<Reply<ProductView>> {
        let before = products::find(call, &caller.0, KIND)?;
        Ok(products::patch(call, &caller.0, &before.product, &body.read()?).await?)
    }

    /// Forget a Nostr alias that is owed to nobody
    #[oai(path = "/nostr_aliases/:id/", method = "delete", operation_id = "nostr_aliases_delete")]
    async fn delete(&self, call: &RequestContext, caller: Caller, #[oai(name = "id")] _id: Id) -> WriteResult<Deleted> {
        Ok(products::delete(call, &caller.0, KIND).await?)
    }
}
