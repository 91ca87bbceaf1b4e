//! The front page, and the list of hosts: what is on offer, the cheapest per day first, and why nothing is when nothing is.

use std::cmp::Ordering;

use askama::Template;
use poem::Response;

use super::format;
use super::frame::Frame;
use super::texts::Texts;
use super::visit::Visit;
use crate::domain::fiat::Rate;
use crate::domain::host::Host;
use crate::domain::money::Msat;
use crate::domain::time::Timestamp;
use crate::http::kept_pages::Basis;
use crate::http::problem::Problem;
use crate::services::hosts::catalog::{Catalog, PublicHost};
use crate::services::rates;
use crate::store::node_state;

const DAY_SECS: u128 = 86_400;

#[derive(Template)]
#[template(path = "hosts.html")]
struct HostsPage {
    t: &'static Texts,
    frame: Frame,
    kind: ListKind,
    intro: Option<String>,
    closed: Option<&'static str>,
    filters: Vec<Filter>,
    offers: Vec<Offer>,
}

/// Where the list stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// On the front page, under what this is.
    Front,
    /// By itself.
    Alone,
    /// Under how a purchase goes: only what is for trying out.
    Demo,
}

impl ListKind {
    fn is_front(self) -> bool {
        self == Self::Front
    }

    fn is_demo(self) -> bool {
        self == Self::Demo
    }
}

/// A choice among the hosts.
struct Filter {
    label: &'static str,
    href: String,
    is_current: bool,
}

/// A host that can be bought from.
struct Offer {
    id: String,
    name: String,
    ip: String,
    description: Option<String>,
    is_test: bool,
    is_testnet: bool,
    has_terms: bool,
    /// Something of it is left.
    can_be_bought: bool,
    items: Vec<Item>,
}

/// What a host sells, as it is shown.
pub struct Item {
    /// The name of the product.
    pub what: &'static str,
    /// The price.
    pub price: String,
    /// What that is worth, while a rate is fresh.
    pub fiat: Option<String>,
    /// How long it runs.
    pub duration: String,
    /// How many are left, where that is counted.
    pub free: Option<String>,
}

/// The list of hosts.
pub fn show(visit: &Visit, kind: ListKind) -> Result<Response, Problem> {
    let (t, shop) = (visit.t, &visit.app.shop);
    let (now, rate) = (shop.now(), rates::for_information(shop)?);
    let catalog = visit.app.catalog.get(shop)?;
    let mut open: Vec<&PublicHost> = catalog.hosts.iter().filter(|host| host.is_public(now)).collect();
    let title = match kind {
        ListKind::Front => t.front_title,
        ListKind::Alone => t.hosts,
        ListKind::Demo => t.demo_title,
    };
    // What is asked for with a query, or why nothing is on offer, is made anew each time.
    let is_kept = visit.query.is_empty() && !open.is_empty() && !kind.is_demo();
    let basis = is_kept.then(|| Basis {
        title,
        language: visit.language,
        version: catalog.version,
        open: open.iter().map(|public| public.host.id).collect(),
        rate,
    });
    if let Some(page) = basis.as_ref().and_then(|basis| visit.kept_page(basis)) {
        return Ok(page);
    }
    let closed = if open.is_empty() { Some(reason(visit, &catalog, now)?) } else { None };
    open.retain(|public| sells(&public.host) && fits(visit, &public.host));
    open.retain(|public| !kind.is_demo() || public.host.is_test_host || public.host.is_testnet);
    open.sort_by(|a, b| cheaper(&a.host, &b.host));
    let page = HostsPage {
        t,
        frame: visit.frame_of(catalog.site.name.clone(), title),
        kind,
        intro: visit.app.branding.intro.clone().filter(|_| kind.is_front()),
        closed,
        filters: if kind.is_demo() { Vec::new() } else { filters(visit) },
        offers: open.into_iter().map(|public| offer(t, public, rate)).collect(),
    };
    match basis {
        Some(basis) => visit.page_to_keep(basis, &page),
        None => visit.page(&page),
    }
}

/// Why nothing can be bought.
fn reason(visit: &Visit, catalog: &Catalog, now: Timestamp) -> Result<&'static str, Problem> {
    let (t, hosts) = (visit.t, &catalog.hosts);
    if hosts.is_empty() {
        return Ok(t.closed_no_hosts);
    }
    let mut enabled = hosts.iter().filter(|public| public.host.is_enabled).peekable();
    if enabled.peek().is_none() {
        return Ok(t.closed_disabled);
    }
    if !enabled.any(|public| public.host.is_alive(now)) {
        return Ok(t.closed_silent);
    }
    let counts = visit.app.shop.db.read(|db| node_state::counts(db).map_err(crate::services::Error::from));
    Ok(if counts?.1 == 0 { t.closed_node } else { t.closed_payments })
}

/// Whether there is anything that it is here for.
fn sells(host: &Host) -> bool {
    host.offers_tor_bridges || host.offers_nostr_aliases
}

/// The filters of the API.
fn fits(visit: &Visit, host: &Host) -> bool {
    let wanted = |name: &str| match visit.query(name)? {
        "true" | "True" | "1" => Some(true),
        "false" | "False" | "0" => Some(false),
        _ => None,
    };
    [
        ("is_testnet", host.is_testnet),
        ("is_test_host", host.is_test_host),
        ("offers_tor_bridges", host.offers_tor_bridges),
        ("offers_nostr_aliases", host.offers_nostr_aliases),
    ]
    .into_iter()
    .all(|(name, own)| wanted(name).is_none_or(|wanted| wanted == own))
}

