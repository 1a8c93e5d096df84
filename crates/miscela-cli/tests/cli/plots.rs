//! `--plot` and `--plot-trace`: what is drawn, of what, and what the call may not ask.

use crate::run::{Folder, clusters};
use miscela_table::write_array;
use ndarray::Array2;

/// Whether a picture says this.
fn says(folder: &Folder, picture: &str, text: &str) {
    let svg = folder.read(picture);
    assert!(svg.starts_with("<svg ") && svg.contains(text), "no {text:?} in {picture}: {svg}");
}

#[test]
fn regions_ellipses_and_names_are_drawn() {
    let folder = Folder::with_data();
    folder.write("weights.csv", (0..60).map(|i| format!("{}\n", i % 4)).collect::<String>());
    for (flags, words) in [
        ("-k 3", &["k-means, 3 clusters", "length", "width"][..]),
        ("-m gmm -k 3", &["1, 2 and 3 standard deviations", "stroke-dasharray"]),
        ("-m gmm -k 3 --tails student", &["Student-t mixture", "39, 86 and 99 %"]),
        ("-m gmm -k 3 --noise", &["noise (", "1, 2 and 3 standard deviations"]),
        ("-m gmm -k 5 --bayesian dirichlet", &["Bayesian mixture"]),
        ("-k 3 --trim 0.1", &["left out (6)"]),
        ("-k 3 --metric l1", &["Distances: l1."]),
        ("-m bisecting -k 4", &["bisecting k-means, 4 clusters"]),
        ("-k 3 --columns length", &["density"]),
        ("-k 3 --weights weights.csv", &["length", "width"]),
        ("-k 3 --weights weights.csv --columns length", &["density"]),
    ] {
        folder.ok(&format!("fit data.csv {flags} --plot p.svg"));
        words.iter().for_each(|word| says(&folder, "p.svg", word));
        // Regions are pale areas, of two columns only.
        let pale = folder.read("p.svg").matches("fill-opacity=\"1\" d=\"").count();
        assert!(flags.contains("--columns") || pale >= 3, "{flags}: {pale}");
    }
}

#[test]
fn regions_end_where_the_distance_does() {
    let folder = Folder::new();
    let rows: String = (0..30).map(|i| format!("{},{}\n", i % 3, (i * 7) % 5 + i % 3 * 4)).collect();
    folder.write("counts.csv", format!("a,b\n{rows}"));
    folder.ok("fit counts.csv -k 2 --metric kl --plot p.svg");
    says(&folder, "p.svg", "Distances: kl.");
}

#[test]
fn the_course_of_a_fit_is_drawn() {
    let folder = Folder::with_data();
    let said = folder.ok("fit data.csv -m gmm -k 3 --plot-trace t.svg");
    assert!(said.contains("trace           written to t.svg"), "{said}");
    ["log-likelihood", "iteration", "onverged after"].iter().for_each(|word| says(&folder, "t.svg", word));
    folder.ok("fit data.csv -k 3 --n-runs 4 --plot-trace t.svg");
    ["inertia", "The best of 4 runs"].iter().for_each(|word| says(&folder, "t.svg", word));
    // What is solved, or evaluated only, has an objective too.
    folder.ok("fit data.csv -k 3 --columns width --plot-trace t.png");
    folder.ok("fit data.csv -k 1 -m bisecting --plot-trace t.svg");
    folder.ok("fit data.csv -m gmm -k 3 --max-iter 0 --plot-trace t.svg");
    folder.ok("fit data.csv -m gmm -k 4 --bayesian dirichlet --plot-trace t.svg");
    says(&folder, "t.svg", "lower bound");
}

#[test]
fn a_selection_is_drawn() {
    let folder = Folder::with_data();
    folder.ok("select data.csv -k 1..4 --covariance tied,VII --plot s.svg");
    ["BIC (lower is better)", "number of clusters", "tied", "(best: 3)"].iter().for_each(|w| says(&folder, "s.svg", w));
    folder.ok("select data.csv -m kmeans -k 1..4 --references 3 --plot s.svg");
    ["inertia", "silhouette", "gap", "Best by silhouette: 3 clusters"].iter().for_each(|w| says(&folder, "s.svg", w));
    folder.ok("select data.csv -m kmeans -k 2..4 --references 0 --criterion davies-bouldin --plot s.svg");
    says(&folder, "s.svg", "Davies-Bouldin");
}

