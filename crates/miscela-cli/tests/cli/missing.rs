//! Tables with missing values: `--missing`, and `impute`.

use crate::run::{Folder, numbers};
use serde_json::{Value, json};

/// `data.csv`, three clusters that each column tells apart, and `holes.csv`: the same with a name a row and values gone, in
/// four spellings.
fn holes() -> Folder {
    let folder = Folder::new();
    let (mut whole, mut holes) = (String::from("length,width\n"), String::from("name,length,width\n"));
    for i in 0..60 {
        let centre = [0.0, 10.0, 20.0][i % 3];
        let value = |step: f64| (centre + (i as f64 * step).sin()).to_string();
        let (length, width) = (value(1.7), value(2.9));
        whole += &format!("{length},{width}\n");
        let gone = ["", "NA", "nan", "?"][i % 4];
        let shown = match i % 5 {
            0 => [gone, &width],
            2 => [&length, gone],
            _ => [&length[..], &width],
        };
        holes += &format!("row {i},{}\n", shown.join(","));
    }
    folder.write("data.csv", whole);
    folder.write("holes.csv", holes);
    folder
}

#[test]
fn by_default_they_are_counted_and_refused() {
    let folder = holes();
    let words = ["holes.csv, line 2", "\"length\"", "the first of 24", "--missing marginal"];
    folder.fails("fit holes.csv --exclude name -k 3", 1, &words);
    folder.ok("fit data.csv -k 3 -o m.json");
    folder.fails("predict m.json holes.csv", 1, &words);
    folder.fails("score m.json holes.csv", 1, &words);
    folder.write("centres.csv", "length,width\n1,\n2,2\n3,3\n");
    folder.fails("fit data.csv --init-centers centres.csv", 1, &["centres.csv", "fill it or remove the row"]);
}

#[test]
fn fits_use_what_is_there_and_the_model_remembers() {
    let folder = holes();
    for fit in ["-m kmeans -k 3", "-m gmm -k 3", "-m gmm -k 3 --covariance tied --assignment hard --dtype f32"] {
        folder.ok(&format!("fit data.csv {fit} --labels whole.csv"));
        let flags = format!("{fit} --exclude name --missing marginal -o m.json --labels labels.csv --plot plot.svg");
        let answer = folder.json(&format!("fit holes.csv {flags}"));
        assert_eq!((&answer["n_missing"], &answer["n_samples"]), (&json!(24), &json!(60)), "{fit}");
        // The clusters are far apart: a value less does not change a label.
        assert_eq!(partition(&folder.read("labels.csv")), partition(&folder.read("whole.csv")), "{fit}");
        assert_eq!(folder.ok("predict m.json holes.csv"), folder.read("labels.csv"));
        let score = folder.json("score m.json holes.csv");
        let objective = if fit.contains("gmm") { "log_likelihood" } else { "inertia" };
        let (fitted, scored) = (answer[objective].as_f64().unwrap(), score[objective].as_f64().unwrap());
        assert!((fitted - scored).abs() <= 1e-9 * fitted.abs(), "{fit}: {fitted} {scored}");
        folder.fails("predict m.json holes.csv --missing error", 1, &["the first of 24"]);
    }
    assert!(folder.ok("predict m.json holes.csv --proba --log-density").lines().count() == 61);
    folder.ok("fit data.csv -m gmm -k 3 -o m.json");
    assert!(folder.ok("predict m.json holes.csv --missing marginal").lines().count() == 61);
    let summary = folder.ok("fit holes.csv --exclude name -k 3 --missing marginal");
    assert!(summary.contains("24 values"), "{summary}");
}

/// Rows of the same label have the same number, whatever the labels are.
fn partition(labels: &str) -> Vec<usize> {
    let labels: Vec<&str> = labels.lines().skip(1).collect();
    labels.iter().map(|label| labels.iter().position(|other| other == label).unwrap()).collect()
}

#[test]
fn impute_fills_the_gaps_and_leaves_the_rest() {
    let folder = holes();
    for fit in ["-m kmeans -k 3", "-m gmm -k 3"] {
        folder.ok(&format!("fit holes.csv --exclude name {fit} --missing marginal -o m.json"));
        let said = folder.ok("impute m.json holes.csv -o filled.csv");
        assert_eq!(said, "24 values filled in 60 rows, written to filled.csv\n");
        let (before, after, truth) = (folder.read("holes.csv"), folder.read("filled.csv"), folder.read("data.csv"));
        assert_eq!(after, folder.ok("impute m.json holes.csv"));
        for ((before, after), truth) in before.lines().zip(after.lines()).zip(truth.lines()) {
            let truth: Vec<&str> = std::iter::once("").chain(truth.split(',')).collect();
            for ((before, after), truth) in before.split(',').zip(after.split(',')).zip(truth) {
                if ["", "NA", "nan", "?"].contains(&before) {
                    let (after, truth): (f64, f64) = (after.parse().unwrap(), truth.parse().unwrap());
                    assert!((after - truth).abs() < 2.0, "{after} where {truth} was");
                } else {
                    assert_eq!(before, after);
                }
            }
        }
        folder.ok("impute m.json holes.csv -o filled.npy");
        assert!(std::fs::read(folder.path("filled.npy")).unwrap().starts_with(b"\x93NUMPY"));
        let answer = folder.json("impute m.json holes.csv");
        assert_eq!((&answer["n_missing"], numbers(&answer["rows"][59]).len()), (&json!(24), 2));
        assert_ne!(answer["rows"][0][0], Value::Null);
    }
    folder.fails("impute m.json holes.csv -o holes.csv", 2, &["holes.csv", "overwritten"]);
}
