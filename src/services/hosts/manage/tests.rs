//! The rules of hosts, tried on a database.

use super::*;
use crate::domain::host::PortKind;
use crate::domain::id::SystemRandom;
use crate::domain::money::Msat;
use crate::services::test_support::{administrator, database, host, new_host, operator};
use crate::services::{Principal, Session};
use crate::store::{Db, audit_log};

fn try_add(db: &Db, new: NewHost) -> Result<Added, Error> {
    let session = administrator();
    session.write(db, move |tx| add(tx, &SystemRandom, new))
}

fn change_of(db: &Db, id: HostId, change: HostChange, spans: &'static [Span]) -> Result<Vec<String>, Error> {
    let session = administrator();
    session.write(db, move |tx| set(tx, id, change, spans, None)).map(|(changed, _)| changed)
}

fn fields(error: Error) -> Vec<&'static str> {
    match error {
        Error::Invalid(errors) => errors.into_iter().map(|(field, _)| field).collect(),
        other => panic!("{other}"),
    }
}

#[test]
fn a_token_is_forty_hex_characters_and_stored_only_as_a_hash() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let (id, token) = host(&db, "anna", "192.0.2.1", &[]);
    assert!(token.len() == 40 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    assert_eq!(owner(&db, &token), Some(id));
    let log = db.read(|db| audit_log::of(db, &id.to_string())).unwrap();
    assert!(log.iter().all(|entry| !entry.change.contains(&token)));
}

#[test]
fn a_host_of_an_old_shop_keeps_its_id_and_token() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let id = HostId::parse("7bd8ea6c-6e8a-4b0d-9d9c-1f6d4d7a4a55").unwrap();
    let token = "0123456789abcdef0123456789abcdef01234567".to_owned();
    let new = || NewHost { id: Some(id), token: Some(token.clone()), ..new_host("192.0.2.1", &[]) };
    let added = try_add(&db, new()).unwrap();
    assert_eq!((added.host.id, added.token.as_str()), (id, token.as_str()));
    assert_eq!(fields(try_add(&db, new()).err().unwrap()), ["id"]);
    assert_eq!(fields(try_add(&db, NewHost { id: None, ..new() }).err().unwrap()), ["token"]);
    let short = NewHost { token: Some("abc".to_owned()), ..new_host("192.0.2.1", &[]) };
    assert_eq!(fields(try_add(&db, short).err().unwrap()), ["token"]);
}

#[test]
fn a_new_token_replaces_the_old_one() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let (id, old) = host(&db, "anna", "192.0.2.1", &[]);
    let session = administrator();
    let new = session.write(&db, move |tx| rotate_token(tx, &SystemRandom, id, true)).unwrap();
    assert_eq!((owner(&db, &old), owner(&db, &new)), (None, Some(id)));
}

#[test]
fn a_token_that_still_works_for_one_host_is_given_to_no_other() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let (id, old) = host(&db, "anna", "192.0.2.1", &[]);
    let session = administrator();
    session.write(&db, move |tx| rotate_token(tx, &SystemRandom, id, false)).unwrap();
    let new = NewHost { token: Some(old), ..new_host("192.0.2.2", &[]) };
    assert_eq!(fields(try_add(&db, new).err().unwrap()), ["token"]);
}

fn owner(db: &Db, token: &str) -> Option<HostId> {
    let found = db.read(|db| host_tokens::owner(db, &hash_token(token), administrator().now)).unwrap();
    found.map(|owner| owner.host)
}

/// As after the restore of a backup.
fn doubt_all(db: &Db) {
    let now = administrator().now;
    let restored = move |db: &Connection| {
        deals::mark_as_restored(db)?;
        sweep::doubt_all(db, now)
    };
    db.write_blocking(restored).unwrap();
}

fn told(db: &Db) -> Vec<String> {
    let open = db.read(|db| crate::store::alerts::list(db, false)).unwrap();
    let topic = crate::domain::alert::AlertTopic::HostNotSwept;
    open.into_iter().filter(|alert| alert.topic == topic).map(|alert| alert.text).collect()
}

#[test]
fn a_restore_leaves_every_host_to_be_swept_and_tells_how() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let (id, _) = host(&db, "anna", "192.0.2.1", &[(20_000, 20_099)]);
    doubt_all(&db);
    let shown = || administrator().read(&db, |tx| show(tx, id)).unwrap().host.unswept_since;
    assert_eq!(shown(), Some(administrator().now));
    assert!(told(&db)[0].contains(&format!("host set {id} --swept")), "{:?}", told(&db));
    let session = administrator();
    let sweep = || session.write(&db, move |tx| swept(tx, id)).unwrap();
    assert!(sweep().is_some() && sweep().is_none(), "once");
}

