//! What a model is told of how it came about, and what it says of that.

use miscela::{Provenance, Report};

/// The command that is running.
pub(crate) fn of_this_command() -> Provenance {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let program = concat!("miscela ", env!("CARGO_PKG_VERSION"));
    Provenance::new(program, ["miscela".to_string()].into_iter().chain(words).collect())
}

/// The command by which a model was made, for a shell, with the version that ran it; none where the model does not say.
pub(crate) fn shown(report: &Report) -> Option<String> {
    let provenance = report.provenance.as_ref().filter(|provenance| !provenance.command.is_empty())?;
    Some(format!("{}  # {}", quoted(&provenance.command), provenance.program))
}

/// Words as a shell takes them.
pub(crate) fn quoted(words: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./,=+:@%".contains(c);
    let word = |word: &String| match !word.is_empty() && word.chars().all(plain) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    };
    words.iter().map(word).collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        let words = ["miscela", "fit", "my data.csv", "it's", "", "-k", "3", "$x"].map(String::from);
        assert_eq!(quoted(&words), "miscela fit 'my data.csv' 'it'\\''s' '' -k 3 '$x'");
    }
}
