//! The receipt of an order that was paid: what was bought, when, for how much, at which rate, with which tax; to print.

use askama::Template;
use http::StatusCode;
use poem::Response;

use super::format;
use super::frame::Frame;
use super::order_words;
use super::texts::Texts;
use super::visit::Visit;
use crate::domain::fiat::{TAX_RATE, decimal};
use crate::domain::id::OrderId;
use crate::domain::money::Msat;
use crate::domain::product::ProductKind;
use crate::http::problem::Problem;
use crate::services::orders::follow;
use crate::services::orders::place::OrderView;

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage {
    t: &'static Texts,
    frame: Frame,
    facts: Vec<(&'static str, String)>,
    back: String,
}

/// The page. What was not paid has no receipt.
pub fn show(visit: &Visit) -> Result<Response, Problem> {
    let id = visit.id(OrderId::parse)?;
    let view = follow::follow(&visit.app.shop, id)?.view;
    let paid_at = view.purchase.invoice.paid_at.ok_or_else(Problem::not_found)?;
    let frame = visit.frame(visit.t.receipt_title);
    let mut facts = vec![(visit.t.receipt_of, frame.shop.clone()), (visit.t.paid, format::date(paid_at))];
    facts.extend(bought(visit.t, &view));
    facts.extend(amounts(visit.t, &view));
    visit.secret_page(StatusCode::OK, &ReceiptPage { t: visit.t, frame, facts, back: super::paths::order(id) })
}

fn bought(t: &'static Texts, view: &OrderView) -> Vec<(&'static str, String)> {
    let (purchase, product, host) = (&view.purchase, &view.product, &view.host);
    let what = match product.kind() {
        ProductKind::TorBridge => t.bridge,
        ProductKind::NostrAlias => t.alias,
    };
    let secs = product.terms.duration_secs.saturating_mul(i64::from(purchase.periods));
    let mut facts = vec![(t.what, what.to_owned()), (t.at_host, format!("{} ({})", host.name, host.ip))];
    facts.extend(order_words::address(product, host).map(|address| (t.your_address, address)));
    facts.push((t.runs, format::duration(t, secs)));
    facts
}

fn amounts(t: &'static Texts, view: &OrderView) -> Vec<(&'static str, String)> {
    let (purchase, invoice) = (&view.purchase, &view.purchase.invoice);
    let mut facts = vec![(t.price, format::sats(purchase.price))];
    if let Some(received) = invoice.received.filter(|received| *received != purchase.price) {
        facts.push((t.received, format::sats(received)));
    }
    // The same figures as in the API; without a rate there are none.
    if let Some(rate) = invoice.rates.tax {
        let fiat = invoice.rates.fields(purchase.price);
        facts.push((t.rate, format!("1 BTC = {}", rate.currency.write(rate.cents))));
        facts.push((t.price_in_fiat, fiat.price_in_tax_currency));
        facts.push((t.tax, format!("{} ({} %)", fiat.tax_in_tax_currency, decimal(TAX_RATE))));
    }
    if purchase.refunded > Msat(0) {
        facts.push((t.refunded_amount, format::sats(purchase.refunded)));
    }
    facts.push((t.order_id, purchase.id.to_string()));
    facts.push((t.payment_hash, invoice.hash.to_string()));
    facts
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::fiat::{Currency, Rate};
    use crate::domain::host::Host;
    use crate::domain::id::{HostId, OperatorId};
    use crate::domain::texts::Language;
    use crate::domain::time::Timestamp;
    use crate::http::pages::sample::sample;

    #[test]
    fn a_receipt_is_shown_in_each_language_and_nothing_in_it_is_markup() {
        for language in Language::ALL {
            let t = Texts::of(language);
            let hostile = "<script>alert('1')</script>";
            let facts = vec![(t.price, hostile.to_owned())];
            let page = ReceiptPage { t, frame: Frame::sample(language), facts, back: hostile.to_owned() };
            let page = page.render().unwrap();
            assert!(page.matches("<script").count() == 1 && page.contains(t.receipt_title), "only our own: {page}");
        }
    }

    #[test]
    fn a_receipt_has_the_rate_and_the_tax_of_the_api_where_there_was_a_rate() {
        let (mut purchase, product) = sample(Uuid::nil());
        let host = Host::new(HostId(Uuid::nil()), OperatorId(1), Timestamp(0));
        let t = Texts::of(Language::English);
        purchase.price = Msat(25_000_000);
        let view = OrderView { purchase: purchase.clone(), product: product.clone(), host: host.clone() };
        assert!(!amounts(t, &view).iter().any(|(name, _)| *name == t.tax));
        purchase.invoice.rates.tax = Some(Rate { currency: Currency::EUR, cents: 9_123_450 });
        let told = amounts(t, &OrderView { purchase, product, host });
        let of = |wanted: &str| told.iter().find(|(name, _)| *name == wanted).map(|(_, text)| text.as_str());
        assert_eq!(of(t.price_in_fiat), Some("€22.81"));
        assert_eq!(of(t.tax), Some("€3.64 (19.00 %)"));
        assert_eq!(of(t.rate), Some("1 BTC = €91234.50"));
    }
}
