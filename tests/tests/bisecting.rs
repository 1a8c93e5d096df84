//! Bisecting k-means: a tree whose rows go down it by the nearer of two centres, and whose cuts are nested.

use miscela::prelude::*;
use miscela::{
    BisectingKMeansDocument, BisectingNode, Centred, Cosine, Distance, Kl, L1, L2, SplitStrategy, Termination as Ended,
};
use miscela_tests::{Blobs, Record, assert_close, assert_means, assert_near, cases, data, narrow};
use ndarray::{Array1, Array2, ArrayView1, Axis, ShapeBuilder, array, concatenate};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;
use serde_json::{Value, json};
use std::ops::ControlFlow;

type Params<D> = BisectingParams<f64, Xoshiro256Plus, D>;

/// Blobs and a number of clusters, which is not that of the blobs.
fn case() -> impl Strategy<Value = (Blobs, usize)> {
    (any::<u64>(), 30usize..200, 1usize..6, 1usize..5, 1usize..12)
        .prop_map(|(seed, n, d, blobs, k)| (Blobs::new(seed, n, d, blobs, 8.0), k))
}

fn seeded(seed: u64) -> Xoshiro256Plus {
    Xoshiro256Plus::seed_from_u64(seed)
}

fn params(k: usize) -> Params<L2> {
    BisectingKMeans::params(k)
}

fn fit(k: usize, rows: &Array2<f64>) -> BisectingKMeans<f64> {
    params(k).fit(&DatasetBase::from(rows.view())).unwrap()
}

/// All of a model but the time that it took.
fn timeless<F: miscela::Float, D: Distance<F>>(model: &BisectingKMeans<F, D>) -> Report {
    Report { seconds: Default::default(), ..model.report().clone() }
}

/// Σ (a − b)²
fn apart(a: ArrayView1<f64>, b: ArrayView1<f64>) -> f64 {
    (&a - &b).mapv(|z| z * z).sum()
}

/// The leaves of a tree, by label.
fn leaves(nodes: &[BisectingNode]) -> Vec<usize> {
    let mut leaves: Vec<usize> = (0..nodes.len()).filter(|i| nodes[*i].children.is_none()).collect();
    leaves.sort_by_key(|leaf| nodes[*leaf].label);
    leaves
}

/// The way of a row from the root, by distances written out.
fn path(model: &BisectingKMeans<f64>, row: ArrayView1<f64>) -> Vec<usize> {
    let (nodes, centres) = (model.nodes(), model.node_centres());
    let mut path = vec![0];
    while let Some([first, second]) = nodes[path[path.len() - 1]].children {
        let nearer = apart(row, centres.row(second)) < apart(row, centres.row(first));
        path.push(if nearer { second } else { first });
    }
    path
}

fn inertia_never_rises<D: Centred<f64>>(distance: D, rows: &Array2<f64>, weights: &Array1<f64>, k: usize) {
    let model = BisectingKMeans::params_with(k, seeded(7), distance.clone()).fit_weighted(rows, weights).unwrap();
    let nodes = model.nodes();
    for node in nodes {
        let Some(parts) = node.children else { continue };
        let after: f64 = parts.iter().map(|part| nodes[*part].inertia).sum();
        assert!(after <= node.inertia * (1.0 + 1e-9), "{after} after {}", node.inertia);
        assert!(nodes[parts[0]].weight >= nodes[parts[1]].weight * (1.0 - 1e-12));
    }
    let report = model.report();
    assert_eq!(report.trace.len(), report.iterations);
    for pair in report.trace.windows(2) {
        assert!(pair[1] <= pair[0] * (1.0 + 1e-9), "{} after {}", pair[1], pair[0]);
    }
    assert_close("score", model.inertia_of(rows, weights.as_slice()).unwrap(), model.inertia_sum(), 1e-9);
    let own: f64 = model.transform(rows).iter().zip(weights).map(|(reduced, w)| reduced * w).sum();
    assert_close("Σ w·distance", own, model.inertia_sum(), 1e-9);
    // Down the tree by this distance.
    let centres = model.node_centres();
    for (row, label) in rows.outer_iter().zip(&model.predict(rows)) {
        let mut node = 0;
        while let Some(parts) = nodes[node].children {
            let [first, second] = parts.map(|part| distance.reduced(&row.to_vec(), &centres.row(part).to_vec()));
            node = parts[usize::from(second < first)];
        }
        assert_eq!(nodes[node].label, *label);
        assert_eq!(model.predict(&row), *label);
    }
}

