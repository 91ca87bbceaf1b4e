//! What a host may be: each limit at its last good and its first bad value.

use crate::host::{ALIVE_SECS, Host, PortKind, PortRange};
use crate::host_rules::{HostChange, errors, name_errors, warnings};
use crate::id::{HostId, OperatorId};
use crate::money::Msat;
use crate::texts::{Message, Reason};
use crate::time::Timestamp;
use uuid::Uuid;

const START: Timestamp = Timestamp::from_secs(1_795_000_000);
const DAY: i64 = 86_400;
const ID: HostId = HostId(Uuid::nil());

/// One that sells bridges and aliases, and of which nothing is wrong.
fn good() -> Host {
    Host {
        ip: "203.0.113.7".to_owned(),
        name: "bridge1".to_owned(),
        offers_tor_bridges: true,
        offers_nostr_aliases: true,
        ..Host::new(ID, OperatorId(1), START)
    }
}

/// The fields of which something is wrong.
fn wrong(host: &Host) -> Vec<&'static str> {
    errors(host).into_iter().map(|(field, _)| field).collect()
}

fn ports(kind: PortKind) -> PortRange {
    PortRange { id: 1, host_id: ID, kind, first: 20_000, last: 20_009, used: 0 }
}

/// What is warned of, where it has ports for bridges.
fn warned(host: &Host) -> String {
    warnings(host, &[ports(PortKind::TorBridge)]).join("\n")
}

#[test]
fn a_host_has_nothing_wrong_within_its_limits() {
    assert_eq!(errors(&good()), []);
    assert_eq!(warned(&good()), "");
}

/// `$field` takes the values of the first list and none of the second.
macro_rules! limits {
    ($field:ident: $good:expr; $bad:expr) => {
        for value in $good {
            let host = Host { $field: value, ..good() };
            assert_eq!(wrong(&host), [""; 0], concat!(stringify!($field), " {:?}"), host.$field);
        }
        for value in $bad {
            let host = Host { $field: value, ..good() };
            assert_eq!(wrong(&host), [stringify!($field)], "{:?}", host.$field);
        }
    };
}

#[test]
fn each_number_has_a_least_and_a_most_and_both_are_allowed() {
    const TEN_YEARS: i64 = 10 * 366 * DAY;
    limits!(tor_bridge_duration: [0, 1, TEN_YEARS]; [-1, TEN_YEARS + 1]);
    limits!(nostr_alias_duration: [0, TEN_YEARS]; [-1, TEN_YEARS + 1]);
    limits!(nostr_alias_port: [1, 65_535]; [0]);
    limits!(bridge_bandwidth_initial: [0, 1, i64::MAX]; [-1]);
    limits!(grace_secs: [600, 30 * DAY]; [599, 30 * DAY + 1]);
    limits!(hold_limit_secs: [60, 3600]; [59, 3601]);
    limits!(late_secs: [60, 30 * DAY]; [59, 30 * DAY + 1]);
    limits!(max_periods: [1, 366]; [0, 367]);
    let told = errors(&Host { grace_secs: 599, ..good() });
    assert_eq!(told, [("grace_secs", vec![Message::AtLeast { min: 600 }])]);
    let told = errors(&Host { hold_limit_secs: 3601, ..good() });
    assert_eq!(told, [("hold_limit_secs", vec![Message::AtMost { max: 3600 }])]);
}

#[test]
fn what_is_sold_costs_at_least_a_millisatoshi_and_at_most_a_bitcoin() {
    const MOST: u64 = 100_000_000_000;
    limits!(tor_bridge_price_initial: [Msat(1), Msat(MOST)]; [Msat(0), Msat(MOST + 1)]);
    limits!(tor_bridge_price_extension: [Msat(1), Msat(MOST)]; [Msat(0), Msat(MOST + 1)]);
    limits!(nostr_alias_price_initial: [Msat(1), Msat(MOST)]; [Msat(0), Msat(MOST + 1)]);
    limits!(nostr_alias_price_extension: [Msat(1), Msat(MOST)]; [Msat(0), Msat(MOST + 1)]);
    limits!(rssh_tunnel_price: [Msat(0), Msat(MOST)]; [Msat(MOST + 1)]);
    let idle = Host { offers_tor_bridges: false, tor_bridge_price_initial: Msat(0), ..good() };
    assert_eq!(wrong(&idle), [""; 0], "what is not sold may cost nothing");
    let told = errors(&Host { tor_bridge_price_initial: Msat(0), ..good() });
    assert_eq!(told[0].1, [Reason::NoPrice.into()]);
}

