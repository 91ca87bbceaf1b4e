//! How those who run the shop sign in: sessions, delays, what another web site can't do, API tokens, and the faces on
//! which all this is.

use ip2tor_shop::http::Surface;
use poem::Addr;
use serde_json::{Value, json};

use crate::support::admin::SignedIn;
use crate::support::{PASSWORD, TestShop};

async fn status(shop: &TestShop, browser: &SignedIn) -> u16 {
    shop.ask_admin("GET", "me/").with_session(browser).send().await.status.as_u16()
}

/// The value of a column of the only row.
fn number(shop: &TestShop, sql: &str) -> i64 {
    let sql = sql.to_owned();
    let read = |db: &ip2tor_shop::store::Connection| {
        db.query_row(&sql, [], |row| row.get(0)).map_err(ip2tor_shop::store::StoreError::from)
    };
    shop.shop.db.read(read).expect("a number")
}

#[tokio::test]
async fn the_admin_api_is_on_the_faces_that_are_chosen_for_it_alone() {
    let shop = TestShop::new();
    let path = "/api/v1/admin/me/";
    for surface in [Surface::Clearnet, Surface::Onion] {
        let ask = |path: &str| shop.ask("GET", path).on_circuit(surface, 1).basic("admin", PASSWORD);
        let (there, nowhere) = (ask(path).send().await, ask("/api/v1/nowhere/").send().await);
        assert_eq!((there.status.as_u16(), &there.body), (404, &nowhere.body), "{surface:?}");
    }
    let inside = shop.ask("GET", path).on_circuit(Surface::Operators, 1).basic("admin", PASSWORD).send().await;
    assert_eq!(inside.json()["name"], "admin", "{}", inside.text());
    let lan = shop.ask_admin("GET", "me/").basic("operator", PASSWORD).send().await;
    assert_eq!(lan.json()["role"], "operator");
    assert_eq!(shop.ask_admin("GET", "me").send().await.status, 301);
    let wrong = shop.ask_admin("PATCH", "me/").send().await;
    assert_eq!((wrong.status.as_u16(), wrong.header("allow")), (405, "GET, HEAD"));
    assert_eq!(shop.ask_admin("GET", "nowhere/").send().await.status, 404);
    let anonymous = shop.ask_admin("GET", "me/").send().await;
    assert_eq!(anonymous.status, 401);
    assert_eq!(anonymous.header("www-authenticate"), "", "no window of the browser's own");
}

#[tokio::test]
async fn a_session_is_a_cookie_that_no_script_and_no_other_site_gets() {
    let shop = TestShop::new();
    let login = || shop.ask_admin("POST", "login/").json(&json!({"name": "admin", "password": PASSWORD}));
    let plain = login().send().await;
    let cookie = plain.header("set-cookie");
    assert!(cookie.starts_with("ip2tor-admin=") && cookie.ends_with("; HttpOnly; SameSite=Strict"), "{cookie}");
    let proxy = Addr::SocketAddr("10.0.0.1:4000".parse().unwrap());
    let secure = login().from(proxy).header("X-Forwarded-Proto", "https").send().await;
    let cookie = secure.header("set-cookie");
    assert!(cookie.starts_with("__Host-ip2tor-admin=") && cookie.contains("; Path=/;"), "{cookie}");
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    let onion = login().on_circuit(Surface::Operators, 1).send().await;
    assert!(onion.header("set-cookie").starts_with("ip2tor-admin-onion="));

    let browser = SignedIn::of(&plain);
    let me = shop.ask_admin("GET", "me/").with_session(&browser).send().await.json();
    assert_eq!((&me["name"], me["csrf_token"].as_str()), (&json!("admin"), Some(&*browser.csrf)));
    let again = login().with_session(&browser).send().await;
    assert_eq!(status(&shop, &browser).await, 401, "a new login ends the session that the browser had");
    let browser = SignedIn::of(&again);
    let out = shop.ask_admin("POST", "logout/").with_session(&browser).send().await;
    assert_eq!((out.status.as_u16(), out.header("set-cookie").contains("Max-Age=0")), (204, true));
    assert_eq!(status(&shop, &browser).await, 401);
}