proptest! {
    #![proptest_config(cases(100))]

    /// Batch, single rows and the model's own figures are those of the way down, written out.
    #[test]
    fn rows_go_to_the_nearer_of_two_at_each_node((blobs, k) in case()) {
        let model = params(k).tolerance(0.0).fit_weighted(&blobs.rows, &blobs.weights).unwrap();
        let (nodes, n) = (model.nodes(), blobs.rows.nrows());
        let paths: Vec<Vec<usize>> = blobs.rows.outer_iter().map(|row| path(&model, row)).collect();
        let expected: Vec<usize> = paths.iter().map(|path| nodes[path[path.len() - 1]].label).collect();
        prop_assert_eq!(model.predict(&blobs.rows).to_vec(), expected.clone());
        prop_assert_eq!(model.try_predict(&blobs.rows).unwrap().to_vec(), expected.clone());
        for (row, label) in blobs.rows.outer_iter().zip(&expected) {
            prop_assert_eq!(model.predict(&row), *label);
        }
        prop_assert_eq!(paths.iter().map(|path| path.len() - 1).max(), Some(model.depth()));
        let centres = model.node_centres();
        for (i, node) in nodes.iter().enumerate() {
            let own: Vec<usize> = (0..n).filter(|row| paths[*row].contains(&i)).collect();
            let weight: f64 = own.iter().map(|row| blobs.weights[*row]).sum();
            let inertia: f64 = own.iter().map(|row| blobs.weights[*row] * apart(blobs.rows.row(*row), centres.row(i))).sum();
            prop_assert_eq!(node.size, own.len());
            assert_close("weight", node.weight, weight, 1e-9);
            prop_assert!((node.inertia - inertia).abs() <= 1e-9 * nodes[0].inertia);
            let sum = own.iter().fold(Array1::zeros(blobs.rows.ncols()), |sum, row| sum + &blobs.rows.row(*row) * blobs.weights[*row]);
            assert_near("centre", &centres.row(i), &(sum / weight), 1e-8);
        }
        let leaves = leaves(nodes);
        prop_assert_eq!(model.centroids(), &centres.select(Axis(0), &leaves));
        prop_assert_eq!(model.sizes().to_vec(), leaves.iter().map(|leaf| nodes[*leaf].size).collect::<Vec<_>>());
        assert_close("inertia", model.inertia_sum(), leaves.iter().map(|leaf| nodes[*leaf].inertia).sum(), 1e-12);
        assert_close("mean", model.inertia(), model.inertia_sum() / blobs.weights.sum(), 1e-12);
    }

    #[test]
    fn a_split_never_raises_the_inertia((blobs, k) in case()) {
        inertia_never_rises(L2, &blobs.rows, &blobs.weights, k);
        inertia_never_rises(L1, &blobs.rows, &blobs.weights, k);
        if blobs.rows.ncols() > 1 {
            inertia_never_rises(Cosine, &(&blobs.rows + 9.0), &blobs.weights, k);
        }
        inertia_never_rises(Kl, &blobs.rows.mapv(f64::abs), &blobs.weights, k);
    }

    /// Each cut is what a fit of so many finds, and splits one cluster of the cut before, whose other labels stay.
    #[test]
    fn cuts_are_nested((blobs, k) in case(), largest in any::<bool>()) {
        let strategy = if largest { SplitStrategy::Largest } else { SplitStrategy::GreatestInertia };
        let rows = DatasetBase::from(blobs.rows.view());
        let whole = params(k).strategy(strategy).fit(&rows).unwrap();
        let mut before: Option<(BisectingKMeans<f64>, Array1<usize>)> = None;
        for n_clusters in 1..=k {
            let cut = whole.cut(n_clusters).unwrap();
            let alone = params(n_clusters).strategy(strategy).fit(&rows).unwrap();
            prop_assert_eq!((cut.nodes(), cut.node_centres()), (alone.nodes(), alone.node_centres()));
            prop_assert_eq!((cut.centroids(), cut.sizes(), cut.cluster_count()), (alone.centroids(), alone.sizes(), alone.cluster_count()));
            prop_assert_eq!((timeless(&cut), cut.inertia_sum()), (timeless(&alone), alone.inertia_sum()));
            let labels = cut.predict(&blobs.rows);
            let mut sizes = vec![0; n_clusters];
            labels.iter().for_each(|label| sizes[*label] += 1);
            prop_assert_eq!(cut.sizes(), &sizes);
            if let Some((model, labels_before)) = &before {
                let mut moved: Vec<usize> = Vec::new();
                for (now, before) in labels.iter().zip(labels_before) {
                    prop_assert!(now == before || *now == n_clusters - 1);
                    moved.extend((now != before).then_some(*before));
                }
                moved.dedup();
                // All from the cluster whose turn it was, which keeps the heavier part.
                prop_assert_eq!(moved.len(), 1);
                prop_assert!(sizes[moved[0]] >= sizes[n_clusters - 1]);
                let turn = |leaf: &usize| match &model.nodes()[*leaf] {
                    node if largest => node.weight,
                    node => node.inertia,
                };
                let most = leaves(model.nodes()).iter().map(turn).fold(0.0, f64::max);
                prop_assert_eq!(turn(&leaves(model.nodes())[moved[0]]), most);
                prop_assert!(cut.inertia_sum() <= model.inertia_sum() * (1.0 + 1e-9));
            }
            before = Some((cut, labels));
        }
        prop_assert_eq!(whole.cut(k).unwrap(), whole.clone());
        prop_assert!(whole.cut(0).is_err() && whole.cut(k + 1).is_err());
    }

    /// Of few rows: the first split is the best of all partitions in two, given starts enough.
    #[test]
    fn the_first_split_is_the_best_of_all(seed in any::<u64>(), n in 4usize..10, d in 1usize..3) {
        let blobs = Blobs::new(seed, n, d, 2, 4.0);
        let cost = |own: &[usize]| {
            let rows = blobs.rows.select(Axis(0), own);
            let mean = rows.mean_axis(Axis(0)).unwrap();
            rows.outer_iter().map(|row| apart(row, mean.view())).sum::<f64>()
        };
        let best = (1..1usize << (n - 1)).map(|code| {
            let (one, two): (Vec<usize>, Vec<usize>) = (0..n).partition(|i| code >> i & 1 == 1);
            cost(&one) + cost(&two)
        });
        let least = best.fold(f64::INFINITY, f64::min);
        let model = params(2).init_method(KMeansInit::Random).n_runs(40).tolerance(0.0).fit(&DatasetBase::from(blobs.rows.view()));
        let model = model.unwrap();
        prop_assert!(model.inertia_sum() >= least * (1.0 - 1e-9));
        // All pairs of rows are a start of one run or another, so that few optima are missed.
        prop_assert!(model.inertia_sum() <= least * 1.2 + 1e-12, "{} and {least}", model.inertia_sum());
    }

    /// Well apart, so that whatever rows a split starts from, it finds the same two sides.
    #[test]
    fn whole_weights_are_repetition_and_none_is_absence(seed in any::<u64>(), most in 1usize..4) {
        let blobs = Blobs::new(seed, 60, 2, 1, 1.0);
        let place = |i: usize| array![[0.0, 0.0], [0.0, 200.0], [3000.0, 0.0], [3000.0, 500.0], [90000.0, 0.0]].row(i % 5).to_owned();
        let mut rows = blobs.rows.clone();
        rows.outer_iter_mut().enumerate().for_each(|(i, mut row)| row += &place(i));
        let times: Vec<usize> = (0..60).map(|i| (i * 7 / 5) % (most + 1)).collect();
        // Rows of no weight may lie anywhere.
        rows.outer_iter_mut().zip(&times).filter(|(_, times)| **times == 0).for_each(|(mut row, _)| row.fill(-1e7));
        let all: Vec<usize> = times.iter().enumerate().flat_map(|(i, times)| vec![i; *times]).collect();
        let repeated = rows.select(Axis(0), &all);
        let weights: Array1<f64> = times.iter().map(|times| *times as f64).collect();
        let (once, often) = (params(5).fit_weighted(&rows, &weights).unwrap(), fit(5, &repeated));
        assert_close("inertia", once.inertia_sum(), often.inertia_sum(), 1e-9);
        assert_means("centres", &once.node_centres(), &often.node_centres(), 1e-9);
        assert_near("Σ w", once.cluster_count(), often.cluster_count(), 1e-12);
        let positive: Vec<usize> = (0..60).filter(|i| times[*i] > 0).collect();
        prop_assert_eq!(once.sizes().iter().sum::<usize>(), positive.len());
        prop_assert_eq!(often.sizes().iter().sum::<usize>(), all.len());
        let (there, theirs) = (rows.select(Axis(0), &positive), weights.select(Axis(0), &positive));
        let without = params(5).fit_weighted(&there, &theirs).unwrap();
        assert_means("centres", &once.node_centres(), &without.node_centres(), 1e-9);
        prop_assert_eq!(once.sizes(), without.sizes());
    }

    /// Powers of two leave every bit of the mantissas alone.
    #[test]
    fn the_unit_does_not_matter((blobs, k) in case(), power in -200i32..200) {
        let unit = 2f64.powi(power);
        let (plain, scaled) = (fit(k, &blobs.rows), fit(k, &(&blobs.rows * unit)));
        prop_assert_eq!(scaled.node_centres(), plain.node_centres() * unit);
        prop_assert_eq!(scaled.inertia_sum(), plain.inertia_sum() * unit * unit);
        prop_assert_eq!(scaled.sizes(), plain.sizes());
    }

    /// One by one, the last split first, the clusters of the linkage are joined to what the cuts are.
    #[test]
    fn the_linkage_joins_what_was_split((blobs, k) in case()) {
        let model = fit(k, &blobs.rows);
        let (linkage, labels) = (model.linkage(), model.predict(&blobs.rows));
        let mut names: Vec<usize> = (0..k).collect();
        for (i, line) in linkage.outer_iter().enumerate() {
            let joined = [line[0] as usize, line[1] as usize];
            prop_assert!(joined[0] < joined[1] && joined.iter().all(|name| names.contains(name)));
            names.iter_mut().filter(|name| joined.contains(name)).for_each(|name| *name = k + i);
            let own = labels.iter().filter(|label| names[**label] == k + i).count();
            prop_assert_eq!(line[3], own as f64);
            prop_assert!(i == 0 || line[2] >= linkage[[i - 1, 2]]);
            // Rows are together now where they are at the cut.
            let cut = model.cut(k - 1 - i).unwrap().predict(&blobs.rows);
            for (label, cut_label) in labels.iter().zip(&cut) {
                prop_assert_eq!(names[*label], names[*cut_label]);
            }
        }
    }

    /// Whatever is done to a document, it is refused or gives a model that can be used.
    #[test]
    fn a_changed_document_never_panics(place in any::<prop::sample::Index>(), how in 0usize..9, seed in 0u64..4) {
        let rows = Blobs::new(seed, 40, 2, 3, 9.0).rows;
        let mut document = serde_json::to_value(fit(5, &rows).to_document().unwrap()).unwrap();
        let places = paths(&document);
        let pointer = &places[place.index(places.len())];
        change(&mut document, pointer, how);
        let text = document.to_string();
        if let Ok(document) = serde_json::from_str::<BisectingKMeansDocument<f64>>(&text)
            && let Ok(model) = BisectingKMeans::<f64>::from_document(document)
            && model.n_features() == 2
        {
            let labels = model.predict(&rows);
            prop_assert!(labels.iter().all(|label| *label < model.n_clusters()));
            (1..=model.n_clusters()).for_each(|k| drop(model.cut(k).unwrap()));
            model.linkage();
        }
    }

    #[test]
    fn changed_bytes_never_panic(place in any::<prop::sample::Index>(), value in any::<u8>(), json in any::<bool>()) {
        let (folder, rows) = (tempfile::tempdir().unwrap(), data("iris"));
        let file = folder.path().join(if json { "model.json" } else { "model.cbor" });
        fit(4, &rows).save(&file).unwrap();
        let mut bytes = std::fs::read(&file).unwrap();
        let place = place.index(bytes.len());
        bytes[place] = value;
        std::fs::write(&file, bytes).unwrap();
        if let Ok(model) = BisectingKMeans::<f64>::load(&file) {
            prop_assert!(model.try_predict(&rows).is_ok_and(|labels| labels.iter().all(|label| *label < 4)));
        }
    }
}

