//! What is done with a model once it is kept: `predict`, `score`, `info`, `convert`, `sample`.

use crate::run::{Folder, numbers, without_seconds};
use serde_json::{Value, json};

/// Flags of fits whose models are then used.
const FITS: [&str; 8] = [
    "-m kmeans -k 3",
    "-m bisecting -k 5",
    "-m bisecting -k 4 --split largest --metric l1 --dtype f32",
    "-m kmeans -k 4 --dtype f32",
    "-m gmm -k 3",
    "-m gmm -k 2 --covariance tied --dtype f32",
    "-m gmm -k 5 --bayesian dirichlet",
    "-m gmm -k 5 --bayesian dirichlet-process --covariance diag --dtype f32",
];

#[test]
fn a_kept_model_labels_as_the_fit_did() {
    let folder = Folder::with_data();
    for fit in FITS {
        folder.ok(&format!("fit data.csv {fit} -o m.json --labels labels.csv"));
        assert_eq!(folder.ok("predict m.json data.csv"), folder.read("labels.csv"), "{fit}");
        assert_eq!(folder.ok("predict m.json data.csv -o again.csv"), "60 rows written to again.csv\n");
        assert_eq!(folder.read("again.csv"), folder.read("labels.csv"));
        assert_eq!(folder.ok("predict m.json data.csv -o again.csv --quiet --threads 2"), "");

        folder.ok("convert m.json -o m.cbor");
        assert_eq!(folder.ok("predict m.cbor data.csv"), folder.read("labels.csv"), "{fit}");
        folder.ok("convert m.cbor -o back.json");
        assert_eq!(folder.read("back.json"), folder.read("m.json"), "{fit}");
    }
}

#[test]
fn probabilities_and_densities() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -m gmm -k 2 -o m.json --labels labels.csv");
    let both = folder.ok("predict m.json data.csv --proba --log-density");
    assert_eq!(both.lines().next(), Some("p0,p1,log_density"));
    let labels = folder.read("labels.csv");
    let mut total = 0.0;
    for (line, label) in both.lines().skip(1).zip(labels.lines().skip(1)) {
        let fields: Vec<f64> = line.split(',').map(|x| x.parse().unwrap()).collect();
        assert!((fields[0] + fields[1] - 1.0).abs() < 1e-12);
        assert_eq!(usize::from(fields[1] > fields[0]).to_string(), label);
        total += fields[2];
    }
    let score = folder.json("score m.json data.csv");
    assert!((score["log_likelihood"].as_f64().unwrap() - total).abs() < 1e-9);

    assert_eq!(folder.ok("predict m.json data.csv --log-density").lines().next(), Some("log_density"));
    let answer = folder.json("predict m.json data.csv --proba");
    assert_eq!((&answer["labels"], &answer["log_density"]), (&Value::Null, &Value::Null));
    assert_eq!((&answer["n_samples"], numbers(&answer["probabilities"][59]).len()), (&json!(60), 2));
    let most = |line: &str| line.split(',').map(|p| p.parse::<f64>().unwrap()).fold(0.0, f64::max);
    let expected = folder.ok("predict m.json data.csv --proba");
    let uncertain = folder.ok("predict m.json data.csv --uncertainty");
    assert_eq!(uncertain.lines().next(), Some("uncertainty"));
    for (p, u) in expected.lines().zip(uncertain.lines()).skip(1) {
        assert!((1.0 - most(p) - u.parse::<f64>().unwrap()).abs() < 1e-14, "{p} {u}");
    }

    for flags in ["--proba", "--log-density", "--proba --log-density", "--proba --uncertainty --log-density", ""] {
        folder.ok(&format!("predict m.json data.csv {flags} -o out.npy"));
        assert!(std::fs::read(folder.path("out.npy")).unwrap().starts_with(b"\x93NUMPY"));
    }
}

