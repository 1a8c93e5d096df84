//! Mixtures that bear rows which belong to no cluster.

use crate::run::{Folder, clusters, numbers, without_seconds};

/// Three clusters of twenty rows in `data.csv`, and three rows somewhere else.
fn with_outliers() -> Folder {
    let folder = Folder::new();
    folder.write("data.csv", clusters() + "40,-30\n-25,35\n55,5\n");
    folder
}

#[test]
fn noise_takes_what_belongs_to_no_cluster() {
    let folder = with_outliers();
    let fit = "fit data.csv -m gmm -k 3 --noise";
    let answer = folder.json(&format!("{fit} --labels labels.csv --plot clusters.svg -o m.json"));
    assert_eq!(answer["sizes"].as_array().unwrap().last(), Some(&serde_json::json!(3)));
    let weights = numbers(&answer["weights"]);
    let noise = answer["noise"]["weight"].as_f64().unwrap();
    assert!(weights.len() == 3 && (weights.iter().sum::<f64>() + noise - 1.0).abs() < 1e-12);
    assert!(folder.read("labels.csv").ends_with("\n3\n3\n3\n"));
    assert!(folder.read("clusters.svg").contains("noise (3)"));
    assert_eq!(folder.json("info m.json")["noise"], answer["noise"]);
    let text = folder.ok(fit);
    assert!(text.contains("3 components and noise") && text.contains("    noise"), "{text}");

    assert!(folder.ok("predict m.json data.csv --proba").starts_with("p0,p1,p2,p3\n"));
    folder.ok("sample m.json -n 50 -o drawn.csv --labels drawn_labels.csv");
    // A start from the model has its noise too, and stays where it is.
    let again = folder.json("fit data.csv -m gmm --init-model m.json");
    assert!((again["log_likelihood"].as_f64().unwrap() - answer["log_likelihood"].as_f64().unwrap()).abs() < 0.2);
    assert!((again["noise"]["weight"].as_f64().unwrap() - noise).abs() < 1e-3);

    // In a larger volume it is less dense.
    let wide = folder.json("fit data.csv -m gmm -k 3 --noise 1e6");
    assert!(wide["log_likelihood"].as_f64() < answer["log_likelihood"].as_f64());
    assert!((wide["noise"]["log_volume"].as_f64().unwrap() - 1e6f64.ln()).abs() < 1e-12);
    folder.write("start.csv", folder.read("labels.csv"));
    let started = folder.json("fit data.csv -m gmm -k 3 --noise --init-labels start.csv");
    assert_eq!(started["sizes"], answer["sizes"]);

    folder.fails("fit data.csv -m gmm --noise --init-labels start.csv", 2, &["-k", "noise"]);
    folder.fails("fit data.csv -m gmm -k 3 --noise 0", 2, &["--noise", "above 0"]);
    folder.fails("fit data.csv -k 3 --noise", 2, &["--noise", "-m gmm"]);
    folder.fails("fit data.csv -m gmm -k 3 --init-labels start.csv", 1, &["label of row 60 is 3"]);
}

#[test]
fn trimmed_rows_have_the_label_after_the_last() {
    let folder = with_outliers();
    folder.write("start.csv", "length,width\n0,0\n10,0\n0,10\n");
    let fit = "fit data.csv -k 3 --init-centers start.csv --trim 0.05";
    let answer = folder.json(&format!("{fit} --labels labels.csv --plot clusters.svg -o m.json"));
    assert_eq!((&answer["trimming"]["n_rows"], &answer["sizes"]), (&3.into(), &serde_json::json!([20, 20, 20])));
    let labels = folder.read("labels.csv");
    assert!(labels.ends_with("\n3\n3\n3\n") && labels.matches('3').count() == 3, "{labels}");
    assert!(folder.read("clusters.svg").contains("left out (3)"));
    assert_eq!(folder.ok("predict m.json data.csv"), labels);
    assert_eq!(folder.json("info m.json")["trimming"], answer["trimming"]);
    let text = folder.ok(fit);
    assert!(text.contains("left out") && text.contains("3 rows far from all centres, label 3"), "{text}");

    folder.fails("fit data.csv -k 3 --trim 1", 2, &["--trim", "between 0 and 1"]);
    folder.fails("fit data.csv -m gmm -k 3 --trim 0.1", 2, &["--trim", "-m kmeans"]);
    folder.fails("fit data.csv -k 3 --trim 0.1 --algorithm bounds", 2, &["bounds", "use auto or lloyd"]);
}

