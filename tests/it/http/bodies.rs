//! Bodies of every kind: no input reaches a 500, and each wrong one is answered clearly.

use serde_json::json;

use crate::support::{ONION, TestShop};

const ORDER: &str = "/api/v1/public/order/";

/// Values that clients could put anywhere.
const VALUES: [&str; 22] = [
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "1e400",
    "1e308",
    "18446744073709551616",
    "\"\"",
    "\"  \"",
    "\"x\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "[]",
    "{}",
    "[[[[[[[[[[]]]]]]]]]]",
    "{\"a\":{\"b\":[1,2,{}]}}",
    "\"\u{202e}abc\"",
    "\"2030-13-45T99:99:99Z\"",
    "\"00000000-0000-0000-0000-000000000000\"",
    "\"9999999999999999999999999999\"",
];

#[tokio::test]
async fn no_value_in_any_field_reaches_a_500() {
    let shop = TestShop::new();
    let (_, bridge) = shop.active_bridge("host1", None).await;
    let host = shop.host("host1");
    let targets = [
        (
            "POST",
            ORDER.to_owned(),
            &["product", "host_id", "tos_accepted", "comment", "target", "alias", "public_key"][..],
        ),
        ("POST", format!("/api/v1/hosts/{host}/check_in/"), &["ci_status", "ci_message", "ci_date"][..]),
        (
            "PATCH",
            format!("/api/v1/hosts/{host}/"),
            &["ip", "name", "site", "is_testnet", "bridge_bandwidth_initial"][..],
        ),
        (
            "PATCH",
            format!("/api/v1/tor_bridges/{bridge}/"),
            &["status", "comment", "target", "suspend_after", "bandwidth_remaining", "bandwidth_last_checked", "host"]
                [..],
        ),
        ("PATCH", format!("/api/v1/tor_bridges/{bridge}/consume_bandwidth/"), &["amount"][..]),
        ("PUT", format!("/api/v1/tor_bridges/{bridge}/"), &["host", "target"][..]),
    ];
    for (method, path, fields) in targets {
        for (field, value) in fields.iter().flat_map(|field| VALUES.iter().map(move |value| (field, value))) {
            let body = format!("{{\"{field}\": {value}}}");
            let ask = shop.ask(method, &path).header("Content-Type", "application/json");
            let answer = ask.token("host1").bytes(body.clone()).send().await;
            assert!(answer.status.as_u16() < 500, "{method} {path} {body}: {} {}", answer.status, answer.text());
        }
    }
}

#[tokio::test]
async fn queries_and_ids_of_any_kind_do_not_reach_a_500() {
    let shop = TestShop::new();
    for path in [
        "/api/v1/public/hosts/?id=abc",
        "/api/v1/public/hosts/?id=%ff&is_testnet=%00",
        "/api/v1/public/hosts/?&&&==&%",
        "/api/v1/public/pos/%00/",
        "/api/v1/public/pos/..%2f..%2f/",
        "/api/v1/public/pos/%ff%fe/",
        "/api/v1/tor_bridges/?host=abc&status=a",
        "/api/v1/tor_bridges/?host=%ff&status=%ff",
        "/api/v1/tor_bridges/get_telegraf_config/?port=99999",
        "/api/v1/tor_bridges/.json",
        "/api/v1/tor_bridges/a.b.json",
        "/media/invoices/x/y/qr_.png",
        "//api/v1/",
    ] {
        for method in ["GET", "HEAD", "OPTIONS", "POST", "DELETE"] {
            let answer = shop.ask(method, path).token("host1").send().await;
            assert!(answer.status.as_u16() < 500, "{method} {path}: {}", answer.status);
        }
    }
}

#[tokio::test]
async fn a_port_of_a_proxy_is_a_number_and_nothing_else() {
    let shop = TestShop::new();
    for (port, status) in [("9065", 200), ("", 200), ("+80", 400), ("%2B80", 400), ("0", 400), ("99999", 400)] {
        let path = format!("/api/v1/tor_bridges/get_telegraf_config/?port={port}");
        assert_eq!(shop.ask("GET", &path).token("host1").send().await.status, status, "{port:?}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_object_are_told_what_they_are() {
    let shop = TestShop::new();
    for (kind, body, status) in [
        ("application/json", "{", 400),
        ("application/json", "[1]", 400),
        ("application/json", "\"abc\"", 400),
        ("application/json", "null", 400),
        ("application/json; charset=utf-8", "{}", 400),
        ("application/x-www-form-urlencoded", "%zz=%ff&&=", 400),
        ("multipart/form-data", "x", 400),
        ("multipart/form-data; boundary=x", "--x\r\n", 400),
        ("text/plain", "x", 415),
        ("application/xml", "<x/>", 415),
        ("application/json", "[[[[[[", 400),
    ] {
        let answer = shop.ask("POST", ORDER).header("Content-Type", kind).bytes(body).send().await;
        assert_eq!(answer.status.as_u16(), status, "{kind} {body}: {}", answer.text());
        assert!(answer.json().is_object());
    }
    let deep = "[".repeat(10_000);
    let answer = shop.ask("POST", ORDER).header("Content-Type", "application/json").bytes(deep).send().await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn json_form_multipart_and_no_body_are_read_alike() {
    let shop = TestShop::new();
    let (host, target) = (shop.host("host1").to_string(), format!("{ONION}:80"));
    let fields =
        [("product", "tor_bridge"), ("host_id", host.as_str()), ("tos_accepted", "on"), ("target", target.as_str())];
    let parts = fields
        .map(|(name, value)| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    let body = format!("{}--b--\r\n", parts.concat());
    let ask = shop.ask("POST", ORDER).header("Content-Type", "multipart/form-data; boundary=b").bytes(body);
    let answer = ask.send().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let none = shop.ask("POST", ORDER).send().await.json();
    let form = shop.ask("POST", ORDER).form("").send().await.json();
    assert_eq!(none, form);
    assert_eq!(none, json!({ "product": ["This field is required."], "host_id": ["This field is required."] }));
}
