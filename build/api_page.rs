//! The page that shows `openapi.yaml`, made of it when the program is built: no script, and a thirtieth of the weight of the
//! viewers that come as libraries, which is what counts over Tor.

use std::collections::BTreeMap;

use serde_yaml::{Error, Value};

use super::api_schema::{self, entries, escaped, prose, text};

/// What an answer means that so many of all operations give, in percent, is said once for all.
const COMMON: usize = 60;
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The page.
pub fn of(document: &str) -> Result<String, Error> {
    let document: Value = serde_yaml::from_str(document)?;
    let operations = operations(&document);
    let common = common_answers(&operations);
    let parts = &document["components"];
    let mut main = format!("<h1>API</h1>\n{}", prose(text(&document["info"]["description"])));
    main.push_str("<p><a href=\"/openapi.yaml\">openapi.yaml</a> has all of this for programs.</p>\n");
    let schemes = entries(&parts["securitySchemes"]).map(|(name, scheme)| (name, text(&scheme["description"])));
    main.push_str(&format!("<h2>Credentials</h2>\n{}", list(schemes)));
    let answers = common.iter().map(|(code, meaning)| (*code, *meaning));
    main.push_str(&format!("<h2>Answers that nearly all have</h2>\n{}", list(answers)));
    // Buyers first.
    for tag in document["tags"].as_sequence().into_iter().flatten().rev() {
        main.push_str(&format!("<h2>{}</h2>\n{}", text(&tag["name"]), prose(text(&tag["description"]))));
        let of_tag = operations.iter().filter(|operation| operation.value["tags"][0] == tag["name"]);
        main.extend(of_tag.map(|operation| operation.html(&common)));
    }
    main.push_str("<h2>What is in bodies and answers</h2>\n");
    main.extend(entries(&parts["schemas"]).map(|(name, schema)| api_schema::html(name, schema)));
    Ok(format!("{BEFORE}{main}{AFTER}"))
}

const BEFORE: &str = r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="stylesheet" href="/assets/style.css">
<link rel="icon" href="/assets/icon.png">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header><a class="name" href="/">The shop</a></header>
<main id="main">
"##;
const AFTER: &str = "</main>\n</body>\n</html>\n";

struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    value: &'a Value,
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let of_path = |(path, item)| entries(item).map(move |(method, value)| Operation { method, path, value });
    let all = entries(&document["paths"]).flat_map(of_path);
    all.filter(|operation| METHODS.contains(&operation.method)).collect()
}

/// Codes and meanings that are the same nearly everywhere.
fn common_answers<'a>(operations: &[Operation<'a>]) -> Vec<(&'a str, &'a str)> {
    let mut counts = BTreeMap::new();
    for answer in operations.iter().flat_map(Operation::answers) {
        *counts.entry(answer).or_insert(0) += 1;
    }
    let is_common = |count: &usize| count * 100 >= operations.len() * COMMON;
    counts
        .into_iter()
        .filter(|((code, _), count)| *code >= "400" && is_common(count))
        .map(|(answer, _)| answer)
        .collect()
}

impl<'a> Operation<'a> {
    fn answers(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        entries(&self.value["responses"]).map(|(code, answer)| (code, text(&answer["description"])))
    }

    fn html(&self, common: &[(&str, &str)]) -> String {
        let (method, name) = (self.method.to_uppercase(), text(&self.value["operationId"]));
        let mut html = format!(
            "<details id=\"{name}\"><summary><code>{method} {}</code><br>{}</summary>\n{}",
            escaped(self.path),
            escaped(text(&self.value["summary"])),
            prose(text(&self.value["description"])),
        );
        html.push_str(&format!("<p class=\"hint\"><code>{name}</code>{}</p>\n", self.credentials()));
        let parameters: Vec<_> = self.value["parameters"].as_sequence().into_iter().flatten().collect();
        if !parameters.is_empty() {
            html.push_str("<p>Parameters</p>\n<dl>");
            html.extend(parameters.into_iter().map(parameter));
            html.push_str("</dl>\n");
        }
        let body = &self.value["requestBody"]["content"];
        if let Some((_, content)) = entries(body).next() {
            let kinds: Vec<_> = entries(body).map(|(kind, _)| format!("<code>{}</code>", escaped(kind))).collect();
            html.push_str(&format!("<p>Body: {} ({})</p>\n", api_schema::kind(&content["schema"]), kinds.join(", ")));
        }
        html.push_str("<p>Answers</p>\n<dl>");
        for (code, answer) in entries(&self.value["responses"]) {
            let meaning = text(&answer["description"]);
            if !common.contains(&(code, meaning)) {
                let content =
                    entries(&answer["content"]).next().map(|(_, content)| api_schema::kind(&content["schema"]));
                let content = content.map_or(String::new(), |kind| format!(" {kind}"));
                html.push_str(&format!("<dt>{code}</dt><dd>{}{content}</dd>\n", api_schema::inline(meaning)));
            }
        }
        html.push_str("</dl>\n</details>\n");
        html
    }

    /// Which of the credentials do, each alone.
    fn credentials(&self) -> String {
        let ways = self.value["security"].as_sequence().into_iter().flatten();
        let names: Vec<_> = ways.flat_map(entries).map(|(name, _)| name).collect();
        if names.is_empty() { String::new() } else { format!(" · credentials: {}", names.join(", ")) }
    }
}

fn parameter(parameter: &Value) -> String {
    let needed = if parameter["required"].as_bool() == Some(true) { ", needed" } else { "" };
    format!(
        "<dt><code>{}</code></dt><dd>{} ({}{needed}) {}</dd>\n",
        escaped(text(&parameter["name"])),
        api_schema::kind(&parameter["schema"]),
        text(&parameter["in"]),
        api_schema::inline(text(&parameter["description"])),
    )
}

fn list<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let row =
        |(name, meaning)| format!("<dt><code>{}</code></dt><dd>{}</dd>\n", escaped(name), api_schema::inline(meaning));
    format!("<dl>{}</dl>\n", rows.map(row).collect::<String>())
}