#[tokio::test]
async fn another_web_site_changes_nothing_with_what_a_browser_adds_by_itself() {
    let shop = TestShop::new();
    let browser = shop.sign_in("admin").await;
    let token = json!({"name": "a program", "scope": "read"});
    let ask = || shop.ask_admin("POST", "tokens/").json(&token);
    for foreign in [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Origin", "null")] {
        let asked = ask().with_session(&browser).header(foreign.0, foreign.1).send().await;
        assert_eq!(asked.status, 403, "{foreign:?}");
        let asked = ask().basic("admin", PASSWORD).header(foreign.0, foreign.1).send().await;
        assert_eq!(asked.status, 403, "{foreign:?}");
        let login = shop.ask_admin("POST", "login/").json(&json!({"name": "admin", "password": PASSWORD}));
        assert_eq!(login.header(foreign.0, foreign.1).send().await.status, 403, "{foreign:?}");
    }
    assert_eq!(ask().header("Cookie", &browser.cookie).send().await.status, 403, "without the token");
    let other = shop.sign_in("operator").await;
    let mixed = SignedIn { csrf: other.csrf, ..browser.clone() };
    assert_eq!(ask().with_session(&mixed).send().await.status, 403, "with the token of another session");
    let form = shop.ask_admin("POST", "tokens/").with_session(&browser).form("name=a&scope=read").send().await;
    assert_eq!(form.status, 415, "what a form can send is not taken");
    assert_eq!(number(&shop, "SELECT count(*) FROM api_token"), 0);
    let own = ask().with_session(&browser).header("Sec-Fetch-Site", "same-origin");
    assert_eq!(own.header("Origin", "http://shop.example:8000").send().await.status, 201);
}

