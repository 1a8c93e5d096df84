//! `miscela fit`: answers, starts, weights, files written.

use crate::run::{Folder, clusters, numbers, without_seconds};
use serde_json::{Value, json};

const KEYS: [&str; 26] = [
    "method",
    "covariance",
    "assignment",
    "n_samples",
    "n_missing",
    "n_features",
    "n_clusters",
    "dtype",
    "seed",
    "n_runs",
    "iterations",
    "converged",
    "termination",
    "inertia",
    "log_likelihood",
    "n_parameters",
    "bic",
    "aic",
    "icl",
    "weights",
    "means",
    "covariances",
    "sizes",
    "trace",
    "repairs",
    "seconds",
];

fn keys(text: &str) -> Vec<String> {
    // In the order of the text: serde_json sorts them.
    let value: Value = serde_json::from_str(text).unwrap();
    let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
    keys.sort_by_key(|key| text.find(&format!("\"{key}\":")).unwrap());
    keys
}

#[test]
fn the_answer_of_kmeans() {
    let folder = Folder::with_data();
    let text = folder.ok("fit data.csv -m kmeans -k 3 --json");
    assert_eq!(keys(&text), KEYS);
    let answer: Value = serde_json::from_str(&text).unwrap();
    for key in ["covariance", "log_likelihood", "n_parameters", "bic", "aic", "icl", "weights", "covariances"] {
        assert_eq!(answer[key], Value::Null, "{key}");
    }
    assert_eq!((&answer["method"], &answer["assignment"]), (&json!("kmeans"), &json!("hard")));
    assert_eq!(
        (&answer["n_samples"], &answer["n_features"], &answer["n_clusters"]),
        (&json!(60), &json!(2), &json!(3))
    );
    assert_eq!((&answer["dtype"], &answer["seed"], &answer["n_runs"]), (&json!("f64"), &json!(42), &json!(1)));
    assert_eq!((&answer["converged"], &answer["repairs"]), (&json!(true), &json!([])));
    assert_eq!(answer["sizes"], json!([20, 20, 20]));
    assert_eq!(answer["trace"].as_array().unwrap().len(), answer["iterations"].as_u64().unwrap() as usize);
    assert!(["tolerance", "labels-unchanged"].contains(&answer["termination"].as_str().unwrap()));
    for key in ["read", "init", "fit"] {
        assert!(answer["seconds"][key].as_f64().unwrap() >= 0.0);
    }

    // Inertia is the sum of squares about the centres, whichever cluster is which.
    let centres: Vec<Vec<f64>> = answer["means"].as_array().unwrap().iter().map(numbers).collect();
    let inertia: f64 = rows(&clusters()).iter().map(|row| nearest(row, &centres).1).sum();
    let reported = answer["inertia"].as_f64().unwrap();
    assert!((inertia - reported).abs() < 1e-9 * inertia, "{inertia} {reported}");
}

