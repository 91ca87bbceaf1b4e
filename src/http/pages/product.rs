//! The page of what was bought: its state, its address and how to try it, how long it runs, more time, and its orders.

use std::net::IpAddr;

use askama::Template;
use http::StatusCode;
use poem::Response;

use super::answer::see;
use super::format;
use super::frame::Frame;
use super::order_words;
use super::texts::Texts;
use super::visit::Visit;
use crate::domain::id::ProductId;
use crate::domain::product::{Product, ProductKind, ProductStatus, Subject};
use crate::domain::purchase::{OrderStatus, Purchase};
use crate::domain::texts::Message;
use crate::domain::time::Timestamp;
use crate::http::problem::{Content, Problem};
use crate::services::orders::extend::Extension;
use crate::services::orders::follow::{self, Bought};
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
    let extend = can_be_extended.then(|| Extend {
        action: format!("/{}/{}/extend/", folder(kind), product.id),
        price: format::sats(product.terms.price_extension),
        fiat: format::fiat(rate, product.terms.price_extension),
        duration: format::duration(t, product.terms.duration_secs),
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

/// Orders one more period, and leads to the order.
pub async fn extend(visit: &Visit, kind: ProductKind) -> Result<Response, Problem> {
    let id = visit.id(ProductId::parse)?;
    let refused = match order_more(visit, id, kind).await {
        Ok(location) => return Ok(see(&location)),
        Err(problem) => problem,
    };
    // What can't be extended is shown, with the reason.
    match refused.status {
        StatusCode::BAD_REQUEST | StatusCode::SERVICE_UNAVAILABLE => show(visit, kind, Some(&refused)).await,
        _ => Err(refused),
    }
}

async fn order_more(visit: &Visit, id: ProductId, kind: ProductKind) -> Result<String, Problem> {
    let shop = &visit.app.shop;
    orders::deny::refuse_client(shop, visit.origin.client.ip().as_deref())?;
    match orders::extend::extend(shop, id, kind).await? {
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

/// Where products of a kind have their pages.
pub const fn folder(kind: ProductKind) -> &'static str {
    match kind {
        ProductKind::TorBridge => "bridge",
        ProductKind::NostrAlias => "alias",
    }
}

/// When it ends; `None` where it never does, or has not begun.
pub fn ends(product: &Product) -> Option<Timestamp> {
    product.suspend_after.filter(|_| product.activated_at.is_some())
}

fn words(t: &'static Texts, product: &Product, address: Option<&str>) -> (String, &'static str, &'static str) {
    let killed = |lead| if product.is_killed { t.killed } else { lead };
    match product.status {
        // Its host is only told to take down what it may have begun.
        ProductStatus::NeedsSuspend | ProductStatus::Suspended if product.activated_at.is_none() => {
            (t.never_up_title.to_owned(), "bad", killed(t.never_up))
        }
        ProductStatus::Initial => (t.bridge_unpaid.to_owned(), "", t.unpaid),
        ProductStatus::NeedsActivate => (t.starting_title.to_owned(), "", t.waiting),
        ProductStatus::Active => {
            (address.map_or_else(|| t.active_title.to_owned(), |address| (t.active_at)(address)), "good", t.delivered)
        }
        ProductStatus::NeedsSuspend => (t.suspended_title.to_owned(), "warn", killed(t.suspending)),
        ProductStatus::Suspended => (t.suspended_title.to_owned(), "warn", killed(t.suspended)),
        ProductStatus::Archived | ProductStatus::NeedsDelete | ProductStatus::Failed => {
            (t.gone_title.to_owned(), "bad", killed(t.gone))
        }
    }
}

/// Ports of Lightning nodes and of web sites without TLS; everything else is taken for TLS.
fn tests(t: &'static Texts, product: &Product, ip: &str, address: &str) -> Vec<(&'static str, String)> {
    let Subject::Target(target) = &product.subject else {
        let Subject::Alias { alias, .. } = &product.subject else { return Vec::new() };
        let place = format::address(ip, product.port.unwrap_or_default());
        return vec![(t.nostr_test, format!("curl 'http://{place}/.well-known/nostr.json?name={alias}'"))];
    };
    match target.rsplit_once(':').map(|(_, port)| port) {
        Some("80" | "8080") => vec![(t.test_web, format!("curl http://{address}/"))],
        Some("9735") => vec![
            (t.node_uri, format!("{}@{address}", t.node_key)),
            (t.test_connect, format!("curl -v --max-time 10 telnet://{address}")),
        ],
        Some("443" | "8443") => vec![(t.test_web, format!("curl -k https://{address}/"))],
        _ => vec![(t.test_connect, format!("curl -v --max-time 10 telnet://{address}"))],
    }
}

fn facts(t: &'static Texts, bought: &Bought, now: Timestamp) -> Vec<(&'static str, String)> {
    let (product, host) = (&bought.product, &bought.host);
    let mut facts = vec![(t.at_host, format!("{} ({})", host.name, shown_ip(&host.ip)))];
    facts.extend(order_words::ordered(t, product));
    if product.activated_at.is_some() {
        facts.push((t.ends, product.suspend_after.map_or_else(|| t.never_ends.to_owned(), format::date)));
    }
    if let Some(end) = ends(product).filter(|end| *end > now) {
        facts.push((t.left, format::span(t, end.millis_since(now) / 1000)));
    }
    if product.terms.bandwidth_initial > 0 {
        facts.push((t.bandwidth, format::bytes(product.bandwidth_remaining)));
    }
    facts
}

/// The address as it is written, in its shortest form.
fn shown_ip(ip: &str) -> String {
    ip.parse::<IpAddr>().map_or_else(|_| ip.to_owned(), |ip| ip.to_string())
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
    use uuid::Uuid;

    use super::*;
    use crate::domain::texts::Language;
    use crate::http::pages::sample::sample;

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
                extend: Some(Extend { action: text(), price: text(), fiat: Some(text()), duration: text() }),
                history: vec![Payment { href: text(), date: text(), amount: text(), state: t.order_paid }],
            };
            let page = page.render().unwrap();
            assert_eq!(page.matches("<script").count(), 1, "only our own: {page}");
            assert!(page.contains(t.extend) && !page.contains("'alert"));
        }
    }

    #[test]
    fn each_state_of_a_product_has_words() {
        let (_, mut product) = sample(Uuid::nil());
        let t = Texts::of(Language::English);
        for status in ProductStatus::ALL {
            product.status = status;
            let (heading, _, lead) = words(t, &product, Some("203.0.113.7:20159"));
            assert!(!heading.is_empty() && !lead.is_empty());
            assert_eq!(heading.contains("203.0.113.7:20159"), status == ProductStatus::Active);
        }
    }

    #[test]
    fn what_never_came_up_is_not_said_to_have_run_out() {
        let (_, mut product) = sample(Uuid::nil());
        let t = Texts::of(Language::English);
        for status in [ProductStatus::NeedsSuspend, ProductStatus::Suspended] {
            product.status = status;
            product.activated_at = None;
            assert_eq!(words(t, &product, None).0, t.never_up_title);
            product.activated_at = Some(Timestamp::from_secs(1_000));
            assert_eq!(words(t, &product, None).0, t.suspended_title);
        }
    }

    #[test]
    fn how_to_try_a_bridge_fits_its_port() {
        let (_, mut product) = sample(Uuid::nil());
        let t = Texts::of(Language::English);
        for (port, line) in [
            (80, "curl http://203.0.113.7:1/"),
            (443, "curl -k https://203.0.113.7:1/"),
            (9735, "<public key>@203.0.113.7:1"),
            (8333, "curl -v --max-time 10 telnet://203.0.113.7:1"),
        ] {
            product.subject = Subject::Target(format!("a.onion:{port}"));
            assert_eq!(tests(t, &product, "203.0.113.7", "203.0.113.7:1")[0].1, line);
        }
    }
}