fn filters(visit: &Visit) -> Vec<Filter> {
    let t = visit.t;
    let chosen: Vec<&(String, String)> = visit.query.iter().filter(|(name, _)| name != "lang").collect();
    [
        (t.filter_all, ""),
        (t.filter_bridges, "offers_tor_bridges=true"),
        (t.filter_aliases, "offers_nostr_aliases=true"),
        (t.filter_real, "is_testnet=false&is_test_host=false"),
    ]
    .into_iter()
    .map(|(label, query)| {
        let is_current =
            chosen.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&") == query;
        let href = if query.is_empty() { "/shop/hosts/".to_owned() } else { format!("/shop/hosts/?{query}") };
        Filter { label, href, is_current }
    })
    .collect()
}

/// By the price of a day of the first thing that both sell; what never ends costs nothing a day.
fn cheaper(a: &Host, b: &Host) -> Ordering {
    let price = |host: &Host| {
        let (price, secs) = match host.offers_tor_bridges {
            true => (host.tor_bridge_price_initial, host.tor_bridge_duration),
            false => (host.nostr_alias_price_initial, host.nostr_alias_duration),
        };
        (!host.offers_tor_bridges, per_day(price, secs), price)
    };
    price(a).cmp(&price(b)).then_with(|| a.name.cmp(&b.name))
}

/// Millisatoshi a day.
fn per_day(price: Msat, secs: i64) -> u128 {
    let secs = u128::try_from(secs).unwrap_or(0);
    (u128::from(price.0) * DAY_SECS).checked_div(secs).unwrap_or(0)
}

fn offer(t: &'static Texts, public: &PublicHost, rate: Option<Rate>) -> Offer {
    let host = &public.host;
    Offer {
        id: host.id.to_string(),
        name: host.name.clone(),
        ip: host.ip.clone(),
        description: host.description.clone().filter(|text| !text.is_empty()),
        is_test: host.is_test_host,
        is_testnet: host.is_testnet,
        has_terms: !host.terms_of_service.is_empty() || !host.terms_of_service_url.is_empty(),
        can_be_bought: host.offers_nostr_aliases || public.free_bridge_ports > 0,
        items: bridge(t, public, rate).into_iter().chain(alias(t, host, rate)).collect(),
    }
}

/// The bridge that a host sells, if it does.
pub fn bridge(t: &'static Texts, public: &PublicHost, rate: Option<Rate>) -> Option<Item> {
    let host = &public.host;
    let free = public.free_bridge_ports;
    host.offers_tor_bridges.then(|| Item {
        what: t.bridge,
        price: format::sats(host.tor_bridge_price_initial),
        fiat: format::fiat(rate, host.tor_bridge_price_initial),
        duration: format::duration(t, host.tor_bridge_duration),
        free: Some(if free == 0 { t.sold_out.to_owned() } else { (t.free_ports)(free) }),
    })
}

/// The alias that a host sells, if it does.
pub fn alias(t: &'static Texts, host: &Host, rate: Option<Rate>) -> Option<Item> {
    host.offers_nostr_aliases.then(|| Item {
        what: t.alias,
        price: format::sats(host.nostr_alias_price_initial),
        fiat: format::fiat(rate, host.nostr_alias_price_initial),
        duration: format::duration(t, host.nostr_alias_duration),
        free: None,
    })
}

#[cfg(test)]
pub(super) fn sample_item(t: &'static Texts, hostile: &str) -> Item {
    Item {
        what: t.bridge,
        price: hostile.to_owned(),
        fiat: Some(hostile.to_owned()),
        duration: hostile.to_owned(),
        free: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{HostId, OperatorId};
    use crate::domain::texts::Language;

    #[test]
    fn hosts_are_shown_in_each_language_and_what_they_say_is_never_markup() {
        for language in Language::ALL {
            let t = Texts::of(language);
            let hostile = "<script>alert('1')</script>\"";
            let offer = Offer {
                id: hostile.to_owned(),
                name: hostile.to_owned(),
                ip: hostile.to_owned(),
                description: Some(hostile.to_owned()),
                is_test: true,
                is_testnet: true,
                has_terms: true,
                can_be_bought: true,
                items: vec![sample_item(t, hostile)],
            };
            let filter = Filter { label: t.filter_all, href: hostile.to_owned(), is_current: true };
            let frame = Frame::sample(language);
            let (filters, offers) = (vec![filter], vec![offer]);
            let closed = Some(t.closed_node);
            let page =
                HostsPage { t, frame, kind: ListKind::Front, intro: Some(hostile.to_owned()), closed, filters, offers };
            let page = page.render().unwrap();
            assert!(page.contains(t.badge_testnet) && page.contains(t.front_title));
            assert_eq!(page.matches("<script").count(), 1, "only our own");
        }
    }

    #[test]
    fn the_cheapest_day_comes_first() {
        let host = |name: &str, price: u64, secs: i64| {
            let mut host = Host::new(HostId(uuid::Uuid::nil()), OperatorId(1), Timestamp(0));
            host.name = name.to_owned();
            host.offers_tor_bridges = true;
            (host.tor_bridge_price_initial, host.tor_bridge_duration) = (Msat(price), secs);
            host
        };
        let mut hosts = [host("month", 600, 30 * 86_400), host("day", 30, 86_400), host("for ever", 9_000, 0)];
        hosts.sort_by(cheaper);
        assert_eq!(hosts.map(|host| host.name), ["for ever", "month", "day"]);
    }
}
