//! No circle of imports: which file names which, within a crate, by reading its `use`s and paths.
//!
//! A file stands for its module. What a name is re-exported from counts, not who re-exports it; comments and what
//! is compiled for tests alone do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A module's path within its crate; the crate itself is empty.
type Module = Vec<String>;

/// How often a name may be re-exported on; more would be a name that leads to itself.
const MAX_REEXPORTS: usize = 16;

/// A crate's modules: the names that each brings into scope, and all paths in it.
#[derive(Default)]
struct Modules(BTreeMap<Module, Names>);

#[derive(Default)]
struct Names {
    /// A name, and the path that it stands for.
    imports: BTreeMap<String, Vec<String>>,
    /// Those that are passed on to others; this module need not use them itself.
    reexports: BTreeSet<String>,
    paths: Vec<Vec<String>>,
}

impl Modules {
    fn of_crate(root: &Path) -> Self {
        let mut modules = Self::default();
        for path in super::sources(root) {
            let inside = path.strip_prefix(root).expect("inside the crate").with_extension("");
            let mut module: Module = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            if module.iter().any(|part| matches!(part.as_str(), "tests" | "test_support")) || module == ["main"] {
                continue;
            }
            if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
                module.pop();
            }
            modules.add(module, &fs::read_to_string(&path).expect("a source file"));
        }
        modules
    }

    fn add(&mut self, module: Module, text: &str) {
        let mut names = Names::default();
        let code = without_visibility(&without_tests(text));
        let mut rest = code.as_str();
        while let Some((before, statement, after)) = next_import(rest) {
            names.paths.extend(paths(before));
            let is_public = before.rsplit('\n').next().is_some_and(|line| line.trim().starts_with("pub"));
            for (path, name) in branches(statement) {
                if is_public {
                    names.reexports.insert(name.clone());
                }
                names.imports.insert(name, path);
            }
            rest = after;
        }
        names.paths.extend(paths(rest));
        self.0.insert(module, names);
    }

    /// The modules that a module names.
    fn named_by(&self, module: &Module) -> BTreeSet<Module> {
        let names = &self.0[module];
        // A module that is only brought into scope is not yet named: what is used of it is.
        let is_module = |path: &Vec<String>| {
            self.resolve(module, path, 0).is_some_and(|(found, is_whole)| is_whole && self.0.contains_key(&found))
        };
        let own = names.imports.iter().filter(|(name, _)| !names.reexports.contains(*name));
        let imported = own.map(|(_, path)| path).filter(|path| !is_module(path));
        let found = imported.chain(&names.paths).filter_map(|path| self.resolve(module, path, 0));
        found.map(|(found, _)| found).filter(|found| found != module).collect()
    }

    /// The module that a path as written in `module` leads into, and whether it names the module itself; `None` for
    /// what belongs to another crate.
    fn resolve(&self, module: &Module, path: &[String], depth: usize) -> Option<(Module, bool)> {
        let first = path.first()?;
        let (mut found, mut rest) = match first.as_str() {
            "crate" => (Module::new(), &path[1..]),
            "self" => (module.clone(), &path[1..]),
            "super" => (module[..module.len().checked_sub(1)?].to_vec(), &path[1..]),
            _ => {
                let is_known = self.0.contains_key(&child(module, first)) || self.0[module].imports.contains_key(first);
                (module.clone(), if is_known { path } else { return None })
            }
        };
        while let Some(part) = rest.first() {
            let below = child(&found, part);
            if part == "super" {
                found.pop();
            } else if self.0.contains_key(&below) {
                found = below;
            } else {
                let Some(import) = self.0.get(&found).and_then(|names| names.imports.get(part)) else {
                    return Some((found, false));
                };
                if depth == MAX_REEXPORTS {
                    return Some((found, false));
                }
                let whole = [import.as_slice(), &rest[1..]].concat();
                return self.resolve(&found, &whole, depth + 1);
            }
            rest = &rest[1..];
        }
        Some((found, true))
    }

    /// Who names whom among those that lie on a circle, or between two circles.
    fn circles(&self) -> Vec<String> {
        let mut named: BTreeMap<&Module, BTreeSet<Module>> =
            self.0.keys().map(|module| (module, self.named_by(module))).collect();
        loop {
            let left: BTreeSet<Module> = named.keys().map(|module| (*module).clone()).collect();
            let targets: BTreeSet<Module> = named.values().flatten().cloned().collect();
            named.retain(|module, names| targets.contains(*module) && names.iter().any(|name| left.contains(name)));
            for names in named.values_mut() {
                names.retain(|name| left.contains(name));
            }
            if named.len() == left.len() {
                break;
            }
        }
        let line = |(module, names): (&Module, BTreeSet<Module>)| {
            let names: Vec<_> = names.iter().map(|name| name.join("::")).collect();
            format!("{} names {}", module.join("::"), names.join(", "))
        };
        named.into_iter().map(line).collect()
    }
}

fn child(module: &Module, name: &str) -> Module {
    [module.as_slice(), &[name.to_owned()]].concat()
}

