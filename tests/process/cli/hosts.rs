//! Hosts on the command line: each field is a flag.

use serde_json::Value;

use super::{Shop, run, stderr, stdout};

/// The flags for a host of the recorded fixture: field names with dashes.
fn host_flags(host: &Value) -> Vec<String> {
    let mut flags = vec!["host".to_owned(), "add".to_owned()];
    for (field, value) in host.as_object().unwrap() {
        match value {
            Value::Array(ranges) => flags.extend(ranges.iter().map(|range| {
                let flag = if range["type"] == "T" { "port-range" } else { "tunnel-port-range" };
                format!("--{flag}={}-{}", range["start"], range["end"])
            })),
            Value::String(text) => flags.push(format!("--{}={text}", field.replace('_', "-"))),
            other => flags.push(format!("--{}={other}", field.replace('_', "-"))),
        }
    }
    flags
}

fn fixture_host() -> Value {
    serde_json::json!({
        "name": "host1", "ip": "192.168.0.101", "description": "desc host1",
        "port_ranges": [{"type": "T", "start": 21212, "end": 21221}, {"type": "R", "start": 30100, "end": 30150}],
        "is_enabled": true, "is_test_host": false, "is_testnet": false, "offers_tor_bridges": true,
        "tor_bridge_duration": 86400, "tor_bridge_price_initial": 25000, "tor_bridge_price_extension": 20000,
        "offers_nostr_aliases": false, "nostr_alias_port": 80, "nostr_alias_duration": 2592000,
        "nostr_alias_price_initial": 25000000, "nostr_alias_price_extension": 20000000,
        "offers_rssh_tunnels": false, "rssh_tunnel_price": 1000, "terms_of_service": "Be nice",
        "terms_of_service_url": "https://example.org/tos", "bridge_bandwidth_initial": 1073741824
    })
}

