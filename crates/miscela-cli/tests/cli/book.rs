//! The commands of the book are run, and print what it shows.
//!
//! Each chapter has a folder of its own with the data sets in `data`. A block of `csv NAME` is a file that is written there, one
//! of `sh` is commands that must go well, and one of `text` right behind it shows what they print: each of its lines is a line of
//! that, in this order; what is left out is left out as whole lines.

use crate::run::Folder;
use std::fs;
use std::path::{Path, PathBuf};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| endings.iter().any(|ending| path.to_string_lossy().ends_with(ending))).collect();
    paths.sort();
    paths
}

/// The code blocks of a chapter: what they are, the lines in them, and whether they follow right behind the one before.
fn blocks(chapter: &str) -> Vec<(String, Vec<&str>, bool)> {
    let mut lines = chapter.lines();
    let (mut blocks, mut follows) = (Vec::new(), false);
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let body = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((kind.to_string(), body, follows));
            follows = true;
        } else if !line.is_empty() {
            follows = false;
        }
    }
    blocks
}

#[test]
fn the_commands_of_the_book_print_what_it_shows() {
    let chapters = files(&repository("book/src"), &[".md"]);
    let mut checked = 0;
    for path in &chapters {
        let (name, text) = (path.display(), fs::read_to_string(path).unwrap());
        let folder = Folder::new();
        fs::create_dir(folder.path("data")).unwrap();
        for file in files(&repository("data"), &[".csv", ".csv.gz"]) {
            fs::copy(&file, folder.path("data").join(file.file_name().unwrap())).unwrap();
        }
        let mut printed: Option<String> = None;
        for (kind, lines, follows) in blocks(&text) {
            if let Some(file) = kind.strip_prefix("csv ") {
                folder.write(file, lines.join("\n") + "\n");
            }
            if kind == "text"
                && follows
                && let Some(printed) = &printed
            {
                let mut rest = printed.lines().map(str::trim_end);
                for line in lines.iter().filter(|line| !line.is_empty()) {
                    assert!(rest.any(|other| other == *line), "{name} shows\n{line}\nand printed is\n{printed}");
                    checked += 1;
                }
            }
            printed = (kind == "sh").then(|| {
                let run = |line: &&str| {
                    let arguments = line.strip_prefix("miscela ").expect("the book runs no other command");
                    let run = folder.run(arguments);
                    assert_eq!(run.code, 0, "{name}, {line}: {}", run.stderr);
                    run.stdout
                };
                lines.iter().map(run).collect::<String>()
            });
        }
    }
    assert!(chapters.len() >= 9 && checked >= 45, "{checked} lines of {} chapters", chapters.len());
}
