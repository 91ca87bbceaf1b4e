//! Products as anybody sees them who knows their id, and their extension.

use poem_openapi::OpenApi;

use crate::domain::id::ProductId;
use crate::domain::product::ProductKind;
use crate::domain::texts::{Language, Message};
use crate::http::contract::answer::{ReadResult, Reply, Spoken, WriteResult};
use crate::http::contract::call::RequestContext;
use crate::http::contract::dto::order::ExtendedView;
use crate::http::contract::dto::product::PublicProductView;
use crate::http::contract::extract::Id;
use crate::http::contract::tag::Tag;
use crate::http::problem::Problem;
use crate::services::orders::extend::Extension;
use crate::services::{orders, products};

/// Tor bridges and Nostr aliases.
pub struct Products;

#[OpenApi(prefix_path = "/api/v1/public", tag = "Tag::Public")]
impl Products {
    /// A Tor bridge
    #[oai(path = "/tor_bridges/:id/", method = "get", operation_id = "public_tor_bridges_read")]
    async fn read_bridge(
        &self,
        call: &RequestContext,
        #[oai(name = "id")] _id: Id,
    ) -> ReadResult<Reply<PublicProductView>> {
        Ok(read(call, ProductKind::TorBridge)?)
    }

    /// Order one more period of a Tor bridge
    ///
    /// Any body is ignored. While an earlier order can still be paid for some minutes, that one is
    /// answered again. The invoice is made before this answers: when that fails, or takes longer than 5 s,
    /// the answer is 503 and there is no order.
    #[oai(path = "/tor_bridges/:id/extend/", method = "post", operation_id = "public_tor_bridges_extend")]
    async fn extend_bridge(
        &self,
        call: &RequestContext,
        #[oai(name = "id")] _id: Id,
    ) -> WriteResult<Spoken<ExtendedView>> {
        Ok(extend(call, ProductKind::TorBridge).await?)
    }

    /// A Nostr alias
    #[oai(path = "/nostr_aliases/:id/", method = "get", operation_id = "public_nostr_aliases_read")]
    async fn read_alias(
        &self,
        call: &RequestContext,
        #[oai(name = "id")] _id: Id,
    ) -> ReadResult<Reply<PublicProductView>> {
        Ok(read(call, ProductKind::NostrAlias)?)
    }

    /// Order one more period of a Nostr alias
    ///
    /// As for a Tor bridge.
    #[oai(path = "/nostr_aliases/:id/extend/", method = "post", operation_id = "public_nostr_aliases_extend")]
    async fn extend_alias(
        &self,
        call: &RequestContext,
        #[oai(name = "id")] _id: Id,
    ) -> WriteResult<Spoken<ExtendedView>> {
        Ok(extend(call, ProductKind::NostrAlias).await?)
    }
}

fn read(call: &RequestContext, kind: ProductKind) -> Result<Reply<PublicProductView>, Problem> {
    let product = products::view::public(call.shop(), call.id(ProductId::parse)?, kind)?;
    Ok(Reply(PublicProductView::from(&product)))
}

async fn extend(call: &RequestContext, kind: ProductKind) -> Result<Spoken<ExtendedView>, Problem> {
    let id = call.id(ProductId::parse)?;
    orders::deny::refuse_client(call.shop(), call.origin.client.ip().as_deref())?;
    let extension = orders::extend::extend(call.shop(), id, kind).await?;
    let language = match extension {
        Extension::Order(_) => Language::English,
        Extension::TestHost => Message::OnTestHost.language(call.language),
    };
    let view = match extension {
        Extension::Order(order) => ExtendedView {
            status: "ok".to_owned(),
            po_id: Some(order.to_string()),
            po: Some(call.url(format_args!("public/pos/{order}/"))),
            detail: None,
        },
        Extension::TestHost => ExtendedView {
            status: "error".to_owned(),
            po_id: None,
            po: None,
            detail: Some(Message::OnTestHost.text(call.language)),
        },
    };
    Ok(Spoken(view, language))
}
