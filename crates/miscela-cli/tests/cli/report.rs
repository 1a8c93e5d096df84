//! `miscela report`: pages of every kind of model, from tables as other commands take them.

use crate::run::Folder;
use miscela_table::write_array;
use ndarray::Array2;
use serde_json::Value;

/// What the script of a page is told.
fn content(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"report\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn every_kind_of_model_has_a_page() {
    let folder = Folder::with_data();
    let fits = [
        ("-m kmeans -k 3", "k-means, 3 clusters"),
        ("-m kmeans -k 3 --trim 0.1", "label 3"),
        ("-m kmeans -k 3 --metric l1 --dtype f32", "inertia by l1"),
        ("-m bisecting -k 4", "split in two"),
        ("-m gmm -k 3", "Gaussian mixture, 3 components"),
        ("-m gmm -k 2 --covariance VEI --dtype f32", "their axes lie along the columns"),
        ("-m gmm -k 2 --noise --equal-weights", "noise"),
        ("-m gmm -k 2 --tails student", "Student-t mixture"),
        ("-m gmm -k 6 --bayesian dirichlet-process", "lower bound"),
        ("-m gmm -k 2 --assignment hard", "hard assignment"),
        ("-k 1", "k-means, 1 cluster"),
    ];
    for (fit, words) in fits {
        folder.ok(&format!("fit data.csv {fit} -o m.json --quiet"));
        let said = folder.ok("report m.json data.csv -o page.html");
        assert!(said.starts_with("report of 60 rows written to page.html ("), "{said}");
        let page = folder.read("page.html");
        assert!(page.contains(words), "{fit}");
        assert!(page.contains(&format!("miscela fit data.csv {fit} -o m.json --quiet")), "{fit}");
        assert!(page.contains("miscela report m.json data.csv -o page.html"), "{fit}");
        assert!(!page.contains("http:") && !page.contains("https:"));
        let content = content(&page);
        assert_eq!(content["n"], 60, "{fit}");
        assert_eq!(content["covariances"].is_null(), !fit.contains("gmm"), "{fit}");
        assert_eq!(content["axes"][0]["name"], "length");
    }
}

#[test]
fn the_page_is_the_same_however_the_table_is_kept() {
    let folder = Folder::new();
    let table = Array2::from_shape_fn((30_000, 3), |(i, j)| {
        (i % 5 * (j + 3) % 7) as f64 + ((i * 7919 + j * 104_729) as f64 * 0.618_033_988_749_894_9).fract()
    });
    for name in ["t.csv", "t.csv.gz", "t.parquet", "t.arrow"] {
        write_array(folder.path(name), &["a", "b", "c"], table.view()).unwrap();
    }
    std::fs::create_dir(folder.path("parts")).unwrap();
    for part in 0..3 {
        let rows = (30_000 * part / 3..30_000 * (part + 1) / 3).into();
        let path = folder.path(&format!("parts/{part}.parquet"));
        write_array(path, &["a", "b", "c"], table.slice_axis(ndarray::Axis(0), rows)).unwrap();
    }
    folder.ok("fit t.parquet -m gmm -k 4 -o m.json --quiet");
    folder.ok("report m.json t.csv -o page.html --quiet");
    let expected = content(&folder.read("page.html"));
    assert_eq!(expected["density"].as_array().unwrap().len(), 15);
    assert!(folder.read("page.html").contains("Points are 4000 of 30000 rows, drawn at random"));
    for data in
        ["t.csv.gz", "t.parquet", "t.arrow", "parts", "t.csv --threads 1", "t.csv --memory 100", "parts --memory 100"]
    {
        folder.ok(&format!("report m.json {data} -o page.html --quiet"));
        assert_eq!(content(&folder.read("page.html")), expected, "{data}");
    }
    let input = std::fs::read(folder.path("t.csv")).unwrap();
    folder.run_with_input("report m.json - -o page.html --quiet", &input).done();
    assert_eq!(content(&folder.read("page.html")), expected);
    folder.ok("report m.json t.csv -o page.html --quiet --seed 7");
    assert_ne!(content(&folder.read("page.html")), expected, "another sample");
}

#[test]
fn weights_count_and_missing_values_are_left_out() {
    let folder = Folder::with_data();
    let lines = folder.read("data.csv");
    let weighted: Vec<String> = lines.lines().enumerate().map(|(i, line)| format!("{line},{}", i % 2)).collect();
    folder.write("w.csv", weighted.join("\n").replacen(",0\n", ",w\n", 1));
    folder.ok("fit w.csv -k 3 --weights w -o m.json --quiet");
    folder.ok("report m.json w.csv --weights w -o page.html --quiet");
    let page = folder.read("page.html");
    assert_eq!(content(&page)["n"], 30);
    assert!(!page.contains("The sizes are not those of the fit"), "the same rows and weights");
    folder.ok("report m.json w.csv -o page.html --quiet");
    assert!(folder.read("page.html").contains("The sizes are not those of the fit"));

    folder.write("holes.csv", lines.replacen("0,", ",", 3));
    for method in ["gmm", "kmeans"] {
        folder.ok(&format!("fit holes.csv -m {method} -k 2 --missing marginal -o m.json --quiet"));
        folder.ok("report m.json holes.csv -o page.html --quiet");
        assert!(folder.read("page.html").contains("missing: rows are judged by what they show"), "{method}");
    }
    folder.ok("fit data.csv -k 2 -o m.json --quiet");
    folder.fails("report m.json holes.csv -o other.html", 1, &["holes.csv", "--missing marginal"]);
}