#[test]
fn silhouettes_are_drawn() {
    let folder = Folder::with_data();
    folder.write("labels.csv", (0..60).map(|i| format!("{}\n", i % 3)).collect::<String>());
    folder.ok("metrics --labels labels.csv --data data.csv --plot m.svg");
    ["Silhouettes of labels.csv", "the mean of all rows", "(20)"].iter().for_each(|word| says(&folder, "m.svg", word));
    folder.write("weights.csv", (0..60).map(|i| format!("{}\n", i % 2)).collect::<String>());
    folder.ok("metrics --labels labels.csv --data data.csv --weights weights.csv --plot m.svg");
    ["(10)", "weighted"].iter().for_each(|word| says(&folder, "m.svg", word));
    folder.write("one.csv", "0\n".repeat(60));
    folder.fails("metrics --labels one.csv --data data.csv --plot m.svg", 1, &["one.csv", "two clusters"]);
    folder.fails("metrics --labels labels.csv --truth one.csv --plot m.svg", 2, &["--data"]);
    folder.fails("metrics --labels labels.csv --data data.csv --sample 10 --plot m.svg", 2, &["--sample", "--plot"]);
}

#[test]
fn a_model_draws_other_rows_and_a_tree_is_cut() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -m bisecting -k 5 -o tree.json");
    folder.ok("predict tree.json data.csv --cut 3 -o l.csv --plot p.svg");
    says(&folder, "p.svg", "bisecting k-means, 3 clusters");
    assert_eq!(folder.ok("predict tree.json data.csv --cut 3 --plot p.svg"), folder.read("l.csv"));
}

#[test]
fn rows_that_are_read_in_chunks_are_drawn_as_they_are_at_once() {
    let folder = Folder::with_data();
    let table = Array2::from_shape_fn((60_000, 2), |(i, j)| ((i * (j + 3)) as f64).sin() + (i % 3 * 4) as f64);
    write_array(folder.path("large.parquet"), &["a", "b"], table.view()).unwrap();
    // The same start, as chunks have seedings of their own.
    folder.write("start.csv", "a,b\n0,0\n4,4\n8,8\n");
    let fit = |flags: &str| folder.ok(&format!("fit {flags} --init-centers start.csv --quiet"));
    folder.write("start2.csv", "length,width\n0,0\n10,0\n0,10\n");
    for (memory, picture) in [("1K", "a.svg"), ("1G", "b.svg")] {
        folder.ok(&format!("fit data.csv --init-centers start2.csv --memory {memory} --quiet --plot {picture}"));
    }
    assert_eq!(folder.read("a.svg"), folder.read("b.svg"), "few rows are all drawn");
    fit("large.parquet --memory 100K --plot c.svg --plot-trace t.svg");
    says(&folder, "c.svg", "A sample of 50000 of 60000 rows.");
    says(&folder, "c.svg", "(20000)");
    fit("large.parquet --memory 100K --threads 1 --plot d.svg");
    assert_eq!(folder.read("c.svg"), folder.read("d.svg"));
}

#[test]
fn what_cannot_be_drawn_is_said_before_any_work() {
    let folder = Folder::with_data();
    let bad = [
        "fit data.csv -k 2 --plot p.gif",
        "fit data.csv -k 2 --plot-trace p.gif",
        "select data.csv -k 1..2 --plot p.gif",
    ];
    for call in bad {
        folder.fails(call, 2, &["p.gif", ".svg", ".png"]);
    }
    folder.fails("fit data.csv -k 2 --plot p.svg --plot-trace p.svg", 2, &["p.svg"]);
    folder.fails("select data.csv -k 1..2 --plot no/p.svg", 1, &["no/p.svg", "no folder"]);
    let names = clusters().lines().count();
    assert_eq!((names, folder.files()), (61, vec!["data.csv".to_string()]));
}
