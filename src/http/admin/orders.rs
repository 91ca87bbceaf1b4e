//! Orders with their items and invoices: finding them, and what becomes of those that need a person.

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::answer::{Answer, Reply};
use super::body::Body;
use super::context::{Context, id};
use super::export::{Csv, JsonLines, Png, orders_csv, orders_json};
use super::order_views::{AdminNote, AdminNoted, AdminOrder, AdminOrderDetail};
use super::page::{Page, Slice};
use super::signed::{Signed, SignedToSell};
use super::tag::Tag;
use super::values::{msat, one_of, time};
use crate::domain::id::{HostId, OrderId};
use crate::domain::purchase::OrderStatus;
use crate::http::problem::Problem;
use crate::services::orders::search;
use crate::services::{Principal, operator_queries, payments};

/// Orders.
pub struct Orders;

/// What orders are asked for, but for the page.
struct Filter {
    q: Option<String>,
    host: Option<String>,
    status: Option<String>,
    owed: Option<bool>,
    from: Option<String>,
    until: Option<String>,
}

impl Filter {
    fn query(self) -> Result<search::Query, Problem> {
        Ok(search::Query {
            text: self.q,
            host: one_of("host", self.host, HostId::parse)?,
            status: one_of("status", self.status, OrderStatus::parse)?,
            owed: self.owed.unwrap_or(false),
            from: time("from", self.from)?,
            until: time("until", self.until)?,
            after: None,
            oldest_first: false,
            limit: 1,
        })
    }
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Orders {
    /// Orders, newest or oldest first, in pages
    ///
    /// An operator gets those at their own hosts.
    #[oai(path = "/orders/", method = "get", operation_id = "admin_order_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn list(
        &self,
        context: &Context,
        signed: Signed,
        /// What is remembered of one: its id, that of its product, or a payment hash.
        q: Query<Option<String>>,
        /// Only those at the host with this id.
        host: Query<Option<String>>,
        /// Only those in this state, a letter.
        status: Query<Option<String>>,
        /// Only those that owe the buyer something.
        owed: Query<Option<bool>>,
        /// Only those placed at this time or later: `YYYY-MM-DD` or with the time.
        from: Query<Option<String>>,
        /// Only those placed before this time.
        until: Query<Option<String>>,
        /// Whether the oldest come first.
        oldest_first: Query<Option<bool>>,
        /// The `next` of the page before.
        after: Query<Option<String>>,
        /// So many in a page, at most 250.
        limit: Query<Option<u32>>,
    ) -> Answer<Reply<Page<AdminOrder>>> {
        let slice = Slice::of(after.0, limit.0)?;
        let filter =
            Filter { q: q.0, host: host.0, status: status.0, owed: owed.0, from: from.0, until: until.0 }.query()?;
        let (after, oldest_first) = (slice.after(OrderId::parse)?, oldest_first.0.unwrap_or(false));
        let query = search::Query { after, oldest_first, limit: slice.wanted(), ..filter };
        let found = context.shop().read(&signed.by, |tx| search::list(tx, &query))?;
        let language = context.language;
        Ok(Reply(slice.page(found, |view| view.purchase.id.to_string(), |view| AdminOrder::new(&view, language))))
    }

