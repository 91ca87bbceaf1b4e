//! Limits, at the last moment before and at the first one after.

use crate::account::{ApiToken, IDLE_SECS, SESSION_SECS, Scope, Session};
use crate::host::{PortKind, PortRange};
use crate::id::{HostId, OperatorId, ProductId};
use crate::money::Msat;
use crate::operator::name_error;
use crate::product::{ACTIVATION_LIMIT_SECS, Product, ProductKind, ProductStatus, Subject, Terms};
use crate::purchase::{is_overdue, is_past_time};
use crate::texts::{Language, Message, Reason};
use crate::time::Timestamp;
use uuid::Uuid;

const START: Timestamp = Timestamp::from_secs(1_795_000_000);
const DAY: i64 = 86_400;

fn bridge() -> Product {
    let terms = Terms { duration_secs: DAY, grace_secs: 600, price_extension: Msat(1), bandwidth_initial: 1000 };
    let subject = Subject::Target("target".to_owned());
    Product {
        status: ProductStatus::Active,
        port: Some(20_000),
        activated_at: Some(START),
        ..Product::ordered(ProductId(Uuid::nil()), HostId(Uuid::nil()), subject, terms, START)
    }
}

#[test]
fn the_numbers_that_the_documentation_names_are_those() {
    assert_eq!((SESSION_SECS, IDLE_SECS), (30 * DAY, 43_200));
    assert_eq!((crate::account::SETUP_SECS, crate::account::USE_STAMP_SECS), (900, 300));
    assert_eq!(ACTIVATION_LIMIT_SECS, 1800);
}

#[test]
fn a_session_ends_after_a_month_or_half_a_day_without_use() {
    let (made_at, used_at) = (START, START.plus_secs(20 * DAY));
    let (id, client, agent) = (1, String::new(), String::new());
    let session = |used_at| Session {
        id,
        operator: OperatorId(1),
        client: client.clone(),
        agent: agent.clone(),
        made_at,
        used_at,
    };
    assert!(session(used_at).is_open(used_at.plus_secs(IDLE_SECS - 1)));
    assert!(!session(used_at).is_open(used_at.plus_secs(IDLE_SECS + 1)), "not used for half a day");
    let last = START.plus_secs(SESSION_SECS - 1);
    assert!(session(last).is_open(last));
    let over = START.plus_secs(SESSION_SECS + 1);
    assert!(!session(over).is_open(over), "a month old, however much it is used");
}

#[test]
fn an_api_token_works_until_the_moment_of_its_end_and_none_from_the_future_does() {
    let token = ApiToken {
        id: 1,
        operator: OperatorId(1),
        name: "t".to_owned(),
        scope: Scope::Read,
        made_at: START,
        expires_at: START.plus_secs(DAY),
        used_at: None,
    };
    assert!(token.is_open(START) && token.is_open(START.plus_secs(DAY - 1)));
    assert!(!token.is_open(START.plus_secs(DAY)) && !token.is_open(START.plus_secs(DAY + 1)));
    assert!(!token.is_open(START.plus_secs(-10 * DAY)), "made by a clock that was ahead");
}

#[test]
fn a_held_payment_is_overdue_at_its_limit_and_when_it_was_held_in_the_future() {
    assert!(!is_overdue(START, 90, START.plus_secs(89)));
    assert!(is_overdue(START, 90, START.plus_secs(90)) && is_overdue(START, 90, START.plus_secs(91)));
    assert!(is_overdue(START, 90, START.plus_secs(-10 * DAY)));
}

#[test]
fn an_invoice_is_closed_two_seconds_after_its_node_has_closed_it() {
    assert!(!is_past_time(START, Timestamp(START.0 + 1999)));
    assert!(is_past_time(START, Timestamp(START.0 + 2000)) && is_past_time(START, START.plus_secs(3)));
}

#[test]
fn a_product_is_due_at_the_moment_of_its_end_only_while_it_runs() {
    let end = START.plus_secs(DAY);
    let running = Product { suspend_after: Some(end), ..bridge() };
    assert!(!running.is_due_to_suspend(end.plus_secs(-1)) && running.is_due_to_suspend(end));
    assert!(!bridge().is_due_to_suspend(end), "it never ends");
    let off = Product { status: ProductStatus::Suspended, ..running };
    assert!(!off.is_due_to_suspend(end.plus_secs(DAY)));
}

