//! The page of what was bought: its state, its address and how to try it, how long it runs, more time, and its orders.

use askama::Template;
use http::StatusCode;
use poem::Response;

use super::answer::see;
use super::form::Form;
use super::format;
use super::frame::Frame;
use super::lnurl;
use super::order_words;
use super::paths;
use super::periods::{self, Choice};
use super::product_words::{ends, facts, tests, words};
use super::texts::Texts;
use super::visit::Visit;
use crate::domain::id::ProductId;
use crate::domain::money::Msat;
use crate::domain::product::{ProductKind, ProductStatus};
use crate::domain::purchase::{OrderStatus, Purchase};
use crate::domain::texts::Message;
use crate::http::problem::{Content, Problem};
use crate::services::orders::extend::{Extension, More};
use crate::services::orders::follow;
use crate::services::{orders, rates};

#[derive(Template)]
#[template(path = "product.html")]
struct ProductPage {
    t: &'static Texts,
    frame: Frame,
    heading: String,
    tone: &'static str,
    lead: &'static str,
    /// Why it was not extended.
    refused: Option<String>,
    address: Option<String>,
    /// How to try it: words, and a line to copy.
    tests: Vec<(&'static str, String)>,
    facts: Vec<(&'static str, String)>,
    calendar: Option<&'static str>,
    extend: Option<Extend>,
    history: Vec<Payment>,
}

/// One more period.
struct Extend {
    action: String,
    price: String,
    fiat: Option<String>,
    duration: String,
    periods: Vec<Choice>,
    /// The permanent code for one more period.
    code: Option<lnurl::Code>,
}

/// An order of it.
struct Payment {
    href: String,
    date: String,
    amount: String,
    state: &'static str,
}

/// The page; `refused` says why something was not done.
pub async fn show(visit: &Visit, kind: ProductKind, refused: Option<&Problem>) -> Result<Response, Problem> {
    let (t, shop) = (visit.t, &visit.app.shop);
    let bought = follow::bought(shop, visit.id(ProductId::parse)?, kind)?;
    let (product, host, now) = (&bought.product, &bought.host, shop.now());
    let rate = rates::for_information(shop)?;
    let is_there = product.activated_at.is_some()
        && matches!(product.status, ProductStatus::Active | ProductStatus::NeedsSuspend | ProductStatus::Suspended);
    let address = order_words::address(product, host).filter(|_| is_there);
    let (heading, tone, lead) = words(t, product, address.as_deref());
    let can_be_extended = is_there && product.terms.duration_secs > 0 && !product.is_killed && !host.is_test_host;
    let price = |count| Msat(product.terms.price_extension.0.saturating_mul(u64::from(count)));
    let extend = can_be_extended.then(|| Extend {
        action: format!("/{}/{}/extend/", paths::folder(kind), product.id),
        price: format::sats(product.terms.price_extension),
        fiat: format::fiat(rate, product.terms.price_extension),
        duration: format::duration(t, product.terms.duration_secs),
        periods: periods::choices(t, host.max_periods, product.terms.duration_secs, 1, price),
        // A wallet asks for no invoice over nothing.
        code: if price(1) > Msat(0) { lnurl::code(visit, &paths::renewal(kind, product.id)) } else { None },
    });
    let tests = match (&address, product.status) {
        (Some(address), ProductStatus::Active) => tests(t, product, &host.ip, address),
        _ => Vec::new(),
    };
    let status = refused.map_or(StatusCode::OK, |problem| problem.status);
    let page = ProductPage {
        t,
        frame: visit.frame(heading.clone()),
        heading,
        tone,
        lead,
        refused: refused.map(|problem| sentence(visit, problem)),
        tests,
        facts: facts(t, &bought, now),
        calendar: ends(product).filter(|end| *end > now).map(|_| "calendar.ics"),
        extend,
        history: bought.orders.iter().map(|purchase| payment(t, purchase)).collect(),
        address,
    };
    visit.secret_page(status, &page)
}

/// Orders more time, and leads to the order.
pub async fn extend(visit: &Visit, kind: ProductKind, form: &Form) -> Result<Response, Problem> {
    let id = visit.id(ProductId::parse)?;
    let refused = match order_more(visit, id, kind, periods::chosen(form)).await {
        Ok(location) => return Ok(see(&location)),
        Err(problem) => problem,
    };
    // What can't be extended is shown, with the reason.
    match refused.status {
        StatusCode::BAD_REQUEST | StatusCode::SERVICE_UNAVAILABLE => show(visit, kind, Some(&refused)).await,
        _ => Err(refused),
    }
}

async fn order_more(visit: &Visit, id: ProductId, kind: ProductKind, periods: u32) -> Result<String, Problem> {
    let shop = &visit.app.shop;
    orders::deny::refuse_client(shop, visit.origin.client.ip().as_deref())?;
    let more = More { periods, ..More::default() };
    match visit.limited(orders::extend::extend_by(shop, id, kind, more)).await? {
        Extension::Order(order) => Ok(super::paths::order(order)),
        Extension::TestHost => Err(Problem::detail(StatusCode::BAD_REQUEST, Message::OnTestHost)),
    }
}

fn sentence(visit: &Visit, problem: &Problem) -> String {
    match &problem.content {
        Content::Detail(message) => message.text(visit.language),
        Content::Fields(_) => visit.t.p400_lead.to_owned(),
    }
}

fn payment(t: &'static Texts, purchase: &Purchase) -> Payment {
    Payment {
        href: super::paths::order(purchase.id),
        date: format::date(purchase.created_at),
        amount: format::sats(purchase.price),
        state: order_state(t, purchase.status),
    }
}

/// The state of an order in two words.
pub const fn order_state(t: &'static Texts, status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Paid => t.order_paid,
        OrderStatus::Rejected => t.order_ended,
        OrderStatus::NeedsRefund => t.order_owed,
        OrderStatus::Refunded => t.order_refunded,
        _ => t.order_open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::texts::Language;

    #[test]
    fn what_was_bought_is_shown_in_each_language_and_nothing_in_it_is_markup() {
        let hostile = "\"><script>'alert(1)'</script>";
        let text = || hostile.to_owned();
        for language in Language::ALL {
            let t = Texts::of(language);
            let page = ProductPage {
                t,
                frame: Frame::sample(language),
                heading: text(),
                tone: "good",
                lead: t.delivered,
                refused: Some(text()),
                address: Some(text()),
                tests: vec![(t.test_web, text())],
                facts: vec![(t.note, text())],
                calendar: Some("calendar.ics"),
                extend: Some(Extend {
                    action: text(),
                    price: text(),
                    fiat: Some(text()),
                    duration: text(),
                    periods: vec![Choice { count: 7, label: text(), is_chosen: false }],
                    code: Some(lnurl::Code { qr: Some(text()), text: text() }),
                }),
                history: vec![Payment { href: text(), date: text(), amount: text(), state: t.order_paid }],
            };
            let page = page.render().unwrap();
            assert_eq!(page.matches("<script").count(), 1, "only our own: {page}");
            assert!(page.contains(t.extend) && !page.contains("'alert"));
        }
    }
}
