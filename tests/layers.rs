//! Imports go one way: a layer names only the layers below it. `docs/ARCHITECTURE.md` has the map.

use std::fs;
use std::path::{Path, PathBuf};

/// Each layer and what it must not name.
const FORBIDDEN: [(&str, &[&str]); 13] = [
    (
        "domain",
        &[
            "store",
            "services",
            "worker",
            "jobs",
            "http",
            "cli",
            "app",
            "lightning",
            "onion",
            "config",
            "probe",
            "rates",
        ],
    ),
    ("store", &["services", "worker", "jobs", "http", "cli", "app", "lightning", "onion", "config", "probe", "rates"]),
    ("services", &["worker", "jobs", "http", "cli", "app", "demo", "lightning", "onion", "config", "probe", "rates"]),
    ("lightning", &["store", "services", "worker", "jobs", "http", "cli", "app", "config", "onion", "probe", "rates"]),
    ("onion", &["store", "services", "worker", "jobs", "http", "cli", "app", "lightning", "config", "probe", "rates"]),
    ("probe", &["store", "services", "worker", "jobs", "http", "cli", "app", "lightning", "config", "rates"]),
    ("rates", &["store", "services", "worker", "jobs", "http", "cli", "app", "onion", "config", "probe"]),
    ("config", &["store", "worker", "jobs", "http", "cli", "app", "lightning", "probe"]),
    ("worker", &["jobs", "http", "cli", "app", "demo", "config"]),
    ("jobs", &["http", "cli", "app", "demo", "lightning", "onion", "probe", "rates"]),
    ("http", &["worker", "jobs", "cli", "app", "demo", "lightning", "onion", "config", "probe", "rates"]),
    ("cli", &["jobs", "probe", "rates"]),
    (
        "lnd_simulator",
        &["store", "services", "worker", "jobs", "http", "cli", "app", "demo", "onion", "config", "probe", "rates"],
    ),
];

/// Crates that belong to one layer alone.
const OWNED: [(&str, &[&str]); 3] = [("rusqlite", &["store"]), ("refinery", &["store"]), ("arti_client", &["onion"])];

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder of sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The lines of code of a file, without comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn layer_of(path: &Path) -> String {
    let inside = path.strip_prefix(root()).expect("inside src");
    let first = inside.iter().next().expect("a name").to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn no_layer_names_one_above_it() {
    let mut wrong = Vec::new();
    for path in sources(&root()) {
        let layer = layer_of(&path);
        let Some((_, forbidden)) = FORBIDDEN.iter().find(|(name, _)| *name == layer) else { continue };
        let code = code(&path);
        for other in *forbidden {
            if code.contains(&format!("crate::{other}::")) || code.contains(&format!("crate::{other};")) {
                wrong.push(format!("{} names {other}", path.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_crate_with_an_owner_is_used_by_its_owner_alone() {
    let mut wrong = Vec::new();
    for path in sources(&root()) {
        let (layer, code) = (layer_of(&path), code(&path));
        for (name, owners) in OWNED {
            if code.contains(&format!("{name}::")) && !owners.contains(&layer.as_str()) {
                wrong.push(format!("{} uses {name}", path.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