#[test]
fn a_suspended_product_keeps_its_place_for_the_days_that_were_promised() {
    let off = Product { status: ProductStatus::Suspended, suspended_at: Some(START), ..bridge() };
    assert!(!off.is_suspended_too_long(45, START.plus_secs(45 * DAY - 1)));
    assert!(off.is_suspended_too_long(45, START.plus_secs(45 * DAY)));
    let back = Product { status: ProductStatus::Active, ..off };
    assert!(!back.is_suspended_too_long(45, START.plus_secs(100 * DAY)));
}

#[test]
fn an_activation_is_overdue_after_half_an_hour() {
    let pending = Product { status: ProductStatus::NeedsActivate, pending_since: Some(START), ..bridge() };
    assert!(!pending.is_activation_overdue(START.plus_secs(ACTIVATION_LIMIT_SECS - 1)));
    assert!(pending.is_activation_overdue(START.plus_secs(ACTIVATION_LIMIT_SECS)));
    assert!(!bridge().is_activation_overdue(START.plus_secs(DAY)), "nothing is pending");
}

#[test]
fn periods_are_added_to_the_end_of_what_is_paid_or_to_now() {
    let mut product = Product { suspend_after: Some(START.plus_secs(DAY)), ..bridge() };
    assert_eq!(product.add_periods(2, START), 2 * (DAY + 600));
    assert_eq!(product.suspend_after, Some(START.plus_secs(3 * DAY + 1200)));
    let late = START.plus_secs(100 * DAY);
    product.add_periods(1, late);
    assert_eq!(product.suspend_after, Some(late.plus_secs(DAY + 600)), "what is over is not paid for again");
    product.terms.duration_secs = 0;
    assert_eq!((product.add_periods(1, late), product.suspend_after), (0, None), "without end");
}

#[test]
fn bandwidth_is_used_up_at_nothing_left_and_never_where_there_is_no_limit() {
    let left = |bandwidth_remaining| Product { bandwidth_remaining, ..bridge() };
    assert!(!left(1).is_bandwidth_used_up() && left(0).is_bandwidth_used_up() && left(-1).is_bandwidth_used_up());
    let mut unlimited = left(-1);
    unlimited.terms.bandwidth_initial = 0;
    assert!(!unlimited.is_bandwidth_used_up());
    assert_eq!(bridge().terms.bandwidth_of(3), 3000);
}

#[test]
fn a_bridge_without_its_place_has_no_port_and_an_alias_has_its_hosts() {
    assert_eq!((bridge().public_port(), bridge().kind()), (Some(20_000), ProductKind::TorBridge));
    let unplaced = Product { placed: false, ..bridge() };
    assert_eq!(unplaced.public_port(), None);
    let subject = Subject::Alias { alias: "anna".to_owned(), public_key: "npub".to_owned() };
    let alias = Product { subject, ..unplaced };
    assert_eq!((alias.public_port(), alias.kind()), (Some(20_000), ProductKind::NostrAlias));
}

#[test]
fn ranges_share_a_port_from_the_first_that_is_in_both() {
    let range = |first, last| PortRange {
        id: 0,
        host_id: HostId(Uuid::nil()),
        kind: PortKind::TorBridge,
        first,
        last,
        used: 0,
    };
    let ours = range(100, 199);
    assert!(ours.overlaps(&range(199, 300)) && ours.overlaps(&range(50, 100)) && ours.overlaps(&range(150, 150)));
    assert!(!ours.overlaps(&range(200, 300)) && !ours.overlaps(&range(50, 99)));
    assert_eq!(ours.free(), 100);
    assert_eq!(PortRange { used: 98, ..ours }.free(), 2);
    assert_eq!(PortRange { used: 101, ..ours }.free(), 0, "ports of a range that was made smaller");
}

