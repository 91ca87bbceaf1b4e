//! Schemas of the document as HTML, and its texts: paragraphs, and code between backticks.

use serde_yaml::Value;

/// What a schema has in it.
pub fn html(name: &str, schema: &Value) -> String {
    let needed: Vec<_> = schema["required"].as_sequence().into_iter().flatten().filter_map(Value::as_str).collect();
    let row = |(property, value): (&str, &Value)| {
        let needed = if needed.contains(&property) { "" } else { ", may be missing" };
        let meaning = inline(text(&value["description"]));
        format!("<dt><code>{}</code></dt><dd>{}{needed}. {meaning}</dd>\n", escaped(property), kind(value))
    };
    let rows: String = entries(&schema["properties"]).map(row).collect();
    let what = if rows.is_empty() { format!("<p>{}</p>\n", kind(schema)) } else { format!("<dl>{rows}</dl>\n") };
    let about = prose(text(&schema["description"]));
    format!("<details id=\"schema-{name}\"><summary><code>{name}</code></summary>\n{about}{what}</details>\n")
}

/// A schema in a few words, with links to those that have a name.
pub fn kind(schema: &Value) -> String {
    let null = if schema["nullable"].as_bool() == Some(true) { " or null" } else { "" };
    format!("{}{null}", kind_alone(schema))
}

fn kind_alone(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    for (several, word) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(parts) = schema[several].as_sequence() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(word);
        }
    }
    if let Some(values) = schema["enum"].as_sequence() {
        let values: Vec<_> = values.iter().map(|value| format!("<code>{}</code>", escaped(text(value)))).collect();
        return format!("one of {}", values.join(", "));
    }
    match (text(&schema["type"]), text(&schema["format"])) {
        ("array", _) => format!("list of {}", kind(&schema["items"])),
        ("object", _) if schema.get("additionalProperties").is_some() => {
            format!("by name: {}", kind(&schema["additionalProperties"]))
        }
        ("", _) => "anything".to_owned(),
        (kind, "") => escaped(kind),
        (kind, format) => format!("{} ({})", escaped(kind), escaped(format)),
    }
}

/// Paragraphs.
pub fn prose(markdown: &str) -> String {
    markdown
        .split("\n\n")
        .filter(|part| !part.trim().is_empty())
        .map(|part| format!("<p>{}</p>\n", inline(part)))
        .collect()
}

/// One line of text, with its code.
pub fn inline(markdown: &str) -> String {
    let part = |(index, part)| if index % 2 == 1 { format!("<code>{}</code>", escaped(part)) } else { escaped(part) };
    markdown.split('`').enumerate().map(part).collect()
}

/// A value that is a text; nothing, where it is none.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What a mapping has, in its order.
pub fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_mapping().into_iter().flatten().filter_map(|(key, value)| Some((key.as_str()?, value)))
}

/// Text that is never taken for markup.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
