//! Tables that do not fit in memory, and fits that are left and gone on with.

use crate::run::{Folder, without_seconds};
use miscela_table::{read_labels, write_array};
use ndarray::Array2;
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// So little that everything is read in chunks, and so much that nothing is.
const CHUNKS: &str = "--memory 100 --quiet";
const AT_ONCE: &str = "--memory 100G --quiet";

/// Rows about some centres, the same in each format: columns a, b, c.
fn folder(rows: usize) -> Folder {
    let folder = Folder::new();
    let table = Array2::from_shape_fn((rows, 3), |(i, j)| {
        let noise = ((i * 7919 + j * 104_729) as f64 * 0.618_033_988_749_894_9).fract();
        (i % 5 * (j + 3) % 7) as f64 + 2.0 * noise
    });
    for name in ["t.csv", "t.csv.gz", "t.parquet", "t.arrow"] {
        write_array(folder.path(name), &["a", "b", "c"], table.view()).unwrap();
    }
    write_array(folder.path("t.npy"), &["x0", "x1", "x2"], table.view()).unwrap();
    std::fs::create_dir(folder.path("parts")).unwrap();
    for part in 0..3 {
        let rows = (rows * part / 3..rows * (part + 1) / 3).into();
        let path = folder.path(&format!("parts/{part}.parquet"));
        write_array(path, &["a", "b", "c"], table.slice_axis(ndarray::Axis(0), rows)).unwrap();
    }
    folder.write("start.csv", "a,b,c\n0,0,0\n1,2,3\n4,4,4\n6,1,5\n");
    folder
}

/// Where two answers agree to rounding.
fn close(a: &Value, b: &Value) {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).for_each(|(a, b)| close(a, b));
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-9 * (1.0 + a.abs()), "{a} and {b}");
        }
        _ => assert_eq!(a, b),
    }
}

#[test]
fn a_table_read_in_chunks_gives_the_same_fit_whatever_it_is_kept_in() {
    let folder = folder(2000);
    for method in ["-m kmeans", "-m gmm --covariance diag --tol 1e-6"] {
        let fit = |data: &str, how: &str| folder.json(&format!("fit {data} {method} --init-centers start.csv {how}"));
        let at_once = fit("t.parquet", AT_ONCE);
        assert!(at_once.get("passes").is_none());
        let chunked = fit("t.parquet", CHUNKS);
        assert!(chunked["passes"].as_u64().unwrap() >= chunked["iterations"].as_u64().unwrap());
        for key in ["means", "inertia", "log_likelihood", "iterations", "n_samples", "weights", "sizes"] {
            close(&at_once[key], &chunked[key]);
        }
        for data in ["t.csv", "t.csv.gz", "t.arrow", "t.npy", "parts"] {
            assert_eq!(without_seconds(fit(data, CHUNKS)), without_seconds(chunked.clone()), "{data}");
        }
    }
}

#[test]
fn a_stream_is_labelled_and_scored_as_it_comes() {
    let folder = folder(2000);
    for method in ["-m kmeans", "-m gmm"] {
        folder.ok(&format!("fit t.parquet {method} -k 4 -o m.json {AT_ONCE} --labels fit.csv"));
        folder.ok(&format!("predict m.json t.parquet {AT_ONCE} -o once.csv"));
        for labels in ["chunks.csv", "chunks.parquet", "chunks.arrow"] {
            folder.ok(&format!("predict m.json parts {CHUNKS} -o {labels}"));
            assert_eq!(read_labels(folder.path(labels)).unwrap(), read_labels(folder.path("once.csv")).unwrap());
        }
        assert_eq!(folder.ok(&format!("predict m.json t.csv {CHUNKS}")), folder.read("once.csv"));
        let score = |how: &str| folder.json(&format!("score m.json t.parquet {how}"));
        let (at_once, chunked) = (score(AT_ONCE), score(CHUNKS));
        for (key, value) in at_once.as_object().unwrap() {
            close(value, &chunked[key]);
        }
        folder.ok(&format!("fit t.parquet {method} --init-model m.json --max-iter 0 {CHUNKS} --labels again.csv"));
        assert_eq!(folder.read("again.csv"), folder.read("once.csv"));
    }
    let proba = |how: &str| folder.ok(&format!("predict m.json t.arrow --proba --log-density {how}"));
    assert_eq!(proba(CHUNKS), proba(AT_ONCE));
}