#[test]
fn texts_are_short_and_have_nothing_in_them_that_can_not_be_read() {
    let text = |length: usize| "ä".repeat(length);
    limits!(description: [None, Some(text(140))]; [Some(text(141)), Some("a\u{1b}b".to_owned())]);
    limits!(terms_of_service: [text(10_000), "one\ntwo".to_owned()]; [text(10_001), "a\u{202e}b".to_owned()]);
    limits!(abuse_contact: [String::new(), text(250)]; [text(251), "a\nb".to_owned()]);
    let both = errors(&Host { abuse_contact: "\u{1b}".repeat(251), ..good() });
    assert_eq!(both[0].1.len(), 2, "too long, and not to be read");
}

#[test]
fn the_address_of_the_terms_is_one_of_the_web() {
    let url = |text: &str| text.to_owned();
    let long = |length: usize| format!("https://{}", "a".repeat(length - 8));
    limits!(
        terms_of_service_url:
        [String::new(), url("https://shop.example/terms"), url("http://a"), long(250)];
        [url("shop.example"), url("https://"), url("https:///terms"), url("ftp://a"), url("https://a b"), long(251)]
    );
    let told = errors(&Host { terms_of_service_url: url("https://a\u{7}"), ..good() });
    assert_eq!(told[0].1.last(), Some(&Reason::NoUrl.into()), "a control character is in it");
}

#[test]
fn a_host_is_found_at_the_address_of_one_machine() {
    limits!(
        ip: ["203.0.113.7".to_owned(), "2001:db8::1".to_owned()];
        ["".to_owned(), "bridge.example".to_owned(), "0.0.0.0".to_owned(), "224.0.0.1".to_owned()]
    );
    let told = |ip: &str| errors(&Host { ip: ip.to_owned(), ..good() }).remove(0).1;
    assert_eq!(told("x"), [Message::EnterAddress]);
    assert_eq!(told("::"), [Reason::NobodysAddress.into()]);
}

#[test]
fn a_name_is_one_to_twenty_characters_without_what_stands_for_something_else() {
    for fine in ["a", "bridge-1", &"ä".repeat(20), "shop1"] {
        assert_eq!(name_errors(fine), [], "{fine}");
    }
    assert_eq!(name_errors(""), [Message::Blank]);
    assert_eq!(name_errors(" "), [Message::Blank]);
    assert_eq!(name_errors(&"ä".repeat(21)), [Message::TooLong { max: 20 }]);
    for name in ["a_b", "WWW", "Shop", "a\u{200b}b", "a\u{1b}"] {
        assert_eq!(name_errors(name).len(), 1, "{name:?}");
        assert_eq!(wrong(&Host { name: name.to_owned(), ..good() }), ["name"]);
    }
}

#[test]
fn an_operator_is_told_which_hosts_raspiblitz_drops() {
    for (name, is_short) in [("ab", true), ("abc", false), ("äöü", false)] {
        let told = warned(&Host { name: name.to_owned(), ..good() });
        assert_eq!(told.contains("a name shorter than 3 characters"), is_short, "{name}");
    }
    let cheap = |initial: u64, extension: u64| {
        let (initial, extension) = (Msat(initial), Msat(extension));
        let host = Host { tor_bridge_price_initial: initial, tor_bridge_price_extension: extension, ..good() };
        warned(&host).contains("cheaper than 1000 msat")
    };
    assert!(!cheap(1000, 1000) && cheap(999, 1000) && cheap(1000, 999) && cheap(1, 5000) && cheap(5000, 1));
    for (secs, is_short) in [(0, false), (1, true), (3599, true), (3600, false)] {
        let told = warned(&Host { tor_bridge_duration: secs, ..good() });
        assert_eq!(told.contains("less than 3600 seconds"), is_short, "{secs}");
    }
    let aliases = Host { offers_tor_bridges: false, tor_bridge_price_initial: Msat(1), ..good() };
    assert_eq!(warned(&aliases), "", "it sells no bridges");
}

