//! The old shop's objects with their types, as its models have them. Nothing is decided here.

use uuid::Uuid;

use super::dump::{Key, Object, Reference, Shelf};
use super::refused::Refused;
use crate::domain::deny_list::{DenyKind, DenyStatus};
use crate::domain::host::{Host, PortKind};
use crate::domain::id::{HostId, OperatorId};
use crate::domain::money::Msat;
use crate::domain::node::NodeKind;
use crate::domain::product::{ProductStatus, Subject};
use crate::domain::time::Timestamp;

mod reader;
mod sales;

use reader::Reader;
pub use sales::{Invoice, Item, Order, State};

/// A person or, with an id as name, a host that shows a token.
pub struct User {
    pub key: Key,
    pub number: Option<i64>,
    pub name: String,
    pub password: String,
    pub is_superuser: bool,
    pub is_staff: bool,
    pub is_active: bool,
    pub is_operator: bool,
    pub joined: Timestamp,
}

/// A domain and its name.
pub struct Site {
    pub key: Key,
    pub domain: String,
    pub name: String,
}

/// A host, its owner not known by number yet.
pub struct OldHost {
    pub key: Key,
    pub host: Host,
    pub owner: Option<Reference>,
    pub token_user: Option<Reference>,
    pub site: Option<Reference>,
}

/// Ports of a host; `used` is what its record says.
pub struct Range {
    pub key: Key,
    pub host: HostId,
    /// `None` for one whose kind was never said.
    pub kind: Option<PortKind>,
    pub first: i64,
    pub last: i64,
    pub used: Vec<i64>,
}

/// A bridge or an alias.
pub struct OldProduct {
    pub key: Key,
    pub id: Uuid,
    pub host: HostId,
    pub status: ProductStatus,
    pub port: Option<i64>,
    pub subject: Subject,
    pub comment: Option<String>,
    /// `None` is never.
    pub suspend_after: Option<Timestamp>,
    pub is_monitored: bool,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
}

/// A Lightning node that this shop can speak to.
pub struct OldNode {
    pub key: Key,
    pub id: Uuid,
    pub kind: NodeKind,
    pub owner: Option<Reference>,
    pub name: String,
    pub host: String,
    pub port: i64,
    pub priority: i64,
    pub is_enabled: bool,
    pub is_verified: bool,
    pub certificate: Option<String>,
    pub invoice_macaroon: Option<String>,
    pub has_admin_macaroon: bool,
    pub has_readonly_macaroon: bool,
    pub created_at: Timestamp,
}

/// An entry of a deny list; `value` is `None` when nothing says what it is about.
pub struct Denied {
    pub keys: Vec<Key>,
    pub subject: Option<(DenyKind, String)>,
    pub status: DenyStatus,
    pub comment: String,
}

/// Everything.
#[derive(Default)]
pub struct Old {
    pub users: Vec<User>,
    pub tokens: Vec<(Key, Option<Reference>)>,
    pub sites: Vec<Site>,
    pub nodes: Vec<OldNode>,
    pub hosts: Vec<OldHost>,
    pub ranges: Vec<Range>,
    pub products: Vec<OldProduct>,
    pub denied: Vec<Denied>,
    pub orders: Vec<Order>,
    pub items: Vec<Item>,
    pub invoices: Vec<Invoice>,
    /// What this shop has nothing of its own for.
    pub rest: Vec<Key>,
}

/// The time from which on it means "never".
const NEVER: Timestamp = Timestamp::from_secs(253_370_764_800);

impl Old {
    /// Gives the objects their types.
    ///
    /// # Errors
    /// [`Refused`], naming each object that is not as the old shop's models have it.
    pub fn read(shelf: Shelf) -> Result<Self, Refused> {
        let mut reader = Reader { shelf, wrong: Vec::new() };
        let groups = reader.each("auth.group", |object| Ok((object.key.clone(), object.some_text("name")?)));
        let operators = groups.iter().find(|(_, name)| name == "operators").map(|(key, _)| key.pk.clone());
        let mut old = Self {
            users: reader.each("auth.user", |object| user(object, operators.as_deref())),
            tokens: reader.each("authtoken.token", |object| Ok((object.key.clone(), object.reference("user")?))),
            sites: reader.each("sites.site", site),
            nodes: reader.each("lnnode.lndgrpcnode", |object| node(object, NodeKind::LndGrpc)),
            hosts: reader.each("shop.host", host),
            ranges: reader.each("shop.portrange", range),
            products: reader.each("shop.torbridge", |object| product(object, bridge(object)?)),
            denied: Vec::new(),
            orders: reader.each("lnpurchase.purchaseorder", sales::order),
            items: reader.each("lnpurchase.purchaseorderitemdetail", sales::item),
            invoices: Vec::new(),
            rest: groups.into_iter().map(|(key, _)| key).collect(),
        };
        old.nodes.extend(reader.each("lnnode.lndrestnode", |object| node(object, NodeKind::LndRest)));
        old.products.extend(reader.each("shop.nostralias", |object| product(object, alias(object)?)));
        old.denied = denied(&mut reader);
        old.invoices = sales::invoices(&mut reader);
        let left = std::mem::take(&mut reader.shelf);
        old.rest.extend(left.into_values().flatten().map(|object| object.key));
        Refused::of(reader.wrong)?;
        Ok(old)
    }
}