#[test]
fn a_host_that_the_backup_does_not_have_is_to_be_swept_when_it_is_added_again() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let again = || NewHost { id: Some(HostId(SystemRandom.uuid())), ..new_host("192.0.2.1", &[]) };
    assert_eq!(try_add(&db, again()).unwrap().host.unswept_since, None, "taken over from an old shop");
    doubt_all(&db);
    assert!(try_add(&db, again()).unwrap().host.unswept_since.is_some());
    assert_eq!(try_add(&db, new_host("192.0.2.3", &[])).unwrap().host.unswept_since, None, "a new machine");
}

#[test]
fn everything_that_is_wrong_with_a_host_is_said_at_once() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let mut new = new_host("300.1.1.1", &[]);
    new.change.name = Some("a_b".to_owned());
    new.change.description = Some("x".repeat(141));
    new.change.tor_bridge_duration = Some(-1);
    new.change.grace_secs = Some(10);
    let error = try_add(&db, new).err().unwrap();
    assert_eq!(fields(error), ["ip", "name", "description", "tor_bridge_duration", "grace_secs"]);
    for name in ["www", "shop", "", "a-name-longer-than-20"] {
        let mut new = new_host("192.0.2.1", &[]);
        new.change.name = Some(name.to_owned());
        assert_eq!(fields(try_add(&db, new).err().unwrap()), ["name"], "{name}");
    }
}

#[test]
fn what_is_offered_has_a_price() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let mut new = new_host("8.8.8.8", &[(20_000, 20_099)]);
    new.change.tor_bridge_price_initial = Some(Msat(0));
    new.change.offers_tor_bridges = Some(true);
    assert_eq!(fields(try_add(&db, new.clone()).err().unwrap()), ["tor_bridge_price_initial"]);
    new.change.offers_tor_bridges = Some(false);
    try_add(&db, new).unwrap();
}

#[test]
fn the_address_of_no_machine_is_refused_and_one_that_buyers_can_not_reach_is_a_warning() {
    let (_dir, db) = database();
    operator(&db, "anna");
    for (index, (ip, stored, warnings)) in [
        ("\u{feff}192.0.2.7", Some("192.0.2.7"), 0),
        ("[2001:db8::7]", Some("2001:db8::7"), 0),
        ("100.64.0.1", Some("100.64.0.1"), 1),
        ("100.128.0.1", Some("100.128.0.1"), 0),
        ("10.0.0.1", Some("10.0.0.1"), 1),
        ("0.0.0.0", None, 0),
        ("::", None, 0),
        ("224.0.0.1", None, 0),
        ("ff02::1", None, 0),
        ("255.255.255.255", None, 0),
        ("[1.2.3.4", None, 0),
        ("1.2.3.4]", None, 0),
    ]
    .into_iter()
    .enumerate()
    {
        let mut new = new_host(ip, &[]);
        new.change.name = Some(format!("host-{index}"));
        let added = try_add(&db, new);
        let found = added.map(|added| (added.host.ip, added.warnings.len())).ok();
        assert_eq!(found, stored.map(|ip| (ip.to_owned(), warnings)), "{ip:?}");
    }
}

#[test]
fn what_raspiblitz_would_not_show_is_a_warning() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let mut new = new_host("8.8.8.8", &[(20_000, 20_099)]);
    new.change.offers_tor_bridges = Some(true);
    assert_eq!(try_add(&db, new.clone()).unwrap().warnings, Vec::<String>::new());
    new.ranges.clear();
    new.change.name = Some("ab".to_owned());
    new.change.tor_bridge_price_initial = Some(Msat(999));
    new.change.tor_bridge_duration = Some(60);
    assert_eq!(try_add(&db, new).unwrap().warnings.len(), 4, "name, price, duration, no ports");
}

