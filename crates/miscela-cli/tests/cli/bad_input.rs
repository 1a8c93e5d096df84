//! Everything that can be wrong: the exit code, one sentence that says where, and nothing written.

use crate::run::Folder;
use std::fs;

#[test]
fn tables_that_are_not_as_they_should_be() {
    let folder = Folder::with_data();
    let cases: [(&str, &[u8], &[&str]); 12] = [
        ("ragged.csv", b"a,b\n1,2\n3\n", &["ragged.csv", "line 3", "1 fields", "2"]),
        ("text.csv", b"a,b\n1,2\n3,four\n", &["text.csv", "line 3", "\"b\"", "four", "--exclude b"]),
        ("names.csv", b"who,a,where\nx,2,y\n", &["names.csv", "line 2", "\"who\", \"where\"", "--exclude who,where"]),
        ("nan.csv", b"a,b\n1,2\nNaN,4\n", &["nan.csv", "line 3", "\"a\"", "NaN"]),
        ("inf.csv", b"a,b\n1,2\n3,4\n5,-inf\n", &["inf.csv", "line 4", "\"b\"", "-inf"]),
        ("missing.csv", b"a,b\n1,\n3,4\n", &["missing.csv", "line 2", "\"b\"", "missing"]),
        ("empty.csv", b"", &["empty.csv", "empty"]),
        ("header.csv", b"a,b\n", &["header.csv", "no rows"]),
        ("twice.csv", b"a,a\n1,2\n3,4\n", &["twice.csv", "\"a\"", "1", "2"]),
        ("torn.csv.gz", b"\x1f\x8b\x08\x00", &["torn.csv.gz"]),
        ("text.npy", b"1,2\n3,4\n", &["text.npy", "NPY"]),
        ("cut.npy", b"\x93NUMPY\x01\x00\x76\x00{'descr'", &["cut.npy", "cut short"]),
    ];
    folder.ok("fit data.csv -k 2 -o m.json");
    for (name, content, words) in cases {
        folder.write(name, content);
        folder.fails(&format!("fit {name} -k 2 -o out.json --labels out.csv"), 1, words);
        folder.fails(&format!("predict m.json {name} -o out.csv"), 1, words);
        folder.fails(&format!("score m.json {name}"), 1, words);
    }
}

/// Some damage makes the decoder of Parquet panic, of which nothing is seen but the one sentence.
#[test]
fn panics_of_decoders_are_one_sentence() {
    let good = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../miscela-table/tests/data/pyarrow.parquet")).unwrap();
    let (folder, mut panicked) = (Folder::new(), 0);
    for flip in (0..good.len()).step_by(97) {
        let mut bytes = good.clone();
        bytes[flip] ^= 0x55;
        folder.write("t.parquet", bytes);
        let run = folder.run("fit t.parquet -k 1 --quiet");
        if run.code != 0 {
            assert_eq!((run.code, run.stderr.lines().count()), (1, 1), "byte {flip}: {}", run.stderr);
            assert!(run.stderr.starts_with("error: "), "byte {flip}: {}", run.stderr);
            panicked += usize::from(run.stderr.contains("the file is damaged"));
        }
    }
    assert!(panicked > 0, "no damage made the decoder panic");
}

#[test]
fn files_that_are_not_there() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -k 2 -o m.json");
    for arguments in [
        "fit no.csv -k 2",
        "fit data.csv --init-centers no.csv",
        "fit data.csv --init-labels no.csv",
        "fit data.csv -k 2 --weights no.csv",
        "predict m.json no.csv",
        "score m.json no.csv",
    ] {
        folder.fails(arguments, 1, &["no.csv", "No such file"]);
    }
    for arguments in [
        "predict no.json data.csv",
        "score no.json data.csv",
        "info no.json",
        "convert no.json -o m.cbor",
        "impute no.json data.csv",
        "sample no.json -n 1",
        "fit data.csv --init-model no.json",
    ] {
        folder.fails(arguments, 1, &["no.json", "No such file"]);
    }
    folder.fails("fit data.csv -k 2 -o no/m.json", 1, &["no/m.json", "no folder no"]);
    folder.fails("fit data.csv -k 2 --labels no/l.csv", 1, &["no/l.csv"]);
    folder.fails("predict m.json data.csv -o no/l.csv", 1, &["no/l.csv"]);
}