#[test]
fn values_may_be_missing_in_a_stream() {
    let folder = folder(0);
    let row = |i: usize| {
        let noise = |j: usize| ((i * 7919 + j * 104_729) as f64 * 0.618_033_988_749_894_9).fract();
        let value = |j: usize| {
            if i < 900 && (i * 5 + j).is_multiple_of(7) {
                String::new()
            } else {
                format!("{}", noise(j) + (i % 3 * 4) as f64)
            }
        };
        (0..3).map(value).collect::<Vec<_>>().join(",")
    };
    let rows: Vec<String> = (0..1500).map(row).collect();
    folder.write("gaps.csv", format!("a,b,c\n{}\n", rows.join("\n")));
    for method in ["-m kmeans", "-m gmm"] {
        let fit = |how: &str| {
            folder.json(&format!("fit gaps.csv {method} --init-centers start.csv --missing marginal {how}"))
        };
        let (at_once, chunked) = (fit(AT_ONCE), fit(CHUNKS));
        for key in ["means", "inertia", "log_likelihood", "iterations", "n_samples", "weights", "sizes"] {
            close(&at_once[key], &chunked[key]);
        }
        let fit = format!("fit gaps.csv {method} -k 3 --missing marginal -o m.json");
        folder.ok(&format!("{fit} {AT_ONCE} --labels fit.csv"));
        assert_eq!(folder.ok(&format!("predict m.json gaps.csv {CHUNKS}")), folder.read("fit.csv"));
        let score = |how: &str| folder.json(&format!("score m.json gaps.csv {how}"));
        let (at_once, chunked) = (score(AT_ONCE), score(CHUNKS));
        for (key, value) in at_once.as_object().unwrap() {
            close(value, &chunked[key]);
        }
        // A checkpoint is of rows with gaps too.
        folder.ok(&format!("{fit} {CHUNKS} --checkpoint c --checkpoint-every 0 --labels again.csv"));
    }
    folder.fails(&format!("fit gaps.csv -k 3 {CHUNKS}"), 1, &["gaps.csv", "line 2", "\"a\"", "missing value"]);
}

#[test]
fn a_selection_may_be_of_a_stream() {
    let folder = folder(2000);
    for call in ["-k 1..4 --covariance full,tied,diag --tol 1e-6", "-m kmeans -k 2..5 --references 3"] {
        let select = |how: &str| folder.json(&format!("select t.parquet {call} {how}"));
        let (at_once, chunked) = (select(AT_ONCE), select(CHUNKS));
        assert_eq!(at_once["best"]["n_clusters"], chunked["best"]["n_clusters"]);
        assert_eq!(at_once["best"]["covariance"], chunked["best"]["covariance"]);
        let (at_once, chunked) = (at_once["table"].as_array().unwrap(), chunked["table"].as_array().unwrap());
        assert_eq!(at_once.len(), chunked.len());
        if call.starts_with("-k") {
            for (a, b) in at_once.iter().zip(chunked) {
                let bic = |row: &Value| row["bic"].as_f64().unwrap();
                assert!((bic(a) - bic(b)).abs() < 1e-3 * bic(a).abs(), "{a} {b}");
            }
        }
    }
    let run = folder.run("select t.csv -k 1..2 --covariance tied --memory 1K -o best.json");
    assert_eq!((run.code, run.stderr.lines().count()), (0, 1), "{}", run.stderr);
    assert!(folder.path("best.json").exists() && run.stdout.contains("2000 rows"), "{}", run.stdout);
}

#[test]
fn that_a_table_is_read_in_chunks_is_said_in_one_line() {
    let folder = folder(500);
    let run = folder.run("fit t.parquet -k 2 --memory 1K");
    assert_eq!((run.code, run.stderr.lines().count()), (0, 1), "{}", run.stderr);
    assert!(
        run.stderr.contains("t.parquet would take about 11.7 KB of memory, more than the 1.0 KB"),
        "{}",
        run.stderr
    );
    assert_eq!(folder.run("fit t.parquet -k 2 --memory 12K").stderr, "");
    // What needs all rows says so, and leaves nothing behind.
    let all = "needs all rows";
    folder.fails(&format!("fit t.csv -m bisecting -k 3 {CHUNKS} -o m.json"), 1, &["t.csv", "bisecting k-means", all]);
    folder.fails(&format!("fit t.csv -m gmm -k 3 --bayesian dirichlet {CHUNKS}"), 1, &["t.csv", "Bayesian", all]);
    folder.fails(&format!("fit t.csv -k 3 --metric l1 {CHUNKS}"), 1, &["t.csv", all]);
    folder.fails(&format!("fit t.csv -k 3 --trim 0.1 {CHUNKS} --labels l.csv"), 1, &["t.csv", "trimming", all]);
    folder.fails(&format!("select t.csv -k 1..3 --criterion held-out {CHUNKS}"), 1, &["t.csv", "held out", all]);
    folder.fails("fit t.csv -k 3 --memory lots", 2, &["--memory", "512M"]);
    folder.fails("fit t.csv -k 3 --checkpoint-every 3", 2, &["--checkpoint"]);
}

