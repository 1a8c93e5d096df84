//! Why a command failed, and the exit code that says whose fault it was.

use miscela_table::TableError;
use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// The data or the model is at fault: whatever needs a file to be seen.
const FAULT: u8 = 1;
/// The call is at fault: whatever the arguments alone show.
const CALL: u8 = 2;

/// Why a command did not finish. Each message is one sentence.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments alone show it.
    Call(String),
    /// A file, its data, or a model is at fault.
    Fault(String),
    /// Whoever read our output has had enough.
    ClosedPipe,
}

impl Failure {
    pub(crate) fn call(sentence: impl Display) -> Self {
        Failure::Call(sentence.to_string())
    }

    pub(crate) fn fault(sentence: impl Display) -> Self {
        Failure::Fault(sentence.to_string())
    }

    /// An error that a file brought about, with the name of the file.
    pub(crate) fn in_file(path: &Path, error: impl Display) -> Self {
        let (file, sentence) = (name_of(path), error.to_string());
        if sentence.contains(&file) { Failure::Fault(sentence) } else { Failure::Fault(format!("{file}: {sentence}")) }
    }

    /// Says what went wrong, on standard error, and with which code to leave.
    pub(crate) fn report(self) -> ExitCode {
        let (sentence, code) = match self {
            Failure::Call(sentence) => (sentence, CALL),
            Failure::Fault(sentence) => (sentence, FAULT),
            Failure::ClosedPipe => return ExitCode::SUCCESS,
        };
        let red = crate::output::ERROR;
        anstream::eprintln!("{red}error:{red:#} {sentence}");
        ExitCode::from(code)
    }
}

/// A file as messages call it.
pub(crate) fn name_of(path: &Path) -> String {
    match path.as_os_str() == miscela_table::STANDARD_STREAM {
        true => "standard input".to_string(),
        false => path.display().to_string(),
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        match error {
            TableError::UnknownEnding { .. } | TableError::NotAvailable { .. } | TableError::ChosenTwice { .. } => {
                Failure::call(error)
            }
            error if error.is_broken_pipe() => Failure::ClosedPipe,
            error => Failure::fault(error),
        }
    }
}

/// Errors of standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ => Failure::Fault(format!("cannot write standard output: {error}")),
        }
    }
}
