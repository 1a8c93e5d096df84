//! Columns of text side by side.

use std::fmt;

/// Writes columns of cells, all as many as in the first, which is aligned to the left and the others to the right.
pub(crate) fn write_aligned(f: &mut fmt::Formatter, columns: &[Vec<String>]) -> fmt::Result {
    let width = |column: &Vec<String>| column.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = columns.iter().map(width).collect();
    for line in 0..columns[0].len() {
        write!(f, "{:<width$}", columns[0][line], width = widths[0])?;
        for (column, width) in columns.iter().zip(&widths).skip(1) {
            write!(f, "  {:>width$}", column[line])?;
        }
        writeln!(f)?;
    }
    Ok(())
}
