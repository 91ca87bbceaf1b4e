//! The screens of those who run the shop, as files: what they may do and weigh, what they say in each language, and which
//! operations of the document they use.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ip2tor_shop::domain::node::NodeKind;
use ip2tor_shop::http::{Surface, openapi_json};

use crate::support::TestShop;

/// Operations that programs use and no screen does, each with the reason.
const FOR_PROGRAMS: [&str; 3] = [
    // Stands in what a host is read as.
    "admin_host_block_read",
    // Stands in the list.
    "admin_operators_read",
    // The screen saves what it shows.
    "admin_report_months_csv",
];
/// Bytes of all files as they are in the repository.
const RAW_BYTES: usize = 150_000;

fn files() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/admin");
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    entries.map(|path| (name(&path), fs::read_to_string(&path).expect("text"))).collect()
}

fn modules() -> impl Iterator<Item = (String, String)> {
    files().into_iter().filter(|(name, _)| name.ends_with(".js"))
}

/// The texts in double quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('"').skip(1).step_by(2))
}

#[test]
fn every_call_of_the_screens_is_in_the_document_and_every_operation_has_its_screen() {
    let document = openapi_json().expect("JSON");
    let mut documented = BTreeMap::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let Some(path) = path.strip_prefix("/api/v1/admin") else { continue };
        for (method, operation) in item.as_object().expect("operations") {
            let id = operation["operationId"].as_str().expect("an id").to_owned();
            documented.insert(id, format!("{} {path}", method.to_uppercase()));
        }
    }
    let all = files();
    let mut table = BTreeMap::new();
    for line in all["api.js"].lines().map(str::trim).filter(|line| line.starts_with("admin_")) {
        let (id, place) = line.split_once(": ").expect("a line of the table");
        table.insert(id.to_owned(), place.trim_matches(['"', ','].as_slice()).to_owned());
    }
    for (id, place) in &table {
        assert_eq!(documented.get(id), Some(place), "{id}");
    }
    let called: BTreeSet<String> = modules()
        .flat_map(|(_, text)| quoted(&text).map(str::to_owned).collect::<Vec<_>>())
        .filter(|text| text.starts_with("admin_"))
        .collect();
    let known: BTreeSet<String> = table.keys().cloned().collect();
    assert_eq!(called, known, "the table has what is called, and nothing else");
    let for_programs = FOR_PROGRAMS.iter().map(ToString::to_string).collect();
    let unused: BTreeSet<String> = documented.keys().filter(|id| !known.contains(*id)).cloned().collect();
    assert_eq!(unused, for_programs, "operations without a screen");
}

/// The names of the texts of a language: those of a group behind its name.
fn names(language: &str) -> Vec<String> {
    let text = files().remove(language).expect("a language");
    let mut names = Vec::new();
    let mut group = None;
    let mut rest = text.split_once("export default {").expect("an object").1;
    while let Some(colon) = rest.find(':') {
        let before = &rest[..colon];
        if before.contains('}') {
            group = None;
        }
        let name = before.rsplit([',', '{', '}', '\n', ' ']).find(|part| !part.is_empty()).expect("a name");
        let name = name.trim_matches('"');
        let after = rest[colon + 1..].trim_start();
        if let Some(inside) = after.strip_prefix('{') {
            group = Some(name);
            rest = inside;
            continue;
        }
        names.push(group.map_or_else(|| name.to_owned(), |group: &str| format!("{group}.{name}")));
        let value = after.strip_prefix('"').expect("a text in double quotes");
        rest = &value[value.find('"').expect("the end of a text") + 1..];
    }
    names
}

#[test]
fn every_language_has_the_same_texts_each_once() {
    let (english, german) = (names("en.js"), names("de.js"));
    assert!(english.len() > 400, "{}", english.len());
    assert_eq!(english, german);
    let once: BTreeSet<&String> = english.iter().collect();
    assert_eq!(once.len(), english.len());
}

