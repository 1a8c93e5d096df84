//! Fits by batches of rows.

use crate::run::Folder;

#[test]
fn batches_lead_near_a_fit_to_all_rows() {
    let folder = Folder::new();
    let row = |i: usize| format!("{}.{},{}.{}\n", 10 * (i % 3), i * 7919 % 97, 10 * (i % 2), i * 104_729 % 89);
    folder.write("data.csv", (0..3000).map(row).collect::<String>());
    for (method, figure) in [("kmeans", "inertia"), ("gmm", "log_likelihood")] {
        let fit = |more: &str| folder.json(&format!("fit data.csv -m {method} -k 6 {more}"));
        let (all, batches) = (fit(""), fit("--batch-size 150 --max-iter 80 --labels labels.csv -o model.json"));
        let (all, found) = (all[figure].as_f64().unwrap(), batches[figure].as_f64().unwrap());
        assert!((found - all).abs() < 0.05 * all.abs(), "{method}: {found} and {all}");
        assert!(batches["iterations"].as_u64().unwrap() <= 80);
        assert_eq!(folder.ok("predict model.json data.csv"), folder.read("labels.csv"));
        let again = fit("--batch-size 150 --max-iter 80 --threads 1");
        assert_eq!((&again["means"], &again["trace"]), (&batches["means"], &batches["trace"]));
    }
}

#[test]
fn what_needs_all_rows_is_refused() {
    let folder = Folder::with_data();
    folder.fails("fit data.csv -k 3 --batch-size 0", 2, &["--batch-size", "at least 1"]);
    for more in ["--trim 0.1", "--min-size 3", "--metric l1", "--search swap", "--missing marginal"] {
        let flag = more.split(' ').next().unwrap();
        folder.fails(&format!("fit data.csv -k 3 --batch-size 9 {more}"), 2, &[flag, "--batch-size", "all rows"]);
    }
    for more in ["--noise", "--accelerate", "--assignment stochastic", "--collapse drop", "--bayesian dirichlet"] {
        let flag = more.split(' ').next().unwrap();
        folder.fails(&format!("fit data.csv -m gmm -k 3 --batch-size 9 {more}"), 2, &[flag, "--batch-size"]);
    }
}
