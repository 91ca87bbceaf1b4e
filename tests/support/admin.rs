//! Those who run the shop, as their browsers and programs ask.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::request::{Answer, Ask};
use super::{PASSWORD, TestShop};

/// A browser that has signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The line `Cookie`.
    pub cookie: String,
    /// What changes show besides.
    pub csrf: String,
}

impl SignedIn {
    /// Of the answer to a login.
    pub fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let cookie = answer.header("set-cookie").split(';').next().expect("a cookie").to_owned();
        let csrf = answer.json()["csrf_token"].as_str().expect("a token").to_owned();
        Self { cookie, csrf }
    }
}

impl TestShop {
    /// A request to the admin API; `path` stands behind `/api/v1/admin/`.
    pub fn ask_admin(&self, method: &str, path: &str) -> Ask<'_> {
        self.ask(method, &format!("/api/v1/admin/{path}")).on_admin_face()
    }

    /// A login, with whatever.
    pub async fn login(&self, body: Value) -> Answer {
        self.ask_admin("POST", "login/").json(&body).send().await
    }

    /// Signs an operator of the fixture in.
    pub async fn sign_in(&self, name: &str) -> SignedIn {
        SignedIn::of(&self.login(json!({"name": name, "password": PASSWORD})).await)
    }
}

impl Ask<'_> {
    /// As a browser that has signed in.
    pub fn with_session(self, browser: &SignedIn) -> Self {
        self.header("Cookie", &browser.cookie).header("X-CSRF-Token", &browser.csrf)
    }

    /// With a name and a password.
    pub fn basic(self, name: &str, password: &str) -> Self {
        self.header("Authorization", format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
    }

    /// With an API token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }
}
