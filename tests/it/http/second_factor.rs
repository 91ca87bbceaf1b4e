//! The second factor: enrolment, codes that are taken once, recovery codes, and a clock that can't be trusted.

use data_encoding::BASE32_NOPAD;
use ip2tor_shop::domain::time::Clock;
use ip2tor_shop::services::operators::totp;
use serde_json::{Value, json};

use crate::support::admin::SignedIn;
use crate::support::request::Answer;
use crate::support::{PASSWORD, TestShop};

/// An authenticator app.
struct Authenticator(Vec<u8>);

impl Authenticator {
    fn code(&self, shop: &TestShop) -> String {
        totp::code(&self.0, shop.clock_secs() / 30, totp::DIGITS)
    }
}

async fn post(shop: &TestShop, browser: &SignedIn, path: &str, body: Value) -> Answer {
    shop.ask_admin("POST", path).with_session(browser).json(&body).send().await
}

/// Enrols the administrator; answers with the app and the recovery codes.
async fn enrol(shop: &TestShop, browser: &SignedIn) -> (Authenticator, Vec<String>) {
    let asked = post(shop, browser, "me/second-factor/", json!({"old_password": PASSWORD})).await.json();
    let secret = asked["secret"].as_str().expect("a secret");
    let uri = asked["uri"].as_str().expect("a link");
    assert!(uri.starts_with("otpauth://totp/") && uri.contains(&format!("?secret={secret}&issuer=")), "{uri}");
    assert!(!uri.contains(' ') && !uri.contains('+'), "{uri}");
    assert!(asked["qr"].as_str().is_some_and(|qr| qr.starts_with("data:image/png;base64,")));
    let app = Authenticator(BASE32_NOPAD.decode(secret.as_bytes()).expect("base32"));
    let wrong = post(shop, browser, "me/second-factor/confirm/", json!({"code": "000000"})).await;
    assert_eq!(wrong.status, 400, "nothing counts before a code was shown");
    let confirmed = post(shop, browser, "me/second-factor/confirm/", json!({"code": app.code(shop)})).await.json();
    let codes = confirmed["recovery_codes"].as_array().expect("codes");
    (app, codes.iter().map(|code| code.as_str().expect("a code").to_owned()).collect())
}

async fn login(shop: &TestShop, code: Option<&str>) -> Answer {
    shop.login(json!({"name": "admin", "password": PASSWORD, "code": code})).await
}

#[tokio::test]
async fn a_code_is_asked_for_and_taken_once() {
    let shop = TestShop::new();
    let browser = shop.sign_in("admin").await;
    let (app, codes) = enrol(&shop, &browser).await;
    assert_eq!(codes.len(), 10);
    let asked = login(&shop, None).await;
    assert_eq!((asked.json()["signed_in"].as_bool(), asked.json()["code_needed"].as_bool()), (Some(false), Some(true)));
    assert_eq!(asked.header("set-cookie"), "");
    assert_eq!(login(&shop, Some(&app.code(&shop))).await.status, 401, "it was used to confirm");
    shop.clock.advance_secs(30);
    let code = app.code(&shop);
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    SignedIn::of(&login(&shop, Some(&spaced)).await);
    assert_eq!(login(&shop, Some(&code)).await.status, 401, "not again");
    shop.clock.advance_secs(3600);
    let basic = shop.ask_admin("GET", "me/").basic("admin", PASSWORD).send().await;
    assert_eq!(basic.status, 401, "the password alone is not enough, here");
    assert!(basic.text().contains("second factor"));
    let compatible = shop.ask("GET", "/api/v1/hosts/").basic("admin", PASSWORD).send().await;
    assert_eq!(compatible.status, 401, "nor anywhere");
}

#[tokio::test]
async fn a_recovery_code_is_taken_once_and_also_while_the_clock_is_wrong() {
    let shop = TestShop::new();
    let browser = shop.sign_in("admin").await;
    let (app, codes) = enrol(&shop, &browser).await;
    SignedIn::of(&login(&shop, Some(&codes[0].to_uppercase())).await);
    assert_eq!(login(&shop, Some(&codes[0])).await.status, 401, "not again");
    let left = shop.ask_admin("GET", "me/").with_session(&browser).send().await.json();
    assert_eq!((&left["has_second_factor"], &left["recovery_codes"]), (&json!(true), &json!(9)));

    let now = shop.clock.now();
    shop.sql(&format!("INSERT OR REPLACE INTO meta (key, value) VALUES ('newest_time', {})", now.plus_secs(86_400).0));
    let asked = login(&shop, None).await.json();
    assert_eq!((&asked["code_needed"], &asked["takes_app_codes"]), (&json!(true), &json!(false)), "and it says so");
    shop.clock.advance_secs(60);
    let refused = login(&shop, Some(&app.code(&shop))).await;
    assert!(refused.status == 400 && refused.text().contains("recovery code"), "{}", refused.text());
    SignedIn::of(&login(&shop, Some(&codes[1])).await);
}

#[tokio::test]
async fn wrong_codes_make_wait_whatever_stands_between_them() {
    let shop = TestShop::new();
    let browser = shop.sign_in("admin").await;
    enrol(&shop, &browser).await;
    shop.clock.advance_secs(7200);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        login(&shop, None).await;
        statuses.push(login(&shop, Some("000000")).await.status.as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 429]);
}

#[tokio::test]
async fn a_second_factor_goes_with_the_password_or_by_an_administrator() {
    let shop = TestShop::new();
    let browser = shop.sign_in("operator").await;
    enrol(&shop, &browser).await;
    let refused = post(&shop, &browser, "me/second-factor/remove/", json!({"old_password": "another one"})).await;
    assert_eq!(refused.status, 400);
    let admin = shop.sign_in("admin").await;
    let removed = post(&shop, &admin, "operators/2/second-factor/remove/", json!({})).await;
    assert_eq!(removed.status, 204, "{}", removed.text());
    SignedIn::of(&shop.login(json!({"name": "operator", "password": PASSWORD})).await);
    enrol(&shop, &browser).await;
    assert_eq!(post(&shop, &browser, "me/second-factor/remove/", json!({"old_password": PASSWORD})).await.status, 204);
    SignedIn::of(&shop.login(json!({"name": "operator", "password": PASSWORD})).await);
}
