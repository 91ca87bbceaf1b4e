//! Every list of the screens, in one table: how it is sorted, what it is filtered by, whether it comes in pages, and how it
//! is saved. The table is compared with the document and with the screens.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ip2tor_shop::http::openapi_json;
use serde_json::Value;

/// Who makes the file when a list is saved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Saved {
    /// The screen, page by page.
    ByPages,
    /// The screen, of what it shows: `files("NAME", …)`.
    AsShown(&'static str),
    /// The shop, while it reads: the operations that do it.
    ByShop([&'static str; 2]),
    /// Nobody, for a reason.
    Not(&'static str),
}

/// A list.
struct List {
    operation: &'static str,
    /// The module of its screen.
    screen: &'static str,
    /// How it is sorted; where that can be turned round, `oldest_first` is among its parameters.
    sorted_by: &'static str,
    /// Parameters that choose among its entries.
    filters: &'static [&'static str],
    saved: Saved,
}

const fn list(
    operation: &'static str,
    screen: &'static str,
    sorted_by: &'static str,
    filters: &'static [&'static str],
    saved: Saved,
) -> List {
    List { operation, screen, sorted_by, filters, saved }
}

use Saved::{AsShown, ByPages, ByShop, Not};

const ORDER_FILES: [&str; 2] = ["admin_order_export_csv", "admin_order_export_json"];

const LISTS: [List; 21] = [
    list("admin_alert_channel_kinds", "alerts.js", "as in the code", &[], Not("choices of a form")),
    list("admin_alert_channel_list", "alerts.js", "the shop's, then by name", &[], AsShown("channels")),
    list("admin_alert_list", "alerts.js", "newest", &["closed"], AsShown("alerts")),
    list("admin_change_list", "log.js", "newest", &["noun", "person", "from", "until"], ByPages),
    list("admin_deny_list", "deny.js", "kind and value", &[], ByPages),
    list("admin_failed_logins_list", "people.js", "newest", &[], ByPages),
    list("admin_host_list", "hosts.js", "address", &[], ByPages),
    list("admin_job_history_list", "tasks.js", "newest", &["name"], ByPages),
    list("admin_job_list", "tasks.js", "as in the configuration", &[], AsShown("jobs")),
    list("admin_log_list", "tasks.js", "oldest", &["after"], AsShown("log")),
    list("admin_node_list", "nodes.js", "operator and priority", &[], ByPages),
    list("admin_operators_list", "people.js", "as added", &[], ByPages),
    list(
        "admin_order_list",
        "orders.js",
        "newest, or oldest",
        &["q", "host", "status", "owed", "from", "until", "oldest_first"],
        ByShop(ORDER_FILES),
    ),
    list("admin_outbox_list", "tasks.js", "oldest", &["failed"], ByPages),
    list(
        "admin_product_list",
        "products.js",
        "newest, or oldest",
        &["q", "host", "status", "from", "until", "oldest_first"],
        ByPages,
    ),
    list("admin_rate_list", "settings.js", "currency", &[], Not("a line for each currency of the configuration")),
    list("admin_report_months", "reports.js", "newest", &["from"], AsShown("months")),
    list("admin_sessions_list", "account.js", "newest", &[], ByPages),
    list("admin_setting_list", "settings.js", "as in the configuration", &[], AsShown("settings")),
    list("admin_tokens_list", "account.js", "newest", &[], ByPages),
    // What the orders of one product are saved by, on the product's screen.
    list("admin_product_read", "products.js", "newest", &[], ByShop(ORDER_FILES)),
];

/// The operations that answer a list, each with the names of its parameters and whether it comes in pages.
fn documented() -> BTreeMap<String, (BTreeSet<String>, bool)> {
    let document = openapi_json().expect("JSON");
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let Some(operation) = item.get("get").filter(|_| path.starts_with("/api/v1/admin/")) else { continue };
        let content = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let is_paged = content["$ref"].as_str().is_some_and(|schema| schema.contains("/Page_"));
        if !is_paged && content["type"] != "array" {
            continue;
        }
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let names = parameters.filter(|one| one["in"] == "query").map(|one| text(&one["name"])).collect();
        found.insert(text(&operation["operationId"]), (names, is_paged));
    }
    found
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn module(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/admin").join(name);
    fs::read_to_string(path).expect("a module")
}

#[test]
fn every_list_of_the_document_is_in_the_table_with_its_filters_and_comes_in_pages_where_it_can_be_long() {
    let mut documented = documented();
    assert!(documented.len() > 15, "{documented:?}");
    for List { operation, sorted_by, filters, saved, .. } in &LISTS {
        assert!(!sorted_by.is_empty(), "{operation}");
        let Some((mut names, is_paged)) = documented.remove(*operation) else {
            assert_eq!(*operation, "admin_product_read", "no list of the document");
            continue;
        };
        if is_paged {
            assert!(names.remove("after") && names.remove("limit"), "{operation}: {names:?}");
        }
        let said: BTreeSet<String> = filters.iter().map(ToString::to_string).collect();
        assert_eq!(names, said, "{operation}");
        assert_eq!(is_paged, matches!(saved, ByPages | ByShop(_)), "{operation}");
    }
    assert!(documented.is_empty(), "not in the table: {:?}", documented.keys());
}

#[test]
fn every_list_can_be_saved_as_csv_and_json_on_its_screen() {
    let table = module("table.js");
    assert!(table.contains(r#"["CSV", "JSON"]"#) && table.contains("saved ?? files("), "what saves a list in pages");
    for List { operation, screen, saved, .. } in &LISTS {
        let text = module(screen);
        assert!(text.contains(&format!("\"{operation}\"")), "{screen} does not ask for {operation}");
        match saved {
            ByPages => assert!(text.contains("pages") || text.contains("lists(place)"), "{screen}: {operation}"),
            AsShown(name) => assert!(text.contains(&format!("files(\"{name}\", ")), "{screen}: {operation}"),
            ByShop(operations) => {
                let orders = module("orders.js");
                assert!(operations.iter().all(|one| orders.contains(one)), "{operations:?}");
                assert!(text.contains("orderFiles("), "{screen}: {operation}");
            }
            Not(reason) => assert!(!reason.is_empty(), "{operation}"),
        }
    }
}
