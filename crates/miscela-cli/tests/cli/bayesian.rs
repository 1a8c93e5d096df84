//! `miscela fit --bayesian`, and what is done with its model.

use crate::run::{Folder, numbers};
use serde_json::json;

#[test]
fn a_bayesian_mixture_empties_what_is_needless() {
    let folder = Folder::with_data();
    let fit = "fit data.csv -m gmm -k 6 --max-iter 500 -o m.json";
    let answer = folder.json(&format!("{fit} --bayesian dirichlet-process --concentration 0.001"));
    let posterior = &answer["bayesian"];
    assert_eq!((&answer["method"], &posterior["n_effective"]), (&json!("gmm"), &json!(3)));
    assert_eq!(posterior["weight_prior"], json!({"dirichlet-process": 0.001}));
    assert_eq!(numbers(&posterior["mean_precision"]).len(), 6);
    let trace = numbers(&answer["trace"]);
    assert_eq!(trace.last().copied(), answer["lower_bound"].as_f64());
    assert!(trace.windows(2).all(|pair| pair[1] > pair[0] - 1e-3));
    let rows: u64 = answer["sizes"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(rows, 60);
    // What the file holds is what was said, and its log-likelihood is that of the parameters.
    let info = folder.json("info m.json");
    assert_eq!((&info["lower_bound"], &info["bayesian"]), (&answer["lower_bound"], posterior));
    let score = folder.json("score m.json data.csv")["log_likelihood"].as_f64().unwrap();
    assert!((score - answer["log_likelihood"].as_f64().unwrap()).abs() < 1e-8);
    assert!(folder.ok("info m.json").contains("of which 3 in use"));
    assert_eq!(folder.ok("sample m.json -n 5").lines().count(), 6);
    assert_eq!(folder.ok("predict m.json data.csv --proba").lines().next(), Some("p0,p1,p2,p3,p4,p5"));

    let labels = folder.ok("predict m.json data.csv");
    let proba = folder.ok("predict m.json data.csv --proba --uncertainty");
    for (line, label) in proba.lines().skip(1).zip(labels.lines().skip(1)) {
        let fields: Vec<f64> = line.split(',').map(|x| x.parse().unwrap()).collect();
        let own = fields[label.parse::<usize>().unwrap()];
        assert!(fields[..6].iter().all(|p| *p <= own) && (fields[6] - (1.0 - own)).abs() < 1e-12);
    }

    // 1/k is the default concentration, and a model is a start.
    let default = folder.json(&format!("{fit} --bayesian dirichlet"));
    let given = folder.json(&format!("{fit} --bayesian dirichlet --concentration {}", 1.0 / 6.0));
    assert_eq!(default["lower_bound"], given["lower_bound"]);
    let again = folder.json("fit data.csv -m gmm --init-model m.json --bayesian dirichlet");
    assert!(again["iterations"].as_u64() < default["iterations"].as_u64());
    assert!(folder.json("fit data.csv -m gmm -k 2").get("lower_bound").is_none());
}

#[test]
fn bayesian_flags_that_make_no_sense() {
    let folder = Folder::with_data();
    let cases: [(&str, &[&str]); 17] = [
        ("-k 2 --bayesian dirichlet", &["--bayesian", "-m gmm"]),
        ("-k 2 --concentration 1", &["--concentration", "-m gmm"]),
        ("-m gmm -k 2 --concentration 1", &["--bayesian"]),
        ("-m gmm -k 2 --concentration 1 --temperature 2", &["--concentration", "--bayesian"]),
        ("-m gmm -k 2 --concentration 1 --equal-weights", &["--concentration", "--bayesian"]),
        ("-m gmm -k 2 --bayesian dirichlet --covariance VEV", &["VEV", "full"]),
        ("-m gmm -k 2 --bayesian dirichlet --accelerate", &["--bayesian", "--accelerate"]),
        ("-m gmm -k 2 --bayesian dirichlet --anneal-from 3", &["--bayesian", "--anneal-from"]),
        ("-m gmm --bayesian dirichlet --init-centers data.csv --init-weights w.csv", &["--bayesian", "--init-weights"]),
        ("-m gmm -k 2 --bayesian flat", &["flat", "dirichlet-process"]),
        ("-m gmm -k 2 --bayesian dirichlet --concentration 0", &["'0'", "--concentration"]),
        ("-m gmm -k 2 --bayesian dirichlet --assignment hard", &["--bayesian", "--assignment"]),
        ("-m gmm -k 2 --bayesian dirichlet --missing marginal", &["--bayesian", "--missing marginal", "impute"]),
        ("-m gmm -k 2 --bayesian dirichlet --noise 0.1", &["--bayesian", "--noise"]),
        ("-m gmm -k 2 --bayesian dirichlet --known-labels width", &["--bayesian", "--known-labels"]),
        ("-m gmm -k 2 --bayesian dirichlet --hold means", &["--bayesian", "--hold"]),
        ("-m gmm -k 2 --bayesian dirichlet --equal-weights", &["--bayesian", "--equal-weights"]),
    ];
    for (flags, words) in cases {
        folder.fails(&format!("fit data.csv {flags}"), 2, words);
    }
    folder.ok("fit data.csv -m gmm -k 3 --bayesian dirichlet -o m.json");
    folder.fails("predict m.json data.csv --missing marginal", 1, &["m.json", "Bayesian", "impute"]);
    folder.write("gaps.csv", "length,width\n0,\n10,0\n");
    let run = folder.run("predict m.json gaps.csv");
    assert!(run.code == 1 && !run.stderr.contains("--missing marginal"), "{run:?}");
    assert_eq!(folder.ok("impute m.json gaps.csv").lines().count(), 3);
}
