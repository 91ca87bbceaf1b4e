//! The change log: who changed what, when. Append-only (triggers refuse anything else).

use std::fmt::Display;

use rusqlite::{Connection, Row, ToSql, params};

use super::db::StoreError;
use super::keyset::{Bounds, Span, Table};
use crate::domain::id::{OrderId, ProductId};
use crate::domain::principal::Principal;
use crate::domain::time::Timestamp;

/// One change.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who, as [`Principal::log_name`] says it.
    pub actor: String,
    /// What kind of thing changed.
    pub noun: String,
    pub noun_id: String,
    /// What changed, in words.
    pub change: String,
}

/// Who answers for a change, and when it is made: what writes to a table with a change log asks for it, so that no change
/// is without its author.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    actor: &'a Principal,
    at: Timestamp,
}

impl<'a> Author<'a> {
    /// The author of a change; services have theirs from the transaction.
    pub const fn new(actor: &'a Principal, at: Timestamp) -> Self {
        Self { actor, at }
    }

    /// When the change is made.
    pub(super) const fn at(self) -> Timestamp {
        self.at
    }
}

/// Adds an entry about anything but an order or a product.
pub fn record(
    db: &Connection,
    author: Author<'_>,
    noun: &str,
    id: impl Display,
    change: &str,
) -> Result<(), StoreError> {
    db.prepare_cached("INSERT INTO audit_log (at, actor, noun, noun_id, change) VALUES (?, ?, ?, ?, ?)")?
        .execute(params![author.at, author.actor.log_name(), noun, id.to_string(), change])?;
    Ok(())
}

/// Adds an entry about an order or its invoice.
pub fn record_order(db: &Connection, author: Author<'_>, order: OrderId, change: &str) -> Result<(), StoreError> {
    record_numbered(db, author, ("order", "purchase_order"), order, None, change)
}

/// What an entry means to a rule that looks for it. The words of an entry are for people alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An active product is to be suspended.
    Suspended,
}

impl Event {
    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
        }
    }
}

/// Adds an entry about a product.
pub fn record_product(db: &Connection, author: Author<'_>, product: ProductId, change: &str) -> Result<(), StoreError> {
    record_numbered(db, author, ("product", "product"), product, None, change)
}

/// Adds an entry about a product that means something to a rule.
pub fn record_product_event(
    db: &Connection,
    author: Author<'_>,
    product: ProductId,
    event: Event,
    change: &str,
) -> Result<(), StoreError> {
    record_numbered(db, author, ("product", "product"), product, Some(event), change)
}

/// With the running number of what it is about, which is in a table; its id there need not be repeated in each
/// entry.
fn record_numbered(
    db: &Connection,
    author: Author<'_>,
    (noun, table): (&str, &str),
    id: impl Display + ToSql,
    event: Option<Event>,
    change: &str,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO audit_log (at, actor, noun, noun_id, noun_seq, change, event) \
         SELECT ?1, ?2, '{noun}', '', seq, ?4, ?5 FROM {table} WHERE id = ?3"
    );
    let values = params![author.at, author.actor.log_name(), id, change, event.map(Event::name)];
    match db.prepare_cached(&sql)?.execute(values)? {
        1 => Ok(()),
        _ => Err(StoreError::Broken(format!("there is no {noun} {id} to note a change of"))),
    }
}

/// Which entries are about an order, a product or something else, each with its index.
pub(super) const OF_ORDER: &str = "noun = 'order' AND noun_seq = (SELECT seq FROM purchase_order WHERE id = ?)";
pub(super) const OF_PRODUCT: &str = "noun = 'product' AND noun_seq = (SELECT seq FROM product WHERE id = ?)";
pub(super) const OF_OTHER: &str = "noun_seq IS NULL AND noun_id = ?";

/// Everything that happened to one thing that is neither an order nor a product, oldest first.
pub fn of(db: &Connection, id: &str) -> Result<Vec<Entry>, StoreError> {
    entries(db, OF_OTHER, id)
}

/// Everything that happened to an order and its invoice, oldest first.
pub fn of_order(db: &Connection, order: OrderId) -> Result<Vec<Entry>, StoreError> {
    entries(db, OF_ORDER, order)
}

/// Everything that happened to a product, oldest first.
pub fn of_product(db: &Connection, product: ProductId) -> Result<Vec<Entry>, StoreError> {
    entries(db, OF_PRODUCT, product)
}

/// The query for entries that are `about` something.
pub(super) fn text(about: &str) -> String {
    format!("SELECT at, actor, noun, change FROM audit_log WHERE {about} ORDER BY id")
}

