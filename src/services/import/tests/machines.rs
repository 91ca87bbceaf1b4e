//! Nodes, people, sites and whatever else stands around what is sold.

use serde_json::json;

use super::dumps::{Dump, INVOICES, macaroon};
use super::oddities::{refusal, with_host};
use super::*;

#[test]
fn nodes_that_lack_something_are_there_and_switched_off() {
    let (mut dump, _) = with_host();
    let admin = dump.node("lnnode.lndrestnode", json!({"macaroon_invoice": "", "macaroon_admin": "0202"}));
    let unverified = dump.node("lnnode.lndgrpcnode", json!({"tls_cert_verification": false, "tls_cert": ""}));
    let plan = dump.plan().unwrap();
    let todo = plan.report().todo.join("\n");
    assert!(todo.contains("bakemacaroon") && todo.contains("--certificate-file"), "{todo}");
    let (_dir, db) = stored(&plan);
    for node in db.read(|db| nodes::list(db, None)).unwrap() {
        let id = node.id.to_string();
        assert_eq!(node.is_enabled, id != admin && id != unverified, "{id}");
        assert_ne!(node.macaroon.as_deref(), Some([2, 2].as_slice()), "nothing that can spend is stored");
    }
}

#[test]
fn only_what_a_node_can_show_and_what_can_not_spend_is_stored() {
    let spending = macaroon(&[("invoices", "write"), ("offchain", "write")]);
    let cut = &macaroon(&INVOICES)[..40];
    let pem = "-----BEGIN CERTIFICATE-----\nMIIB...\n-----END CERTIFICATE-----\n";
    for (field, value, says) in [
        ("macaroon_invoice", spending.as_str(), "that of the old shop is not taken: it can spend"),
        ("macaroon_invoice", cut, "--macaroon-file shop.macaroon"),
        ("macaroon_invoice", "0201036c6e64", "--macaroon-file shop.macaroon"),
        ("tls_cert", pem, "--certificate-file tls.cert (that of the old shop is not taken: "),
    ] {
        let (mut dump, _) = with_host();
        let wrong = dump.node("lnnode.lndgrpcnode", json!({field: value}));
        let plan = dump.plan().unwrap();
        let todo = plan.report().todo.join("\n");
        assert!(todo.contains(says) && todo.contains(&format!("node set {wrong} …")), "{field}: {todo}");
        let told = format!("{}{}", plan.report().text(), plan.report().document());
        assert!(!told.contains(value), "{field}");
        let (_dir, db) = stored(&plan);
        let node = db.read(|db| nodes::list(db, None)).unwrap().into_iter().find(|node| node.id.to_string() == wrong);
        let node = node.unwrap();
        assert!(!node.is_enabled, "{field}");
        assert_eq!((node.macaroon.is_some(), node.certificate.is_some()), (field == "tls_cert", field != "tls_cert"));
    }
}

#[test]
fn how_a_node_is_known_is_told_where_it_was_otherwise() {
    let (mut dump, _) = with_host();
    let rooted = dump.node("lnnode.lndrestnode", json!({"tls_cert": ""}));
    let unlooked = dump.node("lnnode.lndgrpcnode", json!({"tls_cert_verification": false, "name": "unlooked"}));
    let plan = dump.plan().unwrap();
    let report = plan.report();
    assert!(report.todo.iter().any(|line| line.contains(&format!("`node set {rooted} --certificate-file"))));
    assert!(report.notes.iter().any(|line| line.starts_with("node unlooked: the old shop did not look")));
    let (_dir, db) = stored(&plan);
    let all = db.read(|db| nodes::list(db, None)).unwrap();
    let is_on = |id: &str| all.iter().any(|node| node.id.to_string() == id && node.is_enabled);
    assert!(is_on(&rooted) && is_on(&unlooked));
}

#[test]
fn a_dump_of_a_part_of_the_shop_is_refused_with_the_command_for_all_of_it() {
    let without = |app: &str| {
        let (mut dump, host) = with_host();
        let bridge = dump.bridge(&host, "A", json!(20_000), json!({}));
        dump.order("P", &bridge, 2);
        dump.order("N", &bridge, 2);
        dump.objects.retain(|object| !object["model"].as_str().unwrap().starts_with(app));
        dump
    };
    for app in ["lninvoice.", "shop.", "auth.", "lnpurchase."] {
        assert!(without(app).plan().is_err(), "{app}");
    }
    for app in ["lninvoice.", "shop."] {
        let told = refusal(&without(app));
        assert!(told.contains("python3 manage.py dumpdata") && told.contains("lnpurchase lninvoice`"), "{told}");
    }
    let empty = plan(b"[]", &Env::default(), &CREDENTIALS, time(SAMPLE_TIME)).unwrap_err();
    assert!(empty.to_string().starts_with("there is no shop.host in it"), "{empty}");

    let mut dump = without("lnpurchase.");
    dump.objects.retain(|object| !object["model"].as_str().unwrap().starts_with("lninvoice."));
    let todo = |dump: &Dump| dump.plan().unwrap().report().todo.join("\n");
    assert!(todo(&dump).contains("bridges and no order"), "{}", todo(&dump));
    assert!(todo(&without("lnnode.")).contains("invoices and no node"));
}