/// JSON pointers to all parts of a value.
fn paths(value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Array(all) => all.iter().enumerate().map(|(i, part)| (i.to_string(), part)).collect(),
        Value::Object(all) => all.iter().map(|(key, part)| (key.clone(), part)).collect(),
        _ => Vec::new(),
    };
    let deeper = inner.iter().flat_map(|(key, part)| paths(part).into_iter().map(move |rest| format!("/{key}{rest}")));
    [String::new()].into_iter().chain(deeper).collect()
}

/// Puts something else there, or leaves a list longer or shorter.
fn change(document: &mut Value, pointer: &str, how: usize) {
    let Some(part) = document.pointer_mut(pointer) else { return };
    match (how, part) {
        (0, part) => *part = json!(-1),
        (1, part) => *part = json!(0),
        (2, part) => *part = json!(u64::MAX),
        (3, part) => *part = json!(1e308),
        (4, part) => *part = json!("largest"),
        (5, part) => *part = Value::Null,
        (6, Value::Array(all)) => drop(all.pop()),
        (7, Value::Array(all)) => all.extend(all.last().cloned()),
        (_, Value::Array(all)) => all.reverse(),
        (_, Value::Object(all)) => drop(all.insert("more".into(), json!(1))),
        (_, part) => *part = json!([]),
    }
}