fn user(object: &Object, operators: Option<&str>) -> Result<User, String> {
    let is_operators = |group: &Reference| match group {
        Reference::Number(number) => Some(number.to_string().as_str()) == operators,
        Reference::Name(name) => name == "operators",
    };
    Ok(User {
        key: object.key.clone(),
        number: object.key.pk.parse().ok(),
        name: object.some_text("username")?,
        password: object.text("password")?.unwrap_or_default(),
        is_superuser: object.truth("is_superuser", false)?,
        is_staff: object.truth("is_staff", false)?,
        is_active: object.truth("is_active", true)?,
        is_operator: object.references("groups")?.iter().any(is_operators),
        joined: object.time("date_joined")?.unwrap_or(Timestamp(0)),
    })
}

fn site(object: &Object) -> Result<Site, String> {
    Ok(Site { key: object.key.clone(), domain: object.some_text("domain")?, name: object.some_text("name")? })
}

fn node(object: &Object, kind: NodeKind) -> Result<OldNode, String> {
    let given = |name: &str| Ok::<_, String>(object.text(name)?.filter(|text| !text.trim().is_empty()));
    Ok(OldNode {
        key: object.key.clone(),
        id: object.own_id()?,
        kind,
        owner: object.reference("owner")?,
        name: object.some_text("name")?,
        host: object.some_text("hostname")?,
        port: object.int("port")?.unwrap_or(kind.default_port().into()),
        priority: object.int("priority")?.unwrap_or(0),
        is_enabled: object.truth("is_enabled", true)?,
        is_verified: object.truth("tls_cert_verification", true)?,
        certificate: given("tls_cert")?,
        invoice_macaroon: given("macaroon_invoice")?,
        has_admin_macaroon: given("macaroon_admin")?.is_some(),
        has_readonly_macaroon: given("macaroon_readonly")?.is_some(),
        created_at: object.some_time("created_at")?,
    })
}

/// What the old shop did not have keeps its default here.
fn host(object: &Object) -> Result<OldHost, String> {
    let mut host = Host::new(HostId(object.own_id()?), OperatorId(0), object.some_time("created_at")?);
    let price = |name: &str, default: Msat| object.amount(name, default.0).map(Msat);
    let number = |name: &str, default: i64| Ok::<_, String>(object.int(name)?.unwrap_or(default));
    let span = |name: &str, default: i64| {
        let value = number(name, default)?;
        if value >= 0 { Ok(value) } else { Err(format!("field {name} is not a number from 0")) }
    };
    host.ip = object.some_text("ip")?;
    host.name = object.some_text("name")?;
    host.description = object.text("description")?.filter(|text| !text.trim().is_empty());
    host.is_enabled = object.truth("is_enabled", host.is_enabled)?;
    host.is_test_host = object.truth("is_test_host", host.is_test_host)?;
    host.is_testnet = object.truth("is_testnet", host.is_testnet)?;
    host.offers_tor_bridges = object.truth("offers_tor_bridges", false)?;
    host.tor_bridge_duration = span("tor_bridge_duration", host.tor_bridge_duration)?;
    host.tor_bridge_price_initial = price("tor_bridge_price_initial", host.tor_bridge_price_initial)?;
    host.tor_bridge_price_extension = price("tor_bridge_price_extension", host.tor_bridge_price_extension)?;
    host.offers_nostr_aliases = object.truth("offers_nostr_aliases", false)?;
    let port = number("nostr_alias_port", host.nostr_alias_port.into())?;
    host.nostr_alias_port =
        u16::try_from(port).ok().filter(|port| *port > 0).ok_or_else(|| format!("{port} is no port"))?;
    host.nostr_alias_duration = span("nostr_alias_duration", host.nostr_alias_duration)?;
    host.nostr_alias_price_initial = price("nostr_alias_price_initial", host.nostr_alias_price_initial)?;
    host.nostr_alias_price_extension = price("nostr_alias_price_extension", host.nostr_alias_price_extension)?;
    host.offers_rssh_tunnels = object.truth("offers_rssh_tunnels", false)?;
    host.rssh_tunnel_price = price("rssh_tunnel_price", host.rssh_tunnel_price)?;
    host.terms_of_service = object.text("terms_of_service")?.unwrap_or_default();
    host.terms_of_service_url = object.text("terms_of_service_url")?.unwrap_or_default();
    host.bridge_bandwidth_initial = span("bridge_bandwidth_initial", host.bridge_bandwidth_initial)?;
    host.ci_date = object.time("ci_date")?;
    host.ci_message = object.text("ci_message")?;
    host.ci_status = u8::try_from(number("ci_status", 0)?).ok().filter(|status| *status <= 2).unwrap_or(0);
    Ok(OldHost {
        key: object.key.clone(),
        host,
        owner: object.reference("owner")?,
        token_user: object.reference("token_user")?,
        site: object.reference("site")?,
    })
}

