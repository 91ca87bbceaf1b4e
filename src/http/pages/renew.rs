//! The permanent code that renews a product (LNURL-pay, LUD-06): any wallet that scans it, or has kept it, buys one more
//! period.

use http::StatusCode;
use poem::Response;
use serde_json::json;

use super::format;
use super::lnurl;
use super::order_words;
use super::paths;
use super::visit::Visit;
use crate::domain::id::ProductId;
use crate::domain::money::Msat;
use crate::domain::product::ProductKind;
use crate::domain::texts::Message;
use crate::http::problem::Problem;
use crate::services::orders::extend::{Extension, More};
use crate::services::orders::{self, extend, follow};

/// What a wallet learns that has scanned the code: what one period costs, and where to ask for its invoice.
pub fn offer(visit: &Visit, kind: ProductKind) -> Result<Response, Problem> {
    let id = visit.id(ProductId::parse)?;
    let price = extend::price_of_one(&visit.app.shop, id, kind)?;
    let (base, path, language) = (&visit.origin.base, paths::renewal(kind, id), visit.t.tag);
    Ok(lnurl::answer(&json!({
        "tag": "payRequest",
        // In the language in which the wallet was told what it buys: the invoice has the hash of that.
        "callback": format!("{base}{path}invoice/?lang={language}"),
        "minSendable": price.0,
        "maxSendable": price.0,
        "metadata": metadata(visit, kind, id)?,
    })))
}

/// The invoice of one more period.
pub async fn invoice(visit: &Visit, kind: ProductKind) -> Result<Response, Problem> {
    let (id, shop) = (visit.id(ProductId::parse)?, &visit.app.shop);
    let price = extend::price_of_one(shop, id, kind)?;
    if visit.query("amount").and_then(|amount| amount.parse().ok()).map(Msat) != Some(price) {
        return Err(Problem::detail(StatusCode::BAD_REQUEST, Message::OnePriceOnly { price }));
    }
    orders::deny::refuse_client(shop, visit.origin.client.ip().as_deref())?;
    let more = More { periods: 1, described_by: Some(metadata(visit, kind, id)?) };
    let Extension::Order(order) = visit.limited(extend::extend_by(shop, id, kind, more)).await? else {
        return Err(Problem::detail(StatusCode::BAD_REQUEST, Message::OnTestHost));
    };
    let request = orders::place::view(shop, order)?.purchase.invoice.payment_request;
    let request = request.ok_or_else(|| Problem::detail(StatusCode::SERVICE_UNAVAILABLE, Message::NoPayments))?;
    Ok(lnurl::answer(&json!({
        "pr": request,
        "routes": [],
        // The code is to be kept.
        "disposable": false,
        "successAction": {
            "tag": "url",
            "description": visit.t.renew_done,
            "url": format!("{}{}", visit.origin.base, super::paths::order(order)),
        },
    })))
}

/// What is bought, as wallets show it.
fn metadata(visit: &Visit, kind: ProductKind, id: ProductId) -> Result<String, Problem> {
    let bought = follow::bought(&visit.app.shop, id, kind)?;
    let what = match kind {
        ProductKind::TorBridge => visit.t.bridge,
        ProductKind::NostrAlias => visit.t.alias,
    };
    let place = order_words::address(&bought.product, &bought.host).unwrap_or_default();
    let duration = format::duration(visit.t, bought.product.terms.duration_secs);
    let text = format!("{what} {place}: {} ({duration})", visit.t.extension);
    Ok(json!([["text/plain", text]]).to_string())
}