type Change<'c> = &'c dyn Fn(&mut BisectingKMeansDocument<f64>);

#[test]
fn a_wrong_tree_is_refused_by_the_name_of_the_field() {
    let model = fit(4, &data("iris"));
    let document = model.to_document().unwrap();
    assert_eq!(BisectingKMeans::<f64>::from_document(document.clone()).unwrap(), model);
    let refused = |change: Change| {
        let mut document = document.clone();
        change(&mut document);
        BisectingKMeans::<f64>::from_document(document).unwrap_err().to_string()
    };
    let cases: [(&str, Change); 17] = [
        ("splits[1].node", &|it| it.splits[1].node = 0),
        ("splits[1].node", &|it| it.splits[1].node = 3),
        ("splits[0].node", &|it| it.splits[0].node = usize::MAX),
        ("`centres`", &|it| it.splits.truncate(2)),
        ("centres[2]", &|it| it.centres[2].truncate(3)),
        ("`sizes`", &|it| it.sizes[0] = 151),
        ("sizes[3]", &|it| it.sizes[3] = 0),
        ("`sizes`", &|it| it.sizes[1] = usize::MAX),
        ("`weights`", &|it| it.weights[1] += 1.0),
        ("weights[2]", &|it| it.weights[2] = -1.0),
        ("weights[0]", &|it| it.weights[0] = f64::NAN),
        ("inertia[5]", &|it| it.inertia[5] = -1.0),
        ("inertia[5]", &|it| it.inertia[5] = f64::NAN),
        ("`report`", &|it| it.splits[2].iterations += 1),
        ("`report`", &|it| it.report.trace.truncate(1)),
        ("`report`", &|it| it.report.termination = Ended::Cancelled),
        ("feature_names", &|it| it.feature_names.truncate(3)),
    ];
    for (field, change) in cases {
        assert!(refused(change).contains(field), "{field}: {}", refused(change));
    }
    let cosine = BisectingKMeans::params_with(3, seeded(1), Cosine).fit(&linfa_datasets::iris()).unwrap();
    let error = BisectingKMeans::<f64, L2>::from_document(cosine.to_document().unwrap()).unwrap_err().to_string();
    assert!(error.contains("metric") && error.contains("cosine"), "{error}");
}