    /// The same orders as a file of comma-separated values
    #[oai(path = "/orders/export/csv/", method = "get", operation_id = "admin_order_export_csv")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn csv(
        &self,
        context: &Context,
        signed: Signed,
        /// What is remembered of one: its id, that of its product, or a payment hash.
        q: Query<Option<String>>,
        /// Only those at the host with this id.
        host: Query<Option<String>>,
        /// Only those in this state, a letter.
        status: Query<Option<String>>,
        /// Only those that owe the buyer something.
        owed: Query<Option<bool>>,
        /// Only those placed at this time or later.
        from: Query<Option<String>>,
        /// Only those placed before this time.
        until: Query<Option<String>>,
    ) -> Answer<Csv> {
        let query =
            Filter { q: q.0, host: host.0, status: status.0, owed: owed.0, from: from.0, until: until.0 }.query()?;
        let by = checked(context, signed, &query)?;
        Ok(orders_csv(&context.app, by, query, context.language))
    }

    /// The same orders as a file with one JSON document in each line
    #[oai(path = "/orders/export/json/", method = "get", operation_id = "admin_order_export_json")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn json(
        &self,
        context: &Context,
        signed: Signed,
        /// What is remembered of one: its id, that of its product, or a payment hash.
        q: Query<Option<String>>,
        /// Only those at the host with this id.
        host: Query<Option<String>>,
        /// Only those in this state, a letter.
        status: Query<Option<String>>,
        /// Only those that owe the buyer something.
        owed: Query<Option<bool>>,
        /// Only those placed at this time or later.
        from: Query<Option<String>>,
        /// Only those placed before this time.
        until: Query<Option<String>>,
    ) -> Answer<JsonLines> {
        let query =
            Filter { q: q.0, host: host.0, status: status.0, owed: owed.0, from: from.0, until: until.0 }.query()?;
        let by = checked(context, signed, &query)?;
        Ok(orders_json(&context.app, by, query, context.language))
    }

    /// One order with its invoice, its refunds and its history
    #[oai(path = "/orders/:id/", method = "get", operation_id = "admin_order_read")]
    async fn read(
        &self,
        context: &Context,
        signed: Signed,
        #[oai(name = "id")] order: Path<String>,
    ) -> Answer<Reply<AdminOrderDetail>> {
        let order = id(&order.0, OrderId::parse)?;
        let (view, history) = operator_queries::order(context.shop(), &signed.by, order)?;
        let refunds = context.shop().read(&signed.by, |tx| payments::refunds::all_of(tx, order))?;
        Ok(Reply(AdminOrderDetail {
            order: AdminOrder::new(&view, context.language),
            refunds: refunds.into_iter().map(Into::into).collect(),
            history: history.into_iter().map(Into::into).collect(),
        }))
    }

    /// The payment request of an order's invoice as a picture
    #[oai(path = "/orders/:id/invoice/qr/", method = "get", operation_id = "admin_order_invoice_qr")]
    async fn qr(&self, context: &Context, signed: Signed, #[oai(name = "id")] order: Path<String>) -> Answer<Png> {
        let order = id(&order.0, OrderId::parse)?;
        let (view, _) = operator_queries::order(context.shop(), &signed.by, order)?;
        let request = view.purchase.invoice.payment_request.ok_or_else(Problem::not_found)?;
        let picture = context.app.pictures.of(&request).map_err(|error| Problem::internal(&error))?;
        Ok(Png(picture))
    }

    /// Note that what an order owed was paid back by hand; nothing is paid
    #[oai(path = "/orders/:id/resolve/", method = "post", operation_id = "admin_order_resolve")]
    async fn resolve(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] order: Path<String>,
        body: Body<AdminNote>,
    ) -> Answer<Reply<AdminNoted>> {
        let order = id(&order.0, OrderId::parse)?;
        payments::apply::mark_refunded(context.shop(), order, &signed.0.by, &body.0.note).await?;
        Ok(Reply(noted(context, &signed.0.by, order)?))
    }

    /// Let the host try again to deliver an order in state N
    #[oai(path = "/orders/:id/deliver-again/", method = "post", operation_id = "admin_order_deliver_again")]
    async fn deliver_again(
        &self,
        context: &Context,
        signed: SignedToSell,
        #[oai(name = "id")] order: Path<String>,
    ) -> Answer<Reply<AdminNoted>> {
        let order = id(&order.0, OrderId::parse)?;
        payments::apply::retry_delivery(context.shop(), order, &signed.0.by).await?;
        Ok(Reply(noted(context, &signed.0.by, order)?))
    }
}

/// Refuses an export at its beginning, where the status can still say so.
fn checked(context: &Context, signed: Signed, query: &search::Query) -> Result<Principal, Problem> {
    context.shop().read(&signed.by, |tx| search::list(tx, query))?;
    Ok(signed.by)
}

/// How an order stands.
fn noted(context: &Context, by: &Principal, order: OrderId) -> Result<AdminNoted, Problem> {
    let (view, _) = operator_queries::order(context.shop(), by, order)?;
    let purchase = &view.purchase;
    Ok(AdminNoted { id: order.to_string(), status: purchase.status.letter().to_owned(), owed: msat(purchase.owed) })
}