#[test]
fn more_clusters_than_rows() {
    let folder = Folder::with_data();
    folder.write("few.csv", "a\n1\n1\n2\n");
    for method in ["kmeans", "gmm"] {
        folder.fails(&format!("fit few.csv -m {method} -k 4 -o out.json"), 1, &["few.csv", "4", "3"]);
        folder.fails(&format!("fit few.csv -m {method} -k 3 -o out.json"), 1, &["few.csv", "3", "2", "distinct"]);
    }
}

#[test]
fn columns_that_are_not_there() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -k 2 -o m.json");
    for flag in ["--columns length,depth", "--exclude depth", "--weights depth"] {
        folder.fails(&format!("fit data.csv -k 2 {flag}"), 1, &["data.csv", "\"depth\"", "length, width"]);
    }
    folder.fails("predict m.json data.csv --id depth", 1, &["data.csv", "\"depth\""]);
    folder.fails("score m.json data.csv --weights depth", 1, &["data.csv", "\"depth\""]);
    folder.fails("fit data.csv -k 2 --exclude length,width", 1, &["data.csv", "no column"]);
    folder.fails("fit data.csv -k 2 --columns length,length", 2, &["\"length\"", "twice"]);
}

#[test]
fn weights_that_are_none() {
    let folder = Folder::new();
    folder.write("data.csv", "x,w\n1,1\n2,-1\n3,1\n");
    folder.fails("fit data.csv -k 2 --weights w", 1, &["data.csv", "weight", "-1"]);
    folder.write("zero.csv", "x,w\n1,0\n2,0\n3,0\n");
    folder.fails("fit zero.csv -k 2 --weights w", 1, &["zero.csv", "weight"]);
    folder.write("short.csv", "1\n2\n");
    folder.fails("fit data.csv -k 2 --weights short.csv", 1, &["short.csv has 2 weights", "data.csv has 3 rows"]);
}

#[test]
fn models_that_do_not_fit() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -k 2 -o m.json");
    folder.write("wide.csv", "a,b,c\n1,2,3\n4,5,7\n");
    for command in ["predict", "score"] {
        folder.fails(&format!("{command} m.json wide.csv"), 1, &["wide.csv has 3 columns", "2", "length, width"]);
    }
    for arguments in [
        "predict m.json data.csv --proba -o out.csv",
        "predict m.json data.csv --log-density",
        "predict m.json data.csv --uncertainty",
        "sample m.json -n 3 -o out.csv",
    ] {
        folder.fails(arguments, 1, &["m.json", "mixture"]);
    }
    folder.fails("fit wide.csv -m gmm --init-model m.json", 1, &["wide.csv", "2", "3"]);
    folder.fails("fit data.csv -k 3 --init-model m.json", 1, &["data.csv", "2", "3"]);
}

#[test]
fn models_that_are_damaged() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -m gmm -k 2 -o m.json");
    let text = folder.read("m.json");
    folder.write("cut.json", &text[..text.len() / 2]);
    folder.write("newer.json", text.replace("\"version\": 1", "\"version\": 9"));
    folder.write("other.json", "{\"a\": 1}");
    folder.write("long.json", format!("{text}{text}"));
    folder.write("kind.json", text.replace("\"gmm\"", "\"tree\""));
    folder.write("text.cbor", &text);
    for name in ["cut.json", "newer.json", "other.json", "long.json", "kind.json", "text.cbor"] {
        for command in ["info", "convert -o out.cbor", "predict data.csv", "score data.csv", "sample -n 1"] {
            let (command, rest) = command.split_once(' ').unwrap_or((command, ""));
            folder.fails(&format!("{command} {name} {rest}"), 1, &[name]);
        }
    }
}

