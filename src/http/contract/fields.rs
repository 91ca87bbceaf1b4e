//! Which fields of each resource can be written, as OPTIONS shows them.

use serde_json::{Map, Value, json};

use crate::domain::alias;
use crate::domain::product::ProductStatus;
use crate::domain::target;

/// Collects fields in their order.
struct Fields(Map<String, Value>);

impl Fields {
    fn new() -> Self {
        Self(Map::new())
    }

    /// Adds a field; `more` is an object with what is special about it.
    fn add(mut self, name: &str, kind: &str, use_: Use, label: &str, more: Value) -> Self {
        let mut field = json!({
            "type": kind,
            "required": use_ == Use::Required,
            "read_only": use_ == Use::ReadOnly,
            "label": label,
        });
        if let (Value::Object(field), Value::Object(more)) = (&mut field, more) {
            field.extend(more);
        }
        self.0.insert(name.to_owned(), field);
        self
    }

    fn done(self) -> Value {
        Value::Object(self.0)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Required,
    Optional,
    ReadOnly,
}

use Use::{Optional, ReadOnly, Required};

fn nothing() -> Value {
    json!({})
}

fn choices(pairs: &[(&str, &str)]) -> Value {
    let choice = |(value, name): &(&str, &str)| json!({ "value": value, "display_name": name });
    json!({ "choices": pairs.iter().map(choice).collect::<Vec<_>>() })
}

fn statuses() -> Value {
    let pairs = ProductStatus::ALL.map(|status| {
        let name = match status {
            ProductStatus::Initial => "initial",
            ProductStatus::NeedsActivate => "needs activate (pending)",
            ProductStatus::Active => "active",
            ProductStatus::NeedsSuspend => "needs suspend",
            ProductStatus::Suspended => "suspended (hold)",
            ProductStatus::Archived => "archived",
            ProductStatus::NeedsDelete => "needs delete",
            ProductStatus::Failed => "failed",
        };
        (status.letter(), name)
    });
    choices(&pairs)
}

fn whole_range(help: &str) -> Value {
    json!({ "help_text": help, "min_value": i64::MIN, "max_value": i64::MAX })
}

fn long(max: usize) -> Value {
    json!({ "max_length": max })
}

/// Fields of an order.
pub fn order_fields() -> Value {
    let products = ["tor_bridge", "nostr_alias", "rssh_tunnel"].map(|name| (name, name));
    Fields::new()
        .add("product", "choice", Required, "Product", choices(&products))
        .add("host_id", "string", Required, "Host id", nothing())
        .add("tos_accepted", "boolean", Required, "Tos accepted", nothing())
        .add("comment", "string", Optional, "Comment", long(42))
        .add("target", "string", Optional, "Target", nothing())
        .add("alias", "string", Optional, "Alias", long(alias::MAX_LENGTH))
        .add("public_key", "string", Optional, "Public key", long(alias::MAX_KEY_LENGTH))
        .done()
}

fn target_rule() -> Value {
    json!({
        "help_text": "A version 3 onion address and a port: <56 characters>.onion:<port>.",
        "max_length": target::MAX_LENGTH,
    })
}

fn public_product() -> Fields {
    Fields::new()
        .add("id", "string", ReadOnly, "Id", nothing())
        .add("status", "choice", ReadOnly, "Status", nothing())
        .add("host_id", "field", ReadOnly, "Host id", nothing())
        .add("port", "integer", ReadOnly, "Port", json!({ "help_text": "The public port." }))
        .add("suspend_after", "datetime", ReadOnly, "Suspend after", nothing())
        .add("comment", "string", Optional, "Comment", long(42))
}

/// Fields of a bridge as anybody sees it.
pub fn public_bridge_fields() -> Value {
    public_product().add("target", "string", Required, "Target", target_rule()).done()
}

/// Fields of an alias as anybody sees it.
pub fn public_alias_fields() -> Value {
    public_product()
        .add("alias", "string", Required, "Alias", long(alias::MAX_LENGTH))
        .add("public_key", "string", Required, "Public key", long(alias::MAX_KEY_LENGTH))
        .done()
}

fn product() -> Fields {
    Fields::new()
        .add("url", "field", ReadOnly, "Url", nothing())
        .add("id", "string", ReadOnly, "Id", nothing())
        .add("comment", "string", Optional, "Comment", long(42))
        .add("status", "choice", Optional, "Status", statuses())
        .add("host", "nested object", Required, "Host", json!({ "children": host_fields() }))
        .add("port", "integer", ReadOnly, "Port", json!({ "help_text": "The public port." }))
}

/// Fields of a bridge as its host sees it.
pub fn bridge_fields() -> Value {
    let checked = json!({ "help_text": "When the host last counted the traffic." });
    product()
        .add("target", "string", Required, "Target", target_rule())
        .add("suspend_after", "datetime", Optional, "Suspend after", nothing())
        .add("bandwidth_remaining", "integer", Optional, "Bandwidth remaining", whole_range("Bytes left."))
        .add("bandwidth_last_checked", "datetime", Optional, "Bandwidth last checked", checked)
        .done()
}

/// Fields of an alias as its host sees it.
pub fn alias_fields() -> Value {
    product()
        .add("alias", "string", Required, "Alias", long(alias::MAX_LENGTH))
        .add("public_key", "string", Required, "Public key", long(alias::MAX_KEY_LENGTH))
        .add("suspend_after", "datetime", Optional, "Suspend after", nothing())
        .done()
}

/// Fields of a host.
pub fn host_fields() -> Value {
    let name = json!({ "help_text": "No underscores; not www or shop.", "max_length": 20 });
    let site = Fields::new()
        .add("domain", "string", Required, "Domain", long(100))
        .add("name", "string", Required, "Name", long(50))
        .done();
    let help = |text: &str| json!({ "help_text": text });
    Fields::new()
        .add("url", "field", ReadOnly, "Url", nothing())
        .add("ip", "string", Required, "IP address", help("The public IP address."))
        .add("name", "string", Optional, "Name", name)
        .add("site", "nested object", Required, "Site", json!({ "children": site }))
        .add("is_testnet", "boolean", Optional, "Is testnet", help("Whether it is paid for on a test network."))
        .add("ci_date", "datetime", ReadOnly, "Check-in date", help("The last check-in."))
        .add("ci_status", "integer", ReadOnly, "Check-in status", help("0 hello, 1 goodbye, 2 farewell."))
        .add("ci_message", "string", ReadOnly, "Check-in message", help("What the last check-in said."))
        .add(
            "bridge_bandwidth_initial",
            "integer",
            Optional,
            "Bandwidth",
            whole_range("Bytes of a new bridge; 0 is without limit."),
        )
        .done()
}

/// Fields of a check-in.
pub fn check_in_fields() -> Value {
    let status = json!({ "min_value": 0, "max_value": 2 });
    Fields::new()
        .add("ci_date", "datetime", ReadOnly, "Check-in date", json!({ "help_text": "The last check-in." }))
        .add("ci_status", "integer", Optional, "Check-in status", status)
        .add("ci_message", "string", Optional, "Check-in message", nothing())
        .done()
}
