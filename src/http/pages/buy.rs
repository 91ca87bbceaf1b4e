//! The page of a host: its forms to order with, and what is wrong with what was sent, beside the field.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;
use poem::Response;
use uuid::Uuid;

use super::answer::see;
use super::form::Form;
use super::frame::Frame;
use super::hosts::{Item, alias, bridge};
use super::order_form::{Checked, Field, Filled};
use super::paths;
use super::periods::{self, Choice};
use super::texts::Texts;
use super::visit::Visit;
use crate::domain::host::Host;
use crate::domain::id::{HostId, OrderId};
use crate::domain::texts::Message;
use crate::domain::time::Timestamp;
use crate::http::problem::Problem;
use crate::services::hosts::catalog::PublicHost;
use crate::services::orders::by_form;
use crate::services::orders::place::{self, OrderRequest, OrderedProduct};
use crate::services::{Error, rates};

#[derive(Template)]
#[template(path = "buy.html")]
struct BuyPage {
    t: &'static Texts,
    frame: Frame,
    host: Seller,
    token: String,
    problems: Vec<String>,
    bridge: Option<BridgeForm>,
    alias: Option<AliasForm>,
}

/// The host, as its page shows it.
struct Seller {
    id: String,
    name: String,
    ip: String,
    description: Option<String>,
    is_test: bool,
    is_testnet: bool,
    has_terms: bool,
    terms: String,
    terms_url: Option<String>,
    abuse_contact: Option<String>,
}

struct BridgeForm {
    item: Item,
    target: Field,
    comment: Field,
    periods: Vec<Choice>,
    is_accepted: bool,
    terms_errors: Vec<String>,
}

struct AliasForm {
    item: Item,
    periods: Vec<Choice>,
    alias: Field,
    public_key: Field,
    is_accepted: bool,
    terms_errors: Vec<String>,
}

/// The page with empty forms.
pub fn show(visit: &Visit) -> Result<Response, Problem> {
    page(visit, StatusCode::OK, visit.app.shop.random.uuid(), Filled::default())
}

/// Takes an order, and leads to its page; or shows the form again with what is wrong.
pub async fn take(visit: &Visit, form: &Form) -> Result<Response, Problem> {
    let host = visit.id(HostId::parse)?;
    let Ok(token) = Uuid::try_parse(form.get("token")) else {
        let filled = Filled { problems: vec![visit.t.old_form.to_owned()], ..Filled::of(form) };
        return page(visit, StatusCode::BAD_REQUEST, visit.app.shop.random.uuid(), filled);
    };
    let again = |filled| page(visit, StatusCode::BAD_REQUEST, token, filled);
    let request = match Filled::check(visit, form, host) {
        Checked::Good(request) => request,
        Checked::Wrong(filled) => return again(filled),
    };
    if let Some(order) = by_form::made_by_form(&visit.app.shop, token, &request)? {
        return Ok(see(&paths::order(order)));
    }
    visit.app.orders.admit(&visit.origin, visit.app.shop.now()).map_err(Problem::throttled)?;
    match place_to_the_end(visit, token, request).await? {
        Ok(order) => Ok(see(&paths::order(order))),
        Err(Error::Invalid(fields)) => {
            let mut filled = Filled::of(form);
            fields.into_iter().flat_map(|(_, messages)| messages).for_each(|message| filled.complain(visit, &message));
            again(filled)
        }
        Err(error) => Err(error.into()),
    }
}

/// Goes on also when the buyer has gone away: only at the end it is known whether the order is accepted.
async fn place_to_the_end(
    visit: &Visit,
    token: Uuid,
    request: OrderRequest,
) -> Result<Result<OrderId, Error>, Problem> {
    let (app, origin) = (Arc::clone(&visit.app), visit.origin.clone());
    let placing = tokio::spawn(async move {
        let placed = by_form::place_once(&app.shop, token, request).await;
        placed.inspect_err(|_| app.orders.refused(&origin))
    });
    placing.await.map_err(|error| Problem::internal(&error.to_string()))
}

