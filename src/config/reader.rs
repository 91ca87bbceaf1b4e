//! Takes settings out of a TOML table one by one, and notes every problem instead of stopping at the
//! first. What is left in a table at the end is a key that nobody knows.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Value;

use super::problem::Problem;

/// One table of the file and its path.
pub struct Section<'a> {
    path: String,
    table: toml::Table,
    known: Vec<String>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Section<'a> {
    /// The file itself.
    pub fn root(table: toml::Table, problems: &'a mut Vec<Problem>) -> Self {
        Self { path: String::new(), table, known: Vec::new(), problems }
    }

    /// The table `name`, empty when the file has none.
    pub fn section(&mut self, name: &str) -> Section<'_> {
        let path = self.path_of(name);
        let table = self.table(name);
        Section { path, table, known: Vec::new(), problems: self.problems }
    }

    /// The table `name`, if the file has it.
    pub fn optional(&mut self, name: &str) -> Option<Section<'_>> {
        if !self.table.contains_key(name) {
            self.known.push(name.to_owned());
            return None;
        }
        Some(self.section(name))
    }

    /// A string that must be there and that `read` understands.
    pub fn required<T, E: Display>(&mut self, name: &str, read: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        if !self.table.contains_key(name) {
            self.known.push(name.to_owned());
            self.problem(name, "this must be set");
            return None;
        }
        let text = self.string(name)?;
        read(&text).map_err(|error| self.problem(name, error.to_string())).ok()
    }

    /// The table `name` as it is.
    pub fn table(&mut self, name: &str) -> toml::Table {
        match self.take(name) {
            None => toml::Table::new(),
            Some(Value::Table(table)) => table,
            Some(other) => {
                self.wrong_type(name, "a table", &other);
                toml::Table::new()
            }
        }
    }

    /// A string, if it is set.
    pub fn string(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            other => {
                self.wrong_type(name, "a string", &other);
                None
            }
        }
    }

    /// A string that `read` understands; its error says what would be right.
    pub fn read<T, E: Display>(&mut self, name: &str, default: T, read: impl Fn(&str) -> Result<T, E>) -> T {
        let Some(text) = self.string(name) else { return default };
        read(&text).unwrap_or_else(|error| {
            self.problem(name, error.to_string());
            default
        })
    }

    /// A yes or no.
    pub fn flag(&mut self, name: &str, default: bool) -> bool {
        match self.take(name) {
            None => default,
            Some(Value::Boolean(value)) => value,
            Some(other) => {
                self.wrong_type(name, "true or false", &other);
                default
            }
        }
    }

    /// A whole number within `range`.
    pub fn number<T>(&mut self, name: &str, default: T, range: RangeInclusive<i64>) -> T
    where
        T: TryFrom<i64>,
    {
        match self.take(name) {
            None => default,
            Some(value) => self.number_of(name, &value, &range).unwrap_or(default),
        }
    }

    /// A number of seconds within `range`.
    pub fn seconds(&mut self, name: &str, default: Duration, range: RangeInclusive<i64>) -> Duration {
        match self.take(name) {
            None => default,
            Some(value) => self.number_of(name, &value, &range).map_or(default, Duration::from_secs),
        }
    }

    /// A list of strings that `read` understands each.
    pub fn strings<T, E: Display>(
        &mut self,
        name: &str,
        default: Vec<T>,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        self.items(name, default, |section, key, value| match value.as_str() {
            Some(text) => read(text).map_err(|error| section.problem(key, error.to_string())).ok(),
            None => {
                section.wrong_type(key, "a string", value);
                None
            }
        })
    }

    /// A list of whole numbers within `range` each.
    pub fn numbers<T>(&mut self, name: &str, default: Vec<T>, range: RangeInclusive<i64>) -> Vec<T>
    where
        T: TryFrom<i64>,
    {
        self.items(name, default, |section, key, value| section.number_of(key, value, &range))
    }

    /// Strings by names that are free.
    pub fn strings_by_name(&mut self, name: &str) -> BTreeMap<String, String> {
        let mut strings = BTreeMap::new();
        for (key, value) in self.table(name) {
            match value {
                Value::String(text) => drop(strings.insert(key, text)),
                other => self.wrong_type(&format!("{name}.{key}"), "a string", &other),
            }
        }
        strings
    }

    fn items<T>(
        &mut self,
        name: &str,
        default: Vec<T>,
        mut read: impl FnMut(&mut Self, &str, &Value) -> Option<T>,
    ) -> Vec<T> {
        match self.take(name) {
            None => default,
            Some(Value::Array(values)) => {
                let named = values.iter().enumerate();
                named.filter_map(|(index, value)| read(self, &format!("{name}[{index}]"), value)).collect()
            }
            Some(other) => {
                self.wrong_type(name, "a list", &other);
                default
            }
        }
    }

    fn number_of<T: TryFrom<i64>>(&mut self, name: &str, value: &Value, range: &RangeInclusive<i64>) -> Option<T> {
        let Some(number) = value.as_integer() else {
            self.wrong_type(name, "a whole number", value);
            return None;
        };
        let fitting = if range.contains(&number) { T::try_from(number).ok() } else { None };
        if fitting.is_none() {
            let (least, most) = (range.start(), range.end());
            self.problem(
                name,
                match *most {
                    i64::MAX => format!("{number} is less than {least}"),
                    _ => format!("{number} is not between {least} and {most}"),
                },
            );
        }
        fitting
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.known.push(name.to_owned());
        self.table.remove(name)
    }

    /// Notes a problem of the key `name`.
    pub fn problem(&mut self, name: &str, message: impl Into<String>) {
        let key = self.path_of(name);
        self.problems.push(Problem { key, message: message.into() });
    }

    /// A setting of a former version: whoever still has it is told what to do about it.
    pub fn retired(&mut self, name: &str, advice: &str) {
        if self.table.remove(name).is_some() {
            self.problem(name, advice);
        }
    }

    /// Reports what nobody asked for.
    pub fn finish(self) {
        for name in self.table.keys() {
            let key = if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
            let message = format!("there is no such setting here; there are: {}", self.known.join(", "));
            self.problems.push(Problem { key, message });
        }
    }

    fn wrong_type(&mut self, name: &str, wanted: &str, found: &Value) {
        self.problem(name, format!("must be {wanted}, not {}", found.type_str()));
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// An address to listen on, or one that is reached.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    text.parse().map_err(|_| format!("{text:?} is not ADDRESS:PORT, as in 127.0.0.1:8000 or [::1]:8000"))
}

/// A relative folder would depend on where the shop is started.
pub fn absolute(text: &str) -> Result<PathBuf, String> {
    if text.contains('\0') {
        return Err(format!("{text:?} is no path: it has a NUL in it"));
    }
    let path = Path::new(text);
    if path.is_absolute() { Ok(path.to_owned()) } else { Err(format!("{text:?} is not an absolute path")) }
}
