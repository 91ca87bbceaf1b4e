//! How the shop is, in words, without anything private.

use askama::Template;
use poem::Response;

use super::format;
use super::frame::Frame;
use super::texts::Texts;
use super::visit::Visit;
use crate::http::problem::Problem;
use crate::services::Error;
use crate::services::hosts::catalog::PublicHost;
use crate::services::onion_address::{self, Service};
use crate::store::node_state;

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    t: &'static Texts,
    frame: Frame,
    lines: Vec<Line>,
    hosts: Vec<Row>,
}

struct Line {
    tone: &'static str,
    text: String,
}

struct Row {
    name: String,
    ip: String,
    state: &'static str,
    seen: String,
}

/// The page.
pub fn show(visit: &Visit) -> Result<Response, Problem> {
    let (t, shop) = (visit.t, &visit.app.shop);
    let (catalog, now) = (visit.app.catalog.get(shop)?, shop.now());
    let (alive_nodes, onion) = shop
        .db
        .read(|db| Ok::<_, Error>((node_state::counts(db)?.1, onion_address::remembered(db, Service::Public)?)))?;
    let alive = catalog.hosts.iter().filter(|public| public.host.is_enabled && public.host.is_alive(now)).count();
    let mut lines = Vec::new();
    if catalog.hosts.iter().any(|public| public.is_public(now)) {
        lines.push(Line { tone: "good", text: t.status_sells.to_owned() });
    }
    lines.push(match alive_nodes {
        0 => Line { tone: "bad", text: t.node_down.to_owned() },
        _ => Line { tone: "good", text: t.node_up.to_owned() },
    });
    let tone = if alive == 0 { "bad" } else { "good" };
    lines.push(Line { tone, text: (t.checked_out_of)(alive, catalog.hosts.len()) });
    lines.extend(onion.map(|onion| Line { tone: "", text: format!("{} {onion}", t.onion_at) }));
    let row = |public: &PublicHost| {
        let host = &public.host;
        let state = match (host.is_enabled, host.is_alive(now)) {
            (false, _) => t.host_disabled,
            (true, true) => t.host_up,
            (true, false) => t.host_silent,
        };
        let ago = |at| (t.ago)(&format::span(t, now.millis_since(at) / 1000));
        let seen = host.ci_date.map_or_else(|| t.never.to_owned(), ago);
        Row { name: host.name.clone(), ip: host.ip.clone(), state, seen }
    };
    let hosts = catalog.hosts.iter().map(row).collect();
    visit.page(&StatusPage { t, frame: visit.frame(t.status_title), lines, hosts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::texts::Language;

    #[test]
    fn the_state_is_shown_in_each_language_and_no_name_is_markup() {
        for language in Language::ALL {
            let t = Texts::of(language);
            let text = || "<b>x</b>".to_owned();
            let lines = vec![Line { tone: "good", text: text() }];
            let hosts = vec![Row { name: text(), ip: text(), state: t.host_up, seen: text() }];
            let page = StatusPage { t, frame: Frame::sample(language), lines, hosts }.render().unwrap();
            assert!(page.contains(t.last_seen) && !page.contains("<b>"));
        }
    }
}
