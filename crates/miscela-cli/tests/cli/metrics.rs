//! `miscela metrics`: what the inputs allow, and what the call may ask.

use crate::run::{Folder, clusters};
use serde_json::{Value, json};

const BESIDE_A_TRUTH: [&str; 7] = ["ari", "ami", "nmi", "homogeneity", "completeness", "v_measure", "fowlkes_mallows"];
const OF_ROWS: [&str; 3] = ["silhouette", "calinski_harabasz", "davies_bouldin"];

/// Three clusters of twenty rows, and labels for them of which three are wrong.
fn labelled() -> Folder {
    let folder = Folder::with_data();
    let label = |i: usize| if i % 20 == 7 { (i + 1) % 3 } else { i % 3 };
    folder.write("truth.csv", (0..60).map(|i| format!("{}\n", i % 3)).collect::<String>());
    folder.write("labels.csv", "label\n".to_string() + &(0..60).map(|i| format!("{}\n", label(i))).collect::<String>());
    folder
}

fn number(answer: &Value, key: &str) -> f64 {
    answer[key].as_f64().unwrap_or_else(|| panic!("{key} of {answer}"))
}

#[test]
fn what_the_inputs_allow_is_measured_and_the_rest_is_null() {
    let folder = labelled();
    let both = folder.json("metrics --labels labels.csv --truth truth.csv --data data.csv");
    assert!(BESIDE_A_TRUTH.iter().chain(&OF_ROWS).all(|key| both[key].is_number()), "{both}");
    assert_eq!((&both["n_samples"], &both["n_clusters"], &both["centroid_index"]), (&json!(60), &json!(3), &json!(0)));
    let truth = folder.json("metrics --labels labels.csv --truth truth.csv");
    let data = folder.json("metrics --labels labels.csv --data data.csv");
    for key in BESIDE_A_TRUTH {
        assert_eq!((&truth[key], &data[key]), (&both[key], &Value::Null));
    }
    for key in OF_ROWS {
        assert_eq!((&truth[key], &data[key]), (&Value::Null, &both[key]));
    }
    // scikit-learn 1.9.1 on the same files.
    for (key, expected) in [
        ("ari", 0.8525),
        ("ami", 0.813362581638353),
        ("v_measure", 0.8193036384232143),
        ("silhouette", 0.7367055475119348),
        ("calinski_harabasz", 180.80966862671977),
        ("davies_bouldin", 0.310427400229868),
    ] {
        assert!((number(&both, key) / expected - 1.0).abs() < 1e-10, "{key}: {} {expected}", both[key]);
    }
    // One cluster has no silhouette, and all else is said.
    folder.write("one.csv", "0\n".repeat(60));
    let one = folder.json("metrics --labels one.csv --truth truth.csv --data data.csv");
    assert!(OF_ROWS.iter().all(|key| one[key].is_null()) && one["ari"] == json!(0.0) && one["n_clusters"] == json!(1));
}

#[test]
fn weights_samples_distances_and_threads() {
    let folder = labelled();
    let metrics = "metrics --labels labels.csv --truth truth.csv";
    let plain = folder.json(&format!("{metrics} --data data.csv"));
    // Twice everything: measures of shares stay.
    folder.write("twice.csv", "weight\n".to_string() + &"2\n".repeat(60));
    let twice = folder.json(&format!("{metrics} --weights twice.csv"));
    assert!((number(&twice, "nmi") - number(&plain, "nmi")).abs() < 1e-12);
    let column: String =
        clusters().lines().zip(["w"].into_iter().chain(["0.33"; 60])).map(|(row, w)| format!("{row},{w}\n")).collect();
    folder.write("weighted.csv", column);
    let halves = folder.json(&format!("{metrics} --data weighted.csv --weights w"));
    assert!(halves["ami"].is_null() && halves["ari"].is_number(), "fractions are no counts: {halves}");
    assert!((number(&halves, "davies_bouldin") - number(&plain, "davies_bouldin")).abs() < 1e-12);

    let sample = folder.json("metrics --labels labels.csv --data data.csv --sample 30");
    let off = number(&sample, "silhouette") - number(&plain, "silhouette");
    assert!(off.abs() < 4.0 * number(&sample, "silhouette_error") && sample["dunn"].is_null(), "{sample}");
    let l1 = folder.json("metrics --labels labels.csv --data data.csv --metric l1");
    assert!(l1["silhouette"] != plain["silhouette"] && l1["davies_bouldin"] == plain["davies_bouldin"]);
    for threads in [1, 2, 3] {
        assert_eq!(folder.json(&format!("{metrics} --data data.csv --threads {threads}")), plain);
    }
    let column = folder.json("metrics --labels labels.csv --data data.csv --columns width");
    assert!(number(&column, "silhouette") < number(&plain, "silhouette"));
}

#[test]
fn a_table_for_people() {
    let folder = labelled();
    let text = folder.ok("metrics --labels labels.csv --truth truth.csv --data data.csv");
    for part in ["3 clusters: 60 rows of labels.csv", "ARI", "silhouette", "Davies-Bouldin", "(lower is better)"] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(folder.ok("metrics --labels labels.csv --truth truth.csv").contains("--data"));
    assert_eq!(folder.ok("metrics --labels labels.csv --truth truth.csv --quiet"), "");
    let piped =
        folder.run_with_input("metrics --labels - --truth truth.csv --json", folder.read("labels.csv").as_bytes());
    assert_eq!(piped.json()["n_clusters"], json!(3));
}

#[test]
fn a_call_that_makes_no_sense_is_refused() {
    let folder = labelled();
    folder.fails("metrics --truth truth.csv", 2, &["--labels"]);
    folder.fails("metrics --labels labels.csv", 2, &["--truth", "--data"]);
    folder.fails("metrics --labels labels.csv --truth truth.csv --metric l1", 2, &["--data"]);
    folder.fails("metrics --labels labels.csv --truth truth.csv --columns width", 2, &["--data"]);
    folder.fails("metrics --labels labels.csv --truth truth.csv --weights w", 2, &["--data"]);
    folder.fails("metrics --labels labels.csv --data data.csv --metric l7", 2, &["l7", "cosine"]);
    folder.fails("metrics --labels labels.csv --data data.csv --sample 1", 2, &["--sample", "at least 2"]);
    folder.fails("metrics --labels - --truth -", 2, &["standard input"]);
    folder.fails("metrics --labels labels.csv --data data.csv --sample 61", 1, &["data.csv", "60"]);
    folder.fails("metrics --labels labels.csv --data data.csv --metric kl", 1, &["data.csv", "row"]);
    folder.fails("metrics --labels labels.csv --truth nowhere.csv", 1, &["nowhere.csv"]);
    folder.write("short.csv", "0\n1\n2\n");
    folder.fails("metrics --labels short.csv --truth truth.csv", 1, &["short.csv", "truth.csv", "3", "60"]);
    folder.fails("metrics --labels short.csv --data data.csv", 1, &["short.csv", "data.csv", "3", "60"]);
    folder.fails("metrics --labels labels.csv --truth truth.csv --weights short.csv", 1, &["short.csv", "60"]);
    folder.write("signs.csv", "1\n".repeat(59) + "-1\n");
    folder.fails("metrics --labels labels.csv --truth truth.csv --weights signs.csv", 1, &["row 59", "-1"]);
}