#[test]
fn starts_that_do_not_fit() {
    let folder = Folder::with_data();
    folder.write("wide.csv", "1,2,3\n4,5,6\n");
    folder.fails("fit data.csv --init-centers wide.csv", 1, &["wide.csv has 3 columns", "2"]);
    folder.write("short.csv", "0\n1\n");
    for method in ["kmeans", "gmm"] {
        folder.fails(&format!("fit data.csv -m {method} --init-labels short.csv"), 1, &["2 rows", "60"]);
    }
    folder.write("half.csv", "0.5\n-0.5\n");
    folder.fails("fit data.csv --init-labels half.csv", 1, &["half.csv", "0.5", "label"]);
    folder.write("centres.csv", "0,0\n1,1\n");
    folder.fails("fit data.csv -k 3 --init-centers centres.csv", 1, &["2", "3"]);
    folder.fails("fit data.csv -m gmm --init-centers centres.csv --init-weights half.csv", 1, &["weights", "sum to"]);
}

#[test]
fn calls_that_make_no_sense() {
    let folder = Folder::with_data();
    let cases: &[(&str, &[&str])] = &[
        ("fit data.csv -k 0", &["'0'", "-k", "at least 1"]),
        ("fit data.csv -k two", &["'two'", "-k"]),
        ("fit data.csv", &["-k", "required"]),
        ("fit -k 2", &["<DATA>", "required"]),
        ("fit data.csv -k 2 -m tree", &["'tree'", "kmeans", "gmm"]),
        ("fit data.csv -k 2 --init best", &["'best'", "k-means++"]),
        ("fit data.csv -m gmm -k 2 --covariance round", &["'round'", "tied-diag"]),
        ("fit data.csv -m gmm -k 2 --assignment firm", &["'firm'", "soft"]),
        ("fit data.csv -k 2 --metric l3", &["'l3'", "l2"]),
        ("fit data.csv -k 2 --dtype f16", &["'f16'", "f32"]),
        ("fit data.csv -k 2 --missing drop", &["'drop'", "error or marginal"]),
        ("fit data.csv -k 2 --tol -1", &["-1", "tol"]),
        ("fit data.csv -k 2 --tol NaN", &["'NaN'", "finite"]),
        ("fit data.csv -k 2 --max-iter -1", &["-1", "max-iter"]),
        ("fit data.csv -k 2 --n-runs 0", &["'0'", "--n-runs"]),
        ("fit data.csv -k 2 --threads 0", &["'0'", "--threads"]),
        ("fit data.csv -k 2 --init-trials 0", &["'0'", "--init-trials"]),
        ("fit data.csv -m gmm -k 2 --temperature 0", &["'0'", "above 0"]),
        ("fit data.csv -m gmm -k 2 --reg-covar -1", &["-1", "reg-covar"]),
        ("fit data.csv -k 2 --colour red", &["--colour"]),
        ("fit data.csv -k 2 --covariance full", &["--covariance", "-m gmm"]),
        ("fit data.csv -k 2 --init kmeans", &["--init kmeans", "-m gmm"]),
        ("fit data.csv -m gmm -k 2 --algorithm lloyd", &["--algorithm", "-m kmeans"]),
        ("fit data.csv -k 2 --init random --init-trials 2", &["--init-trials"]),
        ("fit data.csv -k 2 --init random --init-labels l.csv", &["--init", "--init-labels", "cannot be used"]),
        ("fit data.csv -m gmm -k 2 --init-weights w.csv", &["--init-centers"]),
        ("fit data.csv -m gmm -k 2 --init random --init-weights w.csv", &["--init-weights", "--init-centers"]),
        ("fit data.csv -m gmm --init-model m.json --init-covariances c.npy", &["--init-covariances", "--init-centers"]),
        ("fit data.csv -m gmm --init-labels l.csv --init-weights w.csv", &["--init-weights", "--init-centers"]),
        ("fit data.csv -m gmm -k 2 --noise --missing marginal", &["noise", "missing values"]),
        ("fit data.csv -m gmm -k 2 --collapse drop --hold means", &["drop"]),
        ("fit data.csv -m gmm -k 2 --collapse respawn --accelerate", &["respawn", "acceleration"]),
        ("fit data.csv -m gmm -k 2 --init hierarchical --known-labels length", &["hierarchical", "known labels"]),
        ("fit data.csv -k 2 --columns a --exclude b", &["--columns", "--exclude"]),
        ("fit data.txt -k 2", &["data.txt", ".csv"]),
        ("fit data.csv -k 2 -o m.bin", &["m.bin", ".json", ".cbor"]),
        ("fit data.csv -k 2 --plot p.gif", &["p.gif", ".svg", ".png"]),
        ("fit data.csv -k 2 --labels data.csv", &["data.csv", "overwritten"]),
        ("fit data.csv -k 2 --labels ./data.csv", &["data.csv", "overwritten"]),
        ("fit data.csv -k 2 --checkpoint m.json -o ./m.json", &["m.json", "two answers"]),
        ("fit data.csv -m bisecting -k 2 --checkpoint c", &["-m bisecting", "--checkpoint"]),
        ("fit data.csv -k 2 --metric l1 --checkpoint c", &["--metric", "--checkpoint"]),
        ("fit data.csv -k 2 --algorithm bounds --checkpoint c", &["--algorithm bounds", "--checkpoint"]),
        ("fit data.csv -k 2 --empty split-largest --checkpoint c", &["--empty split-largest", "--checkpoint"]),
        ("fit data.csv -k 2 --search swap --checkpoint c", &["--search swap", "--checkpoint"]),
        ("fit data.csv -m gmm -k 2 --accelerate --checkpoint c", &["--accelerate", "--checkpoint"]),
        ("fit data.csv -m gmm -k 2 --bayesian dirichlet --checkpoint c", &["--bayesian", "--checkpoint"]),
        ("predict m.json data.csv -o ./data.csv", &["data.csv", "overwritten"]),
        ("fit data.csv -k 2 --labels - --json", &["standard output"]),
        ("fit - --init-centers -", &["standard input", "once"]),
        ("predict m.json data.csv --append -o out.npy", &["out.npy", "text"]),
        ("sample m.json -n 0", &["'0'", "-n"]),
        ("convert m.json -o m.yaml", &["m.yaml", ".json, .cbor, .npz, .onnx, .pmml"]),
        ("convert m.onnx -o m.json", &["ONNX", "not read"]),
        ("convert m.pmml -o m.json", &["PMML", "not read"]),
        ("info m.bin", &["m.bin"]),
        ("completions tcsh", &["tcsh", "bash"]),
        ("man frobnicate", &["frobnicate", "fit"]),
        ("frobnicate", &["frobnicate"]),
    ];
    for (arguments, words) in cases {
        folder.fails(arguments, 2, words);
    }
}

