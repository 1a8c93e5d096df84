//! Searches for better optima.

use crate::run::Folder;

#[test]
fn a_search_mends_a_poor_start_and_says_what_it_did() {
    let folder = Folder::new();
    // Twelve groups far apart, and all centres in two of them.
    let row = |i: usize| format!("{},{}\n", 100 * (i % 12 % 4) + i % 7, 100 * (i % 12 / 4) + i % 5);
    folder.write("data.csv", (0..240).map(row).collect::<String>());
    folder.write("start.csv", (0..240).filter(|i| i % 12 < 2).take(12).map(row).collect::<String>());
    let fit = |more: &str| format!("fit data.csv --init-centers start.csv {more}");
    let inertia = |more: &str| folder.json(&fit(more))["inertia"].as_f64().unwrap();
    let plain = inertia("");
    for search in ["swap", "breathing"] {
        let answer = folder.json(&fit(&format!("--search {search} -o model.json")));
        let found = answer["inertia"].as_f64().unwrap();
        assert!(found < 0.01 * plain, "{found} and {plain}");
        assert_eq!(answer["search"]["method"], search);
        let before = answer["search"]["before"].as_f64().unwrap();
        assert!((before - plain).abs() < 1e-12 * plain, "{before} and {plain}");
        assert!(answer["search"]["kept"].as_u64().unwrap() > 0);
        // The model keeps the report.
        assert!(folder.ok("info model.json").contains("inertia"));
        assert!(folder.ok(&fit(&format!("--search {search}"))).contains("kept, in"));
        let answer = folder.json(&fit(&format!("--search {search} --search-iterations 7")));
        assert_eq!(answer["search"]["iterations"], 7);
    }
    assert!(inertia("--search swap --search-seconds 0.05") <= plain);
    assert!(folder.json(&fit("--search none")).get("search").is_none());
    folder.fails(&fit("--search luck"), 2, &["--search", "none, swap or breathing"]);
    folder.fails(&fit("--search-iterations 9"), 2, &["--search-iterations", "--search swap"]);
    folder.fails(&fit("--search-seconds 1"), 2, &["--search-seconds", "--search swap"]);
    folder.fails(&fit("--search swap --search-seconds 0"), 2, &["--search-seconds", "above 0"]);
    folder.fails(&fit("--search swap --search-seconds 1 --search-iterations 2"), 2, &["cannot be used with"]);
    folder.fails(&fit("--search swap --trim 0.1"), 2, &["search", "trimmed rows"]);
    folder.fails(&fit("-m gmm --bayesian dirichlet --search swap"), 2, &["--search", "--bayesian"]);
    folder.fails(&fit("-m gmm --missing marginal --search swap"), 2, &["search", "missing values"]);
    // Mixtures by the same door.
    let mixture = |more: &str| folder.json(&fit(&format!("-m gmm --covariance spherical {more}")));
    let plain = mixture("");
    assert!(plain.get("search").is_none());
    for search in ["swap", "breathing"] {
        let answer = mixture(&format!("--search {search} -o model.json"));
        let (found, before) = (&answer["log_likelihood"], &answer["search"]["before"]);
        assert!(found.as_f64().unwrap() > plain["log_likelihood"].as_f64().unwrap() + 100.0);
        assert_eq!((before, &answer["search"]["method"]), (&plain["log_likelihood"], &search.into()));
        assert!(folder.ok("info model.json").contains("spherical"));
        let answer = mixture(&format!("--search {search} --search-iterations 7"));
        assert_eq!(answer["search"]["iterations"], 7);
    }
}