#[test]
fn ranges_that_overlap_on_one_address_are_refused_with_the_other_hosts_name() {
    let (_dir, db) = database();
    operator(&db, "anna");
    host(&db, "anna", "192.0.2.1", &[(20_000, 20_099)]);
    let error = try_add(&db, new_host("192.0.2.1", &[(20_099, 20_200)])).err().unwrap();
    let text = error.to_string();
    assert!(text.contains("20099-20200") && text.contains("20000-20099") && text.contains("host1"), "{text}");
    host(&db, "anna", "192.0.2.1", &[(20_100, 20_199)]);
    host(&db, "anna", "192.0.2.2", &[(20_000, 20_099)]);
    let error = try_add(&db, new_host("192.0.2.3", &[(1000, 2000), (1500, 1600)])).err().unwrap();
    assert!(error.to_string().contains("this host"), "{error}");
    assert_eq!(administrator().read(&db, list).unwrap().len(), 3, "a refused host is not stored");
}

#[test]
fn ranges_of_the_named_kind_are_replaced_and_the_others_stay() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let (id, _) = host(&db, "anna", "192.0.2.1", &[(20_000, 20_099), (30_000, 30_009)]);
    change_of(&db, id, HostChange::default(), &[(PortKind::RsshTunnel, 40_000, 40_009)]).unwrap();
    let kept = &[(PortKind::TorBridge, 20_000, 20_099), (PortKind::TorBridge, 20_100, 20_199)];
    let changed = change_of(&db, id, HostChange::default(), kept).unwrap();
    assert_eq!(changed, ["range T 30000-30009 removed", "range T 20100-20199 added"]);
    let shown = administrator().read(&db, |tx| show(tx, id)).unwrap();
    let spans: Vec<_> = shown.ranges.iter().map(|range| (range.first, range.last)).collect();
    assert_eq!(spans, [(20_000, 20_099), (20_100, 20_199), (40_000, 40_009)]);
}

#[test]
fn a_change_is_logged_with_who_and_what() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let (id, _) = host(&db, "anna", "192.0.2.1", &[]);
    let change = HostChange { is_enabled: Some(false), ..HostChange::default() };
    assert_eq!(change_of(&db, id, change.clone(), &[]).unwrap(), ["is_enabled true->false"]);
    assert_eq!(change_of(&db, id, change, &[]).unwrap(), Vec::<String>::new());
    let log = db.read(|db| audit_log::of(db, &id.to_string())).unwrap();
    let entries: Vec<_> = log.iter().map(|entry| (entry.actor.as_str(), entry.change.as_str())).collect();
    assert_eq!(entries, [("cli", "added: host1 at 192.0.2.1"), ("cli", "is_enabled true->false")]);
}

#[test]
fn a_moved_host_must_fit_at_its_new_address() {
    let (_dir, db) = database();
    operator(&db, "anna");
    host(&db, "anna", "192.0.2.1", &[(20_000, 20_099)]);
    let (id, _) = host(&db, "anna", "192.0.2.2", &[(20_050, 20_149)]);
    let to = |ip: &str| HostChange { ip: Some(ip.to_owned()), ..HostChange::default() };
    assert_eq!(fields(change_of(&db, id, to("192.0.2.1"), &[]).unwrap_err()), ["port_range"]);
    change_of(&db, id, to("192.0.2.3"), &[]).unwrap();
    assert_eq!(administrator().read(&db, |tx| show(tx, id)).unwrap().host.ip, "192.0.2.3");
}

#[test]
fn operators_see_and_change_only_their_own_hosts() {
    let (_dir, db) = database();
    let anna = operator(&db, "anna");
    operator(&db, "bert");
    let (own, _) = host(&db, "anna", "192.0.2.1", &[]);
    let (other, _) = host(&db, "bert", "192.0.2.2", &[]);
    let session = Session { by: Principal::Operator(anna, "anna".to_owned()), now: administrator().now };
    let seen: Vec<_> = session.read(&db, list).unwrap().into_iter().map(|view| view.host.id).collect();
    assert_eq!(seen, [own]);
    assert_eq!(session.read(&db, |tx| show(tx, other)), Err(Error::NotFound));
    let result = session.write(&db, move |tx| set(tx, other, HostChange::default(), &[], None));
    assert_eq!(result, Err(Error::NotFound));
}

#[test]
fn an_address_written_as_ipv6_is_the_same_address_and_its_ports_are_sold_once() {
    let (_dir, db) = database();
    operator(&db, "anna");
    host(&db, "anna", "203.0.113.7", &[(20_000, 20_099)]);
    let refused = try_add(&db, new_host("::ffff:203.0.113.7", &[(20_050, 20_060)])).err();
    assert_eq!(refused.map(fields), Some(vec!["port_range"]));
    let other = try_add(&db, new_host("[::ffff:203.0.113.7]", &[(20_100, 20_199)])).unwrap();
    assert_eq!(other.host.ip, "203.0.113.7");
}
