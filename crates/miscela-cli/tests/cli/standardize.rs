//! `--standardize`: units do not matter, and the model takes rows as they are.

use crate::run::Folder;
use serde_json::Value;

/// The three clusters with a width in other units, and far off.
fn folder() -> Folder {
    let folder = Folder::with_data();
    let text = folder.read("data.csv");
    let moved = text.lines().skip(1).map(|line| {
        let (length, width) = line.split_once(',').unwrap();
        let width: f64 = width.parse().unwrap();
        format!("{length},{}\n", 1024.0 * width)
    });
    folder.write("other.csv", String::from("length,width\n") + &moved.collect::<String>());
    folder
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn near(a: &Value, b: f64) {
    let a = number(a);
    assert!((a - b).abs() <= 1e-9 * (1.0 + b.abs()), "{a} and {b}");
}

#[test]
fn units_of_columns_do_not_matter() {
    let folder = folder();
    for method in [
        "-m kmeans -k 3",
        "-m bisecting -k 3",
        "-m gmm -k 3",
        "-m gmm -k 3 --covariance EII",
        "-m gmm -k 3 --bayesian dirichlet",
    ] {
        let fit = |data: &str, more: &str| folder.json(&format!("fit {data} {method} --standardize {more}"));
        let (here, there) = (fit("data.csv", "--labels a.csv -o a.json"), fit("other.csv", "--labels b.csv -o b.json"));
        assert_eq!(folder.read("a.csv"), folder.read("b.csv"), "{method}");
        for (a, b) in here["means"].as_array().unwrap().iter().zip(there["means"].as_array().unwrap()) {
            near(&b[0], number(&a[0]));
            near(&b[1], 1024.0 * number(&a[1]));
        }
        near(&there["scaling"]["scale"][1], 1024.0 * number(&here["scaling"]["scale"][1]));
        // The rows of the fit are labelled as they were in it, in their own units.
        assert_eq!(folder.ok("predict b.json other.csv"), folder.read("b.csv"), "{method}");
        let score = folder.json("score b.json other.csv");
        if here["inertia"].is_null() {
            // A density of rows in other units is another density.
            near(&there["log_likelihood"], number(&here["log_likelihood"]) - 60.0 * 1024f64.ln());
            near(&score["log_likelihood"], number(&there["log_likelihood"]));
            near(&score["bic"], number(&there["bic"]));
            assert_eq!(there["n_parameters"], here["n_parameters"]);
        } else {
            near(&there["inertia"], number(&here["inertia"]));
            near(&score["inertia"], number(&there["inertia"]));
        }
        assert!(folder.ok("info b.json").contains("standardised"));
        assert_eq!(folder.json("info b.json")["means"], there["means"]);
        folder.ok("convert b.json -o b.cbor");
        assert_eq!(folder.ok("predict b.cbor other.csv"), folder.read("b.csv"));
        folder.ok("report b.json other.csv -o page.html");
        folder.ok("convert b.json -o b.onnx");
    }
}

#[test]
fn what_goes_beside_a_fit_is_in_the_units_of_the_rows() {
    let folder = folder();
    // From the same start: what is found without one depends on units.
    let labels: String = (0..60).map(|i| format!("{}\n", i % 3)).collect();
    folder.write("start.labels.csv", format!("label\n{labels}"));
    let plain = folder
        .json("fit other.csv -m gmm -k 3 --init-labels start.labels.csv --reg-covar 0 --tol 1e-10 --max-iter 1000");
    let scaled = folder.json(
        "fit other.csv -m gmm -k 3 --init-labels start.labels.csv --reg-covar 0 --tol 1e-10 --max-iter 1000 --standardize -o m.json --plot p.svg",
    );
    // A structure that adapts to units is the same in all.
    assert!((number(&plain["bic"]) - number(&scaled["bic"])).abs() < 1e-4);
    near(&scaled["trace"][scaled["trace"].as_array().unwrap().len() - 1], number(&scaled["log_likelihood"]));
    let covariance = |answer: &Value| number(&answer["covariances"][0][1][1]);
    assert!((covariance(&scaled) / covariance(&plain) - 1.0).abs() < 1e-3 || scaled["sizes"] == plain["sizes"]);

    // Given centres are those of rows, in files and in models; nothing moves them where they are.
    folder.write("start.csv", "length,width\n0,0\n10,0\n0,10240\n");
    let evaluated = folder.json("fit other.csv -k 3 --standardize --init-centers start.csv --max-iter 0");
    near(&evaluated["means"][2][1], 10240.0);
    for more in ["--standardize", ""] {
        let again = folder.json(&format!("fit other.csv -m gmm --init-model m.json --max-iter 0 {more}"));
        assert!((number(&again["log_likelihood"]) - number(&scaled["log_likelihood"])).abs() < 1e-4, "{more}");
    }
    folder.json("fit other.csv -m gmm -k 3 --covariance EII --standardize -o sphere.json");
    let again = folder.json("fit other.csv -m gmm --init-model sphere.json --standardize --max-iter 0");
    assert_eq!(again["covariance"], "tied-spherical");
    let sphere = folder.json("info sphere.json");
    near(&again["log_likelihood"], number(&sphere["log_likelihood"]));

    let drawn = folder.json("sample m.json -n 50");
    let widths: Vec<f64> = drawn["rows"].as_array().unwrap().iter().map(|row| number(&row[1])).collect();
    assert!(widths.iter().any(|width| *width > 5000.0), "{widths:?}");
    let densities = folder.json("predict m.json other.csv --log-density");
    let total: f64 = densities["log_density"].as_array().unwrap().iter().map(number).sum();
    near(&scaled["log_likelihood"], total);
}

#[test]
fn selections_and_streams() {
    let folder = folder();
    let select =
        |data: &str, more: &str| folder.json(&format!("select {data} -k 1..4 --covariance all --standardize {more}"));
    let (here, there) = (select("data.csv", "-o m.json"), select("other.csv", ""));
    assert_eq!(here["best"]["n_clusters"], 3);
    assert_eq!(here["best"]["covariance"], there["best"]["covariance"]);
    near(&there["best"]["bic"], number(&here["best"]["bic"]) + 120.0 * 1024f64.ln());
    let best =
        here["table"].as_array().unwrap().iter().filter(|row| row["error"].is_null()).map(|row| number(&row["bic"]));
    near(&here["best"]["bic"], best.fold(f64::INFINITY, f64::min));
    near(&folder.json("score m.json data.csv")["bic"], number(&here["best"]["bic"]));
    let kmeans = folder.json("select other.csv -m kmeans -k 2..4 --standardize");
    assert_eq!(kmeans["best"]["n_clusters"], 3);

    for method in ["-m kmeans", "-m gmm --covariance EII"] {
        folder.write("start.csv", "length,width\n0,0\n10,0\n0,10240\n");
        let fit = |more: &str| {
            folder.json(&format!("fit other.csv {method} --init-centers start.csv --standardize --quiet {more}"))
        };
        let (at_once, chunked) = (fit("--labels a.csv"), fit("--memory 100 --labels b.csv -o s.json"));
        assert!(chunked["passes"].as_u64().unwrap() > 1);
        assert_eq!(folder.read("a.csv"), folder.read("b.csv"));
        near(&chunked["means"][2][1], number(&at_once["means"][2][1]));
        let score = |more: &str| folder.json(&format!("score s.json other.csv --quiet {more}"));
        let (at_once, chunked) = (score(""), score("--memory 100"));
        for key in ["inertia", "log_likelihood", "bic", "icl"]
            .into_iter()
            .filter(|key| at_once.get(key).is_some_and(Value::is_f64))
        {
            near(&chunked[key], number(&at_once[key]));
        }
        fit("--checkpoint c.check");
    }
}

#[test]
fn gaps_are_filled_in_the_units_of_the_rows() {
    let folder = folder();
    folder.write("gaps.csv", folder.read("other.csv") + "10,\n,10240\n");
    for method in ["kmeans", "gmm"] {
        folder.json(&format!("fit gaps.csv -m {method} -k 3 --standardize --missing marginal -o m.json"));
        let filled = folder.ok("impute m.json gaps.csv");
        let last: Vec<f64> = filled.lines().last().unwrap().split(',').map(|x| x.parse().unwrap()).collect();
        assert!(last[0].abs() < 2.0 && last[1] == 10240.0, "{filled}");
        // What is there stays, to the letter.
        assert_eq!(filled.lines().nth(5), folder.read("gaps.csv").lines().nth(5));
    }
}

#[test]
fn what_cannot_scale_refuses_the_model() {
    let folder = folder();
    folder.ok("fit other.csv -k 3 --standardize -o m.json --quiet");
    let good: Value = serde_json::from_str(&folder.read("m.json")).unwrap();
    let [mut short, mut zero, mut unknown] = [good.clone(), good.clone(), good];
    short["scaling"]["shift"] = serde_json::json!([1.0]);
    zero["scaling"]["scale"][1] = serde_json::json!(0.0);
    unknown["scaling"]["offset"] = serde_json::json!([0.0, 0.0]);
    for (bad, words) in [(short, "2 columns has 1 numbers in shift"), (zero, "column 1 is 0"), (unknown, "offset")] {
        folder.write("bad.json", bad.to_string());
        folder.fails("predict bad.json other.csv", 1, &["bad.json", words]);
    }
    folder.fails("convert m.json -o m.pmml", 1, &["standardised columns", "write .onnx"]);
    folder.fails("convert m.json -o m.npz", 1, &["standardised columns"]);
    folder.ok("fit other.csv -m gmm -k 3 --covariance VII --standardize -o g.json --quiet");
    folder.ok("convert g.json -o g.npz");
    folder.ok("convert g.npz -o again.json");
    assert_eq!(folder.ok("predict again.json other.csv"), folder.ok("predict g.json other.csv"));
    folder.fails("fit other.csv -k 3 --standardize --metric kl", 1, &["other.csv"]);
}

#[test]
fn columns_of_very_different_spread_are_said() {
    let folder = Folder::new();
    let rows: String = (0..30).map(|i| format!("{},{}\n", i % 3, (i * 7 % 30) * 100)).collect();
    folder.write("data.csv", format!("small,wide\n{rows}"));
    let said =
        "wide spreads 1060 times as widely as small and outweighs it; --standardize gives all columns the same say";
    for flags in ["-k 3", "-k 3 -m bisecting", "-k 3 -m gmm --covariance tied-spherical"] {
        assert!(folder.ok(&format!("fit data.csv {flags}")).contains(said), "{flags}");
    }
    for flags in ["-k 3 --standardize", "-k 3 -m gmm --covariance diag", "-k 3 --metric l1"] {
        assert!(!folder.ok(&format!("fit data.csv {flags}")).contains("spreads"), "{flags}");
    }
}