#[test]
fn an_error_in_a_late_part_names_it_and_leaves_nothing() {
    let folder = folder(300);
    let bad = Array2::from_shape_fn((4, 3), |(i, j)| if (i, j) == (2, 1) { f64::NAN } else { 1.0 });
    write_array(folder.path("parts/7.parquet"), &["a", "b", "c"], bad.view()).unwrap();
    let words = ["parts/7.parquet", "row group 0", "row 2", "\"b\""];
    folder.fails(&format!("fit parts -k 3 {CHUNKS} -o m.json --labels l.csv"), 1, &words);
    folder.fails("fit parts -k 3 -o m.json --labels l.csv", 1, &words);
    folder.ok("fit t.csv -k 3 -o m.json --quiet");
    folder.fails(&format!("predict m.json parts {CHUNKS} -o l.csv"), 1, &words);
}

const LONG: &str = "-m gmm -k 6 --tol 0 --max-iter 60 --init random --checkpoint c --checkpoint-every 0";

/// What a fit comes to, without what an interruption changes: seconds, passes, and the command.
fn outcome(folder: &Folder, model: &str) -> Value {
    let mut model: Value = serde_json::from_str(&folder.read(model)).unwrap();
    let report = model["report"].as_object_mut().unwrap();
    report.remove("seconds");
    report.remove("passes");
    report.remove("provenance");
    model
}

#[test]
fn a_fit_that_is_killed_goes_on_and_ends_with_the_same_bits() {
    let folder = folder(20_000);
    for how in [CHUNKS, AT_ONCE] {
        let fit = format!("fit t.npy {LONG} {how}");
        folder.ok(&format!("{fit} -o whole.json"));
        assert!(!folder.path("c").exists(), "a checkpoint of a fit that is done is of no use");
        let start = Instant::now();
        folder.ok(&format!("{fit} -o whole.json"));
        let whole = start.elapsed();
        let mut killed = 0;
        for attempt in 1.. {
            let mut child = Command::new(env!("CARGO_BIN_EXE_miscela"))
                .args(format!("{fit} -o killed.json").split_whitespace())
                .current_dir(folder.path("."))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            if attempt <= 3 {
                // As soon as it has got somewhere, however slow the machine is.
                let before = std::fs::read(folder.path("c")).ok();
                while std::fs::read(folder.path("c")).ok() == before && child.try_wait().unwrap().is_none() {}
            } else {
                // Moments all over the fit, later ones the more there were, so that it ends.
                let part = (f64::from(attempt) * 0.618_033_988_749_894_9).fract() + f64::from(attempt) / 20.0;
                std::thread::sleep(whole.mul_f64(part.min(20.0) / 8.0));
            }
            let _ = child.kill();
            if child.wait().unwrap().success() {
                break;
            }
            killed += 1;
        }
        assert!(killed >= 3, "killed {killed} times");
        assert_eq!(outcome(&folder, "killed.json"), outcome(&folder, "whole.json"), "{how}");
        assert!(folder.files().iter().all(|name| name != "c"));
        std::fs::remove_file(folder.path("killed.json")).unwrap();
    }
    // A checkpoint of another fit is refused.
    folder.ok(&format!("fit t.npy {LONG} {CHUNKS} --time-limit 1e-6 -o early.json"));
    assert!(folder.path("c").exists());
    folder.fails("fit t.npy -k 3 --checkpoint c --quiet", 1, &["checkpoint", "another fit"]);
}

#[test]
fn a_time_limit_keeps_what_there_is() {
    let folder = folder(2000);
    for how in [CHUNKS, AT_ONCE] {
        for method in ["-m kmeans", "-m gmm"] {
            let fit = folder.json(&format!("fit t.npy {method} -k 5 --tol 0 --time-limit 1e-6 {how}"));
            assert_eq!((fit["termination"].as_str(), fit["iterations"].as_u64()), (Some("time-limit"), Some(1)));
            assert_eq!(fit["converged"], Value::Bool(false));
        }
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_the_model_and_the_fit_can_be_gone_on_with() {
    let folder = folder(50_000);
    let fit = "fit t.npy -m gmm -k 8 --tol 0 --max-iter 150 --checkpoint c --checkpoint-every 0";
    for signal in ["-INT", "-TERM"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_miscela"))
            .args(format!("{fit} -o m.json --json").split_whitespace())
            .current_dir(folder.path("."))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Once it has got somewhere, and long before it ends.
        while !folder.path("c").exists() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        let answer: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(answer["termination"], "interrupted", "{stderr}");
        assert!(stderr.contains("interrupted: this pass is the last"), "{stderr}");
        assert!(folder.path("c").exists() && folder.path("m.json").exists());
        folder.ok(&format!("{fit} -o resumed.json --quiet"));
        folder.ok(&format!("{fit} -o whole.json --quiet"));
        assert_eq!(outcome(&folder, "resumed.json"), outcome(&folder, "whole.json"));
    }
}