#[test]
fn an_operator_is_told_what_keeps_all_buyers_away() {
    let no_ports = "It offers Tor bridges but has no ports for them (--port-range FIRST-LAST).";
    assert_eq!(warnings(&good(), &[]), [no_ports]);
    assert_eq!(warnings(&good(), &[ports(PortKind::RsshTunnel)]), [no_ports], "ports for something else");
    assert_eq!(warned(&Host { is_draining: true, ..good() }), "It is drained: it takes no new orders.");
    let tunnels = warned(&Host { offers_rssh_tunnels: true, ..good() });
    assert_eq!(tunnels, "Reverse SSH tunnels are stored but not sold by this shop.");
}

#[test]
fn an_operator_is_told_of_an_address_that_nobody_reaches_from_elsewhere() {
    let inside = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.0.1", "100.64.0.1", "100.127.255.255"];
    for ip in inside.into_iter().chain(["::1", "fc00::1", "fe80::1"]) {
        let told = warned(&Host { ip: ip.to_owned(), ..good() });
        assert_eq!(told, format!("{ip} is no public address: buyers elsewhere can't reach it."));
    }
    for ip in ["8.8.8.8", "100.63.255.255", "100.128.0.1", "101.64.0.1", "203.0.113.7", "2001:db8::1"] {
        assert_eq!(warned(&Host { ip: ip.to_owned(), ..good() }), "", "{ip}");
    }
}

#[test]
fn a_change_names_what_it_has_changed_and_each_address_has_one_spelling() {
    let mut host = good();
    let text = |text: &str| Some(text.to_owned());
    let change = HostChange {
        ip: text(" [2001:DB8::1] "),
        name: text("other"),
        description: text("  says "),
        is_draining: Some(true),
        tor_bridge_price_initial: Some(Msat(5)),
        ..HostChange::default()
    };
    let changed = change.clone().apply(&mut host);
    let expected = [
        "ip \"203.0.113.7\"->\"2001:db8::1\"",
        "name \"bridge1\"->\"other\"",
        "description None->Some(\"says\")",
        "is_draining false->true",
        "tor_bridge_price_initial 25000 msat->5 msat",
    ];
    assert_eq!(changed, expected);
    assert_eq!(change.apply(&mut host), [""; 0], "the same again changes nothing");
    let blank = HostChange { description: text(" \n"), ip: text("no address"), ..HostChange::default() };
    blank.apply(&mut host);
    assert_eq!((host.description, host.ip.as_str()), (None, "no address"), "what is wrong is stored by nobody");
}

#[test]
fn a_host_is_alive_while_it_has_said_hello_in_the_last_five_minutes() {
    let alive = |ci_status: u8, ci_date: Option<Timestamp>| Host { ci_status, ci_date, ..good() }.is_alive(START);
    let ago = |secs: i64| Some(START.plus_secs(-secs));
    assert!(alive(0, ago(0)) && alive(0, ago(ALIVE_SECS - 1)));
    assert!(!alive(0, ago(ALIVE_SECS)) && !alive(0, None) && !alive(0, ago(-DAY)), "nor is one of the future");
    assert!(!alive(1, ago(0)) && !alive(2, ago(0)), "goodbye and farewell");
}

#[test]
fn the_lowest_price_is_of_what_is_sold() {
    let host = |bridges, aliases| Host {
        offers_tor_bridges: bridges,
        offers_nostr_aliases: aliases,
        tor_bridge_price_initial: Msat(7),
        nostr_alias_price_initial: Msat(5),
        ..good()
    };
    let lowest = |bridges, aliases| host(bridges, aliases).lowest_price();
    assert_eq!([lowest(true, true), lowest(true, false), lowest(false, false)], [Msat(5), Msat(7), Msat(0)]);
}