#[test]
fn every_text_is_shown_somewhere_and_every_text_that_is_shown_is_there() {
    let there: BTreeSet<String> = names("en.js").into_iter().collect();
    let groups: BTreeSet<&str> = there.iter().filter_map(|name| name.split_once('.')).map(|(group, _)| group).collect();
    let (mut shown, mut beginnings) = (BTreeSet::new(), BTreeSet::new());
    for (name, text) in modules().filter(|(name, _)| !matches!(name.as_str(), "en.js" | "de.js" | "i18n.js")) {
        for call in text.split("t(\"").skip(1) {
            let key = call.split('"').next().unwrap_or_default();
            if groups.contains(key.split('.').next().unwrap_or_default()) && key.contains('.') {
                assert!(there.contains(key), "{name}: {key}");
            }
        }
        shown.extend(quoted(&text).map(str::to_owned));
        // `host_group.${name}`: all that begin so.
        let dynamic = text.split('`').skip(1).step_by(2).filter_map(|part| part.split_once("${"));
        beginnings.extend(dynamic.map(|(beginning, _)| beginning.to_owned()).filter(|part| part.ends_with('.')));
        beginnings.extend(["product.", "order.", "severity.", "host.is_"].map(str::to_owned));
    }
    let unused: Vec<_> = there
        .iter()
        .filter(|name| {
            // What will happen stands under the name of the title.
            let title = name.strip_suffix("_text").unwrap_or(name);
            !shown.contains(*name)
                && !shown.contains(title)
                && !beginnings.iter().any(|beginning| name.starts_with(beginning.as_str()))
        })
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_setting_of_a_host_and_every_kind_of_node_is_on_the_screens() {
    let document = openapi_json().expect("JSON");
    let settings = document["components"]["schemas"]["AdminHostFields"]["properties"].as_object().expect("settings");
    assert!(settings.len() > 20);
    let all = files();
    for setting in settings.keys() {
        assert!(quoted(&all["hosts.js"]).any(|text| text == setting.as_str()), "hosts.js has no field for {setting}");
    }
    for kind in NodeKind::ALL.map(NodeKind::name) {
        assert!(quoted(&all["nodes.js"]).any(|text| text == kind), "nodes.js has no {kind}");
    }
}

#[test]
fn no_screen_makes_markup_or_programs_of_texts_or_asks_anybody_else() {
    for (name, text) in files() {
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
            "createContextualFragment",
            "DOMParser",
            "srcdoc",
            "style=",
            "http://",
            "https://",
            "@import",
            "url(",
        ] {
            assert!(!text.contains(forbidden), "{name} has {forbidden}");
        }
    }
}

#[test]
fn the_screens_stay_small() {
    let all = files();
    let raw: usize = all.values().map(String::len).sum();
    assert!(raw <= RAW_BYTES, "{raw} bytes");
    for (name, text) in &all {
        assert!(text.lines().count() <= 300, "{name}");
    }
}

#[tokio::test]
async fn screens_are_on_the_faces_for_those_who_run_the_shop_alone_with_their_strict_policy() {
    let shop = TestShop::new();
    for path in ["/admin/", "/admin/app.js", "/admin"] {
        assert_eq!(shop.ask("GET", path).send().await.status.as_u16(), 404, "{path}");
        assert_eq!(shop.ask("GET", path).on_circuit(Surface::Onion, 1).send().await.status.as_u16(), 404, "{path}");
    }
    assert_eq!(shop.ask("GET", "/admin").on_admin_face().send().await.status.as_u16(), 301);
    let page = shop.ask("GET", "/admin/").on_admin_face().send().await;
    let policy = page.headers["content-security-policy"].to_str().expect("text").to_owned();
    assert!(
        policy.ends_with("require-trusted-types-for 'script'") && policy.contains("script-src 'self';"),
        "{policy}"
    );
    let html = String::from_utf8(page.body).expect("text");
    let script = quoted(&html).find(|part| part.starts_with("/admin/app.")).expect("the first module").to_owned();
    let module = shop.ask("GET", &script).on_admin_face().send().await;
    assert!(module.headers["cache-control"].to_str().expect("text").contains("immutable"));
    let text = String::from_utf8(module.body).expect("text");
    for name in quoted(&text).filter(|part| part.starts_with("/admin/")) {
        assert_eq!(shop.ask("GET", name).on_admin_face().send().await.status.as_u16(), 200, "{name}");
    }
    assert!(!quoted(&text).any(|part| part.starts_with("./")), "every import has its name with a hash");
}