#[test]
fn columns_are_found_by_name_or_taken_in_order() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -k 3 -o m.json --labels labels.csv");
    let labels = folder.read("labels.csv");
    let lines: Vec<Vec<String>> =
        folder.read("data.csv").lines().skip(1).map(|line| line.split(',').map(String::from).collect()).collect();
    let table = |head: &str, line: &dyn Fn(&[String]) -> String| -> String {
        head.to_string() + &lines.iter().map(|fields| line(fields) + "\n").collect::<String>()
    };
    folder.write("mixed.csv", table("id,width,length\n", &|f| format!("row,{},{}", f[1], f[0])));
    assert_eq!(folder.ok("predict m.json mixed.csv"), labels);
    folder.write("bare.csv", table("", &|f| format!("{},{}", f[0], f[1])));
    assert_eq!(folder.ok("predict m.json bare.csv"), labels);
    assert_eq!(folder.ok("predict m.json mixed.csv --columns length,width"), labels);

    // Other names: in order, and said so.
    folder.write("renamed.csv", table("l,w\n", &|f| format!("{},{}", f[0], f[1])));
    let run = folder.run("predict m.json renamed.csv");
    assert_eq!((run.code, &run.stdout), (0, &labels));
    assert!(run.stderr.starts_with("note: ") && run.stderr.contains("l, w") && run.stderr.contains("length, width"));
    assert_eq!(folder.ok("predict m.json renamed.csv --quiet"), labels);
}

#[test]
fn other_columns_are_carried_along() {
    let folder = Folder::new();
    folder.write("data.csv", "id,x,note\na,0,\"one, two\"\nb,1,\nc,9.50,z\n");
    folder.write("start.csv", "x\n0\n9\n");
    folder.ok("fit data.csv --columns x -o m.json --init-centers start.csv");
    assert_eq!(folder.ok("predict m.json data.csv --id id"), "id,label\na,0\nb,0\nc,1\n");
    let appended = "id,x,note,label\na,0,\"one, two\",0\nb,1,,0\nc,9.50,z,1\n";
    assert_eq!(folder.ok("predict m.json data.csv --append"), appended);
    // Where names do not tell, the column that is carried is not one to compute with.
    folder.write("other.csv", "key,value\n5,0\n6,9\n");
    let run = folder.run("predict m.json other.csv --id key");
    assert_eq!((run.code, run.stdout.as_str()), (0, "key,label\n5,0\n6,1\n"));
}

#[test]
fn scores() {
    let folder = Folder::with_data();
    for fit in FITS {
        let answer = folder.json(&format!("fit data.csv {fit} -o m.json"));
        let score = folder.json("score m.json data.csv");
        let keys: Vec<&String> = score.as_object().unwrap().keys().collect();
        let expected = [
            "aic",
            "bic",
            "icl",
            "inertia",
            "log_likelihood",
            "mean_log_likelihood",
            "method",
            "n_parameters",
            "n_samples",
        ];
        assert_eq!(keys, expected);
        for key in ["n_samples", "n_parameters", "inertia", "log_likelihood", "bic", "aic", "icl"] {
            // A fit by k-means adds up in another order than a score.
            match (score[key].as_f64(), answer[key].as_f64()) {
                (Some(a), Some(b)) => assert!((a - b).abs() <= 1e-12 * a.abs(), "{fit} {key}: {a} and {b}"),
                (a, b) => assert_eq!(a, b, "{fit} {key}"),
            }
        }
        if let Some(total) = score["log_likelihood"].as_f64() {
            assert!((score["mean_log_likelihood"].as_f64().unwrap() - total / 60.0).abs() < 1e-12);
        }
        let text = folder.ok("score m.json data.csv");
        assert!(text.contains("60 rows of data.csv"), "{text}");
    }
}

