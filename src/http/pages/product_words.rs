//! What is said of a product: its state, how to try it, and what is known of it.

use std::net::IpAddr;

use super::format;
use super::order_words;
use super::texts::Texts;
use crate::domain::product::{Product, ProductStatus, Subject};
use crate::domain::time::Timestamp;
use crate::services::orders::follow::Bought;

/// When it ends; `None` where it never does, or has not begun.
pub fn ends(product: &Product) -> Option<Timestamp> {
    product.suspend_after.filter(|_| product.activated_at.is_some())
}

/// The heading, its tone and what it means.
pub fn words(t: &'static Texts, product: &Product, address: Option<&str>) -> (String, &'static str, &'static str) {
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

/// How to try it: words, and a line to copy. Ports of Lightning nodes and of web sites without TLS; everything else is taken for TLS.
pub fn tests(t: &'static Texts, product: &Product, ip: &str, address: &str) -> Vec<(&'static str, String)> {
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

/// What is known of it.
pub fn facts(t: &'static Texts, bought: &Bought, now: Timestamp) -> Vec<(&'static str, String)> {
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::texts::Language;
    use crate::http::pages::sample::sample;

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
