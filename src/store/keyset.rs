//! Pages of long tables, newest or oldest first, by running number: what every list of orders, products and changes is made of.
//!
//! A list with a filter is put together of *runs*: the rows of one host in one state, say, lie in an index in the order of
//! their running numbers. Each run is read from where the page begins, and no further than it can still add to the page.
//! So a page costs the same at the beginning of a table and far behind, however few rows the filter leaves.

use rusqlite::{Connection, Params, params};

use super::db::StoreError;
use crate::domain::id::HostId;
use crate::domain::time::Timestamp;

/// A table whose rows are numbered in the order in which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `product`
    Products,
    /// `purchase_order`
    Orders,
    /// `audit_log`
    Changes,
}

impl Table {
    /// The table, its running number, and when a row was made.
    const fn columns(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Products => ("product", "seq", "created_at"),
            Self::Orders => ("purchase_order", "seq", "created_at"),
            Self::Changes => ("audit_log", "id", "at"),
        }
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Only what was made at this time or later.
    pub from: Option<Timestamp>,
    /// Only what was made before this time.
    pub until: Option<Timestamp>,
    /// Only what comes behind this number: the last of the page before.
    pub after: Option<i64>,
    /// Whether the oldest come first.
    pub oldest_first: bool,
    /// At most so many.
    pub limit: u32,
}

/// A span as numbers: from the first, and below the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The smallest number.
    pub first: i64,
    /// Beyond the largest.
    pub end: i64,
    /// At most so many.
    pub limit: u32,
    /// Whether the smallest come first.
    pub ascending: bool,
}

impl Span {
    /// The span in numbers of a table.
    pub fn bounds(self, db: &Connection, table: Table) -> Result<Bounds, StoreError> {
        let number = |at: Option<Timestamp>| at.map(|at| first_since(db, table, at)).transpose();
        let (first, end) = (number(self.from)?.unwrap_or(0), number(self.until)?.unwrap_or(i64::MAX));
        let (limit, ascending) = (self.limit, self.oldest_first);
        Ok(match self.after {
            Some(last) if ascending => Bounds { first: first.max(last.saturating_add(1)), end, limit, ascending },
            Some(last) => Bounds { first, end: end.min(last), limit, ascending },
            None => Bounds { first, end, limit, ascending },
        })
    }
}

impl Bounds {
    /// The end of a statement for one run: its last two parameters are `first` and `end`. Few different numbers are
    /// written out, since SQLite plans a statement anew each time a LIMIT is bound.
    pub fn tail(self, number: &str, first: usize) -> String {
        let (second, limit) = (first + 1, u64::from(self.limit).next_power_of_two());
        let order = if self.ascending { "ASC" } else { "DESC" };
        format!("{number} >= ?{first} AND {number} < ?{second} ORDER BY {number} {order} LIMIT {limit}")
    }

    /// The first numbers of the runs of hosts in states, by a statement for one of them.
    pub fn of_runs(
        self,
        db: &Connection,
        text: &str,
        hosts: &[HostId],
        letters: &[&str],
    ) -> Result<Vec<i64>, StoreError> {
        let (mut page, mut rest) = (Vec::new(), self);
        for host in hosts {
            for letter in letters {
                let found = numbers(db, text, params![host, letter, rest.first, rest.end])?;
                if !found.is_empty() {
                    page.extend(found);
                    page = self.merge(page);
                    rest = self.before_last_of(&page);
                }
            }
        }
        Ok(page)
    }

    /// What further runs can add to a page: once it is full, only what comes before its last.
    fn before_last_of(self, page: &[i64]) -> Self {
        match page.last() {
            Some(last) if page.len() == self.limit as usize && self.ascending => Self { end: *last, ..self },
            Some(last) if page.len() == self.limit as usize => Self { first: last + 1, ..self },
            _ => self,
        }
    }

    /// The first numbers of all runs together.
    pub fn merge(self, found: Vec<i64>) -> Vec<i64> {
        let mut found = self.in_order(found);
        found.truncate(self.limit as usize);
        found
    }

