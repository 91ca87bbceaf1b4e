//! What is looked for on each page: nothing in the console, nothing wider than the window, nothing that an accessibility
//! checker finds, no weight that a slow connection would feel.

use std::path::Path;
use std::sync::LazyLock;

use super::session::Browser;

/// Bytes of a page over the wire after the first visit.
const PAGE_BYTES: u64 = 12_000;

/// axe-core, where it could be installed; `REQUIRE_BROWSERS` makes it a must.
static CHECKER: LazyLock<Option<String>> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/axe/axe.min.js");
    let text = std::fs::read_to_string(file).ok();
    let is_needed = std::env::var_os("REQUIRE_BROWSERS").is_some();
    assert!(text.is_some() || !is_needed, "REQUIRE_BROWSERS is set, but the accessibility checker is missing");
    if text.is_none() {
        println!("SKIPPED: accessibility (`make test` installs the checker, where PyPI can be reached)");
    }
    text
});

/// Asserts all but the weight; `what` says which page as whom.
pub fn is_fine(browser: &mut Browser, what: &str) {
    is_calm(browser, what);
    let found = violations(browser);
    assert!(found.is_empty(), "{what}: {found:#?}");
}

/// Asserts what can be seen without running scripts in the page.
pub fn is_calm(browser: &mut Browser, what: &str) {
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "{what}: the console says {complaints:#?}");
    let widths = browser.run("return [document.documentElement.scrollWidth, window.innerWidth];");
    assert!(widths[0].as_u64() <= widths[1].as_u64(), "{what}: it is wider than its window: {widths}");
}

/// Asserts that the page came in one request, of few bytes: the visitor has been here before.
pub fn is_light(browser: &mut Browser, what: &str) {
    let page = browser.run("return performance.getEntriesByType('navigation')[0].transferSize;");
    assert!(page.as_u64().is_some_and(|bytes| bytes <= PAGE_BYTES), "{what}: {page} bytes");
    let others = browser
        .run("return performance.getEntriesByType('resource').filter(r => r.transferSize > 0).map(r => r.name);");
    assert!(others.as_array().is_some_and(Vec::is_empty), "{what}: asked for besides: {others}");
}

fn violations(browser: &mut Browser) -> Vec<String> {
    let Some(checker) = CHECKER.as_deref() else { return Vec::new() };
    let script = format!(
        "{checker}; return axe.run().then(found => found.violations.flatMap(rule => \
         rule.nodes.map(node => rule.id + ': ' + node.html + ' ' + node.failureSummary)));"
    );
    let found = browser.run(&script);
    found.as_array().expect("a list").iter().map(ToString::to_string).collect()
}
