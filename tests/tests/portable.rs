//! Distances, starts and the engine ask nothing of the system: no clock, no files, no network, and no thread but where one may be
//! had. So they can be compiled to WebAssembly.

use std::fs;
use std::path::Path;

/// Rooms that compute, and what they stand on.
const ROOMS: [&str; 5] = ["miscela-kernel", "miscela-linalg", "miscela-distance", "miscela-init", "miscela-em"];

/// What the system would have to give.
const ASKS: [&str; 9] = [
    "std::time",
    "Instant",
    "SystemTime",
    "std::fs",
    "std::net",
    "std::io",
    "std::process",
    "thread::spawn",
    "from_entropy",
];

/// The one file that reads ahead on a thread of its own, where the feature `rayon` says that there may be threads.
const READS_AHEAD: &str = "streamed.rs";

fn each_source(folder: &Path, see: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_source(&path, see);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            // Tests may ask for what they like.
            let text = fs::read_to_string(&path).unwrap();
            see(&path, text.split("#[cfg(test)]").next().unwrap());
        }
    }
}

#[test]
fn rooms_that_compute_ask_nothing_of_the_system() {
    let mut seen = 0;
    for room in ROOMS {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(room).join("src");
        each_source(&source, &mut |path, text| {
            seen += 1;
            for ask in ASKS {
                assert!(!text.contains(ask), "{} asks for {ask}", path.display());
            }
            let threads = text.contains("std::thread") || text.contains("thread::scope");
            let may = path.ends_with(READS_AHEAD) && text.contains(r#"cfg!(not(feature = "rayon"))"#);
            assert!(!threads || may, "{} starts threads", path.display());
        });
    }
    assert!(seen > 100, "{seen} files");
}
