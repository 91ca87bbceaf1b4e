//! The parameters of a call to Core Lightning: by name or by position, numbers also as text, amounts
//! with or without a unit.

use serde_json::{Map, Value};

/// A refusal, with lightningd's code and words.
#[derive(Debug)]
pub struct Refused {
    pub code: i32,
    pub message: String,
}

impl Refused {
    /// A refusal.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Code of a parameter that is missing or cannot be read.
const INVALID_PARAMS: i32 = -32602;

/// What a call says.
pub struct Params(Map<String, Value>);

impl Params {
    /// The parameters of `method`.
    pub fn new(method: &str, params: Value) -> Self {
        match params {
            Value::Object(named) => Self(named),
            Value::Array(values) => Self(names(method).iter().map(|name| (*name).to_owned()).zip(values).collect()),
            _ => Self(Map::new()),
        }
    }

    /// A text or a number, as text.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A text that must be there.
    pub fn required(&self, name: &str) -> Result<String, Refused> {
        self.text(name).ok_or_else(|| Refused::new(INVALID_PARAMS, format!("missing required parameter: {name}")))
    }

    /// A number that may be left out.
    pub fn number(&self, name: &str) -> Result<Option<u64>, Refused> {
        let parse = |text: String| text.parse().map_err(|_| invalid(name, "an integer"));
        self.text(name).map(parse).transpose()
    }

    /// An amount in msat; `None` when it is left out or `any`.
    pub fn amount(&self, name: &str) -> Result<Option<u64>, Refused> {
        let Some(text) = self.text(name).filter(|text| text != "any") else { return Ok(None) };
        let msat = match (text.strip_suffix("msat"), text.strip_suffix("sat")) {
            (Some(msat), _) => msat.parse().ok(),
            (None, Some(sat)) => sat.parse::<u64>().ok().and_then(|sat| sat.checked_mul(1000)),
            (None, None) => text.parse().ok(),
        };
        msat.map(Some).ok_or_else(|| invalid(name, "an amount with msat or sat"))
    }

    /// 32 bytes in hex that may be left out.
    pub fn hex32(&self, name: &str) -> Result<Option<[u8; 32]>, Refused> {
        let parse = |text: String| {
            let mut bytes = [0; 32];
            hex::decode_to_slice(text, &mut bytes).map(|()| bytes).map_err(|_| invalid(name, "64 hex digits"))
        };
        self.text(name).map(parse).transpose()
    }

    /// Whether something is asked for: `true`, or a list of channels.
    pub fn asked(&self, name: &str) -> bool {
        !matches!(self.0.get(name), None | Some(Value::Null | Value::Bool(false)))
    }
}

fn invalid(name: &str, wanted: &str) -> Refused {
    Refused::new(INVALID_PARAMS, format!("{name}: should be {wanted}"))
}

/// The order of parameters that are given by position.
fn names(method: &str) -> &'static [&'static str] {
    match method {
        "invoice" => {
            &["amount_msat", "label", "description", "expiry", "fallbacks", "preimage", "exposeprivatechannels", "cltv"]
        }
        "listinvoices" => &["label", "invstring", "payment_hash", "offer_id", "index", "start", "limit"],
        "delinvoice" => &["label", "status"],
        "waitanyinvoice" => &["lastpay_index", "timeout"],
        "waitinvoice" => &["label"],
        "decode" => &["string"],
        "decodepay" | "pay" => &["bolt11"],
        "xpay" => &["invstring", "amount_msat", "maxfee"],
        "listpays" | "listsendpays" => &["bolt11", "payment_hash", "status"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_come_by_name_or_by_position() {
        for params in [json!({"label": 7, "status": "unpaid"}), json!(["7", "unpaid"])] {
            let params = Params::new("delinvoice", params);
            assert_eq!(params.required("label").unwrap(), "7");
            assert_eq!(params.required("status").unwrap(), "unpaid");
        }
    }

    #[test]
    fn amounts_have_units() {
        for (amount, msat) in [(json!(5), Some(5)), (json!("5msat"), Some(5)), (json!("5sat"), Some(5000))] {
            assert_eq!(Params::new("invoice", json!([amount])).amount("amount_msat").unwrap(), msat);
        }
        assert_eq!(Params::new("invoice", json!(["any"])).amount("amount_msat").unwrap(), None);
        assert!(Params::new("invoice", json!(["much"])).amount("amount_msat").is_err());
    }

    #[test]
    fn what_is_missing_is_named() {
        let refused = Params::new("delinvoice", json!({})).required("label").unwrap_err();
        assert_eq!((refused.code, refused.message.as_str()), (-32602, "missing required parameter: label"));
    }
}
