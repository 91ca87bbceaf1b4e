//! Rules that hold for every resource: credentials, methods, forms of the answer, slashes, headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::TestShop;

/// Paths of every kind, with an id that nothing has.
const PATHS: [&str; 12] = [
    "/api/v1/public/hosts/",
    "/api/v1/public/hosts/ID/",
    "/api/v1/public/pos/ID/",
    "/api/v1/public/po_items/ID/",
    "/api/v1/public/invoices/ID/",
    "/api/v1/public/tor_bridges/ID/",
    "/api/v1/public/nostr_aliases/ID/extend/",
    "/api/v1/tor_bridges/",
    "/api/v1/tor_bridges/ID/",
    "/api/v1/nostr_aliases/ID/",
    "/api/v1/hosts/ID/",
    "/api/v1/hosts/ID/check_in/",
];

fn paths() -> Vec<String> {
    PATHS.iter().map(|path| path.replace("ID", "00000000-0000-4000-8000-000000000000")).collect()
}

#[tokio::test]
async fn bad_credentials_are_refused_everywhere_and_before_anything_else() {
    let shop = TestShop::new();
    for (number, path) in paths().into_iter().enumerate() {
        // Each from a client of its own, and for another name: after a few wrong passwords these have to wait.
        let client = poem::Addr::SocketAddr(([203, 0, 113, number as u8], 50_000).into());
        let wrong = format!("Basic {}", STANDARD.encode(format!("nobody{number}:x")));
        for (credentials, text) in [
            ("Token x", "Invalid token."),
            ("Token", "Invalid token header. No credentials provided."),
            ("Token a b", "Invalid token header. Token string should not contain spaces."),
            ("Basic !!!", "Invalid username/password."),
            (wrong.as_str(), "Invalid username/password."),
        ] {
            let ask = shop.ask("TRACE", &path).header("Authorization", credentials);
            let answer = ask.from(client.clone()).send().await;
            assert_eq!(answer.status, 401, "{path} {credentials}");
            assert_eq!(answer.json()["detail"], text, "{path} {credentials}");
            assert_eq!(answer.header("www-authenticate"), "Basic realm=\"api\"");
        }
    }
}

#[tokio::test]
async fn unknown_schemes_and_sessions_are_anonymous() {
    let shop = TestShop::new();
    for (name, value) in [("Authorization", "Bearer abc"), ("Cookie", "sessionid=abc")] {
        assert_eq!(shop.ask("GET", "/api/v1/public/hosts/").header(name, value).send().await.status, 200);
        let answer = shop.ask("GET", "/api/v1/hosts/").header(name, value).send().await;
        assert_eq!(answer.json()["detail"], "Authentication credentials were not provided.");
    }
}

#[tokio::test]
async fn the_form_comes_before_the_credentials_and_these_before_the_method() {
    let shop = TestShop::new();
    let path = "/api/v1/hosts/";
    assert_eq!(shop.ask("PUT", path).header("Accept", "application/xml").send().await.status, 406);
    assert_eq!(shop.ask("PUT", path).send().await.status, 401);
    let answer = shop.ask("PUT", path).token("host1").send().await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, POST, HEAD, OPTIONS"));
    assert_eq!(answer.json(), json!({ "detail": "Method \"PUT\" not allowed." }));
}

#[tokio::test]
async fn a_wrong_method_wins_over_an_unknown_id() {
    let shop = TestShop::new();
    for path in paths() {
        let answer = shop.ask("BREW", &path).token("host1").send().await;
        assert_eq!(answer.status, 405, "{path}");
        assert!(answer.header("allow").ends_with("OPTIONS"), "{path}");
    }
}

#[tokio::test]
async fn paths_outside_of_the_api_say_what_may_be_done_with_them() {
    let shop = TestShop::new();
    let picture = "/media/invoices/2026/11/qr_x.png";
    for path in ["/", "/docs", "/docs/", "/openapi.yaml", "/healthz", "/readyz", picture, "/shop/host"] {
        for (method, status) in [("OPTIONS", 204), ("POST", 405), ("DELETE", 405)] {
            let answer = shop.ask(method, path).send().await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (status, "GET, HEAD, OPTIONS"), "{path}");
        }
        assert_ne!(shop.ask("HEAD", path).send().await.status, 405, "{path}");
    }
}

#[tokio::test]
async fn head_is_get_without_its_body_and_with_its_effects() {
    let shop = TestShop::new();
    for path in ["/api/v1/public/hosts/", "/api/v1/public/hosts/abc/"] {
        let (get, head) = (shop.ask("GET", path).send().await, shop.ask("HEAD", path).send().await);
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("content-length"), get.body.len().to_string(), "{path}");
        assert_eq!(head.header("content-type"), "application/json");
    }
    shop.sql("UPDATE host SET ci_status = 2");
    let path = format!("/api/v1/hosts/{}/check_in/", shop.host("host1"));
    assert_eq!(shop.ask("HEAD", &path).token("host1").send().await.status, 200);
    let alive = shop.ask("GET", "/api/v1/public/hosts/").send().await.json();
    assert_eq!(alive.as_array().map(Vec::len), Some(1), "the check-in counts");
}

