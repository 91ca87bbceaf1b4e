//! A shop in which everything is one operator's, the roles that ask for it, and what is in its database.

use std::collections::BTreeSet;

use ip2tor_shop::http::Limits;
use ip2tor_shop::http::middleware::rate_limit::Rate;
use ip2tor_shop::services::operators::sessions;
use ip2tor_shop::store::{Connection, StoreError};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::document::Operation;
use crate::support::request::{Answer, Ask};
use crate::support::{ONION, TestShop};

/// An operator who owns nothing of all that, with a number that is no other thing's.
pub const STRANGER: i64 = 99;
/// The operator whose everything is.
const OWNER: i64 = 2;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum Role {
    /// Without credentials.
    Nobody,
    /// With a host's token.
    Host,
    /// With an API token that is none.
    BadToken,
    /// An administrator's API token that may only read.
    ReadingAdministrator,
    /// The owner's API token that may only read.
    ReadingOwner,
    /// The owner, with a browser.
    Owner,
    /// Another operator, with a browser.
    Stranger,
    /// Another operator, with an API token that may do what they may.
    StrangersToken,
    /// An administrator, with a browser.
    Administrator,
}

/// The shop.
pub struct World {
    shop: TestShop,
    /// The ids of all things, of whatever kind.
    pub ids: Vec<String>,
    /// What nobody else may see.
    marks: Vec<String>,
}

impl World {
    /// A shop with hosts, a node, a bridge and an order, a session and an API token of one operator.
    pub async fn new() -> Self {
        // More requests than one client may send.
        let shop = TestShop::with(Limits { requests: Rate::OFF, ..Limits::default() });
        let (order, bridge) = shop.active_bridge("host1", Some("owners-comment")).await;
        shop.add_operator(STRANGER, "stranger");
        shop.sql(&format!(
            "INSERT INTO alert_channel (name, lowest, owner_id, kind, target, secret) \
             VALUES ('own-7', 0, {OWNER}, 'webhook', 'https://owners-hook.example/', 'owners-secret')"
        ));
        let mut world = Self { shop, ids: Vec::new(), marks: Vec::new() };
        for (operator, key) in [(1, "admin"), (OWNER, "owner"), (STRANGER, "stranger")] {
            world.add_keys(operator, key);
        }
        let numbers: Vec<_> = world.numbers("session").into_iter().chain(world.numbers("api_token")).collect();
        world.ids = [world.shop.host("host1").to_string(), world.shop.node.to_string()].to_vec();
        world.ids.extend([order.to_string(), bridge.to_string(), OWNER.to_string(), "1".to_owned()]);
        world.ids.extend(numbers);
        world.ids.extend(["backup", "rescan", "ip", "target", "own-7"].map(str::to_owned));
        world.marks = world.ids[..4].to_vec();
        world.marks.extend(
            [ONION, "owners-comment", "owner-browser", "owner-token", "owners-hook", "owners-secret"]
                .map(str::to_owned),
        );
        world
    }

    /// A session and API tokens whose keys are known here.
    fn add_keys(&self, operator: i64, key: &str) {
        let now = self.shop.clock_secs() * 1000;
        let later = now + 86_400_000;
        self.shop.sql(&format!(
            "INSERT INTO session (hash, operator_id, client, agent, made_at, used_at) \
             VALUES (x'{}', {operator}, '192.0.2.77', '{key}-browser', {now}, {now})",
            hash(key)
        ));
        for scope in ["read", "admin"] {
            self.shop.sql(&format!(
                "INSERT INTO api_token (hash, operator_id, name, scope, made_at, expires_at, used_at) \
                 VALUES (x'{}', {operator}, '{key}-token', '{scope}', {now}, {later}, {now})",
                hash(&format!("{key}-{scope}"))
            ));
        }
    }

    /// Puts the stranger back to what they were.
    pub fn renew_stranger(&self) {
        self.shop.sql(&format!(
            "DELETE FROM session WHERE operator_id = {STRANGER}; DELETE FROM api_token WHERE operator_id = {STRANGER}; \
             UPDATE operator SET disabled_at = NULL, totp_secret = NULL, totp_asked = NULL, \
             password_hash = (SELECT password_hash FROM operator WHERE id = 1) WHERE id = {STRANGER}"
        ));
        self.add_keys(STRANGER, "stranger");
    }

    /// Asks for an operation.
    pub async fn ask(&self, role: Role, operation: &Operation, path: &str, body: Option<&Value>) -> Answer {
        let ask = self.shop.ask(&operation.method.to_uppercase(), path).on_admin_face();
        let ask = match body {
            Some(body) => ask.json(body),
            None => ask,
        };
        self.signed(ask, role).send().await
    }