fn round_trip<F: miscela::Float + serde::Serialize + serde::de::DeserializeOwned, D>(distance: D, rows: &Array2<F>)
where
    D: Centred<F> + PartialEq + Into<miscela::AnyCentred> + TryFrom<miscela::AnyCentred>,
{
    let folder = tempfile::tempdir().unwrap();
    for ending in ["json", "cbor"] {
        let path = folder.path().join(format!("model.{ending}"));
        let model = BisectingKMeans::params_with(6, seeded(3), distance.clone());
        let model = model.strategy(SplitStrategy::Largest).fit(&DatasetBase::from(rows.view())).unwrap();
        model.save(&path).unwrap();
        let again: BisectingKMeans<F, D> = BisectingKMeans::load_with(&path).unwrap();
        assert_eq!(again, model);
        assert_eq!(again.predict(rows), model.predict(rows));
        let any = AnyModel::load(&path).unwrap();
        assert_eq!((any.kind(), any.n_clusters(), any.n_features()), ("bisecting-kmeans", 6, rows.ncols()));
        any.save(&path).unwrap();
        let again: BisectingKMeans<F, D> = BisectingKMeans::load_with(&path).unwrap();
        assert_eq!(again, model);
        assert!(KMeans::<F>::load(&path).unwrap_err().to_string().contains("bisecting-kmeans"));
    }
}