#[test]
fn the_answer_of_a_mixture() {
    let folder = Folder::with_data();
    let text = folder.ok("fit data.csv -m gmm -k 3 --json");
    assert_eq!(keys(&text), KEYS);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&answer["method"], &answer["covariance"]), (&json!("gmm"), &json!("full")));
    assert_eq!((&answer["assignment"], &answer["inertia"]), (&json!("soft"), &Value::Null));
    assert_eq!(answer["n_parameters"], json!(2 + 6 + 9));
    assert!((numbers(&answer["weights"]).iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let figure = |key: &str| answer[key].as_f64().unwrap();
    let deviance = -2.0 * figure("log_likelihood");
    assert!((figure("bic") - (deviance + 17.0 * 60f64.ln())).abs() < 1e-9);
    assert!((figure("aic") - (deviance + 34.0)).abs() < 1e-9);
    assert!(figure("icl") >= figure("bic"));
    for matrix in answer["covariances"].as_array().unwrap() {
        assert_eq!(matrix.as_array().unwrap().len(), 2);
        assert_eq!(matrix[0][1], matrix[1][0]);
    }
}

#[test]
fn every_structure_is_known_by_both_names_and_written_in_full() {
    let folder = Folder::with_data();
    let names = [
        ("full", "VVV", 17),
        ("tied", "EEE", 11),
        ("diag", "VVI", 14),
        ("spherical", "VII", 11),
        ("tied-diag", "EEI", 10),
        ("tied-spherical", "EII", 9),
        ("VEI", "vei", 12),
        ("EVI", "evi", 12),
        ("VEE", "vee", 13),
        ("EVE", "eve", 13),
        ("VVE", "vve", 15),
        ("EEV", "eev", 13),
        ("VEV", "vev", 15),
        ("EVV", "evv", 15),
    ];
    for (name, mclust, parameters) in names {
        let answer = folder.json(&format!("fit data.csv -m gmm -k 3 --covariance {name}"));
        let same = folder.json(&format!("fit data.csv -m gmm -k 3 --covariance {mclust}"));
        assert_eq!(without_seconds(answer.clone()), without_seconds(same));
        assert_eq!((&answer["covariance"], &answer["n_parameters"]), (&json!(name), &json!(parameters)));
        let shape = answer["covariances"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| (m.as_array().unwrap().len(), numbers(&m[1]).len()));
        assert_eq!(shape.collect::<Vec<_>>(), [(2, 2); 3], "{name}");
    }
}

#[test]
fn collapsing_components_are_dealt_with_as_asked() {
    let folder = Folder::new();
    // Twenty rows in a square, and one far away, which is a component at the start.
    let rows = (0..20).map(|i| format!("{},{}\n", i % 5, i / 5)).collect::<String>() + "90,90\n";
    folder.write("data.csv", rows);
    folder.write("labels.csv", String::from("label\n") + &"0\n".repeat(20) + "1\n");
    let fit = |more: &str| format!("fit data.csv -m gmm -k 2 --reg-covar 0 --init-labels labels.csv {more}");
    for (policy, action, k) in
        [("floor", "floored", 2), ("shrink", "shrunk", 2), ("respawn", "respawned", 2), ("drop", "dropped", 1)]
    {
        let answer = folder.json(&fit(&format!("--collapse {policy}")));
        let actions: Vec<_> = answer["repairs"].as_array().unwrap().iter().map(|repair| &repair["action"]).collect();
        assert!(actions.contains(&&json!(action)), "{policy}: {actions:?}");
        assert_eq!((&answer["n_clusters"], answer["means"].as_array().unwrap().len()), (&json!(k), k), "{policy}");
    }
    let answer = folder.json(&fit("--collapse prior"));
    assert_eq!(answer["repairs"], json!([]));
    // The trace has the prior in it, the log-likelihood has not.
    assert!(answer["trace"].as_array().unwrap().last().unwrap().as_f64() != answer["log_likelihood"].as_f64());
    folder.fails(&fit("--collapse prior --covariance VVE"), 2, &["prior", "VVE"]);
    folder.fails(&fit("--collapse never"), 2, &["never", "respawn"]);
    folder.fails("fit data.csv -k 2 --collapse drop", 2, &["--collapse"]);
}

#[test]
fn large_covariances_come_in_their_own_shape() {
    let folder = Folder::new();
    let row = |i: usize| (0..600).map(|j| ((i * 7 + j * 13) % 29).to_string()).collect::<Vec<_>>().join(",");
    folder.write("wide.csv", (0..12).map(|i| row(i) + "\n").collect::<String>());
    let answer = folder.json("fit wide.csv -m gmm -k 3 --covariance diag --max-iter 2");
    assert_eq!(answer["covariance_shape"], json!([3, 600]));
    assert_eq!(numbers(&answer["covariances"][2]).len(), 600);
    let answer = folder.json("fit wide.csv -m gmm -k 3 --covariance tied-spherical --max-iter 2");
    assert_eq!(answer["covariance_shape"], json!([]));
    assert!(answer["covariances"].as_f64().unwrap() > 0.0);
}

#[test]
fn threads_change_nothing() {
    let folder = Folder::new();
    let line = |i: u64| format!("{},{},{}\n", (i * 7919) % 1009, (i * 104_729) % 997, (i * 31) % 13 + 1);
    folder.write("data.csv", String::from("a,b,w\n") + &(0..20_000).map(line).collect::<String>());
    for flags in [
        "-m kmeans -k 7 --max-iter 5 --weights w",
        "-m gmm -k 3 --max-iter 3",
        "-k 5 --init k-means-parallel --max-iter 2",
    ] {
        let fit = |threads: usize| without_seconds(folder.json(&format!("fit data.csv {flags} --threads {threads}")));
        let one = fit(1);
        for threads in [2, 3, 7] {
            assert_eq!(fit(threads), one, "{flags} with {threads} threads");
        }
    }
}

#[test]
fn the_seed_decides() {
    let folder = Folder::with_data();
    let fit = |seed: u32| {
        without_seconds(folder.json(&format!("fit data.csv -k 8 --init random --max-iter 1 --seed {seed}")))
    };
    assert_eq!(fit(1), fit(1));
    assert_ne!(fit(1)["means"], fit(2)["means"]);
}

#[test]
fn runs_keep_the_best() {
    let folder = Folder::with_data();
    let inertia = |runs: u32| {
        let answer = folder.json(&format!("fit data.csv -k 9 --init random --n-runs {runs}"));
        assert_eq!(answer["n_runs"], json!(runs));
        answer["inertia"].as_f64().unwrap()
    };
    assert!(inertia(20) < inertia(1));
}

#[test]
fn a_summary_for_people() {
    let folder = Folder::with_data();
    let text = folder.ok("fit data.csv -k 3");
    for words in [
        "k-means, 3 clusters",
        "60 rows × 2 columns of data.csv",
        "length",
        "width",
        "inertia",
        "converged after",
        "Next:",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "colours are for terminals: {text:?}");
    let text = folder.ok("fit data.csv -m gmm -k 3 --assignment hard --equal-weights --covariance tied -o m.cbor");
    for words in [
        "Gaussian mixture, 3 components, tied covariances, hard assignment, equal weights",
        "log-likelihood",
        "BIC",
        "33.3%",
        "miscela predict m.cbor DATA",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    let text = folder.ok("fit data.csv -k 9 --init random --max-iter 1");
    assert!(text.contains("not converged") && text.contains("--max-iter"), "{text}");
    assert_eq!(folder.ok("fit data.csv -k 3 --quiet"), "");
}

#[test]
fn a_summary_stays_short() {
    let folder = Folder::new();
    let row = |i: usize| (0..60).map(|j| ((i * 7 + j * 13) % 29).to_string()).collect::<Vec<_>>().join(",");
    folder.write("wide.csv", (0..29).map(|i| row(i) + "\n").collect::<String>());
    let text = folder.ok("fit wide.csv -k 25 --max-iter 1");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    assert!(text.contains("and 5 more clusters") && text.contains("more columns"), "{text}");
}

#[test]
fn repairs_are_told() {
    let folder = Folder::new();
    folder.write("data.csv", "a\n0\n0\n0\n10\n11\n");
    folder.write("far.csv", "a\n0\n1000\n2000\n");
    let text = folder.ok("fit data.csv --init-centers far.csv");
    assert!(text.contains("repaired") && text.contains("cluster 1 in iteration 1"), "{text}");
    let answer = folder.json("fit data.csv --init-centers far.csv");
    let repair = answer["repairs"][0].as_object().unwrap();
    assert_eq!(repair.keys().collect::<Vec<_>>(), ["action", "component", "detail", "iteration"]);
    assert_eq!(repair["action"], json!("relocated"));
}

#[test]
fn given_centres_are_used_as_they_are() {
    let folder = Folder::with_data();
    // The columns go by name, whatever their order.
    folder.write("centres.csv", "width,length\n0.5,9\n9,0.5\n0.5,0.5\n");
    let answer = folder.json("fit data.csv --init-centers centres.csv --max-iter 0");
    assert_eq!(answer["means"], json!([[9.0, 0.5], [0.5, 9.0], [0.5, 0.5]]));
    assert_eq!((&answer["iterations"], &answer["trace"]), (&json!(0), &json!([])));
    assert_eq!(answer["termination"], json!("max-iterations"));
    let mixture = folder.json("fit data.csv -m gmm -k 3 --init-centers centres.csv --max-iter 0");
    assert_eq!(mixture["means"], answer["means"]);

    folder.write("weights.csv", "0.5\n0.3\n0.2\n");
    let covariances = ndarray_of_covariances();
    folder.write("covariances.npy", covariances);
    let start = "--init-centers centres.csv --init-weights weights.csv --init-covariances covariances.npy --max-iter 0";
    let given = folder.json(&format!("fit data.csv -m gmm {start}"));
    assert_eq!(given["weights"], json!([0.5, 0.3, 0.2]));
    assert_eq!(given["covariances"][2], json!([[3.0, 0.25], [0.25, 1.0]]));
    // Tied: pooled by weight, 0.5 · 1 + 0.3 · 2 + 0.2 · 3.
    let tied = folder.json(&format!("fit data.csv -m gmm --covariance tied {start}"));
    assert!((tied["covariances"][0][0][0].as_f64().unwrap() - 1.7).abs() < 1e-12);
    assert_eq!(tied["covariances"][0], tied["covariances"][2]);
}

/// Three matrices [[i, 0.25], [0.25, 1]], i = 1, 2, 3, as NPY.
fn ndarray_of_covariances() -> Vec<u8> {
    let header = format!("{:<117}\n", "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2, 2), }");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(118u16.to_le_bytes());
    bytes.extend(header.as_bytes());
    for i in 1..=3 {
        [f64::from(i), 0.25, 0.25, 1.0].iter().for_each(|x| bytes.extend(x.to_le_bytes()));
    }
    bytes
}

#[test]
fn a_partition_starts_with_its_means() {
    let folder = Folder::with_data();
    folder.write("labels.csv", String::from("label\n") + &(0..60).map(|i| format!("{}\n", i % 3)).collect::<String>());
    let kmeans = folder.json("fit data.csv --init-labels labels.csv --max-iter 0");
    let mixture = folder.json("fit data.csv -m gmm --init-labels labels.csv --max-iter 0 --reg-covar 0");
    assert_eq!((&kmeans["n_clusters"], &kmeans["iterations"]), (&json!(3), &json!(0)));
    let rows = rows(&clusters());
    for c in 0..3 {
        for j in 0..2 {
            let mean: f64 = rows.iter().skip(c).step_by(3).map(|row| row[j] / 20.0).sum();
            for answer in [&kmeans, &mixture] {
                assert!((answer["means"][c][j].as_f64().unwrap() - mean).abs() < 1e-12, "{answer}");
            }
        }
    }
}

#[test]
fn a_model_starts_where_it_ended() {
    let folder = Folder::with_data();
    for covariance in "full EVV VEV EEV VVE EVE VEE tied diag EVI VEI tied-diag spherical tied-spherical".split(' ') {
        let first = folder.json(&format!("fit data.csv -m gmm -k 3 --covariance {covariance} -o m.json"));
        // The structure is the model's unless another is asked for.
        let again = folder.json("fit data.csv -m gmm --init-model m.json --max-iter 0");
        for key in ["covariance", "weights", "means", "covariances", "log_likelihood"] {
            assert_eq!(again[key], first[key], "{covariance} {key}");
        }
    }
    let centres = folder.json("fit data.csv --init-model m.json --max-iter 0");
    assert_eq!((&centres["method"], &centres["n_clusters"]), (&json!("kmeans"), &json!(3)));
}

#[test]
fn weights_are_repetitions() {
    let folder = Folder::new();
    let rows = [(0.0, 1), (1.0, 3), (2.0, 0), (9.0, 2), (10.0, 1), (12.0, 2)];
    let weighted: String = rows.iter().map(|(x, w)| format!("{x},{w}\n")).collect();
    let repeated: String = rows.iter().map(|(x, w)| format!("{x}\n").repeat(*w)).collect();
    folder.write("weighted.csv", String::from("x,w\n") + &weighted);
    folder.write("repeated.csv", String::from("x\n") + &repeated);
    folder.write("w.csv", String::from("weight\n") + &rows.iter().map(|(_, w)| format!("{w}\n")).collect::<String>());
    folder.write("centres.csv", "x\n0\n11\n");
    for method in ["kmeans", "gmm"] {
        let fit = |data: &str| folder.json(&format!("fit {data} -m {method} --init-centers centres.csv"));
        let expected = fit("repeated.csv");
        let by_column = fit("weighted.csv --weights w");
        let by_file = fit("weighted.csv --exclude w --weights w.csv");
        assert_eq!(without_seconds(by_column.clone()), without_seconds(by_file));
        assert_eq!((&by_column["n_samples"], &by_column["sizes"]), (&json!(6), &json!([2, 3])));
        for key in ["inertia", "log_likelihood", "bic"] {
            let (a, b) = (by_column[key].as_f64().unwrap_or(0.0), expected[key].as_f64().unwrap_or(0.0));
            assert!((a - b).abs() <= 1e-9 * b.abs(), "{method} {key}: {a} {b}");
        }
    }
}

#[test]
fn columns_are_chosen() {
    let folder = Folder::new();
    folder.write("data.csv", "name,a,b,c\nx,1,5,0\ny,2,6,0\nz,9,7,1\n");
    let means = |flags: &str| folder.json(&format!("fit data.csv -k 1 {flags}"))["means"][0].clone();
    assert_eq!(means("--columns b,a"), json!([6.0, 4.0]));
    assert_eq!(means("--exclude name,c"), json!([4.0, 6.0]));
    assert_eq!(means("--exclude name,b --weights c"), json!([9.0]));
    assert_eq!(means("--columns a,c --weights c"), json!([9.0]));
    assert_eq!(means("--columns a --weights c"), json!([9.0]));
}

#[test]
fn labels_and_pictures_are_written() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -k 3 --labels labels.csv --plot clusters.svg");
    let labels = folder.read("labels.csv");
    assert_eq!((labels.lines().next(), labels.lines().count()), (Some("label"), 61));
    assert!(folder.read("clusters.svg").starts_with("<svg"));
    folder.ok("fit data.csv -m gmm -k 3 --labels labels.tsv.gz --plot clusters.png");
    assert!(std::fs::read(folder.path("clusters.png")).unwrap().starts_with(b"\x89PNG"));
    // On standard output the labels stand alone.
    assert_eq!(folder.ok("fit data.csv -k 3 --labels -"), labels);
}

#[test]
fn the_type_of_number_is_settable() {
    let folder = Folder::with_data();
    let answer = folder.json("fit data.csv -m gmm -k 3 --dtype f32 -o m.json");
    assert_eq!(answer["dtype"], json!("f32"));
    assert!(folder.read("m.json").contains("\"dtype\": \"f32\""));
    // The shortest text that reads back as the same f32.
    let mean = answer["means"][0][0].to_string();
    assert!(mean.trim_start_matches(['-', '0', '.']).len() <= 10, "{mean}");
}

#[test]
fn rules_of_assignment() {
    let folder = Folder::with_data();
    let fit = |flags: &str| folder.json(&format!("fit data.csv -m gmm -k 3 --init random --tol 0 {flags}"));
    assert_eq!(fit("--assignment hard")["assignment"], json!("hard"));
    assert_eq!(fit("--temperature 2")["assignment"], json!("tempered"));
    assert_eq!(fit("--temperature 1")["means"], fit("--assignment soft")["means"]);
    let stochastic = fit("--assignment stochastic --max-iter 30");
    assert_eq!((&stochastic["assignment"], &stochastic["iterations"]), (&json!("stochastic"), &json!(30)));
    let one_thread = fit("--assignment stochastic --max-iter 30 --threads 1");
    assert_eq!(without_seconds(stochastic), without_seconds(one_thread));
    let annealed =
        fit("--assignment annealed --anneal-from 4 --anneal-factor 0.5 --anneal-to hard --max-iter 500 -o m.json");
    assert_eq!((&annealed["assignment"], &annealed["converged"]), (&json!("annealed"), &json!(true)));
    assert!(folder.read("m.json").contains("\"from\": 4"));
    assert_eq!(folder.json("info m.json")["assignment"], json!("annealed"));
    let exact = "--reg-covar 0 --max-iter 1000 -o fast.json";
    let likelihood = |flags: &str| fit(&format!("{flags} {exact}"))["log_likelihood"].as_f64().unwrap();
    assert!((likelihood("--accelerate") / likelihood("") - 1.0).abs() < 1e-8);
    fit(&format!("--accelerate {exact}"));
    assert!(folder.read("fast.json").contains("\"acceleration\": \"squarem\""));
    folder.fails("fit data.csv -m gmm -k 3 --assignment hard --accelerate", 2, &["--accelerate", "hard"]);
    folder.fails("fit data.csv -m gmm -k 3 --anneal-from 4", 2, &["--assignment annealed"]);
    folder.fails("fit data.csv -m gmm -k 3 --assignment annealed --anneal-factor 1", 2, &["between 0 and 1"]);
    // This is k-means, by the mixture's own door.
    let same = folder.json("fit data.csv -m gmm --covariance tied-spherical --assignment hard --equal-weights -k 3");
    assert_eq!(same["sizes"], folder.json("fit data.csv -k 3")["sizes"]);
}

#[test]
fn each_distance_has_its_centres() {
    let folder = Folder::new();
    folder.write("data.csv", "x,y\n1,1\n2,1\n9,1\n10,200\n11,210\n20,190\n");
    folder.write("start.csv", "x,y\n2,2\n10,190\n");
    let fit = |flags: &str| folder.json(&format!("fit data.csv -k 2 --init-centers start.csv -o m.json {flags}"));
    // Means, medians, and directions of the same two clusters.
    assert_eq!(fit("--metric l2")["means"], json!([[4.0, 1.0], [41.0 / 3.0, 200.0]]));
    assert_eq!(fit("--metric l1")["means"], json!([[2.0, 1.0], [11.0, 200.0]]));
    for direction in fit("--metric cosine")["means"].as_array().unwrap() {
        let length: f64 = direction.as_array().unwrap().iter().map(|x| x.as_f64().unwrap().powi(2)).sum();
        assert!((length - 1.0).abs() < 1e-12, "{direction}");
    }
    for metric in ["l1", "cosine", "kl", "itakura-saito", "mahalanobis"] {
        let fitted = fit(&format!("--metric {metric} --labels l.csv"));
        // The file remembers the distance.
        assert_eq!(folder.json("info m.json")["metric"], json!(metric));
        assert_eq!(folder.ok("predict m.json data.csv"), folder.read("l.csv"), "{metric}");
        let (inertia, again) = (&fitted["inertia"], &folder.json("score m.json data.csv")["inertia"]);
        assert!((inertia.as_f64().unwrap() / again.as_f64().unwrap() - 1.0).abs() < 1e-12, "{metric}");
        assert!(folder.ok("info m.json").contains(&format!("(by {metric})")));
    }
    folder.fails("fit data.csv -k 2 --metric linf", 2, &["no centre rule for linf", "l1"]);
    folder.fails("fit data.csv -k 2 --metric lp", 2, &["no centre rule for lp", "l1"]);
    folder.fails("fit data.csv -k 2 --metric l1 --missing marginal", 2, &["--missing marginal", "l2"]);
    folder.fails("fit data.csv -k 2 --metric l1 --algorithm bounds", 2, &["--algorithm", "l2"]);
    folder.write("zero.csv", "x,y\n1,1\n0,0\n3,4\n");
    folder.fails("fit zero.csv -k 2 --metric cosine", 1, &["zero.csv", "row 1", "all zeros"]);
    folder.fails("fit zero.csv -k 2 --metric itakura-saito", 1, &["row 1, column 0 is 0", "positive"]);
}

#[test]
fn parameters_are_held() {
    let folder = Folder::with_data();
    folder.write("w.csv", "w\n0.5\n0.3\n0.2\n");
    let fit = |flags: &str| folder.json(&format!("fit data.csv -m gmm -k 3 {flags}"));
    let free = fit("-o m.json");
    let given = fit("--given-weights w.csv");
    assert_eq!(given["weights"], json!([0.5, 0.3, 0.2]));
    assert_eq!(given["n_parameters"].as_u64().unwrap() + 2, free["n_parameters"].as_u64().unwrap());
    let held = fit("--init-model m.json --covariance spherical --hold means,weights");
    assert_eq!((&held["means"], &held["weights"]), (&free["means"], &free["weights"]));
    assert_eq!(held["n_parameters"], json!(3));
    folder.write("w.csv", "w\n0.5\n0.3\n");
    folder.fails("fit data.csv -m gmm -k 3 --given-weights w.csv", 1, &["w.csv", "2 weights", "3 components"]);
    folder.fails("fit data.csv -k 3 --hold means", 2, &["--hold", "-m gmm"]);
}

#[test]
fn known_labels_stay() {
    let folder = Folder::with_data();
    let plain: Vec<String> = folder.ok("fit data.csv -k 3 --labels -").lines().skip(1).map(String::from).collect();
    // Three rows, named otherwise than they are found; one of them in the wrong cluster.
    let turned =
        |i: usize| if plain[i] == "2" { "0".to_string() } else { (plain[i].parse::<u8>().unwrap() + 1).to_string() };
    let firsts: Vec<usize> =
        ["0", "1", "2"].iter().map(|label| plain.iter().position(|l| l == label).unwrap()).collect();
    let known = |i: usize| if firsts.contains(&i) { turned(i) } else { String::new() };
    let data = folder.read("data.csv");
    let lines = data.lines().enumerate().map(|(i, line)| match i {
        0 => format!("{line},kind\n"),
        i => format!("{line},{}\n", known(i - 1)),
    });
    folder.write("partly.csv", lines.collect::<String>());
    for method in ["kmeans", "gmm"] {
        let fit = format!("fit partly.csv -m {method} -k 3 --known-labels kind --labels -");
        let labels: Vec<String> = folder.ok(&fit).lines().skip(1).map(String::from).collect();
        assert_eq!(labels, (0..plain.len()).map(turned).collect::<Vec<_>>(), "{method}");
    }
    folder.fails("fit partly.csv -k 2 --known-labels kind", 1, &["known label", "from 0 to 1"]);
    folder.fails("fit data.csv -k 2 --known-labels width", 1, &["row 1", "width", "whole numbers"]);
    folder.fails("fit partly.csv -k 3 --known-labels kind --algorithm bounds", 2, &["bounds", "lloyd"]);
}

#[test]
fn kmeans_plus_plus_has_trials() {
    let folder = Folder::with_data();
    let fit = |flags: &str| folder.json(&format!("fit data.csv -k 5 --max-iter 0 {flags}"))["means"].clone();
    // 2 + ⌊ln 5⌋ = 3
    assert_eq!(fit("--init-trials 3"), fit("--init k-means++"));
    assert_ne!(fit("--init-trials 1"), fit("--init k-means++"));
    assert_eq!(fit("--algorithm lloyd --metric l2"), fit("--metric sqeuclidean --algorithm auto"));
}

fn rows(csv: &str) -> Vec<Vec<f64>> {
    csv.lines().skip(1).map(|line| line.split(',').map(|x| x.parse().unwrap()).collect()).collect()
}

fn nearest(row: &[f64], centres: &[Vec<f64>]) -> (usize, f64) {
    let distance = |centre: &[f64]| row.iter().zip(centre).map(|(x, c)| (x - c) * (x - c)).sum::<f64>();
    let distances = centres.iter().map(|centre| distance(centre)).enumerate();
    distances.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
}

#[test]
fn a_tree_starts_a_mixture() {
    let folder = Folder::with_data();
    let answer = folder.json("fit data.csv -m gmm -k 3 --init hierarchical --n-runs 5");
    assert_eq!((&answer["sizes"], &answer["n_runs"]), (&json!([20, 20, 20]), &json!(1)));
    folder.fails("fit data.csv -k 3 --init hierarchical", 2, &["--init hierarchical", "-m gmm"]);
}