#[test]
fn what_is_to_come_says_so() {
    let folder = Folder::with_data();
    folder.fails("fit data.csv -k 2 --algorithm elkan", 2, &["not available"]);
    for data in ["data.parquet.gz", "data.arrow.gz"] {
        folder.fails(&format!("fit {data} -k 2"), 2, &[data, "not available"]);
        folder.fails(&format!("predict m.json {data}"), 2, &[data, "not available"]);
    }
}

#[test]
fn without_a_command_there_is_help() {
    let folder = Folder::new();
    let run = folder.run("");
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("Usage:") && run.stderr.contains("predict"), "{}", run.stderr);
    for command in
        ["", "fit", "predict", "score", "report", "impute", "sample", "info", "convert", "completions", "man"]
    {
        let help = folder.ok(&format!("{command} --help"));
        assert!(help.contains("Example") && help.contains(&format!("miscela {command}")), "{help}");
    }
    assert!(folder.ok("--version").starts_with("miscela "));
}

#[test]
fn shells_and_manuals_know_all_commands() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = folder.ok(&format!("completions {shell}"));
        for word in ["select", "init-centers", "checkpoint-every"] {
            assert!(script.contains(word), "{shell} knows no {word}");
        }
    }
    let page = folder.ok("man");
    assert!(page.contains(".TH") && page.contains("miscela\\-predict"), "{page}");
    let page = folder.ok("man fit");
    assert!(
        page.contains(".TH miscela-fit 1") && page.contains("init\\-centers") && page.contains("Examples"),
        "{page}"
    );
}
