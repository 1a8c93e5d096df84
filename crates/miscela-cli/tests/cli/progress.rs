//! The bar on standard error: on a terminal, after a second, and gone at the end.

use crate::run::Folder;
use std::process::{Command, Stdio};

/// What a command writes where standard error is a terminal, and its exit code. `script` of util-linux makes one, which every Linux
/// distribution has.
fn on_a_terminal(folder: &Folder, arguments: &str) -> (String, Option<i32>) {
    let command = format!("stty cols 160; exec {} {arguments} > /dev/null", env!("CARGO_BIN_EXE_miscela"));
    let run = Command::new("script")
        .args(["--quiet", "--return", "--flush", "--command", &command, "/dev/null"])
        .current_dir(folder.path(""))
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (String::from_utf8_lossy(&run.stdout).into_owned(), run.status.code())
}

/// So many runs that the time is up before.
const FIT: &str = "-m gmm -k 5 --n-runs 1000000 --tol 0 --max-iter 400 --time-limit 2.5 --threads 1";

#[cfg(target_os = "linux")]
#[test]
fn iterations_are_shown_with_objective_change_and_time_left() {
    let folder = Folder::with_data();
    let (shown, code) = on_a_terminal(&folder, &format!("fit data.csv {FIT}"));
    assert_eq!(code, Some(0), "{shown}");
    for words in [" of 1000000, ", "iteration ", " of at most 400", "objective -", " (+", "at most ", " left"] {
        assert!(shown.contains(words), "{words:?} is not in {shown:?}");
    }
    // The last that is done is to take the line away.
    let last = shown.rsplit("\u{1b}[2K").next().unwrap_or_default();
    assert!(!last.contains("iteration"), "{last:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn selections_show_fits_and_streams_show_passes() {
    let folder = Folder::with_data();
    let select = "select data.csv -k 1..12 --n-runs 60 --threads 1";
    let (shown, code) = on_a_terminal(&folder, select);
    assert_eq!(code, Some(0), "{shown}");
    for words in [" of 168 fits", ", about ", " left"] {
        assert!(shown.contains(words), "{words:?} is not in {shown:?}");
    }
    let (shown, code) = on_a_terminal(&folder, &format!("fit data.csv {FIT} --memory 100"));
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains(", pass "), "{shown:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_shown_to_nobody_nor_to_those_who_want_quiet() {
    let folder = Folder::with_data();
    let (shown, code) = on_a_terminal(&folder, &format!("fit data.csv {FIT} --quiet"));
    assert_eq!((shown.as_str(), code), ("", Some(0)));
    assert_eq!(folder.run(&format!("fit data.csv {FIT}")).stderr, "");
    // Nor for what takes no time.
    assert_eq!(on_a_terminal(&folder, "fit data.csv -k 3").0, "");
}
