//! The page of an order: what is bought, how to pay, how far it is, and what to do next.

use askama::Template;
use http::StatusCode;
use poem::Response;

use super::claim::{self, ClaimPart};
use super::form::Form;
use super::format;
use super::frame::Frame;
use super::order_form::Field;
use super::order_words::{self, Words};
use super::paths;
use super::stage::Stage;
use super::standing::Standing;
use super::texts::Texts;
use super::visit::Visit;
use crate::domain::id::OrderId;
use crate::domain::money::Msat;
use crate::domain::product::ProductKind;
use crate::domain::purchase::{InvoiceState, PurchaseKind};
use crate::domain::time::Timestamp;
use crate::http::App;
use crate::http::problem::Problem;
use crate::services::orders::follow::{self, Followed};

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage {
    t: &'static Texts,
    frame: Frame,
    state: State,
    /// Where the same page is that does not look again, or does: link and words.
    still: Option<(String, &'static str)>,
}

/// The part of the page that changes.
#[derive(Template)]
#[template(path = "order_part.html")]
struct OrderPart {
    t: &'static Texts,
    state: State,
}

/// An order as it is now.
struct State {
    stage: &'static str,
    /// Changes with whatever is shown.
    version: String,
    /// Where the script asks for this part again, and where it is told when; `None` where nothing changes by itself.
    live: Option<(String, String)>,
    heading: String,
    tone: &'static str,
    lead: &'static str,
    /// What the order says itself, and in which language.
    message: Option<(&'static str, String)>,
    next: Vec<&'static str>,
    address: Option<String>,
    price: String,
    pay: Option<Pay>,
    onward: Option<(String, &'static str)>,
    claim: Option<ClaimPart>,
    receipt: Option<String>,
    facts: Vec<(&'static str, String)>,
}

/// How to pay.
struct Pay {
    /// The code as a picture within the page: no further request, and no SVG, which "Safest" does not show.
    qr: Option<String>,
    request: String,
    left_secs: i64,
    left: String,
    /// In the demo: where the simulated wallet pays.
    demo: Option<String>,
}

/// The page, or for the script the part of it that changes.
pub fn show(visit: &Visit) -> Result<Response, Problem> {
    page(visit, None)
}

/// Takes a payment request over what is owed, and leads to the page; or shows what is wrong with it.
pub async fn claim(visit: &Visit, form: &Form) -> Result<Response, Problem> {
    let id = visit.id(OrderId::parse)?;
    match claim::take(visit, id, form).await? {
        None => Ok(super::answer::see(&paths::order(id))),
        wrong => page(visit, wrong),
    }
}

fn page(visit: &Visit, wrong: Option<Field>) -> Result<Response, Problem> {
    let id = visit.id(OrderId::parse)?;
    let status = if wrong.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let (refresh, state) = state(visit, &follow::follow(&visit.app.shop, id)?, wrong);
    if visit.query("part").is_some() {
        return visit.secret_page(status, &OrderPart { t: visit.t, state });
    }
    let mut frame = visit.frame(state.heading.clone());
    let is_still = visit.query("still").is_some();
    frame.refresh = refresh.filter(|_| !is_still);
    let still = refresh.map(|_| match is_still {
        true => (paths::order(id), visit.t.go_on),
        false => (format!("{}?still=1", paths::order(id)), visit.t.pause),
    });
    visit.secret_page(status, &OrderPage { t: visit.t, frame, state, still })
}

/// Lets the demo's wallet pay.
#[cfg(feature = "demo")]
pub fn pay_in_demo(visit: &Visit) -> Result<Response, Problem> {
    let id = visit.id(OrderId::parse)?;
    let invoice = follow::follow(&visit.app.shop, id)?.view.purchase.invoice;
    let wallet = visit.app.wallet.as_ref().ok_or_else(Problem::not_found)?;
    // What can't be paid any more is told by the order's page.
    if let Some(request) = invoice.payment_request.filter(|_| invoice.state == InvoiceState::Open)
        && let Err(why) = wallet(&request)
    {
        tracing::warn!(%why, "the simulated wallet could not pay");
    }
    Ok(super::answer::see(&paths::order(id)))
}

#[cfg(feature = "demo")]
fn demo_path(app: &App, id: OrderId) -> Option<String> {
    app.wallet.is_some().then(|| format!("{}pay/", paths::order(id)))
}

#[cfg(not(feature = "demo"))]
const fn demo_path(_: &App, _: OrderId) -> Option<String> {
    None
}

/// The order as it is now, and after how many seconds a browser without JavaScript looks again.
fn state(visit: &Visit, followed: &Followed, wrong: Option<Field>) -> (Option<u32>, State) {
    let (purchase, product, host) = (&followed.view.purchase, &followed.view.product, &followed.view.host);
    let (language, t, now) = (visit.language, visit.t, visit.app.shop.now());
    let Standing { stage, refresh, version, .. } = Standing::of(followed, language, now);
    let address = order_words::address(product, host);
    let Words { heading, tone, lead, next } = order_words::of(t, stage, purchase, address.as_deref());
    let message = purchase.message.as_ref().map(|text| (text.language(language).tag(), text.text(language)));
    let kind = match product.kind() {
        ProductKind::TorBridge => ("bridge", t.to_product),
        ProductKind::NostrAlias => ("alias", t.to_alias),
    };
    let onward = match stage {
        Stage::Active | Stage::Extended | Stage::Over => Some((format!("/{}/{}/", kind.0, product.id), kind.1)),
        Stage::Expired | Stage::Refused | Stage::Returned | Stage::Ended => {
            Some((format!("/shop/hosts/{}/", host.id), t.order_again))
        }
        _ => None,
    };
    let pay = (stage == Stage::ToPay).then(|| pay(visit, followed, now)).flatten();
    let state = State {
        stage: stage.name(),
        version,
        live: refresh.map(|_| {
            let part = format!("?part={}", language.tag());
            (paths::order(purchase.id) + &part, paths::order_events(purchase.id) + &part)
        }),
        heading,
        tone,
        lead,
        message,
        next,
        address: address.filter(|_| matches!(stage, Stage::Active | Stage::Extended | Stage::Settling)),
        price: format::sats(purchase.price),
        pay,
        onward,
        claim: claim::part(visit, followed, refresh.is_none(), wrong),
        receipt: purchase.invoice.paid_at.map(|_| paths::receipt(purchase.id)),
        facts: facts(t, followed),
    };
    (refresh, state)
}

fn pay(visit: &Visit, followed: &Followed, now: Timestamp) -> Option<Pay> {
    let purchase = &followed.view.purchase;
    let request = purchase.invoice.payment_request.clone()?;
    let left_secs = purchase.invoice.expires_at.map_or(0, |end| end.millis_since(now).max(0) / 1000);
    Some(Pay {
        qr: visit.qr(&request),
        request,
        left_secs,
        left: format::clock(left_secs),
        demo: demo_path(&visit.app, purchase.id),
    })
}

fn facts(t: &'static Texts, followed: &Followed) -> Vec<(&'static str, String)> {
    let (purchase, product, host) = (&followed.view.purchase, &followed.view.product, &followed.view.host);
    let what = match product.kind() {
        ProductKind::TorBridge => t.bridge,
        ProductKind::NostrAlias => t.alias,
    };
    let what = match (purchase.kind, purchase.periods) {
        (PurchaseKind::First, _) => what.to_owned(),
        (PurchaseKind::Extension, 1) => format!("{what}, {}", t.extension),
        (PurchaseKind::Extension, periods) => format!("{what}, {}", (t.more_periods)(periods)),
    };
    let price = match purchase.invoice.rates.info.and_then(|rate| format::fiat(Some(rate), purchase.price)) {
        Some(fiat) => format!("{} ≈ {fiat}", format::sats(purchase.price)),
        None => format::sats(purchase.price),
    };
    let mut facts = vec![(t.what, what), (t.at_host, format!("{} ({})", host.name, host.ip))];
    facts.extend(order_words::ordered(t, product));
    facts.push((t.runs, format::duration(t, product.terms.duration_secs.saturating_mul(i64::from(purchase.periods)))));
    facts.push((t.price, price));
    facts.extend(purchase.invoice.paid_at.map(|at| (t.paid, format::date(at))));
    for (name, amount) in [(t.owed_amount, purchase.owed), (t.refunded_amount, purchase.refunded)] {
        facts.extend((amount > Msat(0)).then(|| (name, format::sats(amount))));
    }
    facts.push((t.order_id, purchase.id.to_string()));
    if !matches!(purchase.invoice.state, InvoiceState::Initial | InvoiceState::Void) {
        facts.push((t.payment_hash, purchase.invoice.hash.to_string()));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::texts::Language;
    use crate::http::pages::claim::ClaimForm;
    use crate::http::pages::lnurl::Code;

    #[test]
    fn an_order_is_shown_in_each_language_and_nothing_in_it_is_markup() {
        let hostile = "\"><svg onload='alert(1)'>";
        for language in Language::ALL {
            let t = Texts::of(language);
            let text = || hostile.to_owned();
            let state = || State {
                stage: "to_pay",
                version: text(),
                live: Some((text(), text())),
                heading: text(),
                tone: "good",
                lead: t.to_pay,
                message: Some((language.tag(), text())),
                next: vec![t.to_pay_hold],
                address: Some(text()),
                price: text(),
                pay: Some(Pay { qr: Some(text()), request: text(), left_secs: 61, left: text(), demo: Some(text()) }),
                onward: Some((text(), t.to_product)),
                claim: Some(ClaimPart {
                    amount: text(),
                    told: Some(("warn", t.claim_failed)),
                    form: Some(ClaimForm {
                        action: text(),
                        request: Field { value: text(), errors: vec![text()], fixes: Vec::new() },
                        code: Some(Code { qr: Some(text()), text: text() }),
                    }),
                }),
                receipt: Some(text()),
                facts: vec![(t.note, text())],
            };
            let mut frame = Frame::sample(language);
            frame.refresh = Some(15);
            let page = OrderPage { t, frame, state: state(), still: Some((text(), t.pause)) }.render().unwrap();
            let part = OrderPart { t, state: state() }.render().unwrap();
            assert!(page.contains(part.trim()) && page.contains("content=\"15\""));
            assert!(!page.contains("<svg") && !page.contains("'alert"), "{page}");
        }
    }
}
