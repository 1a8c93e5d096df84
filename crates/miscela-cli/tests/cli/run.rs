//! Runs the real command in a folder of its own.

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A folder in which the command is run.
pub(crate) struct Folder(TempDir);

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A folder with three clear clusters in `data.csv`: columns `length,width`, 60 rows.
    pub(crate) fn with_data() -> Self {
        let folder = Self::new();
        folder.write("data.csv", clusters());
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names of the files, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs `miscela` with the words of `arguments`.
    pub(crate) fn run(&self, arguments: &str) -> Run {
        self.run_with_input(arguments, b"")
    }

    pub(crate) fn run_with_input(&self, arguments: &str, input: &[u8]) -> Run {
        let mut child = Command::new(env!("CARGO_BIN_EXE_miscela"))
            .args(arguments.split_whitespace())
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The command may end before it has read all.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Run {
            code: output.status.code().expect("no signal"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs what must go well, and gives standard output.
    pub(crate) fn ok(&self, arguments: &str) -> String {
        self.run(arguments).done()
    }

    /// Runs what must go well with `--json`.
    pub(crate) fn json(&self, arguments: &str) -> Value {
        self.run(&format!("{arguments} --json")).json()
    }

    /// Runs what must fail with `code` and one sentence that has all of `words`, and must write nothing.
    pub(crate) fn fails(&self, arguments: &str, code: i32, words: &[&str]) {
        let before = self.files();
        let run = self.run(arguments);
        assert_eq!(run.code, code, "{arguments}: {run:?}");
        assert_eq!(run.stdout, "", "{arguments}");
        assert!(run.stderr.starts_with("error: "), "{arguments}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{arguments}: {}", run.stderr);
        for word in words {
            assert!(run.stderr.contains(word), "{arguments}: {word:?} is not in {}", run.stderr);
        }
        assert_eq!(self.files(), before, "{arguments} left something behind");
    }
}

impl Run {
    pub(crate) fn done(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{self:?}");
        self.stdout
    }

    pub(crate) fn json(self) -> Value {
        let text = self.done();
        assert_eq!(text.lines().count(), 1, "{text}");
        serde_json::from_str(&text).unwrap()
    }
}

/// The same answer but for the time it took.
pub(crate) fn without_seconds(mut answer: Value) -> Value {
    answer.as_object_mut().unwrap().remove("seconds");
    answer
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// Three clusters of twenty rows, around (0, 0), (10, 0) and (0, 10).
pub(crate) fn clusters() -> String {
    let mut text = String::from("length,width\n");
    for i in 0..60 {
        let (x, y) = [(0.0, 0.0), (10.0, 0.0), (0.0, 10.0)][i % 3];
        let spread = |step: f64| ((i as f64) * step).sin();
        text += &format!("{},{}\n", x + spread(1.7), y + spread(2.9));
    }
    text
}
