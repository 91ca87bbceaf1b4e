//! How things are written where people read them, and what of them is never written.

use std::fmt::Write;

use crate::account::PasswordFault;
use crate::alert::Severity;
use crate::alert_channel::{ChannelKind, OwnChannel, QuietRule};
use crate::alert_message::News;
use crate::fiat::{Currency, RateRules};
use crate::id::{HostId, IdRuns, NodeId, OperatorId, Random, SystemRandom};
use crate::lightning::{InvoiceRequest, Network, PaymentHash, Preimage};
use crate::money::Msat;
use crate::node::{Node, NodeKind};
use crate::quiet_hours::QuietHours;
use crate::recent::Recent;
use crate::texts::{Language, Message, OnionFault};
use crate::time::{Clock, ManualClock, Timestamp};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const START: Timestamp = Timestamp::from_secs(1_795_000_000);

fn node(kind: NodeKind, payment_macaroon_file: Option<&str>) -> Node {
    Node {
        id: NodeId(Uuid::nil()),
        operator_id: OperatorId(1),
        kind,
        name: "alice".to_owned(),
        host: "192.0.2.1".to_owned(),
        port: 10_009,
        certificate_file: None,
        certificate: None,
        macaroon_file: None,
        macaroon: Some(b"hunter2".to_vec()),
        details_macaroon_file: None,
        payment_macaroon_file: payment_macaroon_file.map(str::to_owned),
        pays_refunds: false,
        priority: 0,
        is_enabled: true,
        allow_spending: false,
        use_holds: true,
        is_alive: true,
        checked_at: None,
        last_error: None,
        network: None,
        pubkey: None,
        info: None,
        clock_note: None,
        settle_index: 0,
        created_at: START,
        modified_at: START,
    }
}

#[test]
fn a_node_pays_refunds_with_a_macaroon_of_its_own_or_through_its_socket() {
    let can = |kind, file| node(kind, file).can_refund();
    assert!(can(NodeKind::Cln, None) && can(NodeKind::LndGrpc, Some("pay")) && !can(NodeKind::LndRest, None));
    let id = Uuid::nil();
    let how = node(NodeKind::Cln, None).how_to_pay_refunds();
    assert_eq!(how, format!("`node set {id} --pays-refunds=true`"));
    let off = Node { is_enabled: false, ..node(NodeKind::LndGrpc, None) }.how_to_pay_refunds();
    assert!(off.starts_with("`lncli bakemacaroon offchain:read offchain:write"), "{off}");
    let set = format!("then `node set {id} --payment-macaroon-file FILE --is-enabled=true`");
    assert!(off.ends_with(&set), "{off}");
}

#[test]
fn a_node_and_a_preimage_are_written_without_their_secrets() {
    let shown = format!("{:?}", node(NodeKind::LndGrpc, None));
    assert_eq!(shown, format!("Node({} \"alice\" lnd_grpc at 192.0.2.1:10009)", NodeId(Uuid::nil())));
    assert_eq!(format!("{:?}", Preimage([7; 32])), "Preimage(hidden)");
    let channel = OwnChannel { kind: ChannelKind::Email, target: "a@b.example".to_owned(), secret: None, token: None };
    assert_eq!(format!("{channel:?}"), "OwnChannel(email a@b.example)");
}

#[test]
fn a_payment_hash_is_that_of_its_preimage_in_hexadecimal_digits() {
    let hash = Preimage([0; 32]).hash();
    let digits = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925";
    assert_eq!((hash.to_string(), format!("{hash:?}")), (digits.to_owned(), format!("PaymentHash({digits})")));
    assert_eq!(PaymentHash(hash.0), hash);
}

#[test]
fn a_payment_request_tells_its_network_by_the_longest_prefix() {
    for (request, network) in [
        ("lnbc250n1p", Some("mainnet")),
        ("LNBC250N1P", Some("mainnet")),
        ("lntb1", Some("testnet")),
        ("lntbs1", Some("signet")),
        ("lnbcrt1", Some("regtest")),
        ("lnb", None),
        ("", None),
        ("lnsb1", None),
    ] {
        assert_eq!(Network::of_payment_request(request).map(Network::name), network, "{request}");
    }
}

#[test]
fn an_invoice_carries_the_hash_of_what_describes_it() {
    let request = |described_by: Option<&str>| InvoiceRequest {
        hash: PaymentHash([1; 32]),
        preimage: None,
        amount: Msat(1),
        memo: "PO".to_owned(),
        described_by: described_by.map(str::to_owned),
        expiry_secs: 900,
        cltv_expiry: None,
        private: false,
    };
    assert_eq!(request(None).description_hash(), None);
    assert_eq!(request(Some("metadata")).description_hash(), Some(Sha256::digest("metadata").into()));
}

/// Gives the same bytes each time.
struct Fixed(u8);