#[tokio::test]
async fn failures_are_answered_alike_wait_longer_each_time_and_are_shown() {
    let shop = TestShop::new();
    let try_it = async |name: &str| {
        let answer = shop.login(json!({"name": name, "password": "something else"})).await;
        (answer.status.as_u16(), answer.text(), answer.header("retry-after").to_owned())
    };
    let (known, unknown) = (try_it("admin").await, try_it("nobody").await);
    assert_eq!((known.0, &known), (401, &unknown), "nothing tells names apart");
    assert_eq!(try_it("admin").await.0, 401);
    let mut waits = Vec::new();
    for _ in 0..4 {
        let (status, _, wait) = try_it("admin").await;
        assert_eq!(status, 429);
        let secs: i64 = wait.parse().expect("seconds");
        waits.push(secs);
        shop.clock.advance_secs(secs);
        assert_eq!(try_it("admin").await.0, 401);
    }
    assert_eq!(waits, [1, 2, 4, 8]);
    let good = json!({"name": "admin", "password": PASSWORD});
    assert_eq!(shop.login(good.clone()).await.status, 429, "the right password has to wait as well");
    shop.clock.advance_secs(900);
    let browser = SignedIn::of(&shop.login(good).await);
    let list = async |browser: &SignedIn| {
        let answer = shop.ask_admin("GET", "failed-logins/?limit=250").with_session(browser).send().await;
        answer.json()["items"].as_array().expect("a list").clone()
    };
    let failed = list(&browser).await;
    let told: Vec<_> = failed.iter().map(|one| (one["operator"].as_i64(), one["client"].as_str())).collect();
    let of = |operator| (operator, Some("192.168.1.7"));
    assert_eq!(told, [of(Some(1)), of(Some(1)), of(Some(1)), of(Some(1)), of(Some(1)), of(None), of(Some(1))]);
    assert_eq!(list(&shop.sign_in("operator").await).await, Vec::<Value>::new(), "those of others are not shown");
    assert_eq!(shop.ask_admin("GET", "me/").basic("operator", "something else").send().await.status, 401);
    assert_eq!(list(&browser).await[0]["operator"], 2, "whichever way a wrong password comes");
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_old_revoked_or_its_owner_is_shut_out() {
    let shop = TestShop::new();
    let idle = shop.sign_in("admin").await;
    shop.clock.advance_secs(12 * 3600);
    assert_eq!(status(&shop, &idle).await, 401, "idle");
    let old = shop.sign_in("admin").await;
    for _ in 0..60 {
        assert_eq!(status(&shop, &old).await, 200);
        shop.clock.advance_secs(12 * 3600 - 600);
    }
    shop.clock.advance_secs(601 * 60);
    assert_eq!(status(&shop, &old).await, 401, "after thirty days");

    let (one, two) = (shop.sign_in("admin").await, shop.sign_in("admin").await);
    let list = shop.ask_admin("GET", "sessions/").with_session(&one).send().await.json();
    let items = list["items"].as_array().expect("a list");
    let this: Vec<bool> = items.iter().map(|one| one["is_this"].as_bool().expect("a bool")).collect();
    assert_eq!(this, [false, true], "newest first, and only those that are open");
    assert_eq!(items[0]["owner"], "admin", "whose it is, for those who see everybody's");
    let path = format!("sessions/{}/", items[0]["id"]);
    assert_eq!(shop.ask_admin("DELETE", &path).with_session(&one).send().await.status, 204);
    assert_eq!((status(&shop, &one).await, status(&shop, &two).await), (200, 401), "revoked");

    let others = [shop.sign_in("admin").await, shop.sign_in("admin").await];
    let ended = shop.ask_admin("POST", "sessions/end-others/").with_session(&one).send().await.json();
    assert_eq!(ended["ended"], 2);
    assert_eq!((status(&shop, &others[0]).await, status(&shop, &one).await), (401, 200), "everywhere but here");

    let other = shop.sign_in("admin").await;
    let change = json!({"old_password": PASSWORD, "password": "a lamp by the window"});
    let changed = shop.ask_admin("POST", "me/password/").with_session(&one).json(&change).send().await;
    assert_eq!(changed.status, 204, "{}", changed.text());
    assert_eq!((status(&shop, &other).await, status(&shop, &one).await), (401, 200), "a new password");

    let operator = shop.sign_in("operator").await;
    let disable = shop.ask_admin("PATCH", "operators/2/").with_session(&one).json(&json!({"is_enabled": false}));
    assert_eq!(disable.send().await.json()["is_enabled"], false);
    assert_eq!(status(&shop, &operator).await, 401, "shut out");
    let again = shop.login(json!({"name": "operator", "password": PASSWORD})).await;
    assert_eq!(again.status, 401);
    assert_eq!(shop.ask_admin("GET", "me/").basic("operator", PASSWORD).send().await.status, 401);
}

#[tokio::test]
async fn the_use_of_a_session_is_stored_seldom() {
    let shop = TestShop::new();
    let browser = shop.sign_in("admin").await;
    let begin = shop.clock_secs();
    let used = || number(&shop, "SELECT used_at FROM session") / 1000 - begin;
    for (after, stored) in [(0, 0), (299, 0), (1, 300), (100, 300)] {
        shop.clock.advance_secs(after);
        assert_eq!(status(&shop, &browser).await, 200);
        assert_eq!(used(), stored, "{after} s later");
    }
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let shop = TestShop::new();
    let browser = shop.sign_in("admin").await;
    let change = |id: i64, change: Value| {
        let ask = shop.ask_admin("PATCH", &format!("operators/{id}/")).with_session(&browser).json(&change);
        async move { ask.send().await }
    };
    for last in [json!({"role": "operator"}), json!({"is_enabled": false})] {
        assert_eq!(change(1, last).await.status, 409);
    }
    assert_eq!(change(2, json!({"role": "administrator"})).await.json()["role"], "administrator");
    assert_eq!(change(1, json!({"role": "operator"})).await.json()["role"], "operator");
    assert_eq!(change(2, json!({"role": "operator"})).await.status, 404, "from here on it is not theirs to change");
}

#[tokio::test]
async fn an_operator_is_added_with_a_password_that_is_told_once() {
    let shop = TestShop::new();
    let browser = shop.sign_in("admin").await;
    let add = |body: Value| {
        let ask = shop.ask_admin("POST", "operators/").with_session(&browser).json(&body);
        async move { ask.send().await }
    };
    let weak = add(json!({"name": "carl", "role": "operator", "password": "password123"})).await;
    assert_eq!(weak.status, 400);
    assert!(weak.json()["password"][0].as_str().is_some_and(|text| text.contains("first that others")), "{weak:?}");
    let added = add(json!({"name": "carl", "role": "operator"})).await;
    assert_eq!(added.status, 201, "{}", added.text());
    let (carl, password) = (added.json(), added.json()["password"].as_str().expect("a password").to_owned());
    let path = added.header("location").to_owned();
    assert!(path.ends_with(&format!("/api/v1/admin/operators/{}/", carl["id"])), "{path}");
    assert_eq!(shop.login(json!({"name": "carl", "password": password})).await.status, 200);
    let read = shop.ask_admin("GET", &format!("operators/{}/", carl["id"])).with_session(&browser).send().await;
    assert_eq!(read.json()["password"], Value::Null);
    let reset = shop.ask_admin("POST", &format!("operators/{}/password/", carl["id"])).with_session(&browser);
    let reset = reset.json(&json!({})).send().await.json();
    assert_eq!(shop.login(json!({"name": "carl", "password": password})).await.status, 401);
    assert_eq!(shop.login(json!({"name": "carl", "password": reset["password"]})).await.status, 200);
}

#[tokio::test]
async fn an_api_token_does_what_its_scope_says_until_it_ends() {
    let shop = TestShop::new();
    let browser = shop.sign_in("admin").await;
    let make = |scope: &str, days: i64| {
        let body = json!({"name": format!("for {scope}"), "scope": scope, "days": days});
        let ask = shop.ask_admin("POST", "tokens/").with_session(&browser).json(&body);
        async move { ask.send().await }
    };
    assert_eq!(make("everything", 1).await.status, 400);
    assert_eq!(make("read", 0).await.status, 400);
    let made = make("admin", 1).await.json();
    let token = made["token"].as_str().expect("a token").to_owned();
    let me = || shop.ask_admin("GET", "me/").bearer(&token);
    assert_eq!(me().send().await.json()["name"], "admin");
    let list = shop.ask_admin("GET", "tokens/").with_session(&browser).send().await.json();
    assert_eq!((&list["items"][0]["token"], list["items"][0]["used_at"].is_string()), (&Value::Null, true));
    assert_eq!((&made["owner"], &list["items"][0]["owner"]), (&json!("admin"), &json!("admin")));
    let stored = number(&shop, &format!("SELECT count(*) FROM api_token WHERE hex(hash) = upper(hex('{token}'))"));
    assert_eq!(stored, 0, "only its hash is");
    for (method, path, body) in [
        ("POST", "tokens/", json!({"name": "another", "scope": "admin"})),
        ("POST", "operators/", json!({"name": "carl", "role": "administrator"})),
        ("POST", "sessions/end-others/", json!({})),
    ] {
        let asked = shop.ask_admin(method, path).bearer(&token).json(&body).send().await;
        assert_eq!(asked.status, 403, "accounts are not changed with a token: {path}");
    }
    let reads = make("read", 1).await.json()["token"].as_str().expect("a token").to_owned();
    assert_eq!(shop.ask_admin("POST", "logout/").bearer(&reads).send().await.status, 403);
    assert_eq!(shop.ask_admin("POST", "logout/").bearer(&token).send().await.status, 204);
    let path = format!("tokens/{}/", list["items"][0]["id"]);
    shop.clock.advance_secs(86_399);
    assert_eq!(me().send().await.status, 200);
    shop.clock.advance_secs(1);
    assert_eq!(me().send().await.status, 401, "it has ended");
    let browser = shop.sign_in("admin").await;
    assert_eq!(shop.ask_admin("DELETE", &path).with_session(&browser).send().await.status, 204);
    assert_eq!(shop.ask_admin("DELETE", &path).with_session(&browser).send().await.status, 404);
}
