//! The same rows in every format that a table may have.

use crate::run::{Folder, clusters, without_seconds};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Command;

fn packed(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

/// Rows of two `f32` columns as NPY.
fn npy(csv: &str) -> Vec<u8> {
    let numbers: Vec<f32> = csv.lines().skip(1).flat_map(|line| line.split(',')).map(|x| x.parse().unwrap()).collect();
    let shape = format!("({}, 2)", numbers.len() / 2);
    let header = format!("{:<117}\n", format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"));
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(118u16.to_le_bytes());
    bytes.extend(header.as_bytes());
    numbers.iter().for_each(|x| bytes.extend(x.to_le_bytes()));
    bytes
}

fn fitted(folder: &Folder, data: &str, input: &str) -> Value {
    without_seconds(folder.run_with_input(&format!("fit {data} -m gmm -k 3 --json"), input.as_bytes()).json())
}

#[test]
fn text_in_every_dress_gives_the_same() {
    let (folder, csv) = (Folder::with_data(), clusters());
    let expected = fitted(&folder, "data.csv", "");
    let tsv = csv.replace(',', "\t");
    folder.write("data.tsv", &tsv);
    folder.write("data.csv.gz", packed(&csv));
    folder.write("data.tsv.gz", packed(&tsv));
    folder.write("bare.csv", csv.lines().skip(1).map(|line| format!("{line}\r\n")).collect::<String>());
    folder.write("semicolons.csv", csv.replace(',', ";"));
    for data in ["data.tsv", "data.csv.gz", "data.tsv.gz", "bare.csv", "semicolons.csv"] {
        assert_eq!(fitted(&folder, data, ""), expected, "{data}");
    }
    assert_eq!(fitted(&folder, "-", &csv), expected);
}

#[test]
fn arrays_keep_their_type() {
    let folder = Folder::new();
    folder.write("data.npy", npy(&clusters()));
    let answer = fitted(&folder, "data.npy", "");
    assert_eq!((&answer["dtype"], &answer["n_samples"]), (&json!("f32"), &json!(60)));
    assert_eq!(fitted(&folder, "data.npy --dtype f64", "")["dtype"], json!("f64"));
    folder.ok("fit data.npy -k 3 -o m.json --labels labels.npy");
    assert_eq!(folder.json("info m.json")["feature_names"], json!(["x0", "x1"]));
    // The model's type wins.
    folder.write("data.csv", clusters());
    let by_name = folder.ok("predict m.json data.csv --columns length,width");
    assert_eq!(folder.ok("predict m.json data.npy"), by_name);
    // A partition may be an array too.
    let again = folder.json("fit data.npy --init-labels labels.npy --max-iter 0");
    assert_eq!(again["sizes"], json!([20, 20, 20]));
}

#[test]
fn standard_input_serves_every_command_that_reads_a_table() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -k 3 -o m.json --labels labels.csv");
    let input = clusters();
    let run = |arguments: &str| folder.run_with_input(arguments, input.as_bytes()).done();
    assert_eq!(run("predict m.json -"), folder.read("labels.csv"));
    assert_eq!(run("score m.json - --json"), folder.ok("score m.json data.csv --json"));
    // Other names, so that the input is gone through twice.
    let bare = input.replace("length", "l").replace("width", "w");
    let labels = folder.run_with_input("predict m.json - --quiet", bare.as_bytes()).done();
    assert_eq!(labels, folder.read("labels.csv"));
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -m gmm -k 2 -o m.json");
    leaves_quietly(&folder, "sample m.json -n 100000 --json");
    leaves_quietly(&folder, "sample m.json -n 100000");
}

#[cfg(unix)]
fn leaves_quietly(folder: &Folder, arguments: &str) {
    let line = format!("'{}' {arguments} | head -c 1; echo ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_miscela"));
    let output = Command::new("bash").args(["-c", &line]).current_dir(folder.path("")).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!((&stdout[1..], &*stderr), ("0\n", ""), "{arguments}");
}
