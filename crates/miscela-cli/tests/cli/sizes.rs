//! Clusters that are kept to their sizes, and numbered by them.

use crate::run::Folder;

#[test]
fn sizes_are_kept_in_answers_and_labels() {
    let folder = Folder::with_data();
    folder.write("start.csv", "length,width\n0,0\n10,0\n");
    for sizing in ["", "--sizing transfers"] {
        let fit = format!("fit data.csv --init-centers start.csv --min-size 28 --max-size 32 {sizing}");
        let answer = folder.json(&format!("{fit} --labels labels.csv"));
        let sizes: Vec<u64> = answer["sizes"].as_array().unwrap().iter().map(|size| size.as_u64().unwrap()).collect();
        assert!(sizes.iter().all(|size| (28..=32).contains(size)), "{sizes:?}");
        let ones = folder.read("labels.csv").lines().filter(|line| *line == "1").count();
        assert_eq!(ones as u64, sizes[1]);
    }
    folder.fails("fit data.csv -k 3 --min-size 30", 1, &["3 clusters of at least 30 rows need 90 rows", "60"]);
    folder.fails("fit data.csv -k 3 --max-size 10", 1, &["hold 30 rows", "60"]);
    folder.fails("fit data.csv -k 3 --min-size 9 --max-size 8", 2, &["at least 9 and at most 8"]);
    folder.fails("fit data.csv -k 3 --max-size 0", 2, &["--max-size", "at least 1"]);
    folder.fails("fit data.csv -k 3 --min-size 9 --trim 0.1", 2, &["--min-size", "--trim"]);
    folder.fails("fit data.csv -k 3 --sizing exact", 2, &["--sizing", "--min-size"]);
    folder.fails("fit data.csv -m gmm -k 3 --min-size 9", 2, &["--min-size", "-m kmeans"]);
    folder.write("weighted.csv", "x,w\n1,1\n2,2.5\n9,1\n");
    folder.fails("fit weighted.csv -k 2 --weights w --min-size 1", 1, &["row 1 is 2.5", "whole numbers"]);
}

#[test]
fn clusters_are_numbered_by_rule() {
    let folder = Folder::with_data();
    for fit in ["fit data.csv -k 3", "fit data.csv -m gmm -k 3"] {
        let answer = folder.json(&format!("{fit} --order centre --labels labels.csv -o m.json"));
        let first: Vec<f64> =
            answer["means"].as_array().unwrap().iter().map(|mean| mean[0].as_f64().unwrap()).collect();
        assert!(first.is_sorted(), "{first:?}");
        assert_eq!(folder.ok("predict m.json data.csv"), folder.read("labels.csv"));
        let sizes = folder.json(&format!("{fit} --order weight"))["sizes"].clone();
        assert_eq!(sizes, serde_json::json!([20, 20, 20]));
    }
    folder.fails("fit data.csv -k 3 --order luck", 2, &["--order", "weight or centre"]);
    folder.fails("fit data.csv -m gmm -k 3 --order weight --bayesian dirichlet", 2, &["--order", "--bayesian"]);
}
