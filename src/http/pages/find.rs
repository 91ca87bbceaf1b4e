//! The way back to an order for one who has lost its address: by its id, its product's, or the payment.

use askama::Template;
use http::StatusCode;
use poem::Response;

use super::answer::see;
use super::form::Form;
use super::frame::Frame;
use super::paths;
use super::product::order_state;
use super::texts::Texts;
use super::visit::Visit;
use crate::domain::id::{OrderId, ProductId};
use crate::domain::lightning::{PaymentHash, Preimage};
use crate::domain::product::ProductKind;
use crate::http::problem::Problem;
use crate::services::Error;
use crate::services::orders::follow;

#[derive(Template)]
#[template(path = "find.html")]
struct FindPage {
    t: &'static Texts,
    frame: Frame,
    value: String,
    error: Option<&'static str>,
    /// The state of the order with this payment hash.
    found: Option<&'static str>,
}

/// What was found.
enum Found {
    /// Somebody who knows this may see everything.
    At(String),
    /// The hash alone: others may know it.
    State(&'static str),
    Nothing,
}

/// The empty form.
pub fn show(visit: &Visit) -> Result<Response, Problem> {
    page(visit, StatusCode::OK, String::new(), None, None)
}

/// Looks for what was entered.
pub async fn take(visit: &Visit, form: &Form) -> Result<Response, Problem> {
    let what: String = form.get("what").chars().take(100).collect();
    match find(visit, &what)? {
        Found::At(location) => Ok(see(&location)),
        Found::State(state) => page(visit, StatusCode::OK, what, None, Some(state)),
        Found::Nothing => page(visit, StatusCode::NOT_FOUND, what, Some(visit.t.find_nothing), None),
    }
}

fn find(visit: &Visit, what: &str) -> Result<Found, Error> {
    let shop = &visit.app.shop;
    if let Some(digits) = hex::decode(what).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
        if let Some(order) = follow::by_preimage(shop, &Preimage(digits))? {
            return Ok(Found::At(paths::order(order)));
        }
        let known = follow::by_hash(shop, PaymentHash(digits))?;
        return Ok(known.map_or(Found::Nothing, |purchase| Found::State(order_state(visit.t, purchase.status))));
    }
    if let Some(order) = OrderId::parse(what) {
        match follow::follow(shop, order) {
            Ok(_) => return Ok(Found::At(paths::order(order))),
            Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    let kind = ProductId::parse(what).map(|product| Ok::<_, Error>((product, follow::kind_of(shop, product)?)));
    Ok(match kind.transpose()? {
        Some((product, Some(ProductKind::TorBridge))) => Found::At(format!("/bridge/{product}/")),
        Some((product, Some(ProductKind::NostrAlias))) => Found::At(format!("/alias/{product}/")),
        _ => Found::Nothing,
    })
}

fn page(
    visit: &Visit,
    status: StatusCode,
    value: String,
    error: Option<&'static str>,
    found: Option<&'static str>,
) -> Result<Response, Problem> {
    let t = visit.t;
    visit.secret_page(status, &FindPage { t, frame: visit.frame(t.find_title), value, error, found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::texts::Language;

    #[test]
    fn the_form_is_shown_in_each_language_and_what_was_entered_is_never_markup() {
        for language in Language::ALL {
            let t = Texts::of(language);
            let value = "\"><b>x".to_owned();
            let (error, found) = (Some(t.find_nothing), Some(t.order_paid));
            let page = FindPage { t, frame: Frame::sample(language), value, error, found }.render().unwrap();
            assert!(page.contains(t.find_label) && !page.contains("<b>"));
        }
    }
}