#[test]
fn a_model_read_back_is_the_same() {
    let rows = data("iris");
    round_trip(L2, &rows);
    round_trip(L2, &narrow(&rows));
    round_trip(L1, &rows);
    round_trip(Cosine, &narrow(&rows));
    round_trip(Kl, &rows);
    // One cluster is a tree too.
    let one = fit(1, &rows);
    assert_eq!(BisectingKMeans::from_document(one.to_document().unwrap()).unwrap(), one);
}

fn same_bits<F: miscela::Float>(rows: &Array2<F>, weights: &Array1<f64>) {
    let fit = |rows: &Array2<F>, threads| {
        let params = BisectingKMeans::params_with_rng(24, seeded(3)).n_runs(2).threads(threads);
        params.fit_weighted(rows, weights).unwrap()
    };
    let plain = fit(rows, Threads::One);
    let mut columns = Array2::zeros(rows.dim().f());
    columns.assign(rows);
    let others = [fit(rows, Threads::Ambient), fit(rows, Threads::Count(3)), fit(&columns, Threads::Count(2))];
    for other in &others {
        assert_eq!((other.nodes(), other.node_centres()), (plain.nodes(), plain.node_centres()));
        assert_eq!(timeless(other), timeless(&plain));
    }
    let single: Vec<usize> = rows.outer_iter().map(|row| plain.predict(&row)).collect();
    assert_eq!(plain.predict(rows).to_vec(), single);
    assert_eq!(plain.predict(&columns).to_vec(), single);
    assert_eq!(plain.transform(&columns), plain.transform(rows));
}