/// The code without comments, and without what stands behind `#[cfg(test)]`.
fn without_tests(text: &str) -> String {
    const MARK: &str = "#[cfg(test)]\n";
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let text = text.lines().filter(is_code).map(|line| line.to_owned() + "\n").collect::<String>();
    let mut rest = text.split("#[cfg(test)]\nmod tests {").next().expect("a first part");
    let mut code = String::new();
    while let Some((before, behind)) = rest.split_once(MARK) {
        code += before;
        rest = &behind[item_end(behind)..];
    }
    code + rest
}

/// The code without the paths of `pub(in …)`, which name a module and use nothing of it.
fn without_visibility(code: &str) -> String {
    let mut parts = code.split("pub(in ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |code, part| code + "pub" + part.split_once(')').map_or(part, |(_, rest)| rest))
}

/// Where the first item ends: at a `;`, or at the `}` that closes it.
fn item_end(code: &str) -> usize {
    let mut depth = 0;
    for (at, letter) in code.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(letter, ';' | '}') {
            return at + 1;
        }
    }
    code.len()
}

/// The code before the next `use`, what is imported there, and the code behind it.
fn next_import(code: &str) -> Option<(&str, &str, &str)> {
    let is_begin = |at: &usize| {
        code[..*at].rsplit('\n').next().is_some_and(|line| {
            let line = line.trim();
            line.is_empty() || line == "pub" || (line.starts_with("pub(") && line.ends_with(')'))
        })
    };
    let at = code.match_indices("use ").map(|(at, _)| at).find(is_begin)?;
    let (statement, after) = code[at + "use ".len()..].split_once(';')?;
    Some((&code[..at], statement, after))
}

/// The paths of a `use`, each with the name that it gets.
fn branches(statement: &str) -> Vec<(Vec<String>, String)> {
    let statement: String = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    match statement.split_once('{') {
        None => {
            let (path, name) = statement.split_once(" as ").unwrap_or((&statement, ""));
            let path = segments(path);
            let name = if name.is_empty() { path.last().cloned().unwrap_or_default() } else { name.trim().to_owned() };
            vec![(path, name)]
        }
        Some((parent, list)) => {
            let parent = segments(parent);
            let list = super::branches(list).into_iter().filter(|branch| !branch.trim().is_empty());
            let below = list.flat_map(|branch| branches(branch.trim()));
            below
                .map(|(path, name)| {
                    if path == ["self"] {
                        return (parent.clone(), parent.last().cloned().unwrap_or_default());
                    }
                    ([parent.as_slice(), &path].concat(), name)
                })
                .collect()
        }
    }
}

fn segments(path: &str) -> Vec<String> {
    path.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// All paths of at least two parts that stand in the code.
fn paths(code: &str) -> Vec<Vec<String>> {
    let is_part_of_path = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | ':');
    let words = code.split(|letter| !is_part_of_path(letter));
    words.map(|word| segments(word.trim_end_matches(':'))).filter(|path| path.len() > 1).collect()
}

#[test]
fn no_file_names_one_that_names_it() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut crates = vec![workspace.join("src")];
    let members = fs::read_dir(workspace.join("crates")).expect("the folder of crates").flatten();
    crates.extend(members.map(|member| member.path().join("src")));
    let circles: Vec<_> = crates.iter().flat_map(|root| Modules::of_crate(root).circles()).collect();
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let mut modules = Modules::default();
    for (module, text) in files {
        modules.add(segments(module), text);
    }
    modules.circles()
}

#[test]
fn a_planted_circle_is_found_whichever_way_it_is_written() {
    let shop = ("shop", "pub struct Shop;\npub fn open() { super::rates::store() }");
    for user in [
        "use super::shop::Shop;",
        "use crate::{shop::{self, Shop}, other};",
        "use super::shop as kept;\nfn f(_: kept::Shop) {}",
        "fn f(_: crate::shop::Shop) {}",
        "pub(super) use super::later;\nuse super::{Shop, more};",
    ] {
        let found = circles(&[("", "mod shop;\npub use shop::Shop;"), shop, ("rates", user), ("other", "")]);
        assert_eq!(found, ["rates names shop", "shop names rates"], "{user}");
    }
}

#[test]
fn a_way_round_over_three_files_and_one_from_a_folder_into_it_are_circles() {
    let found = circles(&[("a", "use super::b::B;"), ("b", "use super::c::C;"), ("c", "fn f() { crate::a::f() }")]);
    assert_eq!(found, ["a names b", "b names c", "c names a"]);
    let found = circles(&[("a", "mod part;\nfn f() { part::g() }\npub struct Own;"), ("a::part", "use super::Own;")]);
    assert_eq!(found, ["a names a::part", "a::part names a"]);
}

#[test]
fn comments_tests_and_modules_that_are_only_in_scope_make_no_circle() {
    let user = "// super::a::A\nuse super::a;\n#[cfg(test)]\nuse super::a::A;\n#[cfg(test)]\nfn f() { super::a::g() }\n\
                #[cfg(test)]\nmod tests {\n    use super::super::a::A;\n}\n";
    assert_eq!(circles(&[("a", "use super::b::B;"), ("b", user)]), [] as [&str; 0]);
}