#[test]
fn people_keep_what_can_be_kept() {
    let mut dump = Dump::new(false);
    dump.host("203.0.113.1", &[]);
    dump.user(3, "shop", json!({"is_staff": true, "password": "argon2$x"}));
    dump.user(4, "ADMIN", json!({"is_superuser": true}));
    dump.user(5, "customer", json!({}));
    dump.user(6, "former", json!({"is_superuser": true, "is_active": false}));
    let plan = dump.plan().unwrap();
    let (_dir, db) = stored(&plan);
    let people = db.read(operators::list).unwrap();
    let names: Vec<_> = people.iter().map(|person| person.name.as_str()).collect();
    assert_eq!(names, ["admin", "operator", "operator-3", "operator-4"]);
    assert!(plan.report().todo.iter().any(|line| line.contains("operator set-password operator-3")));
}

#[test]
fn what_this_shop_has_nothing_for_is_counted_and_a_node_it_could_not_use_can_be_added() {
    let (mut dump, host) = with_host();
    for _ in 0..2 {
        let tunnel = dump.new_id();
        dump.add("shop.rsshtunnel", json!(tunnel), json!({"host": host, "status": "A", "public_key": "ssh-ed25519 x"}));
    }
    let lightning = dump.new_id();
    dump.add("lnnode.clightningnode", json!(lightning), json!({"name": "cln", "socket_path": "/x"}));
    let report = dump.plan().unwrap().report();
    assert_eq!(report.counts["shop.rsshtunnel"], (0, 2));
    let why = |pk: &str| report.dropped.iter().find(|(_, found, _)| found == pk).unwrap().2.clone();
    assert!(why(&lightning).contains("`node add --kind cln --host SOCKET`"), "{}", why(&lightning));
}

#[test]
fn what_was_denied_is_denied_and_no_more() {
    let (mut dump, _) = with_host();
    let cases =
        [(5, false, false), (6, false, true), (7, false, true), (8, false, true), (10, false, true), (2, true, true)];
    for (number, (status, is_denied, _)) in cases.into_iter().enumerate() {
        dump.add("shop.denylist", json!(number), json!({"status": status, "is_denied": is_denied, "comment": "spam"}));
        dump.add("shop.tordenylist", json!(number), json!({"target": format!("bad{number}.onion:80")}));
    }
    let (_dir, db) = stored(&dump.plan().unwrap());
    let list = db.read(deny_list::list).unwrap();
    for (number, (status, is_denied, denies)) in cases.into_iter().enumerate() {
        let entry = list.iter().find(|entry| entry.value == format!("bad{number}.onion:80")).unwrap();
        assert_eq!(entry.status.denies(), denies, "{status} {is_denied}");
    }
}

#[test]
fn of_several_sites_the_one_of_the_hosts_is_taken_and_the_other_named() {
    let (mut dump, _) = with_host();
    let other = json!({"model": "sites.site", "pk": 2, "fields": {"domain": "other.example", "name": "Other"}});
    dump.objects.insert(0, other);
    let plan = dump.plan().unwrap();
    let report = plan.report();
    assert!(report.dropped.iter().any(|(model, pk, _)| model == "sites.site" && pk == "2"), "{:?}", report.dropped);
    let (_dir, db) = stored(&plan);
    assert_eq!(db.read(hosts::catalog::site).unwrap().domain, "shop.example");
}

#[test]
fn a_range_that_holds_nothing_in_either_spelling_asks_for_nothing() {
    for (used, is_asked) in [("set()", false), ("{}", false), ("{20007}", true)] {
        let (mut dump, _) = with_host();
        let range = dump.objects.iter().position(|object| object["model"] == "shop.portrange").unwrap();
        dump.objects[range]["fields"]["_used"] = json!(used);
        let todo = dump.plan().unwrap().report().todo;
        assert_eq!(todo.iter().any(|line| line.contains("that it holds")), is_asked, "{used}: {todo:?}");
    }
}

#[test]
fn a_readonly_macaroon_is_told_with_the_flag_that_takes_it() {
    let (mut dump, _) = with_host();
    let secret = macaroon(&[("info", "read")]);
    let node = dump.node("lnnode.lndgrpcnode", json!({"macaroon_readonly": secret}));
    let plan = dump.plan().unwrap();
    let says = format!("`node set {node} --details-macaroon-file FILE`");
    assert!(plan.report().notes.iter().any(|line| line.contains(&says)), "{:?}", plan.report().notes);
    assert!(!plan.report().text().contains(&secret));
}

#[test]
fn an_onion_service_at_another_port_is_asked_for() {
    let (dump, _) = with_host();
    let todo = |text: &str| {
        let dump = serde_json::to_vec(&dump.objects).unwrap();
        plan(&dump, &Env::parse(text).unwrap(), &CREDENTIALS, time(SAMPLE_TIME)).unwrap().report().todo.join("\n")
    };
    assert!(todo("SHOP_TOR_HTTP_PORT=8081 # so").contains("`virtual_port = 8081`"));
    assert!(!todo("SHOP_TOR_HTTP_PORT=80").contains("virtual_port"));
}
