//! Tor bridges and aliases: finding them, and what operators do to them.

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::answer::{Answer, Reply};
use super::body::Body;
use super::context::{Context, id};
use super::order_views::AdminOrder;
use super::page::{Page, Slice};
use super::product_views::{AdminGift, AdminKill, AdminMove, AdminProduct, AdminProductDetail, AdminProductState};
use super::signed::{Signed, SignedToSell};
use super::tag::Tag;
use super::values::{AdminReason, one_of, reason, time};
use crate::domain::id::{HostId, ProductId};
use crate::domain::product::ProductStatus;
use crate::http::problem::Problem;
use crate::services::operator_queries;
use crate::services::orders::place::OrderView;
use crate::services::products::operate::{Operation, OperatorAction, operate};
use crate::services::products::relocate::relocate;
use crate::services::products::search;

/// Products.
pub struct Products;

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Products {
    /// Products, newest or oldest first, in pages
    ///
    /// `q` is what is remembered of one: its id or that of an order of it, its port, or how its target, alias, key or
    /// comment begins. What was never paid for is found by its id alone. An operator gets those on their own hosts.
    #[oai(path = "/products/", method = "get", operation_id = "admin_product_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn list(
        &self,
        context: &Context,
        signed: Signed,
        /// What is remembered of one.
        q: Query<Option<String>>,
        /// Only those on the host with this id.
        host: Query<Option<String>>,
        /// Only those in this state, a letter.
        status: Query<Option<String>>,
        /// Only those ordered at this time or later: `YYYY-MM-DD` or with the time.
        from: Query<Option<String>>,
        /// Only those ordered before this time.
        until: Query<Option<String>>,
        /// Whether the oldest come first.
        oldest_first: Query<Option<bool>>,
        /// The `next` of the page before.
        after: Query<Option<String>>,
        /// So many in a page, at most 250.
        limit: Query<Option<u32>>,
    ) -> Answer<Reply<Page<AdminProduct>>> {
        let slice = Slice::of(after.0, limit.0)?;
        let query = search::Query {
            text: q.0,
            host: one_of("host", host.0, HostId::parse)?,
            status: one_of("status", status.0, ProductStatus::parse)?,
            from: time("from", from.0)?,
            until: time("until", until.0)?,
            after: slice.after(ProductId::parse)?,
            oldest_first: oldest_first.0.unwrap_or(false),
            limit: slice.wanted(),
        };
        let found = context.shop().read(&signed.by, |tx| search::list(tx, &query))?;
        Ok(Reply(slice.page(found, |view| view.product.id.to_string(), |view| AdminProduct::from(&view))))
    }

    /// One product with its orders and its history
    #[oai(path = "/products/:id/", method = "get", operation_id = "admin_product_read")]
    async fn read(
        &self,
        context: &Context,
        signed: Signed,
        #[oai(name = "id")] product: Path<String>,
    ) -> Answer<Reply<AdminProductDetail>> {
        let product = id(&product.0, ProductId::parse)?;
        let (view, orders, history) = operator_queries::product(context.shop(), &signed.by, product)?;
        let order = |purchase| {
            let whole = OrderView { purchase, product: view.product.clone(), host: view.host.clone() };
            AdminOrder::new(&whole, context.language)
        };
        Ok(Reply(AdminProductDetail {
            product: AdminProduct::from(&view),
            orders: orders.into_iter().map(order).collect(),
            history: history.into_iter().map(Into::into).collect(),
        }))
    }

    /// Suspend a running product; an extension, or `resume`, brings it back
    #[oai(path = "/products/:id/suspend/", method = "post", operation_id = "admin_product_suspend")]
    async fn suspend(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] product: Path<String>,
        body: Body<AdminReason>,
    ) -> Answer<Reply<AdminProductState>> {
        act(context, &signed, &product, OperatorAction::Suspend, body.0.reason).await
    }

    /// Bring a suspended product back while it has time left: its host is to activate it (state P)
    #[oai(path = "/products/:id/resume/", method = "post", operation_id = "admin_product_resume")]
    async fn resume(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] product: Path<String>,
        body: Body<AdminReason>,
    ) -> Answer<Reply<AdminProductState>> {
        act(context, &signed, &product, OperatorAction::Resume, body.0.reason).await
    }

    /// Give a product more time, and the bandwidth of a period, for nothing; one that has ended comes back
    #[oai(path = "/products/:id/extend/", method = "post", operation_id = "admin_product_extend")]
    async fn extend(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] product: Path<String>,
        body: Body<AdminGift>,
    ) -> Answer<Reply<AdminProductState>> {
        let AdminGift { secs, reason } = body.0;
        act(context, &signed, &product, OperatorAction::Extend(secs), reason).await
    }

    /// Give the port of a suspended product back without its host's word: the host is gone or cleaned
    #[oai(path = "/products/:id/release/", method = "post", operation_id = "admin_product_release")]
    async fn release(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] product: Path<String>,
        body: Body<AdminReason>,
    ) -> Answer<Reply<AdminProductState>> {
        act(context, &signed, &product, OperatorAction::Release, body.0.reason).await
    }

    /// Delete a product that owes nothing to anybody; its record stays
    #[oai(path = "/products/:id/delete/", method = "post", operation_id = "admin_product_delete")]
    async fn delete(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] product: Path<String>,
        body: Body<AdminReason>,
    ) -> Answer<Reply<AdminProductState>> {
        act(context, &signed, &product, OperatorAction::Delete, body.0.reason).await
    }

    /// Switch a product off for good, and put its target on the deny list if wanted, in one step
    #[oai(path = "/products/:id/kill/", method = "post", operation_id = "admin_product_kill")]
    async fn kill(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] product: Path<String>,
        body: Body<AdminKill>,
    ) -> Answer<Reply<AdminProductState>> {
        let AdminKill { reason: why, deny_target } = body.0;
        let operation = Operation {
            action: OperatorAction::Kill,
            reason: reason(why)?,
            denies_target: deny_target.unwrap_or(false),
        };
        let product = id(&product.0, ProductId::parse)?;
        Ok(Reply(operate(context.shop(), &signed.0.by, product, operation).await?.into()))
    }

    /// Give a bridge that is suspended (state H) another port; with time left it comes back there
    #[oai(path = "/products/:id/move/", method = "post", operation_id = "admin_product_move")]
    async fn relocate(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] product: Path<String>,
        body: Body<AdminMove>,
    ) -> Answer<Reply<AdminProductState>> {
        let AdminMove { port, reason: why } = body.0;
        let product = id(&product.0, ProductId::parse)?;
        Ok(Reply(relocate(context.shop(), &signed.0.by, product, port, reason(why)?).await?.into()))
    }
}

/// What an operator does to a product.
async fn act(
    context: &Context,
    signed: &SignedToSell,
    product: &str,
    action: OperatorAction,
    why: Option<String>,
) -> Answer<Reply<AdminProductState>> {
    let product = id(product, ProductId::parse)?;
    let operation = Operation { action, reason: reason(why)?, denies_target: false };
    let done = operate(context.shop(), &signed.0.by, product, operation).await.map_err(Problem::from)?;
    Ok(Reply(done.into()))
}
