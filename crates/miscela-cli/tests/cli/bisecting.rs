//! Trees of clusters, and their cuts.

use crate::run::{Folder, numbers, without_seconds};
use serde_json::{Value, json};

#[test]
fn a_fit_answers_as_any_other_and_with_its_tree() {
    let folder = Folder::with_data();
    let answer = folder.json("fit data.csv -m bisecting -k 4 --labels labels.csv --plot p.svg -o m.json");
    assert_eq!(
        (&answer["method"], &answer["n_clusters"], &answer["assignment"]),
        (&json!("bisecting"), &json!(4), &json!("hard"))
    );
    assert_eq!(
        (&answer["log_likelihood"], &answer["bic"], &answer["weights"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(numbers(&answer["trace"]).len() as u64, answer["iterations"].as_u64().unwrap());
    let tree = answer["tree"].as_array().unwrap();
    assert_eq!((tree.len(), &tree[0]["size"], &tree[0]["children"]), (7, &json!(60), &json!([1, 2])));
    let leaves: f64 =
        tree.iter().filter(|node| node["children"].is_null()).map(|node| node["inertia"].as_f64().unwrap()).sum();
    assert!((leaves - answer["inertia"].as_f64().unwrap()).abs() < 1e-12);
    assert!(folder.read("p.svg").contains("bisecting k-means, 4 clusters"));
    let again = folder.json("fit data.csv -m bisecting -k 4 --threads 1");
    assert_eq!(without_seconds(again), without_seconds(answer));
    let text = folder.ok("fit data.csv -m bisecting -k 4");
    assert!(text.contains("bisecting k-means, 4 clusters") && text.contains("--cut 1 to 4"), "{text}");
    let info = folder.json("info m.json");
    assert_eq!((&info["method"], info["tree"].as_array().unwrap().len()), (&json!("bisecting"), 7));
    // Plain k-means goes on from the clusters.
    folder.ok("fit data.csv --init-model m.json");
}

#[test]
fn a_cut_is_a_fit_of_fewer_clusters() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -m bisecting -k 8 -o m.cbor --labels labels.csv");
    assert_eq!(folder.ok("predict m.cbor data.csv --cut 8"), folder.read("labels.csv"));
    for k in 1..8 {
        let fitted = folder.json(&format!("fit data.csv -m bisecting -k {k} --labels labels.csv"));
        assert_eq!(folder.ok(&format!("predict m.cbor data.csv --cut {k}")), folder.read("labels.csv"));
        assert_eq!(folder.json(&format!("predict m.cbor data.csv --cut {k}"))["n_clusters"], json!(k));
        let score = folder.json(&format!("score m.cbor data.csv --cut {k}"));
        let (scored, inertia) = (score["inertia"].as_f64().unwrap(), fitted["inertia"].as_f64().unwrap());
        assert!((scored - inertia).abs() <= 1e-12 * inertia);
    }
    folder.fails("predict m.cbor data.csv --cut 9", 1, &["m.cbor", "9", "1 to 8"]);
    folder.fails("score m.cbor data.csv --cut 0", 2, &["--cut", "at least 1"]);
    folder.ok("fit data.csv -k 3 -o flat.json");
    for command in ["predict", "score"] {
        folder.fails(&format!("{command} flat.json data.csv --cut 2"), 1, &["flat.json", "--cut", "-m bisecting"]);
    }
}

#[test]
fn what_a_tree_has_no_use_for_is_refused() {
    let folder = Folder::with_data();
    let plain = [
        "--algorithm lloyd",
        "--empty keep",
        "--trim 0.1",
        "--min-size 2",
        "--max-size 40",
        "--search swap",
        "--batch-size 20",
        "--order weight",
        "--known-labels length",
        "--missing marginal",
        "--init-labels l.csv",
        "--init-centers c.csv",
        "--init-model m.json",
    ];
    for flag in plain {
        let name = flag.split(' ').next().unwrap();
        folder.fails(&format!("fit data.csv -m bisecting -k 3 {flag}"), 2, &[name, "-m kmeans"]);
    }
    for flag in ["--covariance full", "--noise", "--bayesian dirichlet", "--reg-covar 0", "--init kmeans"] {
        folder.fails(&format!("fit data.csv -m bisecting -k 3 {flag}"), 2, &["-m gmm"]);
    }
    for method in ["kmeans", "gmm"] {
        folder.fails(&format!("fit data.csv -m {method} -k 3 --split largest"), 2, &["--split", "-m bisecting"]);
    }
    folder.fails("fit data.csv -m bisecting -k 3 --split best", 2, &["'best'", "greatest-inertia or largest"]);
    folder.fails("fit data.csv -m bisecting -k 3 --init random --init-trials 2", 2, &["--init-trials"]);
    folder.fails("fit data.csv -m bisecting", 2, &["-k", "required"]);
    folder.fails("select data.csv -m bisecting -k 2..4", 2, &["select", "--cut"]);
    folder.fails("fit data.csv -m bisecting -k 61", 1, &["data.csv", "61", "60"]);
    folder.write("few.csv", "a\n1\n1\n2\n");
    folder.fails("fit few.csv -m bisecting -k 3 -o out.json", 1, &["few.csv", "3", "2", "distinct"]);
    folder.ok("fit data.csv -m bisecting -k 3 -o m.json");
    folder.fails("sample m.json -n 2", 1, &["m.json", "mixture"]);
    folder.fails("predict m.json data.csv --proba", 1, &["m.json", "mixture"]);
    folder.fails("predict m.json data.csv --missing marginal", 1, &["m.json", "--missing marginal"]);
    folder.write("holes.csv", "length,width\n1,\n2,3\n");
    folder.fails("impute m.json holes.csv", 1, &["bisecting", "missing values"]);
    folder.fails("predict m.json holes.csv", 1, &["holes.csv", "line 2"]);
}

#[test]
fn options_of_the_splits_are_heeded() {
    let folder = Folder::with_data();
    let fit = |flags: &str| folder.json(&format!("fit data.csv -m bisecting -k 5 {flags}"));
    assert_eq!(fit("--max-iter 1")["termination"], "max-iterations");
    assert!(folder.ok("fit data.csv -m bisecting -k 5 --max-iter 1").contains("a split came to the limit"));
    assert_eq!(fit("--n-runs 3")["n_runs"], 3);
    assert_eq!(fit("--tol 0")["termination"], "labels-unchanged");
    assert!(fit("--init random --seed 1")["inertia"].as_f64() > Some(0.0));
    assert_ne!(fit("--metric l1")["means"], fit("")["means"]);
    folder.write("w.csv", "x,w\n0,1\n1,0\n5,3\n9,1\n");
    let weighted = folder.json("fit w.csv -m bisecting -k 3 --weights w");
    assert_eq!((&weighted["inertia"], &weighted["sizes"]), (&json!(0.0), &json!([1, 1, 1])));
    let one = folder.ok("fit data.csv -m bisecting -k 1");
    assert!(one.contains("one cluster, not split"), "{one}");
}
