//! The operations of the whole API as the document has them, and requests that fit them.

use ip2tor_shop::http::openapi_json;
use serde_json::{Map, Value, json};

/// An operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its `operationId`.
    pub id: String,
    /// In lower case.
    pub method: String,
    path: String,
    /// Bodies to try: everything that can be said, and what has to be.
    bodies: Vec<Option<Value>>,
    described: Value,
}

/// All operations: those for people who run the shop, and those of the predecessor.
pub fn operations() -> Vec<Operation> {
    let document = openapi_json().expect("a document");
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, described) in item.as_object().expect("operations") {
            let id = described["operationId"].as_str().expect("an id").to_owned();
            let schema = &described["requestBody"]["content"]["application/json"]["schema"];
            let bodies = match schema {
                Value::Null => vec![None],
                schema => [true, false].map(|all| Some(sample_of(&document, schema, "", all))).to_vec(),
            };
            let described = described.clone();
            all.push(Operation { id, method: method.clone(), path: path.clone(), bodies, described });
        }
    }
    let admin = all.iter().filter(|operation| operation.is_admin()).count();
    assert!(admin >= 80 && all.len() - admin >= 35, "{admin} of {}", all.len());
    all
}

impl Operation {
    /// Whether it is for those who run the shop.
    pub fn is_admin(&self) -> bool {
        self.path.starts_with("/api/v1/admin/")
    }

    /// Whether the document asks for no login.
    pub fn is_public(&self) -> bool {
        self.described["security"].as_array().is_none_or(Vec::is_empty)
    }

    /// Whether something is named in the path.
    pub fn has_path_ids(&self) -> bool {
        self.path.contains('{')
    }

    /// Whether the document says that it answers with this media type.
    pub fn answers_with(&self, media_type: &str) -> bool {
        let responses = self.described["responses"].as_object().into_iter().flatten();
        let mut contents = responses.filter_map(|(_, response)| response["content"].as_object());
        contents.any(|content| content.keys().any(|kind| kind.starts_with(media_type)))
    }

    /// Requests: each place in the path with each of the ids, in each combination, with each body.
    pub fn requests(&self, ids: &[String]) -> Vec<(String, Option<Value>)> {
        let mut paths = vec![self.path.clone()];
        while paths.iter().any(|path| path.contains('{')) {
            paths = paths.iter().flat_map(|path| ids.iter().map(|id| filled(path, id))).collect();
        }
        paths.iter().flat_map(|path| self.bodies.iter().map(|body| (path.clone(), body.clone()))).collect()
    }
}

/// The path with its first place filled.
fn filled(path: &str, id: &str) -> String {
    let (before, rest) = path.split_once('{').expect("a place");
    format!("{before}{id}{}", rest.split_once('}').expect("its end").1)
}

/// A value that fits a schema; with all of its fields, or only those that have to be there.
fn sample_of(document: &Value, schema: &Value, name: &str, all: bool) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let kind = reference.rsplit('/').next().expect("a name");
        return sample_of(document, &document["components"]["schemas"][kind], name, all);
    }
    for combined in ["allOf", "anyOf", "oneOf"] {
        if let Some(first) = schema[combined].as_array().and_then(|parts| parts.first()) {
            return sample_of(document, first, name, all);
        }
    }
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let required: Vec<_> = schema["required"].as_array().into_iter().flatten().collect();
            let fields = schema["properties"].as_object().into_iter().flatten();
            let wanted = fields.filter(|(field, _)| all || required.contains(&&json!(field)));
            let sampled = wanted.map(|(field, schema)| (field.clone(), sample_of(document, schema, field, all)));
            Value::Object(sampled.collect::<Map<_, _>>())
        }
        Some("array") => json!([sample_of(document, &schema["items"], name, all)]),
        Some("boolean") => json!(true),
        Some("integer" | "number") => sample(name).filter(Value::is_number).unwrap_or(json!(1)),
        _ => sample(name).unwrap_or(json!("sample")),
    }
}

/// What stands in a field of this name.
fn sample(field: &str) -> Option<Value> {
    Some(match field {
        "owner" | "operator" => json!("operator"),
        "role" => json!("administrator"),
        "scope" => json!("admin"),
        "password" => json!("a lamp by the window"),
        "old_password" => json!(crate::support::PASSWORD),
        "ip" | "address" => json!("192.0.2.99"),
        "kind" => json!("ip"),
        "first" | "first_port" | "last" | "last_port" | "port" => json!(30_001),
        "days" => json!(2),
        _ => return None,
    })
}