#[test]
fn threads_and_layout_change_no_bit() {
    let blobs = Blobs::new(7, 5_000, 6, 6, 6.0);
    same_bits(&blobs.rows, &blobs.weights);
    same_bits(&narrow(&blobs.rows), &blobs.weights);
}

#[test]
fn rows_that_do_not_differ_are_not_split() {
    // 4 distinct rows, with many copies of one.
    let rows = concatenate![Axis(0), Array2::zeros((40, 2)), array![[1.0, 0.0], [1.0, 0.0], [5.0, 5.0], [9.0, 0.0]]];
    for strategy in SplitStrategy::ALL {
        let fit = |k: usize| params(k).strategy(strategy).fit(&DatasetBase::from(rows.view()));
        let model = fit(4).unwrap();
        assert_eq!(model.inertia_sum(), 0.0);
        let mut sizes = model.sizes().to_vec();
        sizes.sort_unstable();
        assert_eq!(sizes, [1, 1, 2, 40]);
        for k in [5, 44] {
            let error = fit(k).unwrap_err();
            assert!(matches!(error, KMeansError::TooFewGroups { n_clusters, most: 4 } if n_clusters == k), "{error}");
        }
        assert!(matches!(fit(45).unwrap_err(), KMeansError::TooFewSamples { n_samples: 44, n_clusters: 45 }));
    }
    // Rows of no weight do not count.
    let mut weights = Array1::ones(44);
    weights[43] = 0.0;
    assert!(matches!(params(4).fit_weighted(&rows, &weights), Err(KMeansError::TooFewGroups { most: 3, .. })));
    // Nor do rows that the distance cannot tell apart.
    let directions = DatasetBase::from(array![[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 8.0]]);
    let by_direction = |k: usize| BisectingKMeans::params_with(k, seeded(1), Cosine).fit(&directions);
    assert_eq!(by_direction(2).unwrap().sizes(), [2, 2]);
    assert!(matches!(by_direction(3), Err(KMeansError::TooFewGroups { n_clusters: 3, most: 2 })));
}

#[test]
fn lines_and_single_columns() {
    let line = Array2::from_shape_fn((64, 3), |(i, j)| (i * (j + 1)) as f64);
    let column = line.column(0).insert_axis(Axis(1)).to_owned();
    for rows in [line, column] {
        let model = fit(8, &rows);
        // The middle of a line is a tie or two away.
        assert_eq!(model.depth(), 3);
        assert!(model.sizes().iter().all(|size| (6..=10).contains(size)), "{:?}", model.sizes());
        let single = BisectingKMeans::params(8).fit(&DatasetBase::from(narrow(&rows))).unwrap();
        assert_eq!(single.sizes(), model.sizes());
        let all = fit(64, &rows);
        assert_eq!((all.inertia_sum(), all.sizes()), (0.0, &[1; 64][..]));
        let mut labels = all.predict(&rows).to_vec();
        labels.sort_unstable();
        assert_eq!(labels, (0..64).collect::<Vec<_>>());
    }
}

/// Far outliers are taken off one by one, so that the tree is a chain.
#[test]
fn a_chain_is_as_deep_as_it_is_long() {
    let rows = Array2::from_shape_fn((400, 1), |(i, _)| 4f64.powi(i as i32 - 200));
    let model = fit(300, &rows);
    assert_eq!(model.depth(), 299);
    assert_eq!(model.predict(&rows).iter().max(), Some(&299));
}

