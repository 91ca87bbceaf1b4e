//! Translation between SQLite's values and the domain's enums; ids, times and amounts bring theirs along.

/// Reads an enum from its stored name; a name that the code does not know is a conversion error of
/// the column, never a guess.
pub fn named<T>(row: &rusqlite::Row<'_>, column: &str, parse: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let index = row.as_ref().column_index(column)?;
    let text = row.get_ref(index)?.as_str().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, Box::new(error))
    })?;
    parse(text).ok_or_else(|| {
        let error = format!("unknown value {text:?} in column {column}");
        rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, error.into())
    })
}