#[test]
fn empty_clusters_follow_the_policy() {
    let folder = Folder::with_data();
    folder.write("start.csv", "length,width\n0,0\n10,0\n900,900\n");
    let sizes = |policy: &str| folder.json(&format!("fit data.csv --init-centers start.csv {policy}"))["sizes"].clone();
    let lengths = ["", "--empty split-largest", "--empty keep", "--empty drop"].map(|policy| {
        let sizes = sizes(policy);
        let sizes = sizes.as_array().unwrap();
        (sizes.len(), sizes.contains(&0.into()))
    });
    assert_eq!(lengths, [(3, false), (3, false), (3, true), (2, false)]);
    let answer = folder.json("fit data.csv --init-centers start.csv --empty drop");
    assert_eq!(answer["repairs"].as_array().unwrap().last().unwrap()["action"], "dropped");
    assert_eq!(answer["n_clusters"], 2);
    folder.fails("fit data.csv --init-centers start.csv --empty error", 1, &["cluster 2 has no row", "fewer clusters"]);
    folder.fails("fit data.csv -k 2 --empty never", 2, &["--empty", "split-largest"]);
    folder.fails("fit data.csv -m gmm -k 2 --empty keep", 2, &["--empty", "-m kmeans"]);
}

#[test]
fn student_components_bear_outliers() {
    let folder = with_outliers();
    let fit = "fit data.csv -m gmm -k 3 --tails student";
    let answer = folder.json(&format!("{fit} -o m.json"));
    let degrees = numbers(&answer["degrees"]);
    assert!(degrees.len() == 3 && degrees[0] == degrees[1] && degrees[0] < 20.0, "{degrees:?}");
    let gaussian = folder.json("fit data.csv -m gmm -k 3 --tails gaussian");
    let default = folder.json("fit data.csv -m gmm -k 3");
    assert_eq!(without_seconds(gaussian.clone()), without_seconds(default));
    assert_eq!(answer["n_parameters"].as_u64(), gaussian["n_parameters"].as_u64().map(|n| n + 1));
    assert!(answer["log_likelihood"].as_f64() > gaussian["log_likelihood"].as_f64());
    let text = folder.ok(fit);
    assert!(text.contains("Student-t mixture, 3 components") && text.contains("  degrees "), "{text}");
    assert_eq!(folder.json("info m.json")["degrees"], answer["degrees"]);

    let each = numbers(&folder.json(&format!("{fit} --degrees each"))["degrees"]);
    assert!(each.len() == 3 && each[0] != each[1]);
    assert_eq!(numbers(&folder.json(&format!("{fit} --degrees 5"))["degrees"]), [5.0; 3]);
    let both = folder.json(&format!("{fit} --noise"));
    assert!(both["noise"].is_object() && both["degrees"].is_array());
    // A start from the model goes on at its degrees of freedom.
    let again = folder.json("fit data.csv -m gmm --init-model m.json --max-iter 0");
    assert_eq!(again["degrees"], answer["degrees"]);
    folder.ok("sample m.json -n 20 -o drawn.csv");

    folder.fails("fit data.csv -m gmm -k 3 --degrees 4", 2, &["--tails"]);
    folder.fails("fit data.csv -m gmm -k 3 --tails gaussian --degrees 4", 2, &["--degrees", "student"]);
    folder.fails(&format!("{fit} --degrees 0"), 2, &["shared or each"]);
    folder.fails("fit data.csv -k 3 --tails student", 2, &["--tails", "-m gmm"]);
}