impl Random for Fixed {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

#[test]
fn a_drawn_number_lies_below_its_bound_and_reaches_both_ends() {
    assert_eq!([Fixed(0).below(10), Fixed(0x80).below(10), Fixed(0xff).below(10)], [0, 5, 9]);
    assert_eq!([Fixed(0xff).below(1), Fixed(0xff).below(0), Fixed(0x40).below(1000)], [0, 0, 250]);
}

#[test]
fn ids_are_random_and_of_version_four() {
    let id = SystemRandom.uuid();
    assert_eq!(
        (id.get_version_num(), Fixed(0).uuid().to_string().as_str()),
        (4, "00000000-0000-4000-8000-000000000000")
    );
    assert_ne!(id, SystemRandom.uuid());
    let run = IdRuns::default();
    assert_eq!(run.next(&Fixed(0xab)).to_string(), "abababab-abab-4bab-abab-abababababab");
    assert_eq!(format!("{:?}", HostId(Uuid::nil())), format!("HostId({})", Uuid::nil()));
}

#[test]
fn a_clock_of_tests_stands_still_until_it_is_moved() {
    let clock = ManualClock::new(START);
    clock.advance_secs(3);
    assert_eq!(clock.now(), START.plus_secs(3));
    clock.advance_millis(7);
    clock.advance_secs(-5);
    assert_eq!(clock.now(), Timestamp(START.0 - 2000 + 7));
}

#[test]
fn severities_are_read_by_their_rank() {
    for severity in Severity::ALL {
        assert_eq!(Severity::of_rank(severity.rank()), Some(severity));
    }
    assert_eq!((Severity::of_rank(-1), Severity::of_rank(3)), (None, None));
}

#[test]
fn in_quiet_hours_only_what_is_critical_and_not_over_is_told() {
    let news = |severity, is_end| {
        let (topic, text) = (crate::alert::AlertTopic::NodeDead, String::new());
        News { alert: 1, topic, subject: String::new(), severity, text, is_end, at: START }.can_not_wait()
    };
    assert!(news(Severity::Critical, false));
    assert!(!news(Severity::Critical, true) && !news(Severity::Warning, false) && !news(Severity::Info, true));
    let hours = QuietHours::parse("22:00-07:00").unwrap();
    assert_eq!((QuietRule::Hours(hours).hours(), QuietRule::Off.hours()), (Some(hours), None));
}

#[test]
fn currencies_are_asked_for_once_each() {
    let (euro, dollar) = (Currency::EUR, Currency::parse("usd").unwrap());
    let rules = |info| RateRules { tax: euro, info, max_age_secs: 1 };
    assert_eq!((rules(euro).currencies(), rules(dollar).currencies()), (vec![euro], vec![euro, dollar]));
    assert_eq!(
        (format!("{dollar:?}"), Currency::parse("CHF").unwrap().write(105)),
        ("USD".to_owned(), "CHF 1.05".to_owned())
    );
}

#[test]
fn what_is_remembered_of_many_takes_the_memory_that_is_said() {
    // 24 bytes of key and value and one of the table for each of so many places.
    assert_eq!(Recent::<[u64; 2]>::most_bytes(14), 16 * 25);
    assert_eq!(Recent::<[u64; 2]>::most_bytes(15), 32 * 25);
    assert_eq!(Recent::<[u64; 2]>::most_bytes(100), 128 * 25);
    let mut recent = Recent::new(4, |age: &i64| *age);
    assert!(recent.is_empty() && recent.get_mut(1).is_none());
    recent.entry(1, || 5);
    *recent.get_mut(1).expect("it was just made") += 1;
    assert_eq!((recent.is_empty(), recent.len(), recent.get(1)), (false, 1, Some(&6)));
    recent.remove(1);
    assert!(recent.is_empty() && recent.get(1).is_none());
}

#[test]
fn of_those_of_one_age_only_as_many_are_forgotten_as_must_be() {
    let mut recent = Recent::new(16, |age: &i64| *age);
    recent.entry(0, || 1);
    for key in 1..16 {
        recent.entry(key, || 2);
    }
    recent.entry(99, || 3);
    assert_eq!(recent.len(), 15, "two went: the oldest, and one of fifteen");
    assert!(recent.get(0).is_none() && recent.get(99).is_some());
}

#[test]
fn what_people_read_of_faults_is_as_it_was_looked_through() {
    let weak = [PasswordFault::TooShort, PasswordFault::TooLong, PasswordFault::LikeTheName, PasswordFault::Common];
    let onion = [
        OnionFault::OnePort,
        OnionFault::HasProtocol,
        OnionFault::HasUser,
        OnionFault::Version2,
        OnionFault::WrongLength,
        OnionFault::WrongCharacters,
        OnionFault::WrongChecksum,
    ];
    let messages = weak.into_iter().map(Message::WeakPassword).chain(
        onion
            .into_iter()
            .flat_map(|fault| [None, Some("a.onion:80".to_owned())].map(|guess| Message::WrongOnion(fault, guess))),
    );
    let mut text = String::new();
    for message in messages {
        let [english, german] = Language::ALL.map(|language| message.text(language));
        writeln!(text, "{message:?}\n  {english}\n  {german}").unwrap();
    }
    insta::assert_snapshot!("faults", text);
}
