//! Names of columns.

/// `x0`, `x1`, … for columns that were given none.
pub(crate) fn default_names(columns: usize) -> Vec<String> {
    (0..columns).map(|j| format!("x{j}")).collect()
}
