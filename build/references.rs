//! What files of `assets/` call each other: a name in quotes that begins with `./`, or with `/assets/`. Each becomes the
//! name with the hash, so that a browser which has one version of a module never gets another one of what it imports.

use std::collections::HashMap;
use std::io::{Error, Result};

use super::assets::{Source, path};

/// Which files there are, and what those that were asked for have become.
pub struct References<'a> {
    sources: HashMap<&'a str, &'a Source>,
    done: HashMap<String, Vec<u8>>,
    /// Those that are being resolved, each called by the one before.
    open: Vec<String>,
}

impl<'a> References<'a> {
    /// Of these files.
    pub fn of(sources: &'a [Source]) -> Self {
        let sources = sources.iter().map(|source| (source.plain.as_str(), source)).collect();
        Self { sources, done: HashMap::new(), open: Vec::new() }
    }

    /// A file with the names that it calls others by.
    pub fn resolved(&mut self, plain: &str) -> Result<Vec<u8>> {
        if let Some(bytes) = self.done.get(plain) {
            return Ok(bytes.clone());
        }
        if self.open.iter().any(|open| open == plain) {
            return Err(Error::other(format!("{plain} imports itself, by way of {}", self.open.join(", "))));
        }
        let source = self.sources.get(plain).copied();
        let source = source.ok_or_else(|| Error::other(format!("{:?} name {plain}, which is nowhere", self.open)))?;
        self.open.push(plain.to_owned());
        let bytes = match std::str::from_utf8(&source.bytes) {
            Ok(text) if plain.ends_with(".js") => self.rewritten(plain, &without_comments(text))?.into_bytes(),
            Ok(text) if plain.ends_with(".css") => without_comments(text).into_bytes(),
            Ok(text) if plain.ends_with('/') => self.rewritten(plain, text)?.into_bytes(),
            _ => source.bytes.clone(),
        };
        self.open.pop();
        self.done.insert(plain.to_owned(), bytes.clone());
        Ok(bytes)
    }

    fn rewritten(&mut self, plain: &str, text: &str) -> Result<String> {
        let folder = plain.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut parts = text.split('"');
        let mut written = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            written.push('"');
            let called = match part.strip_prefix("./") {
                Some(name) => Some(format!("{folder}/{name}")),
                None => Some(part.to_owned()).filter(|part| part.starts_with("/assets/")),
            };
            match called.filter(|called| is_name(called)) {
                Some(called) => written.push_str(&path(&called, &self.resolved(&called)?)),
                None => written.push_str(part),
            }
        }
        Ok(written)
    }
}

/// What a browser needs of a script or a stylesheet: lines that are more than a comment, without their indentation. It is
/// a tenth of the bytes, over Tor. No text in them goes on over several lines, where that would be a part of it.
fn without_comments(text: &str) -> String {
    let is_comment = |line: &str| line.starts_with("//") || line.starts_with("/*") && line.ends_with("*/");
    let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !is_comment(line));
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
}
