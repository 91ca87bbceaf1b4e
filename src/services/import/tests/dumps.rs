//! Dumps that are made up: in both ways of naming other objects.

use std::sync::LazyLock;

use ip2tor_lightning::macaroon::Macaroon;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::*;
use super::{CREDENTIALS, time};

/// A certificate as a node shows it.
pub static CERTIFICATE: LazyLock<String> = LazyLock::new(|| {
    let params = rcgen::CertificateParams::new(vec!["node.example".to_owned()]).unwrap();
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
});

/// A macaroon with permissions, in hex.
pub fn macaroon(permissions: &[(&str, &str)]) -> String {
    hex::encode(Macaroon::mint(b"root", b"0", [7; 16], permissions).encode())
}

/// When made-up dumps were written.
const NOW: &str = "2024-03-10T00:00:00Z";
const BEFORE: &str = "2024-03-01T00:00:00.500Z";
/// What the shop needs of a node.
pub const INVOICES: [(&str, &str); 3] = [("invoices", "read"), ("invoices", "write"), ("info", "read")];
pub const ONION: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";

/// A dump that grows.
pub struct Dump {
    pub objects: Vec<Value>,
    /// Whether people and sites are named by name.
    pub is_natural: bool,
    last: u128,
}

impl Dump {
    /// With a site, an administrator, an operator and a node.
    pub fn new(is_natural: bool) -> Self {
        let mut dump = Self { objects: Vec::new(), is_natural, last: 0 };
        dump.user(1, "admin", json!({"is_superuser": true, "is_staff": true}));
        dump.user(2, "operator", json!({"is_staff": true}));
        dump.add("sites.site", json!(1), json!({"domain": "shop.example", "name": "Shop"}));
        dump.node("lnnode.lndgrpcnode", json!({}));
        dump
    }

    pub fn add(&mut self, model: &str, pk: Value, fields: Value) {
        self.objects.push(json!({"model": model, "pk": pk, "fields": fields}));
    }

    pub fn new_id(&mut self) -> String {
        self.last += 1;
        Uuid::from_u128((0xabcd << 112) + self.last).to_string()
    }

    fn named(&self, number: i64, name: &str) -> Value {
        if self.is_natural { json!([name]) } else { json!(number) }
    }

    pub fn user(&mut self, pk: i64, name: &str, more: Value) {
        let fields = json!({"username": name, "password": "", "is_superuser": false, "is_staff": false,
            "is_active": true, "groups": [], "date_joined": BEFORE});
        self.add("auth.user", json!(pk), merged(fields, more));
    }

    pub fn node(&mut self, model: &str, more: Value) -> String {
        let (id, owner) = (self.new_id(), self.named(2, "operator"));
        let fields = json!({"created_at": BEFORE, "modified_at": BEFORE, "is_enabled": true, "priority": 0,
            "name": "node", "owner": owner, "hostname": "10.0.0.1", "tls_cert_verification": true, "tls_cert": *CERTIFICATE,
            "macaroon_admin": null, "macaroon_invoice": macaroon(&INVOICES), "macaroon_readonly": null, "port": 10009});
        self.add(model, json!(id), merged(fields, more));
        id
    }

    /// A host with a token and ports for bridges.
    pub fn host(&mut self, ip: &str, ranges: &[(i64, i64)]) -> String {
        let id = self.new_id();
        let number = 100 + i64::try_from(self.last).unwrap();
        self.user(number, &id, json!({}));
        let (owner, shown, site) = (self.named(2, "operator"), self.named(number, &id), self.named(1, "shop.example"));
        self.add("authtoken.token", json!(format!("{number:040x}")), json!({"user": shown, "created": BEFORE}));
        let fields = json!({"created_at": BEFORE, "modified_at": BEFORE, "ip": ip, "is_enabled": true, "name": "bridge1",
            "owner": owner, "token_user": shown, "site": site, "offers_tor_bridges": true, "offers_nostr_aliases": true,
            "tor_bridge_duration": 86_400, "nostr_alias_duration": 86_400});
        self.add("shop.host", json!(id), fields);
        for (start, end) in ranges {
            let (range, used) = (self.new_id(), "{}");
            let fields = json!({"type": "T", "start": start, "end": end, "_used": used, "host": id});
            self.add("shop.portrange", json!(range), fields);
        }
        id
    }

    pub fn bridge(&mut self, host: &str, status: &str, port: Value, more: Value) -> String {
        let id = self.new_id();
        let fields = json!({"created_at": BEFORE, "modified_at": BEFORE, "status": status, "host": host, "port": port,
            "comment": null, "suspend_after": "2024-03-11T00:00:00.250Z", "is_monitored": true,
            "bandwidth_remaining": 5, "target": format!("{ONION}:80")});
        self.add("shop.torbridge", json!(id), merged(fields, more));
        id
    }

    pub fn alias(&mut self, host: &str, status: &str, alias: &str) -> String {
        let id = self.new_id();
        let fields = json!({"created_at": BEFORE, "modified_at": BEFORE, "status": status, "host": host, "port": null,
            "comment": null, "suspend_after": "2024-03-11T00:00:00Z", "is_monitored": true, "alias": alias,
            "public_key": "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg"});
        self.add("shop.nostralias", json!(id), fields);
        id
    }

    /// An order over 25,000 msat for a product, with an invoice in a state.
    pub fn order(&mut self, status: &str, product: &str, invoice: i64) -> String {
        let node = self.objects.iter().find(|object| object["model"] == "lnnode.lndgrpcnode").unwrap()["pk"].clone();
        self.order_at(status, product, json!({"status": invoice, "object_id": node}))
    }

    pub fn order_at(&mut self, status: &str, product: &str, more: Value) -> String {
        let (id, item, invoice) = (self.new_id(), self.new_id(), self.new_id());
        // One second apart, so that their order is known.
        let at = time(BEFORE).plus_secs(i64::try_from(self.last).unwrap()).to_wire();
        self.add(
            "lnpurchase.purchaseorder",
            json!(id),
            json!({"created_at": at, "modified_at": at, "status": status, "message": ""}),
        );
        let content_type = if self.is_natural { json!(["shop", "torbridge"]) } else { json!(7) };
        let fields = json!({"po": id, "content_type": content_type, "object_id": product, "position": 0, "price": 25_000, "quantity": 1});
        self.add("lnpurchase.purchaseorderitemdetail", json!(item), fields);
        let hash = data_encoding::BASE64
            .encode(&[&[7; 16], Uuid::try_parse(&invoice).unwrap().as_bytes().as_slice()].concat());
        let fields = json!({"created_at": at, "modified_at": at, "msatoshi": 25_000, "payment_hash": hash,
            "payment_request": "lnbc250n1p", "expiry": 900, "creation_at": at, "expires_at": at, "paid_at": null});
        self.add("lninvoice.invoice", json!(invoice), merged(fields, more));
        self.add("lninvoice.purchaseorderinvoice", json!(invoice), json!({"po": id}));
        id
    }

    /// Gives a field of an object another value.
    pub fn change(&mut self, pk: &str, field: &str, value: Value) {
        let object = self.objects.iter_mut().find(|object| object["pk"] == pk).unwrap();
        object["fields"][field] = value;
    }

    pub fn plan(&self) -> Result<Plan, Refused> {
        plan(&serde_json::to_vec(&self.objects).unwrap(), &Env::default(), &CREDENTIALS, time(NOW))
    }
}

fn merged(mut fields: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        fields[name] = value.clone();
    }
    fields
}