#[tokio::test]
async fn every_answer_of_the_api_has_the_contracts_headers() {
    let shop = TestShop::new();
    for path in paths() {
        let answer = shop.ask("GET", &path).send().await;
        for (name, value) in [
            ("content-type", "application/json"),
            ("vary", "Accept, Accept-Language, Cookie"),
            ("content-language", "en"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{path} {name}");
        }
    }
}

#[tokio::test]
async fn a_missing_slash_is_a_relative_redirect_and_nothing_is_done() {
    let shop = TestShop::new();
    for method in ["GET", "HEAD", "POST", "PATCH", "DELETE"] {
        let answer = shop.ask(method, "/api/v1/public/order?a=b").bytes("{}").send().await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (301, "/api/v1/public/order/?a=b"), "{method}");
        assert_eq!((answer.header("content-type"), answer.body.len()), ("text/html; charset=utf-8", 0));
    }
    for path in ["/nope", "/nope/", "/api/v1/nope", "/api/v1/public/pos/", "/api/v2/"] {
        let answer = shop.ask("GET", path).send().await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (404, "text/html; charset=utf-8"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn browsers_are_sent_to_the_documentation_but_what_they_post_is_answered() {
    let shop = TestShop::new();
    let accept = "text/html,application/xhtml+xml,*/*;q=0.8";
    let answer = shop.ask("GET", "/api/v1/public/hosts/").header("Accept", accept).send().await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/docs/"));
    let answer = shop.ask("POST", "/api/v1/public/order/").header("Accept", accept).form("product=x").send().await;
    assert_eq!(answer.status, 400);
    assert_eq!(shop.ask("GET", "/docs/").send().await.status, 200);
    assert!(shop.ask("GET", "/openapi.yaml").send().await.text().contains("/api/v1/public/hosts/"));
}

#[tokio::test]
async fn messages_come_in_german_when_asked_for() {
    let shop = TestShop::new();
    let answer = shop.ask("POST", "/api/v1/public/order/").header("Accept-Language", "de-DE").json(&json!({})).send();
    let answer = answer.await;
    assert_eq!(answer.json()["product"], json!(["Dieses Feld ist zwingend erforderlich."]));
    assert_eq!(answer.header("content-language"), "de");
    let body = json!({"comment": "x".repeat(43), "product": "car"});
    let answer = shop.ask("POST", "/api/v1/public/order/").header("Accept-Language", "de").json(&body).send().await;
    assert_eq!(
        answer.json()["comment"],
        json!(["Dieses Feld darf höchstens 42 Zeichen haben."]),
        "with what belongs to it"
    );
    assert_eq!(answer.json()["product"], json!(["\"car\" ist keine gültige Auswahl."]));
}

#[tokio::test]
async fn an_answer_says_the_language_that_its_text_really_has() {
    let shop = TestShop::new();
    let (order, _) = shop.active_bridge("host1", None).await;
    let path = format!("/api/v1/public/pos/{order}/");
    for (stored, text, language) in [
        ("'denied'", "Dieses Ziel (oder die eigene Adresse) steht auf der Sperrliste dieses Shops.", "de"),
        ("'delivered_late: 361'", "361 Sekunden nach der Zahlung geliefert.", "de"),
        ("'target_warned: The target does not answer'", "Warning: The target does not answer.", "en"),
        ("'What somebody wrote'", "What somebody wrote", "en"),
    ] {
        shop.sql(&format!("UPDATE purchase_order SET message = {stored}"));
        let answer = shop.ask("GET", &path).header("Accept-Language", "de").send().await;
        let message = answer.json()["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.starts_with(text), "{message}");
        assert_eq!(answer.header("content-language"), language, "{message}");
    }
    let hosts = shop.ask("GET", "/api/v1/public/hosts/").header("Accept-Language", "de").send().await;
    assert_eq!(hosts.header("content-language"), "en", "nothing in it was translated");
}

#[tokio::test]
async fn a_host_sees_only_what_is_its_own() {
    let shop = TestShop::new();
    let (_, bridge) = shop.active_bridge("host1", None).await;
    let path = format!("/api/v1/tor_bridges/{bridge}/");
    assert_eq!(shop.ask("GET", &path).token("host1").send().await.status, 200);
    for method in ["GET", "PATCH", "PUT", "DELETE"] {
        assert_eq!(shop.ask(method, &path).token("host2test").send().await.status, 404, "{method}");
    }
    let list = shop.ask("GET", "/api/v1/hosts/").token("host2test").send().await.json();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
}
