//! Which columns of a table are meant.

use crate::TableError;

/// A choice of columns by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Columns {
    /// All, in their order.
    #[default]
    All,
    /// Those named, in the order of the names.
    Only(Vec<String>),
    /// All but those named, in their order.
    Except(Vec<String>),
}

impl Columns {
    /// Those named, in the order of the names.
    pub fn only<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self::Only(names.into_iter().map(Into::into).collect())
    }

    /// All but those named, in their order.
    pub fn except<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self::Except(names.into_iter().map(Into::into).collect())
    }

    /// The places of the chosen columns among `names`; at least one.
    pub(crate) fn resolve(&self, file: &str, names: &[String]) -> Result<Vec<usize>, TableError> {
        let chosen = match self {
            Columns::All => (0..names.len()).collect(),
            Columns::Only(wanted) => places(file, names, wanted)?,
            Columns::Except(unwanted) => {
                let unwanted = places(file, names, unwanted)?;
                (0..names.len()).filter(|j| !unwanted.contains(j)).collect()
            }
        };
        if chosen.is_empty() {
            return Err(TableError::NoColumns { file: file.to_string(), there: names.join(", ") });
        }
        Ok(chosen)
    }
}

fn places<S: AsRef<str>>(file: &str, names: &[String], wanted: &[S]) -> Result<Vec<usize>, TableError> {
    let mut places = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let place = place(file, names, wanted.as_ref())?;
        if places.contains(&place) {
            return Err(TableError::ChosenTwice { column: wanted.as_ref().to_string() });
        }
        places.push(place);
    }
    Ok(places)
}

/// The place of one column.
pub(crate) fn place(file: &str, names: &[String], wanted: &str) -> Result<usize, TableError> {
    names.iter().position(|name| name == wanted).ok_or_else(|| TableError::NoSuchColumn {
        file: file.to_string(),
        column: wanted.to_string(),
        there: names.join(", "),
    })
}

/// `x0, x1, …`: the names of columns that have none.
pub(crate) fn numbered(n: usize) -> Vec<String> {
    (0..n).map(|j| format!("x{j}")).collect()
}

pub(crate) fn refuse_duplicates(file: &str, names: &[String]) -> Result<(), TableError> {
    let mut seen = std::collections::HashMap::with_capacity(names.len());
    for (j, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name, j) {
            return Err(TableError::DuplicateColumn {
                file: file.to_string(),
                column: name.clone(),
                first: first + 1,
                second: j + 1,
            });
        }
    }
    Ok(())
}