#[test]
fn scores_with_weights() {
    let folder = Folder::new();
    folder.write("data.csv", "x,w\n0,1\n1,2\n4,0\n");
    folder.write("w.csv", "1\n2\n0\n");
    folder.write("twice.csv", "x\n0\n1\n1\n");
    folder.ok("fit twice.csv -m gmm -k 1 -o m.json");
    let expected = folder.json("score m.json twice.csv");
    for weights in ["w", "w.csv"] {
        let score = folder.json(&format!("score m.json data.csv --weights {weights}"));
        for key in ["log_likelihood", "bic", "aic"] {
            let (a, b) = (score[key].as_f64().unwrap(), expected[key].as_f64().unwrap());
            assert!((a - b).abs() < 1e-9, "{key}: {a} {b}");
        }
    }
}

#[test]
fn what_a_model_holds() {
    let folder = Folder::with_data();
    for fit in FITS {
        let answer = folder.json(&format!("fit data.csv {fit} -o m.cbor"));
        let info = folder.json("info m.cbor");
        assert_eq!(info["feature_names"], json!(["length", "width"]));
        for key in [
            "method",
            "covariance",
            "dtype",
            "n_features",
            "n_clusters",
            "means",
            "weights",
            "sizes",
            "iterations",
            "converged",
            "termination",
        ] {
            assert_eq!(info[key], answer[key], "{fit} {key}");
        }
        let text = folder.ok("info m.cbor");
        assert!(text.contains("length") && text.contains("of m.cbor") && text.contains("after"), "{text}");
    }
}

#[test]
fn conversions_say_what_they_did() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -k 3 -o m.json");
    assert_eq!(folder.ok("convert m.json -o m.cbor"), "m.json written to m.cbor\n");
    let answer = folder.json("convert m.json -o m2.cbor");
    assert_eq!(answer, json!({"method": "kmeans", "from": "m.json", "to": "m2.cbor"}));
    let read = |name: &str| std::fs::read(folder.path(name)).unwrap();
    assert_eq!(read("m.cbor"), read("m2.cbor"));
}

#[test]
fn samples_are_rows_of_the_mixture() {
    let folder = Folder::with_data();
    let fitted = folder.json("fit data.csv -m gmm -k 3 -o m.json");
    let text = folder.ok("sample m.json -n 500 --seed 7");
    assert_eq!((text.lines().next(), text.lines().count()), (Some("length,width"), 501));
    assert_eq!(folder.ok("sample m.json -n 500 --seed 7"), text);
    assert_ne!(folder.ok("sample m.json -n 500 --seed 8"), text);

    folder.ok("sample m.json -n 500 --seed 7 -o s.csv --labels components.csv");
    assert_eq!(folder.read("s.csv"), text);
    assert_eq!(folder.read("components.csv").lines().count(), 501);
    let again = folder.json("fit s.csv -m gmm -k 3");
    let sorted = |answer: &Value| {
        let mut means: Vec<f64> = answer["means"].as_array().unwrap().iter().map(|mean| numbers(mean)[0]).collect();
        means.sort_by(f64::total_cmp);
        means
    };
    for (a, b) in sorted(&again).into_iter().zip(sorted(&fitted)) {
        assert!((a - b).abs() < 0.5, "{a} {b}");
    }

    let answer = folder.json("sample m.json -n 2 --seed 7");
    assert_eq!((&answer["n_samples"], &answer["feature_names"]), (&json!(2), &json!(["length", "width"])));
    let first: Vec<String> = numbers(&answer["rows"][0]).iter().map(f64::to_string).collect();
    assert_eq!(Some(first.join(",").as_str()), folder.ok("sample m.json -n 2 --seed 7").lines().nth(1));
    assert_eq!(numbers(&answer["labels"]).len(), 2);
}

#[test]
fn a_model_of_f32_keeps_its_type() {
    let folder = Folder::with_data();
    let answer = folder.json("fit data.csv -m gmm -k 2 --dtype f32 -o m.json");
    folder.ok("convert m.json -o m.cbor");
    assert_eq!(without_seconds(folder.json("info m.cbor"))["means"], answer["means"]);
    let p = folder.ok("predict m.json data.csv --proba");
    assert_eq!(folder.ok("predict m.cbor data.csv --proba"), p);
}
