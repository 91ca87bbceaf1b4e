//! Imports go one way: a layer names only what its row allows. `docs/ARCHITECTURE.md` has the map.

mod circles;
mod limits;
mod map;

use std::fs;
use std::path::{Path, PathBuf};

/// The table of `docs/ARCHITECTURE.md`: each layer and what it may name of the others, a layer or
/// (`store::meta`) a part of one.
fn allowed() -> Vec<(String, Vec<String>)> {
    let map = include_str!("../../docs/ARCHITECTURE.md");
    let (_, table) =
        map.split_once("| layer | what lives there | may use |\n|---|---|---|\n").expect("the table of layers");
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        (names(cells[1]).remove(0), names(cells[3]))
    })
    .collect()
}

/// Layers without a row.
const FREE: [&str; 4] = ["app", "demo", "main", "lib"];

/// Crates that belong to one layer alone.
const OWNED: [(&str, &[&str]); 2] = [("rusqlite", &["store"]), ("refinery", &["store"])];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

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

/// The code of a file, without comments and without its tests, which may build what they like.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file");
    let text = text.split("#[cfg(test)]\nmod tests {").next().expect("a first part");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn layer_of(path: &Path) -> String {
    let inside = path.strip_prefix(root()).expect("inside src");
    let first = inside.iter().next().expect("a name").to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// What the code names of this crate, as `layer::part`, whichever way it is written.
fn named(code: &str) -> Vec<String> {
    let after = code.match_indices("crate::").map(|(at, start)| &code[at + start.len()..]);
    after.flat_map(|path| members(path, "")).collect()
}

/// The first two parts of a path, or of each path in `{…}`.
fn members(path: &str, parent: &str) -> Vec<String> {
    if let Some(list) = path.strip_prefix('{') {
        return branches(list).iter().flat_map(|branch| members(branch.trim(), parent)).collect();
    }
    let end = path.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(path.len());
    let (name, rest) = path.split_at(end);
    match rest.strip_prefix("::") {
        _ if name.is_empty() => Vec::new(),
        Some(rest) if parent.is_empty() => members(rest, name),
        _ if parent.is_empty() => vec![name.to_owned()],
        _ => vec![format!("{parent}::{name}")],
    }
}

/// The parts of a list up to the `}` that ends it, split at its own commas.
fn branches(list: &str) -> Vec<String> {
    let (mut depth, mut found) = (1, vec![String::new()]);
    for letter in list.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match (letter, depth) {
            (_, 0) => break,
            (',', 1) => found.push(String::new()),
            _ => found.last_mut().expect("there is always one").push(letter),
        }
    }
    found
}

fn is_allowed(name: &str, allowed: &[String]) -> bool {
    let layer = name.split("::").next().expect("a layer");
    allowed.iter().any(|allowed| allowed == layer || allowed == name)
}

#[test]
fn no_layer_names_what_its_row_does_not_allow() {
    let (rows, mut wrong) = (allowed(), Vec::new());
    assert!(rows.len() > 5, "the table was not read");
    for path in sources(&root()) {
        let layer = layer_of(&path);
        let Some((_, allowed)) = rows.iter().find(|(name, _)| *name == layer) else {
            assert!(FREE.contains(&layer.as_str()), "{layer} has no row");
            continue;
        };
        for name in named(&code(&path)) {
            let is_own = name.split("::").next() == Some(layer.as_str());
            if !is_own && !is_allowed(&name, allowed) {
                wrong.push(format!("{} names {name}", path.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_way_of_naming_a_layer_is_seen() {
    let code = "use crate::store;\nuse crate::{http::guard, rates, domain::{id::OrderId, time}};\ncrate::a::b::c()";
    assert_eq!(named(code), ["store", "http::guard", "rates", "domain::id", "domain::time", "a::b"]);
}

#[test]
fn nobody_climbs_to_the_root_of_the_crate() {
    for path in sources(&root()) {
        let depth = path.strip_prefix(root()).expect("inside src").components().count();
        let climb = "super::".repeat(if path.ends_with("mod.rs") { depth - 1 } else { depth });
        assert!(!code(&path).contains(&climb), "{}: name the layer with crate:: instead", path.display());
    }
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

/// The line of a text that goes on in the next one without a backslash, or was put together of two such lines: what is
/// read has the blanks of the code in it.
fn has_blanks_of_code(line: &str) -> bool {
    let blanks = " ".repeat(6);
    let is_letter = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let joined = |(at, _): (usize, &str)| {
        let (before, after) = (line[..at].trim_end(), line[at..].trim_start());
        before.contains('"')
            && (is_letter(before.chars().last()) || before.ends_with([',', '.']))
            && is_letter(after.chars().next())
    };
    line.match_indices(&blanks).any(joined)
}

#[test]
fn no_text_has_the_blanks_of_the_code_in_it() {
    let mut wrong = Vec::new();
    for path in sources(&root()) {
        let code = code(&path);
        let lines = code.lines().filter(|line| has_blanks_of_code(line));
        wrong.extend(lines.map(|line| format!("{}: {}", path.display(), line.trim())));
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(has_blanks_of_code("    \"See on          the host\""));
    assert!(!has_blanks_of_code("    let a = \"b\";        // a remark"));
}

/// Where files are opened, and why none of them is the database while this process has it open: closing any handle on it
/// would give back SQLite's locks. Whatever comes here as well asks `store::db::is_file_of`, or says why it need not.
const OPENERS: [(&str, &str); 18] = [
    ("config.rs", "the configuration, before there is a database"),
    ("config/branding.rs", "a picture that the configuration names"),
    ("config/secret.rs", "a secret that the configuration names"),
    ("services/file_permissions.rs", "the users of the machine"),
    ("services/instance.rs", "the file of the lock"),
    ("services/backup/claim.rs", "a new file"),
    ("services/backup/files.rs", "asks is_file_of; folders; new files"),
    ("services/backup/packed.rs", "a copy that nobody has open; a backup, of which restore.rs has asked"),
    ("services/backup/pending.rs", "the mark of a restore"),
    ("cli/credential.rs", "asks is_file_of"),
    ("cli/import.rs", "a dump of the old shop, and the report"),
    ("cli/onion/identity.rs", "asks is_file_of"),
    ("cli/reload.rs", "the configuration that was just read as one"),
    ("cli/node/asking.rs", "a macaroon that was looked at in credential.rs"),
    ("cli/node/detect.rs", "files of a node that was found"),
    ("cli/node/find.rs", "lnd.conf"),
    ("demo/folder.rs", "files of the demo's own"),
    ("demo/seed.rs", "what the demo remembers"),
];

#[test]
fn nothing_opens_a_file_but_what_has_thought_of_the_database() {
    let ways = [
        "File::open",
        "File::create",
        "File::options",
        "OpenOptions",
        "fs::read(",
        "fs::read_to_string(",
        "fs::write(",
        "fs::copy(",
    ];
    let name = |path: &Path| path.strip_prefix(root()).expect("inside src").to_string_lossy().into_owned();
    let is_test =
        |path: &Path| path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs");
    let mut found: Vec<String> = sources(&root())
        .into_iter()
        .filter(|path| !is_test(path) && ways.iter().any(|way| code(path).contains(way)))
        .map(|path| name(&path))
        .collect();
    let mut known: Vec<_> = OPENERS.iter().map(|(file, _)| (*file).to_owned()).collect();
    found.sort();
    known.sort();
    assert_eq!(found, known);
}