    /// Asks for open sessions.
    pub async fn ask_list(&self, role: Role) -> Answer {
        self.signed(self.shop.ask_admin("GET", "sessions/"), role).send().await
    }

    fn signed<'a>(&self, ask: Ask<'a>, role: Role) -> Ask<'a> {
        let browser = |ask: Ask<'a>, key: &str| {
            ask.header("Cookie", format!("ip2tor-admin={key}")).header("X-CSRF-Token", sessions::csrf_token(key))
        };
        match role {
            Role::Nobody => ask,
            Role::Host => {
                let token = self.shop.token("host1");
                ask.header("Authorization", token)
            }
            Role::BadToken => ask.bearer("nobodys"),
            Role::ReadingAdministrator => ask.bearer("admin-read"),
            Role::ReadingOwner => ask.bearer("owner-read"),
            Role::Owner => browser(ask, "owner"),
            Role::Stranger => browser(ask, "stranger"),
            Role::StrangersToken => ask.bearer("stranger-admin"),
            Role::Administrator => browser(ask, "admin"),
        }
    }

    /// What is another's and stands in an answer all the same.
    pub fn marks_in(&self, answer: &Answer) -> Vec<String> {
        let text = answer.text();
        self.marks.iter().filter(|mark| text.contains(*mark)).cloned().collect()
    }

    /// All rows of all tables, but for those of one operator.
    pub fn rows(&self, but: Option<i64>) -> BTreeSet<String> {
        self.shop.shop.db.read(|db| rows(db, but)).expect("the tables can be read")
    }

    /// What is different now.
    pub fn difference(&self, before: &BTreeSet<String>, but: Option<i64>) -> BTreeSet<String> {
        before.symmetric_difference(&self.rows(but)).cloned().collect()
    }

    fn numbers(&self, table: &str) -> Vec<String> {
        let sql = format!("SELECT id FROM {table} WHERE operator_id = {OWNER}");
        let read = |db: &Connection| {
            let mut statement = db.prepare(&sql)?;
            let found = statement.query_map([], |row| Ok(row.get::<_, i64>(0)?.to_string()))?;
            Ok::<_, StoreError>(found.collect::<Result<Vec<_>, _>>()?)
        };
        self.shop.shop.db.read(read).expect("numbers")
    }
}

fn hash(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

fn rows(db: &Connection, but: Option<i64>) -> Result<BTreeSet<String>, StoreError> {
    let mut tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?;
    let names: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut all = BTreeSet::new();
    // Failed logins are noted whoever fails.
    for table in names.iter().filter(|name| *name != "failed_login") {
        let mut statement = db.prepare(&format!("SELECT * FROM {table}"))?;
        let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let others = but.map_or_else(String::new, |but| others(table, &columns, but));
        drop(statement);
        statement = db.prepare(&format!("SELECT * FROM {table} {others}"))?;
        let found = statement.query_map([], |row| {
            let value = |index: usize| row.get_ref(index).map(|value| format!("{value:?}"));
            let values = (0..columns.len()).map(value).collect::<Result<Vec<_>, _>>()?;
            Ok(format!("{table}: {}", values.join(", ")))
        })?;
        for row in found {
            all.insert(row?);
        }
    }
    Ok(all)
}

/// Which rows are not an operator's, by the columns that say whose they are.
fn others(table: &str, columns: &[String], but: i64) -> String {
    let has = |name: &str| columns.iter().any(|column| column == name);
    // That a node of an operator waits is told to the administrator.
    let nodes = format!("SELECT lower(hex(id)) FROM node WHERE operator_id = {but}");
    let of_theirs = format!("replace(subject, '-', '') IN ({nodes})");
    match table {
        "alert" => format!("WHERE NOT {of_theirs}"),
        "alert_news" => format!("WHERE alert_id NOT IN (SELECT id FROM alert WHERE {of_theirs})"),
        "operator" => format!("WHERE id <> {but}"),
        "audit_log" => "WHERE actor <> 'operator:stranger'".to_owned(),
        _ if has("operator_id") => format!("WHERE operator_id IS NOT {but}"),
        _ if has("owner_id") => format!("WHERE owner_id IS NOT {but}"),
        _ if has("host_id") => format!("WHERE host_id NOT IN (SELECT id FROM host WHERE owner_id = {but})"),
        _ => String::new(),
    }
}
