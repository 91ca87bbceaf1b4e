//! The rules of nodes, tried on a database.

use super::*;
use crate::domain::id::SystemRandom;
use crate::services::test_support::{administrator, database, operator};
use crate::services::{Principal, Session};
use crate::store::Db;

fn change() -> NodeChange {
    NodeChange {
        host: Some("127.0.0.1".to_owned()),
        macaroon_file: Some("/lnd/invoice.macaroon".to_owned()),
        ..NodeChange::default()
    }
}

fn add(db: &Db, change: NodeChange, owner: &'static str) -> Result<Node, Error> {
    let session = administrator();
    session.write(db, move |tx| super::add(tx, &SystemRandom, NodeKind::LndGrpc, change, Some(owner)))
}

#[test]
fn a_node_has_the_default_port_and_needs_a_macaroon() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let node = add(&db, change(), "anna").unwrap();
    assert_eq!((node.port, node.name.as_str()), (10_009, "127.0.0.1:10009"));
    assert!(matches!(add(&db, NodeChange { macaroon_file: None, ..change() }, "anna"), Err(Error::Invalid(_))));
}

#[test]
fn a_node_is_named_by_its_host_without_scheme_path_and_port() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let add = |host: &str| add(&db, NodeChange { host: Some(host.to_owned()), ..change() }, "anna");
    for host in ["https://127.0.0.1", "127.0.0.1:10009", "node.example/lnd"] {
        let refused = add(host);
        assert!(matches!(&refused, Err(Error::Invalid(fields)) if fields[0].0 == "host"), "{host}: {refused:?}");
    }
    for host in ["node.example", "::1"] {
        assert!(add(host).is_ok(), "{host}");
    }
}

#[test]
fn a_node_that_was_never_given_a_name_is_called_by_where_it_is_now() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let set = |node: &Node, change: NodeChange| {
        let (session, id) = (administrator(), node.id);
        session.write(&db, move |tx| set(tx, id, change, None)).unwrap();
        administrator().read(&db, |tx| show(tx, id)).unwrap().name
    };
    let moved = || NodeChange { host: Some("192.0.2.7".to_owned()), has_moved: true, ..NodeChange::default() };
    let node = add(&db, change(), "anna").unwrap();
    assert_eq!(set(&node, moved()), "192.0.2.7:10009");
    assert_eq!(set(&node, NodeChange { port: Some(1), ..NodeChange::default() }), "192.0.2.7:1");
    let named = add(&db, NodeChange { name: Some("alice".to_owned()), ..change() }, "anna").unwrap();
    assert_eq!(set(&named, moved()), "alice");
    let now = NodeChange { name: Some("bob".to_owned()), host: Some("::1".to_owned()), ..NodeChange::default() };
    assert_eq!(set(&node, now), "bob");
}

#[test]
fn each_kind_of_node_is_let_pay_refunds_in_its_own_way() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let add = |kind: NodeKind, host: &str, given: NodeChange| {
        let macaroon_file = (!kind.is_socket()).then(|| "/lnd/invoice.macaroon".to_owned());
        let change = NodeChange { host: Some(host.to_owned()), macaroon_file, ..given };
        let session = administrator();
        session.write(&db, move |tx| super::add(tx, &SystemRandom, kind, change, Some("anna")))
    };
    let field = |result: Result<Node, Error>| match result {
        Err(Error::Invalid(fields)) => fields[0].0,
        other => panic!("{other:?}"),
    };
    let macaroon =
        || NodeChange { payment_macaroon_file: Some("/lnd/pay.macaroon".to_owned()), ..NodeChange::default() };
    let switched = || NodeChange { pays_refunds: Some(true), ..NodeChange::default() };
    for kind in [NodeKind::LndGrpc, NodeKind::LndRest] {
        assert!(add(kind, "127.0.0.1", macaroon()).unwrap().pays_refunds, "the macaroon switches it on");
        let off = NodeChange { pays_refunds: Some(false), ..macaroon() };
        assert!(!add(kind, "127.0.0.1", off).unwrap().pays_refunds);
        assert!(!add(kind, "127.0.0.1", NodeChange::default()).unwrap().pays_refunds);
        assert_eq!(field(add(kind, "127.0.0.1", switched())), "pays_refunds", "not without a macaroon");
    }
    let socket = "/cln/lightning-rpc";
    assert!(!add(NodeKind::Cln, socket, NodeChange::default()).unwrap().pays_refunds);
    assert!(add(NodeKind::Cln, socket, switched()).unwrap().pays_refunds);
    assert_eq!(field(add(NodeKind::Cln, socket, macaroon())), "payment_macaroon_file");
}

