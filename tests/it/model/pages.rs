//! Buyers who use the pages: forms sent and sent again, claims, wallets that scan a code; and that the page of an order
//! says what is so. No socket is used: requests go to the shop's HTTP interface as its listener hands them over.

use ip2tor_shop::domain::id::OrderId;
use ip2tor_shop::domain::lightning::PaymentHash;
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::purchase::InvoiceState;
use ip2tor_shop::domain::texts::Message;
use ip2tor_shop::http::middleware::order_limit::OrderRates;
use ip2tor_shop::http::middleware::rate_limit::Rate;
use ip2tor_shop::http::{self, App, Limits};
use ip2tor_shop::services::orders::follow;
use ip2tor_shop::services::orders::place::{OrderRequest, OrderedProduct};
use ip2tor_shop::services::{Error, Shop};
use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, EndpointExt, Request, Response};
use serde_json::Value;
use uuid::Uuid;

use super::world::{Outcome, World};
use crate::support::bolt11::on_regtest;

/// One world in so many has them: the interface takes as long to set up as a whole run.
pub const ONE_IN: u64 = 10;
/// Payment requests are valid for longer than any run, in seconds.
const FOR_EVER: u64 = 1_000_000_000;

/// The pages of a shop.
pub struct Pages(BoxEndpoint<'static, Response>);

/// What came back.
struct Answer {
    status: u16,
    location: String,
    text: String,
}

impl Pages {
    pub fn of(shop: &Shop) -> Self {
        // The runs are not about how often somebody may ask.
        let limits = Limits { requests: Rate::OFF, orders: OrderRates::OFF, ..Limits::default() };
        Self(http::app(App::new(shop.clone(), limits, Box::new(|_| false))).boxed())
    }

    async fn ask(&self, method: &str, path: &str, form: String) -> Answer {
        let request = Request::builder()
            .method(method.parse().unwrap())
            .uri(path.parse().unwrap())
            .header("host", "abc.onion")
            .header("content-type", "application/x-www-form-urlencoded");
        let mut response = self.0.get_response(request.body(form)).await;
        let location = response.headers().get("location").and_then(|value| value.to_str().ok());
        let location = location.unwrap_or_default().to_owned();
        let text = response.take_body().into_string().await.unwrap();
        Answer { status: response.status().as_u16(), location, text }
    }
}

/// Sends the form of a host's page: the order that it leads to. `None` for a world without pages.
pub async fn send_form(world: &World, form: Uuid, request: &OrderRequest) -> Option<Result<OrderId, Error>> {
    let pages = world.pages.as_ref()?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let fields = [
        ("token", form.to_string()),
        ("product", request.product.name().to_owned()),
        ("target", text(&request.target)),
        ("alias", text(&request.alias)),
        ("public_key", text(&request.public_key)),
        ("periods", request.periods.to_string()),
        ("tos_accepted", "true".to_owned()),
    ];
    let is_bridge = request.product == OrderedProduct::TorBridge;
    let sent = fields.into_iter().filter(|(name, _)| match *name {
        "target" => is_bridge,
        "alias" | "public_key" => !is_bridge,
        _ => true,
    });
    let body = serde_urlencoded::to_string(sent.collect::<Vec<_>>()).unwrap();
    let answer = pages.ask("POST", &format!("/shop/hosts/{}/", request.host_id), body).await;
    let order = answer.location.strip_prefix("/charged/lnpurchase/po/").and_then(|rest| rest.strip_suffix('/'));
    Some(match (answer.status, order.and_then(OrderId::parse)) {
        (303, Some(order)) => Ok(order),
        (400, _) => Err(Error::Invalid(Vec::new())),
        (404, _) => Err(Error::NotFound),
        (503, _) => Err(Error::Unavailable { detail: Message::NoPayments, retry_after_secs: 1 }),
        (status, _) => Err(Error::Internal(format!("the form was answered with {status}: {}", answer.text))),
    })
}

/// Claims what is owed by the form of the order's page, or as a wallet does that has scanned the code there. False for a
/// world without pages.
pub async fn claim(world: &mut World, order: OrderId, owed: Msat) -> Result<bool, String> {
    let hash = PaymentHash(world.luck.u128(..).to_be_bytes().repeat(2).try_into().unwrap());
    let (scans, now) = (world.chance(50), world.now());
    let Some(pages) = &world.pages else { return Ok(false) };
    let bill = on_regtest(owed.0, now, FOR_EVER, hash);
    let answer = if scans {
        let offer = pages.ask("GET", &format!("/lnurl/withdraw/{order}/"), String::new()).await;
        let offer: Value = serde_json::from_str(&offer.text).unwrap_or_default();
        let k1 = offer["k1"].as_str().unwrap_or_default();
        pages.ask("GET", &format!("/lnurl/withdraw/{order}/pay/?k1={k1}&pr={bill}"), String::new()).await
    } else {
        let path = format!("/charged/lnpurchase/po/{order}/claim/");
        pages.ask("POST", &path, format!("request={bill}")).await
    };
    world.note(format!("    -> by the page, {}: {}", answer.status, answer.location));
    match answer.status {
        200 | 303 | 400 | 404 | 409 | 503 => look(world, order).await.map(|()| true),
        status => Err(format!("a claim was answered with {status}: {}", answer.text)),
    }
}

/// The page of an order shows an invoice only while it can be paid, and a debt as long as there is one. With the whole worker
/// beside it the order may change while the page is made: then it shows what was before or what came after.
pub async fn look(world: &World, order: OrderId) -> Outcome {
    let Some(pages) = &world.pages else { return Ok(()) };
    let before = shows(world, order)?;
    let page = pages.ask("GET", &format!("/charged/lnpurchase/po/{order}/"), String::new()).await;
    let after = shows(world, order)?;
    if page.status != 200 {
        return Err(format!("the page of {order} was answered with {}", page.status));
    }
    let shown = (page.text.contains("id=\"invoice\""), page.text.contains("id=\"claim\""));
    let is_true = |one: bool, before: bool, after: bool| one == before || one == after;
    if !is_true(shown.0, before.0, after.0) {
        return Err(format!("the page of {order} shows an invoice: {}, {before:?}, {after:?}", shown.0));
    }
    if !is_true(shown.1, before.1, after.1) {
        return Err(format!("the page of {order} hides a debt, or makes one up: {before:?}, {after:?}"));
    }
    Ok(())
}

/// Whether the page of an order has to show an invoice, and a debt.
fn shows(world: &World, order: OrderId) -> Result<(bool, bool), String> {
    let purchase = follow::follow(&world.shop, order).map_err(|error| error.to_string())?.view.purchase;
    let invoice = &purchase.invoice;
    let is_payable = purchase.status.is_open()
        && invoice.state == InvoiceState::Open
        && invoice.expires_at.is_none_or(|end| end > world.now());
    Ok((is_payable && invoice.payment_request.is_some(), purchase.owed > Msat(0)))
}
