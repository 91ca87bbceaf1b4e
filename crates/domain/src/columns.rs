//! How the types are written in columns of SQLite; only with feature `rusqlite`. The statements are in the
//! shop's store: these are here because only a type's own crate may say it.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use uuid::Uuid;

use crate::id::{HostId, NodeId, OperatorId, OrderId, ProductId};
use crate::lightning::PaymentHash;
use crate::money::Msat;
use crate::texts::OrderMessage;
use crate::time::Timestamp;

macro_rules! uuid_column {
    ($($name:ident),*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
            }
        }
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Uuid::from_slice(value.as_blob()?).map(Self).map_err(|error| FromSqlError::Other(Box::new(error)))
            }
        }
    )*};
}
uuid_column!(HostId, NodeId, OrderId, ProductId);

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

impl ToSql for OrderMessage {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.stored().into())
    }
}

impl FromSql for OrderMessage {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str().map(Self::parse)
    }
}

impl ToSql for OperatorId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for OperatorId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

impl ToSql for Msat {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_db().into())
    }
}

impl FromSql for Msat {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self::from_db)
    }
}

impl ToSql for PaymentHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for PaymentHash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 32]>::try_from(value.as_blob()?).map(Self).map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use rusqlite::Connection;

    use super::*;

    /// What a value is after it was written, and the type of its column.
    fn written<T: ToSql + FromSql>(value: &T) -> (T, String) {
        let db = Connection::open_in_memory().unwrap();
        db.query_row("SELECT ?1, typeof(?1)", [value], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    }

    fn is_read_again<T: ToSql + FromSql + PartialEq + Debug>(value: &T, column: &str) {
        let (read, kind) = written(value);
        assert_eq!((&read, kind.as_str()), (value, column));
    }

    #[test]
    fn what_was_written_in_a_column_is_read_again_as_the_same() {
        let id = Uuid::from_u128(7);
        is_read_again(&HostId(id), "blob");
        is_read_again(&NodeId(id), "blob");
        is_read_again(&OrderId(id), "blob");
        is_read_again(&ProductId(id), "blob");
        is_read_again(&OperatorId(-7), "integer");
        is_read_again(&Timestamp(1_795_000_000_123), "integer");
        is_read_again(&Msat(25_000), "integer");
        is_read_again(&PaymentHash([9; 32]), "blob");
        is_read_again(&OrderMessage::DeliveredLate(361), "text");
        is_read_again(&OrderMessage::Free("Warning: something of old.".to_owned()), "text");
    }

    #[test]
    fn what_is_of_another_length_or_type_is_no_value() {
        let db = Connection::open_in_memory().unwrap();
        fn read<T: FromSql>(db: &Connection, sql: &str) -> Option<T> {
            db.query_row(sql, [], |row| row.get(0)).ok()
        }
        assert_eq!(read::<HostId>(&db, "SELECT x'0102'"), None);
        assert_eq!(read::<PaymentHash>(&db, "SELECT x'0102'"), None);
        assert_eq!(read::<Timestamp>(&db, "SELECT 'now'"), None);
        assert_eq!(read::<OrderMessage>(&db, "SELECT 1"), None);
        assert_eq!(read::<Msat>(&db, "SELECT -1"), Some(Msat(0)), "what no CHECK lets in");
    }
}
