//! What an answer of the admin API may be without is written as `null` there, which the document does not say by itself:
//! its maker calls such a property not required and leaves it at that. What requests take stays as it is.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// Where schemas are referred to.
const SCHEMAS: &str = "#/components/schemas/";
/// Schemas that are the admin API's alone.
const PREFIX: &str = "Admin";

/// Schema and property, for each property of an answer that may be null.
pub type Nullable = BTreeSet<(String, String)>;

/// Finds them in the document.
pub fn find(document: &Value) -> Nullable {
    let Some(schemas) = document["components"]["schemas"].as_object() else { return Nullable::new() };
    let asked = asked_for(document, schemas);
    let answers = schemas.iter().filter(|(name, _)| name.starts_with(PREFIX) && !asked.contains(*name));
    answers.flat_map(|(name, schema)| optional(schema).map(|property| (name.clone(), property))).collect()
}

/// The properties of a schema that are not required.
fn optional(schema: &Value) -> impl Iterator<Item = String> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let names = schema["properties"].as_object().into_iter().flat_map(Map::keys);
    names.filter(move |name| !required.contains(&name.as_str())).cloned()
}

/// The schemas of what requests bring, with those in them.
fn asked_for(document: &Value, schemas: &Map<String, Value>) -> BTreeSet<String> {
    let mut waiting = Vec::new();
    let operations = document["paths"].as_object().into_iter().flat_map(Map::values).filter_map(Value::as_object);
    for operation in operations.flat_map(Map::values) {
        references(&operation["requestBody"], &mut waiting);
    }
    let mut found = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if let Some(schema) = schemas.get(&name).filter(|_| found.insert(name.clone())) {
            references(schema, &mut waiting);
        }
    }
    found
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| match value.as_str() {
            Some(place) if key == "$ref" => found.extend(place.strip_prefix(SCHEMAS).map(str::to_owned)),
            _ => references(value, found),
        }),
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// Says it in the document as JSON.
pub fn say(document: &mut Value, nullable: &Nullable) {
    for (schema, property) in nullable {
        let described = &mut document["components"]["schemas"][schema]["properties"][property];
        if let Some(place) = described.get("$ref").cloned() {
            *described = json!({"allOf": [{"$ref": place}]});
        }
        described["nullable"] = true.into();
    }
}

/// Says it in the document as YAML, as its maker writes that: two spaces for each level.
#[derive(Default)]
pub struct Lines {
    schema: String,
    /// In the properties of that schema.
    is_inside: bool,
    /// The line before has named a property that may be null.
    is_next: bool,
}

impl Lines {
    /// What stands in place of a line.
    pub fn pass(&mut self, line: &str, nullable: &Nullable) -> String {
        let depth = line.len() - line.trim_start().len();
        let is_next = std::mem::take(&mut self.is_next);
        match (depth, line.trim().strip_suffix(':')) {
            (0..=4, name) => {
                self.is_inside = false;
                self.schema = name.unwrap_or_default().to_owned();
            }
            (6, name) => self.is_inside = name == Some("properties"),
            (8, Some(name)) if self.is_inside => {
                self.is_next = nullable.contains(&(self.schema.clone(), name.to_owned()));
            }
            _ => {}
        }
        let indent = " ".repeat(depth);
        match line.trim().strip_prefix("$ref: ") {
            Some(place) if is_next => format!("{indent}allOf:\n{indent}- $ref: {place}\n{indent}nullable: true"),
            _ if is_next => format!("{indent}nullable: true\n{line}"),
            _ => line.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({
            "paths": {"/a/": {"post": {"requestBody": {"$ref": "#/components/schemas/AdminAsked"}}}},
            "components": {"schemas": {
                "AdminAsked": {"properties": {"one": {"type": "string"}}},
                "AdminShown": {"required": ["one"], "properties": {"one": {}, "two": {"$ref": "#/components/schemas/AdminDisk"}}},
                "Old": {"properties": {"one": {}}},
            }},
        })
    }

    #[test]
    fn what_an_answer_may_be_without_may_be_null_and_what_is_asked_for_stays() {
        let mut document = document();
        let nullable = find(&document);
        assert_eq!(nullable.iter().collect::<Vec<_>>(), [&("AdminShown".to_owned(), "two".to_owned())]);
        say(&mut document, &nullable);
        let two = &document["components"]["schemas"]["AdminShown"]["properties"]["two"];
        assert_eq!(two, &json!({"allOf": [{"$ref": "#/components/schemas/AdminDisk"}], "nullable": true}));
    }

    #[test]
    fn lines_of_the_document_say_the_same() {
        let nullable = Nullable::from([("A".to_owned(), "one".to_owned()), ("A".to_owned(), "two".to_owned())]);
        let yaml = [
            "    A:",
            "      properties:",
            "        one:",
            "          type: string",
            "        two:",
            "          $ref: '#/x'",
            "    B:",
        ];
        let mut lines = Lines::default();
        let passed: Vec<String> = yaml.iter().map(|line| lines.pass(line, &nullable)).collect();
        let text = passed.join("\n");
        assert_eq!(text.matches("nullable: true").count(), 2, "{text}");
        assert!(text.contains("one:\n          nullable: true\n          type: string"), "{text}");
        assert!(
            text.contains("two:\n          allOf:\n          - $ref: '#/x'\n          nullable: true\n    B:"),
            "{text}"
        );
    }
}