fn range(object: &Object) -> Result<Range, String> {
    let letter = object.text("type")?.unwrap_or_default();
    let number = |name: &str| object.int(name)?.ok_or_else(|| format!("field {name} is missing"));
    Ok(Range {
        key: object.key.clone(),
        host: HostId(object.some_id("host")?),
        kind: PortKind::parse(&letter),
        first: number("start")?,
        last: number("end")?,
        used: python_numbers(&object.text("_used")?.unwrap_or_default()),
    })
}

/// The numbers in a Python set or list as text: `{1, 2}`, `{}`, `set()`.
fn python_numbers(text: &str) -> Vec<i64> {
    text.split(|letter: char| !letter.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

fn product(object: &Object, subject: Subject) -> Result<OldProduct, String> {
    let letter = object.some_text("status")?;
    Ok(OldProduct {
        key: object.key.clone(),
        id: object.own_id()?,
        host: HostId(object.some_id("host")?),
        status: ProductStatus::parse(&letter).ok_or_else(|| format!("status {letter:?} is none"))?,
        port: object.int("port")?,
        subject,
        comment: object.text("comment")?,
        suspend_after: object.time("suspend_after")?.filter(|end| *end < NEVER),
        is_monitored: object.truth("is_monitored", true)?,
        created_at: object.some_time("created_at")?,
        modified_at: object.some_time("modified_at")?,
    })
}

fn bridge(object: &Object) -> Result<Subject, String> {
    Ok(Subject::Target(object.some_text("target")?))
}

fn alias(object: &Object) -> Result<Subject, String> {
    Ok(Subject::Alias { alias: object.some_text("alias")?, public_key: object.some_text("public_key")? })
}

/// Each entry is two objects: the one with its state, and the one that says what it is about.
fn denied(reader: &mut Reader) -> Vec<Denied> {
    let target = |object: &Object| Ok((object.key.clone(), (DenyKind::Target, object.some_text("target")?)));
    let mut subjects = reader.each("shop.tordenylist", target);
    subjects.extend(
        reader.each("shop.ipdenylist", |object| Ok((object.key.clone(), (DenyKind::Ip, object.some_text("ip")?)))),
    );
    let entries = reader.each("shop.denylist", |object| {
        let status = deny_status(object.int("status")?.unwrap_or(0), object.truth("is_denied", false)?);
        Ok((object.key.clone(), status, object.text("comment")?.unwrap_or_default()))
    });
    let mut all = Vec::new();
    for (key, status, comment) in entries {
        let at = subjects.iter().position(|(subject, _)| subject.pk == key.pk);
        let (mut keys, subject) = (vec![key], at.map(|at| subjects.swap_remove(at)));
        keys.extend(subject.iter().map(|(key, _)| key.clone()));
        all.push(Denied { keys, subject: subject.map(|(_, subject)| subject), status, comment });
    }
    reader.wrong.extend(subjects.iter().map(|(key, _)| format!("{key}: its shop.denylist is missing")));
    all
}

/// The old shop denied above 5.
const fn deny_status(number: i64, is_denied: bool) -> DenyStatus {
    match number {
        8.. => DenyStatus::Denied,
        6 | 7 => DenyStatus::Recommended,
        _ if is_denied => DenyStatus::Denied,
        3..=5 => DenyStatus::Neutral,
        2 => DenyStatus::InReview,
        1 => DenyStatus::Proposed,
        _ => DenyStatus::Initial,
    }
}
