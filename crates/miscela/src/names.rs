//! Names of columns.

/// `x0`, `x1`, … for columns that were given none.
pub(crate) fn default_names(columns: usize) -> Vec<String> {
    (0..columns).map(|j| format!("x{j}")).collect()
}

/// The names in a document, if there is one a column.
pub(crate) fn checked(names: Vec<String>, columns: usize) -> Result<Vec<String>, miscela_persist::PersistError> {
    let (expected, got) = (columns, names.len());
    if expected == got {
        return Ok(names);
    }
    Err(miscela_persist::PersistError::Shape { field: "feature_names".into(), expected, got })
}
