//! Orders: placing them, and looking at them, their item and their invoice.

use std::sync::Arc;

use poem_openapi::OpenApi;

use crate::domain::id::{HostId, OrderId};
use crate::domain::texts::{Language, Message};
use crate::domain::{alias, target};
use crate::http::contract::answer::{Created, ReadResult, Reply, Spoken, WriteResult};
use crate::http::contract::body::Input;
use crate::http::contract::body::read::{Reader, TextRule};
use crate::http::contract::call::RequestContext;
use crate::http::contract::dto::order::{InvoiceForm, InvoiceView, ItemView, OrderedView, PurchaseOrderView};
use crate::http::contract::dto::request::OrderBody;
use crate::http::contract::extract::{Body, Id};
use crate::http::contract::tag::Tag;
use crate::http::problem::Problem;
use crate::services::orders;
use crate::services::orders::place::{OrderRequest, OrderView, OrderedProduct};

/// Orders.
pub struct Orders;

#[OpenApi(prefix_path = "/api/v1/public", tag = "Tag::Public")]
impl Orders {
    /// Place an order
    ///
    /// All fields are checked before anything is stored; every problem is reported at once. The
    /// answer comes when the order is durable; its invoice follows within moments.
    #[oai(path = "/order/", method = "post", operation_id = "public_order_create")]
    async fn place(&self, call: &RequestContext, body: Body<OrderBody>) -> WriteResult<Created<OrderedView>> {
        let request = read_order(call, &body.read()?)?;
        call.app.orders.admit(&call.origin, call.shop().now()).map_err(Problem::throttled)?;
        let id = place_to_the_end(call, request).await?;
        let url = call.url(format_args!("public/pos/{id}/"));
        Ok(Created { location: url.clone(), body: OrderedView { id: id.to_string(), url } })
    }

    /// A purchase order
    #[oai(path = "/pos/:id/", method = "get", operation_id = "public_pos_read")]
    async fn read(&self, call: &RequestContext, #[oai(name = "id")] _id: Id) -> ReadResult<Spoken<PurchaseOrderView>> {
        let view = view(call)?;
        let site = call.site()?;
        let message = view.purchase.message.as_ref();
        let language = message.map_or(Language::English, |message| message.language(call.language));
        Ok(Spoken(PurchaseOrderView::new(call, &view, &site), language))
    }

    /// The item of a purchase order
    #[oai(path = "/po_items/:id/", method = "get", operation_id = "public_po_items_read")]
    async fn read_item(&self, call: &RequestContext, #[oai(name = "id")] _id: Id) -> ReadResult<Reply<ItemView>> {
        let view = view(call)?;
        let site = call.site()?;
        Ok(Reply(ItemView::new(call, &view, &site)))
    }

    /// A Lightning invoice
    #[oai(path = "/invoices/:id/", method = "get", operation_id = "public_invoices_read")]
    async fn read_invoice(&self, call: &RequestContext, #[oai(name = "id")] _id: Id) -> ReadResult<Reply<InvoiceView>> {
        let view = view(call)?;
        Ok(Reply(InvoiceView::new(call, &view.purchase, InvoiceForm::Plain)))
    }

    /// The invoice of a purchase order
    ///
    /// The same invoice with the URL of its order.
    #[oai(path = "/po_invoices/:id/", method = "get", operation_id = "public_po_invoices_read")]
    async fn read_po_invoice(
        &self,
        call: &RequestContext,
        #[oai(name = "id")] _id: Id,
    ) -> ReadResult<Reply<InvoiceView>> {
        let view = view(call)?;
        Ok(Reply(InvoiceView::new(call, &view.purchase, InvoiceForm::OfOrder)))
    }
}

/// Goes on also when the buyer has gone away: only at the end it is known whether the order is accepted.
async fn place_to_the_end(call: &RequestContext, request: OrderRequest) -> Result<OrderId, Problem> {
    let (app, origin) = (Arc::clone(&call.app), call.origin.clone());
    let placing = tokio::spawn(async move {
        let placed = orders::place::place(&app.shop, request).await;
        placed.inspect_err(|_| app.orders.refused(&origin))
    });
    Ok(placing.await.map_err(|error| Problem::internal(&error.to_string()))??)
}

/// The order that the path names, be it as an order, an item or an invoice.
fn view(call: &RequestContext) -> Result<OrderView, Problem> {
    Ok(orders::place::view(call.shop(), call.id(OrderId::parse)?)?)
}

fn read_order(call: &RequestContext, input: &Input) -> Result<OrderRequest, Problem> {
    const fn up_to(max: usize) -> TextRule {
        TextRule { max, blank: false, null: false }
    }
    let mut reader = Reader::new(input);
    reader.required("product");
    let product = reader.choice("product", OrderedProduct::parse);
    reader.required("host_id");
    let host_id = reader.uuid("host_id", HostId::parse);
    let tos_accepted = reader.boolean("tos_accepted");
    if reader.raw("tos_accepted").is_none() && !input.is_form {
        reader.complain("tos_accepted", Message::Required);
    }
    let comment = reader.text("comment", up_to(42)).flatten();
    let target = reader.text("target", up_to(0)).flatten();
    let target = target.and_then(|text| {
        target::parse(&text)
            .map_err(|problems| problems.into_iter().for_each(|problem| reader.complain("target", problem)))
            .ok()
    });
    let name = reader.text("alias", up_to(alias::MAX_LENGTH)).flatten();
    let name =
        name.and_then(|name| alias::parse_alias(&name).map_err(|problem| reader.complain("alias", problem)).ok());
    let mut public_key = reader.text("public_key", up_to(alias::MAX_KEY_LENGTH)).flatten();
    // A tunnel's key is another kind of key; that it is not offered is said later.
    if product == Some(OrderedProduct::NostrAlias) {
        public_key = public_key.and_then(|key| {
            alias::parse_public_key(&key).map_err(|problem| reader.complain("public_key", problem)).ok()
        });
    }
    // Without other problems the host is looked at when the order is placed.
    if reader.has_problems()
        && let Some(host) = host_id
        && let Some(problem) = orders::place::host_problem(call.shop(), host)?
    {
        reader.complain_late(&["product"], "host_id", problem);
    }
    reader.finish()?;
    let (Some(product), Some(host_id)) = (product, host_id) else {
        return Err(Problem::internal("an order without product or host passed validation"));
    };
    Ok(OrderRequest {
        product,
        host_id,
        periods: 1,
        tos_accepted: tos_accepted.unwrap_or(false),
        comment,
        target,
        alias: name,
        public_key,
        client_ip: call.origin.client.ip(),
    })
}