    /// Numbers that are within, in the order of the list, each once.
    pub fn in_order(self, mut found: Vec<i64>) -> Vec<i64> {
        found.retain(|number| (self.first..self.end).contains(number));
        found.sort_unstable();
        found.dedup();
        if !self.ascending {
            found.reverse();
        }
        found
    }
}

/// The numbers that a statement finds.
pub fn numbers(db: &Connection, text: &str, values: impl Params) -> Result<Vec<i64>, StoreError> {
    let mut statement = db.prepare_cached(text)?;
    let rows = statement.query_map(values, |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Where in a table what was made at a time begins: no row with this number or a larger one was made before, as far as the
/// clock went forwards. Found by halving, since an index over the times of a large table costs each order a write.
fn first_since(db: &Connection, table: Table, at: Timestamp) -> Result<i64, StoreError> {
    let ends = ends_text(table);
    let (mut low, mut high): (i64, i64) =
        db.prepare_cached(&ends)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut statement = db.prepare_cached(&probe_text(table))?;
    while low < high {
        let middle = low + (high - low) / 2;
        let mut rows = statement.query(params![middle, high])?;
        match rows.next()? {
            Some(row) if row.get::<_, i64>(1)? < at.0 => low = row.get::<_, i64>(0)? + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// The first number, and one behind the last: each for itself, since SQLite would read the whole table for both at once.
pub(super) fn ends_text(table: Table) -> String {
    let (name, number, _) = table.columns();
    format!(
        "SELECT coalesce((SELECT min({number}) FROM {name}), 0), coalesce((SELECT max({number}) FROM {name}), 0) + 1"
    )
}

/// The first row at or behind a number.
pub(super) fn probe_text(table: Table) -> String {
    let (name, number, made_at) = table.columns();
    format!("SELECT {number}, {made_at} FROM {name} WHERE {number} >= ? AND {number} < ? ORDER BY {number} LIMIT 1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db;

    #[test]
    fn where_a_time_begins_is_found_whatever_rows_are_missing() {
        let db = db::blank(db::known_migrations().last().unwrap().0).unwrap();
        for id in [3, 4, 9, 20, 21] {
            let sql =
                "INSERT INTO audit_log (id, at, actor, noun, noun_id, change) VALUES (?1, ?1 * 10, '', '', '', '')";
            db.execute(sql, [id]).unwrap();
        }
        for at in [0, 30, 31, 35, 90, 91, 199, 200, 210, 211, 999] {
            let first = first_since(&db, Table::Changes, Timestamp(at)).unwrap();
            let found = numbers(&db, "SELECT id FROM audit_log WHERE id >= ? ORDER BY id", [first]).unwrap();
            let expected: Vec<i64> = [3, 4, 9, 20, 21].into_iter().filter(|id| id * 10 >= at).collect();
            assert_eq!(found, expected, "{at}");
        }
    }

    #[test]
    fn runs_are_merged_to_the_newest_without_doubles() {
        let bounds = Bounds { first: 0, end: 10, limit: 3, ascending: false };
        assert_eq!(bounds.merge(vec![1, 5, 9, 9, 2, 10]), [9, 5, 2]);
        assert_eq!(Bounds { ascending: true, ..bounds }.merge(vec![1, 5, 9, 9, 2, 10]), [1, 2, 5]);
    }

    #[test]
    fn a_full_page_leaves_of_further_runs_what_comes_before_its_last() {
        let bounds = Bounds { first: 0, end: 10, limit: 2, ascending: false };
        assert_eq!(bounds.before_last_of(&[9]), bounds);
        assert_eq!(bounds.before_last_of(&[9, 4]), Bounds { first: 5, ..bounds });
        let ascending = Bounds { ascending: true, ..bounds };
        assert_eq!(ascending.before_last_of(&[1, 4]), Bounds { end: 4, ..ascending });
    }
}