#[test]
fn amounts_are_written_exactly_and_never_wrap() {
    let amount = |text: &str| text.parse::<Msat>().unwrap();
    assert_eq!(amount("1500").in_sats(), "1.5");
    assert_eq!([Msat(1).in_sats(), Msat(20_000).in_sats(), Msat(0).in_sats()], ["0.001", "20", "0"]);
    assert_eq!(Msat(7).to_string(), "7 msat");
    assert_eq!((Msat(5).checked_add(Msat(2)), Msat(u64::MAX).checked_add(Msat(1))), (Some(Msat(7)), None));
    assert_eq!((Msat(5).saturating_sub(Msat(2)), Msat(2).saturating_sub(Msat(5))), (Msat(3), Msat(0)));
    assert_eq!((Msat(5).to_db(), Msat(u64::MAX).to_db()), (5, i64::MAX));
    assert_eq!((Msat::from_db(5), Msat::from_db(-5)), (Msat(5), Msat(0)));
}

#[test]
fn a_name_of_an_operator_has_at_most_150_characters_and_none_that_would_end_it() {
    for good in ["a", "anna", &"ä".repeat(150)] {
        assert_eq!(name_error(good), None, "{good}");
    }
    assert_eq!(name_error(""), Some(Reason::NameLength));
    assert_eq!(name_error(&"ä".repeat(151)), Some(Reason::NameLength));
    for bad in ["a:b", "a b", "a\u{200b}b"] {
        assert_eq!(name_error(bad), Some(Reason::NameSymbols), "{bad:?}");
    }
    assert_eq!(name_error("CLI"), Some(Reason::NameReserved));
    for reason in [Reason::NameLength, Reason::NameSymbols, Reason::NameReserved, Reason::NoRange { first: 5, last: 1 }]
    {
        let [english, german] = Language::ALL.map(|language| Message::from(reason.clone()).text(language));
        assert_ne!(english, german);
        assert_eq!(Message::from(reason).language(Language::German), Language::German, "{german}");
    }
}

#[test]
fn the_times_of_a_state_are_kept_while_the_product_is_in_it() {
    let at = |secs: i64| START.plus_secs(secs);
    let mut product = Product { status: ProductStatus::Initial, activated_at: None, ..bridge() };
    let times = |product: &Product| [product.pending_since, product.suspending_since, product.suspended_at];
    product.transition_to(ProductStatus::NeedsActivate, at(1)).unwrap();
    assert_eq!((times(&product), product.activated_at), ([Some(at(1)), None, None], None));
    product.transition_to(ProductStatus::NeedsActivate, at(2)).unwrap();
    assert_eq!(times(&product), [Some(at(1)), None, None], "staying is no move");
    product.shown_at = Some(at(2));
    product.transition_to(ProductStatus::Active, at(3)).unwrap();
    assert_eq!((times(&product), product.activated_at), ([None; 3], Some(at(3))));
    product.transition_to(ProductStatus::NeedsSuspend, at(4)).unwrap();
    assert_eq!((times(&product), product.shown_at), ([None, Some(at(4)), None], Some(at(2))));
    product.transition_to(ProductStatus::Suspended, at(5)).unwrap();
    assert_eq!((times(&product), product.shown_at), ([None, None, Some(at(5))], None), "its host has nothing of it");
    product.deleted_at = Some(at(6));
    product.transition_to(ProductStatus::NeedsDelete, at(6)).unwrap();
    assert_eq!((times(&product), product.deleted_at), ([None; 3], Some(at(6))));
    product.transition_to(ProductStatus::NeedsActivate, at(7)).unwrap();
    assert_eq!((times(&product), product.deleted_at), ([Some(at(7)), None, None], None), "it is back");
    product.transition_to(ProductStatus::Active, at(8)).unwrap();
    assert_eq!(product.activated_at, Some(at(3)), "the first time counts");
    let before = product.clone();
    let broken = product.transition_to(ProductStatus::Archived, at(9)).unwrap_err();
    assert_eq!((broken.noun, broken.from, broken.to, product == before), ("product", "A", "Z", true));
}

#[test]
fn bandwidth_that_was_overdrawn_is_forgiven_and_counts_as_added() {
    let with = |bandwidth_remaining| Product { bandwidth_remaining, ..bridge() };
    for (left, added, then) in [(400, 2000, 2400), (0, 2000, 2000), (-300, 2300, 2000)] {
        let mut product = with(left);
        assert_eq!((product.add_bandwidth(2), product.bandwidth_remaining), (added, then), "{left}");
    }
}