fn entries(db: &Connection, about: &str, id: impl ToSql + Display) -> Result<Vec<Entry>, StoreError> {
    let mut statement = db.prepare_cached(&text(about))?;
    let noun_id = id.to_string();
    let rows = statement.query_map([id], |row| {
        let noun_id = noun_id.clone();
        Ok(Entry { at: row.get(0)?, actor: row.get(1)?, noun: row.get(2)?, noun_id, change: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Who is a person: the condition of their index, word for word.
const PERSON: &str = "(actor >= 'cli' AND actor < 'clj' OR actor >= 'operator:' AND actor < 'operator;')";

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those about this kind of thing.
    pub noun: Option<String>,
    /// Only those of this person, as the log names them.
    pub person: Option<String>,
    /// Which part of the list.
    pub span: Span,
}

/// Entries with their numbers, newest first.
pub fn list(db: &Connection, wanted: &Wanted) -> Result<Vec<(i64, Entry)>, StoreError> {
    let bounds = wanted.span.bounds(db, Table::Changes)?;
    let mut statement = db.prepare_cached(&list_text(wanted, bounds))?;
    let values = params![bounds.first, bounds.end, wanted.noun, wanted.person];
    let given =
        2 + usize::from(wanted.noun.is_some() || wanted.person.is_some()) + usize::from(wanted.person.is_some());
    let rows = statement.query_map(rusqlite::params_from_iter(values.iter().take(given)), listed)?;
    let mut found: Vec<_> = rows.collect::<Result<_, _>>()?;
    found.truncate(wanted.span.limit as usize);
    Ok(found)
}

fn listed(row: &Row<'_>) -> rusqlite::Result<(i64, Entry)> {
    let id: Option<Vec<u8>> = row.get("thing")?;
    let id = id.and_then(|bytes| uuid::Uuid::from_slice(&bytes).ok()).map(|id| id.to_string());
    let noun_id = id.map_or_else(|| row.get("noun_id"), Ok)?;
    let entry = Entry {
        at: row.get("at")?,
        actor: row.get("actor")?,
        noun: row.get("noun")?,
        noun_id,
        change: row.get("change")?,
    };
    Ok((row.get("id")?, entry))
}

/// A text for each filter, so that each has the index that fits. Of orders and products most of the log is: there the
/// newest entries are read as they come.
pub(super) fn list_text(wanted: &Wanted, bounds: Bounds) -> String {
    let thing = "CASE noun WHEN 'order' THEN (SELECT o.id FROM purchase_order o WHERE o.seq = noun_seq) \
                 WHEN 'product' THEN (SELECT p.id FROM product p WHERE p.seq = noun_seq) END AS thing";
    let numbered = wanted.noun.as_deref().is_some_and(|noun| matches!(noun, "order" | "product"));
    let noun = match &wanted.noun {
        Some(_) if numbered => "AND noun = ?3 AND noun_seq IS NOT NULL",
        Some(_) if wanted.person.is_some() => "AND noun = ?3",
        Some(_) => "AND noun = ?3 AND noun_seq IS NULL",
        None if wanted.person.is_some() => "AND ?3 IS NULL",
        None => "",
    };
    let person = if wanted.person.is_some() { format!("AND actor = ?4 AND {PERSON}") } else { String::new() };
    let index = match (&wanted.noun, &wanted.person) {
        (Some(_), Some(_)) => "INDEXED BY audit_log_by_person_and_noun",
        (None, Some(_)) => "INDEXED BY audit_log_by_person",
        (Some(_), None) if !numbered => "INDEXED BY audit_log_by_noun",
        _ => "NOT INDEXED",
    };
    let tail = bounds.tail("id", 1).replacen(" ORDER BY", &format!(" {noun} {person} ORDER BY"), 1);
    format!("SELECT id, at, actor, noun, noun_id, change, {thing} FROM audit_log {index} WHERE {tail}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::{self, Db};

    #[test]
    fn what_is_in_the_log_is_neither_changed_nor_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("shop.sqlite3");
        drop(Db::open(&file).unwrap());
        let db = db::writer(&file).unwrap();
        db.pragma_update(None, "foreign_keys", false).unwrap();
        record(&db, Author::new(&Principal::CommandLine(None), Timestamp(1)), "host", "a", "added").unwrap();
        db.execute_batch(
            "INSERT INTO purchase_order (seq, id, product_seq, host_id, kind, status, price, created_at, modified_at) \
             VALUES (1, zeroblob(16), 1, zeroblob(16), 'first', 'I', 0, 0, 0)",
        )
        .unwrap();
        record_order(&db, Author::new(&Principal::Buyer, Timestamp(2)), OrderId(uuid::Uuid::nil()), "I->T").unwrap();
        let columns: Vec<String> = db
            .prepare("SELECT name FROM pragma_table_info('audit_log')")
            .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
            .unwrap();
        assert!(columns.len() >= 8, "{columns:?}");
        let all = columns.join(", ");
        let mut changes: Vec<String> =
            columns.iter().map(|column| format!("UPDATE audit_log SET {column} = {column}")).collect();
        changes.push("UPDATE OR REPLACE audit_log SET id = 3 - id".to_owned());
        changes.push(format!("REPLACE INTO audit_log ({all}) SELECT {all} FROM audit_log"));
        changes.push("DELETE FROM audit_log".to_owned());
        let changes = changes.iter().flat_map(|change| [1, 2].map(|id| format!("{change} WHERE id = {id}")));
        let is_refused = |change: &String| {
            db.execute(change, []).is_err_and(|error| error.to_string().contains("the change log is append-only"))
        };
        let passed: Vec<String> = changes.filter(|change| !is_refused(change)).collect();
        assert!(passed.is_empty(), "{passed:#?}");
        let left: i64 = db.query_row("SELECT count(*) FROM audit_log", [], |row| row.get(0)).unwrap();
        assert_eq!(left, 2);
    }
}