#[test]
fn a_host_of_the_fixture_can_be_added_with_a_flag_for_every_field() {
    let shop = Shop::with_operator();
    let fixture = fixture_host();
    let flags = host_flags(&fixture);
    let added = shop.json(&flags.iter().map(String::as_str).collect::<Vec<_>>());
    let token = added["token"].as_str().unwrap();
    assert!(token.len() == 40 && token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let shown = shop.json(&["host", "show", added["id"].as_str().unwrap()]);
    for (field, value) in fixture.as_object().unwrap().iter().filter(|(field, _)| *field != "port_ranges") {
        assert_eq!(&shown[field], value, "{field}");
    }
    assert_eq!(shown["owner"], "anna");
    let spans: Vec<_> = shown["port_ranges"].as_array().unwrap().iter().map(|range| range["type"].clone()).collect();
    assert_eq!(spans, ["T", "R"]);
}

#[test]
fn a_host_is_changed_listed_and_given_a_new_token() {
    let shop = Shop::with_operator();
    let added = shop.json(&["host", "add", "--ip=192.0.2.1", "--name=one"]);
    let id = added["id"].as_str().unwrap();
    let changed = shop.json(&["host", "set", id, "--is-enabled=false", "--grace-secs=900", "--use-holds=false"]);
    assert_eq!(changed["changed"].as_array().unwrap().len(), 3);
    let rotated = shop.json(&["host", "rotate-token", id]);
    assert_ne!(rotated["token"], added["token"]);
    assert_eq!(rotated["old_token_ended"], false);
    assert_eq!(shop.json(&["host", "rotate-token", id, "--now"])["old_token_ended"], true);
    assert_eq!(shop.json(&["host", "set", id, "--late=400"])["changed"][0], "late_secs 360->400");
    assert_eq!(shop.json(&["host", "set", id, "--swept"])["changed"].as_array().unwrap().len(), 0, "nothing to sweep");
    let list = shop.json(&["host", "list"]);
    assert_eq!((list[0]["is_enabled"].clone(), list[0]["grace_secs"].clone()), (false.into(), 900.into()));
    assert!(stdout(&shop.run(&["host", "list"])).contains("192.0.2.1"));
    assert!(stdout(&shop.run(&["host", "show", id])).contains("grace_secs"));
}

#[test]
fn a_host_of_an_old_shop_is_taken_over_unchanged() {
    let shop = Shop::with_operator();
    let id = "0ba22cbf-5a4c-4a29-94c1-cd6de5ee2a4e";
    let token = "00112233445566778899aabbccddeeff00112233";
    let added = shop.json(&["host", "add", "--ip=192.0.2.1", "--name=one", "--id", id, "--token", token]);
    assert_eq!((added["id"].as_str(), added["token"].as_str()), (Some(id), Some(token)));
}

#[test]
fn overlapping_ranges_are_refused_and_nothing_is_stored() {
    let shop = Shop::with_operator();
    shop.json(&["host", "add", "--ip=192.0.2.1", "--name=one", "--port-range=20000-20099"]);
    let refusal = shop.refusal(&["host", "add", "--ip=192.0.2.1", "--name=two", "--port-range=20050-20149"]);
    assert!(
        refusal.contains("--port-range") && refusal.contains("20000-20099") && refusal.contains("one"),
        "{refusal}"
    );
    let tunnels = ["--port-range=20100-20199", "--tunnel-port-range=20000-20009"];
    let refusal = shop.refusal(&[&["host", "add", "--ip=192.0.2.1", "--name=two"][..], &tunnels].concat());
    assert!(refusal.contains("--tunnel-port-range"), "{refusal}");
    assert_eq!(shop.json(&["host", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn a_host_without_an_owner_is_the_only_administrators_or_of_whoever_sells() {
    let shop = Shop::with_operator();
    shop.json(&["operator", "add", "bert"]);
    let add = |name: &str| shop.run(&["host", "add", "--ip=192.0.2.1", "--name", name]);
    assert!(add("one").status.success());
    assert_eq!(shop.json(&["host", "list"])[0]["owner"], "anna");
    shop.json(&["operator", "add", "carl", "--role", "administrator"]);
    assert!(add("two").status.success());
    let owners = || {
        shop.json(&["host", "list"]).as_array().unwrap().iter().map(|host| host["owner"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(owners(), ["anna", "anna"]);
    shop.json(&["host", "add", "--ip=192.0.2.3", "--name=three", "--owner=carl"]);
    assert!(stderr(&add("four")).contains("--owner"));
}

#[test]
fn a_changed_price_is_told_as_an_amount() {
    let shop = Shop::with_operator();
    let added = shop.json(&["host", "add", "--ip=192.0.2.1", "--name=one"]);
    let changed = shop.json(&["host", "set", added["id"].as_str().unwrap(), "--tor-bridge-price-initial=30000"]);
    assert_eq!(changed["changed"], serde_json::json!(["tor_bridge_price_initial 25000 msat->30000 msat"]));
}

#[test]
fn every_wrong_field_of_a_host_is_named_by_its_flag() {
    let shop = Shop::with_operator();
    let refusal = shop.refusal(&["host", "add", "--ip=nowhere", "--name=www", "--grace-secs=1"]);
    for flag in ["--ip:", "--name:", "--grace-secs:"] {
        assert!(refusal.contains(flag), "{refusal}");
    }
}

#[test]
fn special_port_numbers_are_proposed_with_the_rest() {
    let document: Value = serde_json::from_slice(&run(&["host", "ports", "--premium", "--json"]).stdout).unwrap();
    assert_eq!(document["special"].as_array().unwrap().len(), 5);
    assert_eq!(document["rest"][0], serde_json::json!({"start": 10000, "end": 11110}));
    let text = stdout(&run(&["host", "ports", "--silver", "--min-port=22920", "--max-port=22924"]));
    assert!(text.contains("--port-range 22922-22922"), "{text}");
    assert_eq!(run(&["host", "ports"]).status.code(), Some(2));
}
