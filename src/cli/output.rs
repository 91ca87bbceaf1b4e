//! What commands print: one JSON document, or tables and short sentences for people. Whatever others have
//! written is harmless on a terminal from here on.

use std::cell::Cell;
use std::io::{ErrorKind, Write};

use serde_json::Value;

use super::logging;
use crate::domain::text::{for_line, for_terminal, json_for_terminal};

/// How to print.
pub struct Output {
    json: bool,
    /// Whether a document was printed: there is never a second.
    has_result: Cell<bool>,
    /// Whether something could not be printed.
    is_cut: Cell<bool>,
}

impl Output {
    /// `json` prints documents instead of text.
    pub const fn new(json: bool) -> Self {
        Self { json, has_result: Cell::new(false), is_cut: Cell::new(false) }
    }

    /// Whether documents are printed.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Prints the result of a command: the document, or the text. Warnings go to standard error.
    pub fn result(&self, document: &Value, text: &str) {
        self.has_result.set(true);
        if self.json {
            self.say(&json_for_terminal(&format!("{document:#}")));
        } else {
            self.say(&for_terminal(text.trim_end()));
        }
    }

    /// Says why a command failed: the text to people, and the document to scripts, unless the command
    /// has printed a document that tells it.
    pub fn failure(&self, document: &Value, text: &str) {
        let text = format!("error: {}", for_terminal(text).replace('\n', "\n       "));
        if logging::goes_to_journal() {
            eprint!("{}", logging::as_errors(&text));
        } else {
            eprintln!("{text}");
        }
        if self.json && !self.has_result.get() {
            self.result(document, "");
        }
    }

    /// Prints a list: the document, a table, or a sentence when there is nothing.
    pub fn list(&self, document: &Value, headers: &[&str], rows: &[Vec<String>], nothing: &str) {
        let text = if rows.is_empty() { nothing.to_owned() } else { table(headers, rows) };
        self.result(document, &text);
    }

    /// Prints to standard output. Nobody reading any more (`| head`) is no failure; a full disk is.
    fn say(&self, text: &str) {
        if let Err(error) = writeln!(std::io::stdout(), "{text}")
            && error.kind() != ErrorKind::BrokenPipe
        {
            eprintln!("error: can't print the result: {error}");
            self.is_cut.set(true);
        }
    }

    /// Whether all that was to be printed was.
    pub const fn is_whole(&self) -> bool {
        !self.is_cut.get()
    }

    /// Says something to people that is not the result.
    pub fn warn(&self, text: &str) {
        eprintln!("warning: {}", for_terminal(text));
    }
}

/// Columns as wide as their widest cell, two blanks between them.
pub fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| for_line(cell)).collect()).collect();
    let header = headers.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let lines = || std::iter::once(&header).chain(&rows);
    let width = |column: usize| lines().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..headers.len()).map(|column| width(column).unwrap_or(0)).collect();
    let format = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines().map(format).collect::<Vec<_>>().join("\n")
}

/// `name  value` lines with aligned values.
pub fn fields(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| format!("{name:width$}  {value}");
    pairs.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// `yes` or `no`.
pub fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_stays_in_its_line_and_does_nothing_to_a_terminal() {
        let rows = [vec!["a\u{1b}[31m\nb".to_owned()]];
        assert_eq!(table(&["ID"], &rows), "ID\na\\u{1b}[31m\\nb");
    }

    #[test]
    fn columns_are_aligned_and_lines_do_not_end_in_blanks() {
        let rows = [vec!["a".to_owned(), "long name".to_owned()], vec!["bcd".to_owned(), String::new()]];
        assert_eq!(table(&["ID", "NAME"], &rows), "ID   NAME\na    long name\nbcd");
    }
}
