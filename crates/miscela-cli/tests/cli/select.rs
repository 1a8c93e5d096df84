//! `miscela select`: the table, the best of it, and what the call may ask.

use crate::run::Folder;
use serde_json::{Value, json};

const ROW: [&str; 9] = ["aic", "bic", "converged", "covariance", "error", "icl", "k", "log_likelihood", "n_parameters"];

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn cells(answer: &Value) -> Vec<(u64, &str)> {
    let rows = answer["table"].as_array().unwrap().iter();
    rows.map(|row| (row["k"].as_u64().unwrap(), row["covariance"].as_str().unwrap())).collect()
}

#[test]
fn the_answer_has_a_table_and_the_best_fit() {
    let folder = Folder::with_data();
    let answer = folder.json("select data.csv -k 1..3 --covariance tied,VII -o model.json");
    assert_eq!(keys(&answer), ["best", "criterion", "table"]);
    assert_eq!(answer["criterion"], json!("bic"));
    let expected: Vec<(u64, &str)> = (1..4).flat_map(|k| [(k, "tied"), (k, "spherical")]).collect();
    assert_eq!(cells(&answer), expected);
    let rows = answer["table"].as_array().unwrap();
    assert!(rows.iter().all(|row| keys(row) == ROW && row["error"].is_null() && row["converged"].is_boolean()));
    let lowest = rows.iter().map(|row| row["bic"].as_f64().unwrap()).fold(f64::INFINITY, f64::min);
    let best = &answer["best"];
    assert_eq!((&best["bic"], &best["n_clusters"], &best["method"]), (&json!(lowest), &json!(3), &json!("gmm")));
    // The best is what `fit` finds from the same start.
    let fit = format!(
        "fit data.csv -m gmm -k 3 --init hierarchical --tol 1e-8 --reg-covar 0 --covariance {}",
        best["covariance"].as_str().unwrap()
    );
    assert_eq!(folder.json(&fit)["means"], best["means"]);
    // And it is kept.
    let score = folder.json("score model.json data.csv");
    assert!((score["bic"].as_f64().unwrap() - lowest).abs() < 1e-9 * lowest.abs());
}

#[test]
fn a_table_for_people() {
    let folder = Folder::with_data();
    let text = folder.ok("select data.csv -k 2,3,70");
    for part in
        ["60 rows × 2 columns of data.csv", "bic by k", "EVE", "* the lowest bic", "! 70 components, full", "-o"]
    {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert_eq!(folder.ok("select data.csv -k 2 --quiet"), "");
}

#[test]
fn criteria_starts_and_threads() {
    let folder = Folder::with_data();
    let held_out =
        folder.json("select data.csv -k 1..3 --covariance diag --criterion held-out --folds 4 --n-runs 2 --warm");
    let values: Vec<f64> =
        held_out["table"].as_array().unwrap().iter().map(|row| row["held_out"].as_f64().unwrap()).collect();
    assert!(values[2] > values[0] && held_out["best"]["n_clusters"] == json!(3), "{values:?}");
    for criterion in ["aic", "icl"] {
        let answer =
            folder.json(&format!("select data.csv -k 1..3 --criterion {criterion} --init kmeans --equal-weights"));
        assert_eq!((&answer["criterion"], answer["table"].as_array().unwrap().len()), (&json!(criterion), 3 * 14));
    }
    let of = |threads: usize| folder.json(&format!("select data.csv -k 2..3 --threads {threads}"))["table"].clone();
    assert_eq!(of(1), of(3));
    folder.write("one.csv", "x\n1\n2\n3\n11\n12\n13\n");
    assert_eq!(cells(&folder.json("select one.csv -k 1")), [(1, "spherical"), (1, "tied-spherical")]);
}

#[test]
fn a_call_that_makes_no_sense_is_refused() {
    let folder = Folder::with_data();
    for k in ["0", "0..3", "1..", "a", "1,,2"] {
        folder.fails(&format!("select data.csv -k {k}"), 2, &["-k", "1..9"]);
    }
    folder.fails("select data.csv -k 9..1", 2, &["1..9"]);
    folder.fails("select data.csv -k 1..1000000", 2, &["10000"]);
    folder.fails("select data.csv -k 2 --covariance round", 2, &["round"]);
    folder.fails("select data.csv -k 2 --criterion gap", 2, &["gap", "held-out"]);
    folder.fails("select data.csv -k 2 --folds 3", 2, &["--folds", "held-out"]);
    folder.fails("select data.csv -m kmeans -k 2 --criterion bic", 2, &["bic", "davies-bouldin"]);
    folder.fails("select data.csv -m kmeans -k 2 --covariance full", 2, &["--covariance", "gmm"]);
    folder.fails("select data.csv -m kmeans -k 2 --missing marginal", 2, &["--missing", "gmm"]);
    folder.fails("select data.csv -k 2 --references 5", 2, &["--references", "kmeans"]);
    folder.fails("select data.csv -m kmeans -k 1", 1, &["data.csv", "at least two clusters"]);
    folder.fails("select data.csv -k 70 -o model.json", 1, &["data.csv", "none of the 14 models"]);
}

#[test]
fn k_means_by_every_criterion() {
    let folder = Folder::with_data();
    for criterion in ["silhouette", "gap", "calinski-harabasz", "davies-bouldin", "elbow"] {
        let answer = folder.json(&format!("select data.csv -m kmeans -k 1..5 --criterion {criterion} -o model.json"));
        assert_eq!(keys(&answer), ["best", "criterion", "margin", "table"]);
        assert_eq!((&answer["criterion"], &answer["best"]["n_clusters"]), (&json!(criterion), &json!(3)), "{answer}");
        assert!(answer["margin"].as_f64().unwrap() > 0.0);
        let rows = answer["table"].as_array().unwrap();
        for key in ["inertia", "gap", "gap_se", "silhouette", "calinski_harabasz", "davies_bouldin"] {
            assert!(rows[1..4].iter().all(|row| row[key].is_number()), "{key}: {answer}");
        }
        assert!(rows[0]["silhouette"].is_null() && rows[0]["gap"].is_number());
        assert_eq!(folder.json("info model.json")["n_clusters"], json!(3));
    }
    // The best is what `fit` finds, and the same for any number of threads.
    let select = "select data.csv -m kmeans -k 2..4 --references 0 --seed 7";
    let answer = folder.json(&format!("{select} --threads 1"));
    assert_eq!(answer["best"]["means"], folder.json("fit data.csv -k 3 --n-runs 4 --seed 7")["means"]);
    assert_eq!(answer["table"], folder.json(&format!("{select} --threads 3"))["table"]);
    assert!(answer["table"][0]["gap"].is_null());
    let sampled =
        folder.json("select data.csv -m kmeans -k 2..4 --references 4 --reference-box columns --silhouette-rows 30");
    assert!(sampled["table"][1]["silhouette_se"].is_number(), "{sampled}");
    let text = folder.ok("select data.csv -m kmeans -k 1..4 --criterion gap");
    for part in ["K-means by gap: 60 rows × 2 columns of data.csv", "davies-bouldin", "3*", "* 3 clusters by gap"] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}
