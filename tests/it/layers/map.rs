//! What the documents for developers name is there: files, and functions in them.

use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENTS: [(&str, &str); 3] = [
    ("docs/ARCHITECTURE.md", include_str!("../../../docs/ARCHITECTURE.md")),
    ("docs/WHY.md", include_str!("../../../docs/WHY.md")),
    ("CONTRIBUTING.md", include_str!("../../../CONTRIBUTING.md")),
];

/// What stands before a name where it is made.
const MAKERS: [&str; 8] = ["fn ", "struct ", "enum ", "trait ", "type ", "const ", "static ", "macro_rules! "];

/// A source file that a document names, with what is to be looked for in it.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    path: String,
    item: Option<String>,
}

/// All names of `store/{a,b}.rs` or `{a,b}`.
fn spread(name: &str) -> Vec<String> {
    match name.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
        Some((before, (names, after))) => names.split(',').map(|name| format!("{before}{name}{after}")).collect(),
        None => vec![name.to_owned()],
    }
}

/// The source files in the marks of a text, but for its blocks of code and names without a folder, which only remind of
/// a file.
fn named(text: &str) -> Vec<Named> {
    let prose = text.split("\n```").step_by(2);
    let marks = prose.flat_map(|part| part.split('`').skip(1).step_by(2));
    let sources = marks.filter_map(|mark| mark.split_once(".rs").filter(|(path, _)| path.contains('/')));
    sources
        .flat_map(|(path, rest)| {
            let items: Vec<_> = match rest.strip_prefix("::") {
                Some(items) => spread(items).into_iter().map(Some).collect(),
                None => vec![None],
            };
            let paths = spread(&format!("{path}.rs"));
            let each = |path: String| items.clone().into_iter().map(move |item| Named { path: path.clone(), item });
            paths.into_iter().flat_map(each).collect::<Vec<_>>()
        })
        .collect()
}

/// The file, whether its path is of the repository or of `src`.
fn find(path: &str) -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    [repository.join(path), repository.join("src").join(path)].into_iter().find(|file| file.is_file())
}

fn makes(code: &str, item: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_');
    MAKERS.iter().any(|maker| {
        let whole = format!("{maker}{item}");
        code.match_indices(&whole).any(|(at, _)| ends(&code[at + whole.len()..]))
    })
}

#[test]
fn every_file_and_function_that_the_documents_name_is_there() {
    let (mut missing, mut files, mut items) = (Vec::new(), 0, 0);
    for (document, text) in DOCUMENTS {
        for Named { path, item } in named(text) {
            let Some(file) = find(&path) else {
                missing.push(format!("{document}: {path}"));
                continue;
            };
            files += 1;
            let Some(item) = item else { continue };
            items += 1;
            if !makes(&fs::read_to_string(file).expect("a source file"), &item) {
                missing.push(format!("{document}: {item} in {path}"));
            }
        }
    }
    assert!(missing.is_empty() && files > 300 && items > 100, "{missing:#?} of {files} files and {items} items");
}

#[test]
fn names_are_read_with_their_braces_and_not_out_of_blocks_of_code() {
    let text = "`a/{b,c}.rs` and `d.rs`, `e/f.rs::{g,h}`\n```\n`i/j.rs`\n```\n`k/l.rs::M`";
    let as_texts: Vec<_> =
        named(text).into_iter().map(|named| format!("{} {}", named.path, named.item.unwrap_or_default())).collect();
    assert_eq!(as_texts, ["a/b.rs ", "a/c.rs ", "e/f.rs g", "e/f.rs h", "k/l.rs M"]);
    assert!(makes("pub const fn may(self)", "may") && !makes("fn may_become()", "may") && !makes("// may", "may"));
}