#[test]
fn one_cluster_is_all_rows_about_their_centre() {
    let rows = data("iris");
    let model = params(1).max_n_iterations(0).fit(&DatasetBase::from(rows.view())).unwrap();
    assert_near("mean", &model.centroids().row(0), &rows.mean_axis(Axis(0)).unwrap(), 1e-12);
    assert_eq!((model.depth(), model.linkage().dim(), model.sizes()), (0, (0, 4), &[150][..]));
    assert_eq!((model.report().iterations, model.report().trace.len()), (0, 0));
    assert_eq!(model.predict(&rows), Array1::<usize>::zeros(150));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (rows, iris) = (data("iris"), linfa_datasets::iris());
    let sentence = |params: Params<L2>| params.fit(&iris).unwrap_err().to_string();
    assert!(sentence(params(0)).contains("n_clusters"));
    assert!(sentence(params(2).n_runs(0)).contains("n_runs"));
    assert!(sentence(params(2).tolerance(-1.0)).contains("-1"));
    let given = KMeansInit::Precomputed(rows.select(Axis(0), &[0, 60]));
    assert!(sentence(params(2).init_method(given)).contains("each split"));
    let gap = DatasetBase::from(array![[1.0, f64::NAN], [2.0, 3.0]]);
    assert!(params(1).fit(&gap).unwrap_err().to_string().contains("missing"));
    let model = params(2).fit(&iris).unwrap();
    assert!(model.try_predict(&array![[1.0]]).unwrap_err().to_string().contains("4 columns"));
    assert!(model.cut(3).unwrap_err().to_string().contains("1 to 2"));
    let zero = DatasetBase::from(array![[0.0, 0.0], [2.0, 3.0]]);
    assert!(BisectingKMeans::params_with(1, seeded(1), Cosine).fit(&zero).is_err());
}

#[test]
fn an_observer_ends_a_fit_with_the_tree_that_there_is() {
    let rows = data("iris");
    let mut count = 0;
    let mut stop = |_: &Progress| {
        count += 1;
        if count < 9 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let model = params(40).tolerance(0.0).fit_observed(&rows, None, &mut stop).unwrap();
    assert_eq!(model.report().termination, Termination::Cancelled);
    assert!((2..10).contains(&model.n_clusters()) && model.report().iterations == 9, "{:?}", model.report());
    assert_eq!(model.predict(&rows).iter().max(), Some(&(model.n_clusters() - 1)));
}

#[test]
fn a_limit_of_iterations_is_reported() {
    let iris = linfa_datasets::iris();
    let model = params(6).max_n_iterations(1).fit(&iris).unwrap();
    assert_eq!((model.report().termination, model.report().iterations), (Termination::MaxIterations, 5));
    let start = params(6).max_n_iterations(0).fit(&iris).unwrap();
    assert_eq!((start.report().iterations, start.n_clusters()), (0, 6));
}

/// Trees of scikit-learn's `BisectingKMeans`, given starts enough for both programs to find the best of each split.
#[test]
fn trees_are_those_of_scikit_learn() {
    let record = Record::read("sklearn/bisecting.json");
    for (name, case) in record.at("cases").parts() {
        let rows = DatasetBase::from(data(&case.text("data")));
        let strategy = match case.text("bisecting_strategy").as_str() {
            "biggest_inertia" => SplitStrategy::GreatestInertia,
            _ => SplitStrategy::Largest,
        };
        let cuts = case.at("cuts").parts();
        let model = params(cuts.len()).strategy(strategy).n_runs(40).init_method(KMeansInit::Random).tolerance(0.0);
        let model = model.fit(&rows).unwrap();
        for (k, expected) in cuts {
            let cut = model.cut(k.parse().unwrap()).unwrap();
            assert_close(&format!("{name}, k = {k}"), cut.inertia_sum(), expected.number("inertia"), 1e-9);
            let mut sizes = cut.sizes().to_vec();
            sizes.sort_unstable();
            assert_eq!(sizes, expected.counts("sizes"), "{name}, k = {k}");
        }
    }
}