fn page(visit: &Visit, status: StatusCode, token: Uuid, mut filled: Filled) -> Result<Response, Problem> {
    let (t, shop) = (visit.t, &visit.app.shop);
    let (id, now) = (visit.id(HostId::parse)?, shop.now());
    let (catalog, rate) = (visit.app.catalog.get(shop)?, rates::for_information(shop)?);
    let public = catalog.hosts.iter().find(|public| public.host.id == id && public.host.is_enabled);
    let public = public.ok_or_else(Problem::not_found)?;
    let host = &public.host;
    if let Some(message) = closed(public, now).filter(|_| filled.problems.is_empty()) {
        filled.problems.push(message.text(visit.language));
    }
    let Filled { product, target, comment, periods, alias: name, public_key, is_accepted, terms_errors, problems } =
        filled;
    // What was said of one form does not stand in the other.
    let is_of = |this| product.is_none_or(|sent| sent == this);
    let said = |this| if is_of(this) { (is_accepted, terms_errors.clone()) } else { (false, Vec::new()) };
    let bridge = bridge(t, public, rate).map(|item| {
        let (is_accepted, terms_errors) = said(OrderedProduct::TorBridge);
        let periods = choices(t, host, OrderedProduct::TorBridge, host.tor_bridge_duration, periods);
        BridgeForm { item, target, comment, periods, is_accepted, terms_errors }
    });
    let alias = alias(t, host, rate).map(|item| {
        let (is_accepted, terms_errors) = said(OrderedProduct::NostrAlias);
        let periods = choices(t, host, OrderedProduct::NostrAlias, host.nostr_alias_duration, periods);
        AliasForm { item, periods, alias: name, public_key, is_accepted, terms_errors }
    });
    let frame = visit.frame(format!("{} {}", t.buy_title, host.name));
    let page = BuyPage { t, frame, host: seller(host), token: token.to_string(), problems, bridge, alias };
    visit.page_with(status, &page)
}

fn choices(t: &'static Texts, host: &Host, product: OrderedProduct, secs: i64, chosen: u32) -> Vec<Choice> {
    periods::choices(t, host.max_periods, secs, chosen, |count| place::price(host, product, count))
}

/// Why the host can't be bought from at the moment.
fn closed(public: &PublicHost, now: Timestamp) -> Option<Message> {
    match public.host.is_alive(now) {
        _ if public.host.is_draining => Some(Message::HostDraining),
        false => Some(Message::HostSilent),
        true if !public.can_be_paid => Some(Message::NoPayments),
        true => None,
    }
}

fn seller(host: &Host) -> Seller {
    let url = Some(host.terms_of_service_url.clone());
    // Nothing else is a link, whatever the host's operator has typed.
    let terms_url = url.filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    Seller {
        id: host.id.to_string(),
        name: host.name.clone(),
        ip: host.ip.clone(),
        description: host.description.clone().filter(|text| !text.is_empty()),
        is_test: host.is_test_host,
        is_testnet: host.is_testnet,
        has_terms: !host.terms_of_service.is_empty() || terms_url.is_some(),
        terms: host.terms_of_service.clone(),
        terms_url,
        abuse_contact: Some(host.abuse_contact.clone()).filter(|contact| !contact.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::OperatorId;
    use crate::domain::texts::Language;
    use crate::http::pages::hosts::sample_item;

    #[test]
    fn the_forms_are_shown_in_each_language_and_nothing_in_them_is_markup() {
        let hostile = "\"><img src=x onerror='alert(1)'>";
        let field =
            || Field { value: hostile.to_owned(), errors: vec![hostile.to_owned()], fixes: vec![hostile.to_owned()] };
        for language in Language::ALL {
            let t = Texts::of(language);
            let (errors, item) = (vec![hostile.to_owned()], || sample_item(t, hostile));
            let host = Seller {
                id: hostile.to_owned(),
                name: hostile.to_owned(),
                ip: hostile.to_owned(),
                description: Some(hostile.to_owned()),
                is_test: true,
                is_testnet: true,
                has_terms: true,
                terms: hostile.to_owned(),
                terms_url: Some(hostile.to_owned()),
                abuse_contact: Some(hostile.to_owned()),
            };
            let choice = || vec![Choice { count: 7, label: hostile.to_owned(), is_chosen: true }];
            let bridge = BridgeForm {
                item: item(),
                periods: choice(),
                target: field(),
                comment: field(),
                is_accepted: true,
                terms_errors: errors.clone(),
            };
            let alias = AliasForm {
                item: item(),
                periods: choice(),
                alias: field(),
                public_key: field(),
                is_accepted: true,
                terms_errors: errors.clone(),
            };
            let (bridge, alias) = (Some(bridge), Some(alias));
            let (frame, token) = (Frame::sample(language), hostile.to_owned());
            let page = BuyPage { t, frame, host, token, problems: errors, bridge, alias }.render().unwrap();
            assert!(page.contains(t.target_label) && page.contains(t.key_label));
            assert!(!page.contains("<img") && !page.contains("'alert"), "{page}");
        }
    }

    #[test]
    fn only_a_web_address_is_a_link_to_terms() {
        let mut host = Host::new(HostId(Uuid::nil()), OperatorId(1), Timestamp(0));
        for (url, is_link) in
            [("https://a.example/", true), ("javascript:alert(1)", false), ("data:text/html,x", false)]
        {
            host.terms_of_service_url = url.to_owned();
            assert_eq!(seller(&host).terms_url.is_some(), is_link, "{url}");
        }
    }
}