#[test]
fn a_selection_stays_with_the_model() {
    let folder = Folder::with_data();
    for (flags, criterion) in
        [("-k 1..3 --covariance full,diag", "bic"), ("-m kmeans -k 2..4 --criterion davies-bouldin", "davies-bouldin")]
    {
        folder.ok(&format!("select data.csv {flags} -o m.json --quiet"));
        folder.ok("report m.json data.csv -o page.html --quiet");
        let page = folder.read("page.html");
        assert!(page.contains(&format!("Chosen by {criterion} among")), "{criterion}");
        assert_eq!(page.matches("<tr class=\"chosen\">").count(), 1);
        let model: Value = serde_json::from_str(&folder.read("m.json")).unwrap();
        let table = &model["report"]["provenance"]["selection"];
        assert!(table["rows"][0]["figures"][criterion.replace('-', "_")].is_number(), "{table}");
        folder.ok("convert m.json -o m.cbor");
        folder.ok("convert m.cbor -o back.json");
        assert_eq!(folder.read("back.json"), folder.read("m.json"));
    }
}

#[test]
fn a_model_that_says_nothing_of_its_making_has_a_page() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -m gmm -k 2 -o m.json --quiet");
    let mut model: Value = serde_json::from_str(&folder.read("m.json")).unwrap();
    assert_eq!(model["report"]["provenance"]["command"][1], "fit");
    model["report"].as_object_mut().unwrap().remove("provenance");
    folder.write("old.json", model.to_string());
    folder.ok("report old.json data.csv -o page.html --quiet");
    assert!(folder.read("page.html").contains("does not say by which command it was made"));
    assert!(folder.ok("info m.json").contains("miscela fit data.csv -m gmm -k 2 -o m.json --quiet"));
    assert!(!folder.ok("info old.json").contains("made by"));
}

#[test]
fn what_cannot_be_is_refused_and_leaves_nothing() {
    let folder = Folder::with_data();
    folder.ok("fit data.csv -k 2 -o m.json --quiet");
    folder.write("wide.csv", "a,b,c\n1,2,3\n");
    folder.write("empty.csv", "length,width\n");
    folder.write("bad.csv", "length,width\n1,x\n");
    folder.write("page.txt", "");
    folder.fails("report m.json data.csv -o page.txt", 2, &["page.txt", ".html"]);
    folder.fails("report m.json data.csv", 2, &["--output"]);
    folder.fails("report m.json data.csv -o nowhere/page.html", 1, &["nowhere"]);
    folder.fails("report m.json wide.csv -o page.html", 1, &["wide.csv", "3 columns"]);
    folder.fails("report m.json empty.csv -o page.html", 1, &["empty.csv"]);
    folder.fails("report m.json bad.csv -o page.html", 1, &["bad.csv", "\"x\""]);
    folder.fails("report data.json data.csv -o page.html", 1, &["data.json"]);
    folder.fails("report m.json data.csv -o page.html --cut 2", 1, &["m.json", "--cut"]);
    folder.write("w.html", "1\n");
    folder.fails("report m.json data.csv -o - --json", 2, &["standard output"]);
    assert!(folder.ok("report m.json data.csv -o -").starts_with("<!doctype html>"));
    let answer = folder.json("report m.json data.csv -o page.html");
    assert_eq!((&answer["n_samples"], &answer["n_drawn"]), (&Value::from(60), &Value::from(60)));
    assert_eq!(answer["bytes"], folder.read("page.html").len());
}

#[test]
fn rows_are_called_by_their_names() {
    let folder = Folder::with_data();
    let text = folder.read("data.csv");
    let named = text.lines().enumerate().map(|(i, line)| match i {
        0 => format!("name,{line}\n"),
        i => format!("</script>{i},{line}\n"),
    });
    folder.write("named.csv", named.collect::<String>());
    folder.ok("fit data.csv -k 3 -o m.json --quiet");
    folder.ok("report m.json named.csv --id name -o page.html");
    let page = folder.read("page.html");
    assert!(
        page.contains("\"names\":[") && page.contains("/script>60\"") && !page.contains("</script>60"),
        "a name is text"
    );
    folder.ok("report m.json data.csv -o page.html");
    assert!(!folder.read("page.html").contains("\"names\":["));
    folder.fails("report m.json named.csv --id nobody -o other.html", 1, &["nobody"]);
}