#[test]
fn a_core_lightning_node_is_its_socket_and_has_neither_port_nor_credentials() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let add = |change: NodeChange| {
        let session = administrator();
        session.write(&db, move |tx| super::add(tx, &SystemRandom, NodeKind::Cln, change, Some("anna")))
    };
    let at = |host: &str| NodeChange { host: Some(host.to_owned()), ..NodeChange::default() };
    let socket = || at("/home/cln/.lightning/bitcoin/lightning-rpc");
    let file = || Some("/lnd/file".to_owned());
    for (field, change) in [
        ("port", NodeChange { port: Some(9835), ..socket() }),
        ("certificate_file", NodeChange { certificate: Some(vec![1]), ..socket() }),
        ("macaroon_file", NodeChange { macaroon_file: file(), ..socket() }),
        ("details_macaroon_file", NodeChange { details_macaroon_file: file(), ..socket() }),
        ("host", at(&format!("/{}", "a".repeat(107)))),
    ] {
        let refused = add(change);
        assert!(matches!(&refused, Err(Error::Invalid(fields)) if fields[0].0 == field), "{field}: {refused:?}");
    }
    assert_eq!(add(socket()).unwrap().name, "bitcoin/lightning-rpc");
    assert!(add(at(&format!("/{}", "a".repeat(106)))).is_ok(), "107 bytes fit");
}

#[test]
fn operators_see_only_their_own_nodes() {
    let (_dir, db) = database();
    let anna = operator(&db, "anna");
    operator(&db, "bert");
    let own = add(&db, change(), "anna").unwrap();
    let other = add(&db, change(), "bert").unwrap();
    let session = Session { by: Principal::Operator(anna, "anna".to_owned()), now: administrator().now };
    assert_eq!(session.read(&db, list).unwrap(), [own]);
    assert_eq!(session.read(&db, |tx| show(tx, other.id)), Err(Error::NotFound));
}

#[test]
fn a_removed_node_is_gone_with_its_credentials() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let node = add(&db, change(), "anna").unwrap();
    let session = administrator();
    session.write(&db, move |tx| remove(tx, node.id)).unwrap();
    assert_eq!(administrator().read(&db, list).unwrap(), []);
}

#[test]
fn a_change_of_credentials_is_logged_without_them() {
    let (_dir, db) = database();
    operator(&db, "anna");
    let node = add(&db, change(), "anna").unwrap();
    let session = administrator();
    let new = NodeChange { macaroon: Some(b"secret".to_vec()), priority: Some(5), ..NodeChange::default() };
    let changed = session.write(&db, move |tx| set(tx, node.id, new, None)).unwrap();
    assert_eq!(changed, ["priority 0->5", "macaroon replaced"]);
}

#[test]
fn the_administrator_is_told_of_a_node_that_waits_until_it_is_enabled_or_removed() {
    let (_dir, db) = database();
    let anna = operator(&db, "anna");
    let as_anna = || Session { by: Principal::Operator(anna, "anna".to_owned()), now: administrator().now };
    let pasted = || NodeChange {
        host: Some("192.0.2.7".to_owned()),
        macaroon: Some(b"given".to_vec()),
        ..NodeChange::default()
    };
    let add_as_anna = || {
        let session = as_anna();
        session.write(&db, move |tx| super::add(tx, &SystemRandom, NodeKind::LndGrpc, pasted(), None)).unwrap()
    };
    let waiting = || {
        let open = db.read(|db| alerts::list(db, false)).unwrap();
        open.into_iter().filter(|alert| alert.topic == AlertTopic::NodeWaits).map(|alert| alert.subject).collect()
    };
    let (first, second) = (add_as_anna(), add_as_anna());
    let mut both: Vec<String> = waiting();
    both.sort();
    let mut expected = vec![first.id.to_string(), second.id.to_string()];
    expected.sort();
    assert_eq!(both, expected);
    let enable = NodeChange { is_enabled: Some(true), ..NodeChange::default() };
    administrator().write(&db, move |tx| set(tx, first.id, enable, None)).unwrap();
    as_anna().write(&db, move |tx| remove(tx, second.id)).unwrap();
    assert_eq!(waiting(), Vec::<String>::new());
    add(&db, change(), "anna").unwrap();
    assert_eq!(waiting(), Vec::<String>::new(), "an administrator adds nothing that waits");
}
