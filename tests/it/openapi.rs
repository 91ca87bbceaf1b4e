//! The document of the HTTP interface.

use std::collections::BTreeSet;

use ip2tor_shop::http::{openapi_document, openapi_json};
use serde_json::Value;

#[test]
fn openapi_yaml_is_what_the_code_generates() {
    let stored = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.yaml")).expect("openapi.yaml");
    assert!(stored == openapi_document(), "openapi.yaml is stale: run `make openapi`");
    assert_eq!(openapi_document(), openapi_document(), "the document is the same each time");
}

#[test]
fn the_document_shows_paths_as_they_are_served_and_documents_problems() {
    let document = openapi_json().expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    assert!(paths.len() >= 20);
    for (path, item) in paths {
        assert!(path.starts_with("/api/v1/") && path.ends_with('/'), "{path}");
        assert!(openapi_document().contains(&format!("\n  {path}:")), "{path} stands in the YAML too");
        for (method, operation) in item.as_object().expect("operations") {
            let documented: BTreeSet<&str> =
                operation["responses"].as_object().expect("responses").keys().map(String::as_str).collect();
            let mut needed = vec!["400", "401", "404", "405", "406", "503"];
            if method != "get" {
                needed.extend(["409", "413", "415"]);
            }
            let missing: Vec<_> = needed.into_iter().filter(|status| !documented.contains(status)).collect();
            assert!(missing.is_empty(), "{method} {path} lacks {missing:?}");
            assert!(operation["operationId"] != Value::Null, "{method} {path}");
        }
    }
}
