//! How many clusters: the gap is R's, every criterion finds what is plain, and the table says what there is.

use miscela::metrics::{Clustering, L2};
use miscela::prelude::*;
use miscela_tests::{Blobs, Record, assert_close, data, narrow};
use ndarray::{Array2, Axis, array};

fn select(rows: &Array2<f64>, ks: std::ops::RangeInclusive<usize>, criterion: KMeansCriterion) -> KMeansSelection<f64> {
    KMeans::select(ks).criterion(criterion).fit_records(rows, None).unwrap()
}

#[test]
fn the_gap_is_that_of_r() {
    let record = Record::read("rkmeans/gap.json");
    for name in ["iris", "faithful"] {
        for (space, reference) in [("scaledPCA", GapReference::PrincipalAxes), ("original", GapReference::Columns)] {
            let expected = record.at(name).at(space);
            let (gap, se) = (expected.vector("gap"), expected.vector("se"));
            let sets = 60;
            let selection = KMeans::select(1..=6)
                .criterion(KMeansCriterion::Gap)
                .reference(reference)
                .n_references(sets)
                .each(|each| each.n_runs(12).tolerance(0.0))
                .fit_records(&data(name), None)
                .unwrap();
            for (row, (gap, (se, log))) in
                selection.table().iter().zip(gap.iter().zip(se.iter().zip(expected.vector("log_inertia"))))
            {
                let what = format!("{name}, {space}, k = {}", row.k);
                // Of the mean of ln W*, so that it does not matter which local optimum either has for the rows themselves. Both
                // are random: four standard errors, and what starts may miss.
                let (got, expected) = (row.gap.unwrap() + row.inertia.unwrap().ln(), gap + log);
                let error = 4.0 * se * (1.0 / 300f64 + 1.0 / sets as f64).sqrt() + 0.005;
                assert!((got - expected).abs() < error, "{what}: {got} {expected} ± {error}");
                assert!((row.gap_se.unwrap() / se - 1.0).abs() < 0.5, "{what}: {:?} {se}", row.gap_se);
            }
        }
    }
}

#[test]
fn every_criterion_finds_clusters_that_lie_apart() {
    // At the corners of a simplex, so that each cluster that is found saves as much as the one before.
    let mut rows = Blobs::new(11, 400, 5, 1, 0.0).rows;
    rows.indexed_iter_mut().for_each(|((i, j), x)| *x += if i % 5 == j { 30.0 } else { 0.0 });
    for criterion in KMeansCriterion::ALL {
        let selection = select(&rows, 1..=9, criterion);
        assert_eq!(selection.best().n_clusters(), 5, "{criterion}\n{selection}");
        assert!(selection.margin().unwrap() > 0.0);
        let text = selection.to_string();
        assert!(text.contains("\n5* ") && text.contains(&format!("* 5 clusters by {criterion}")), "{text}");
        assert_eq!(criterion.name().parse::<KMeansCriterion>().unwrap(), criterion);
    }
    assert!("bic".parse::<KMeansCriterion>().unwrap_err().to_string().contains("silhouette, gap"));
}

#[test]
fn no_clusters_are_one() {
    let blobs = Blobs::new(4, 500, 2, 1, 0.0);
    let selection = select(&blobs.rows, 1..=6, KMeansCriterion::Gap);
    assert_eq!(selection.best().n_clusters(), 1, "{selection}");
    assert_eq!((selection.table()[0].silhouette, selection.table()[0].davies_bouldin), (None, None));
}

#[test]
fn the_table_holds_the_fits_and_their_measures() {
    let rows = data("iris");
    let selection = select(&rows, 2..=4, KMeansCriterion::CalinskiHarabasz);
    assert_eq!(selection.best().n_clusters(), 3);
    for row in selection.table() {
        let model = KMeans::params(row.k).n_runs(4).fit_weighted(&rows, &[1.0; 150]).unwrap();
        assert_eq!(row.inertia, Some(model.inertia_sum()));
        let clustering = Clustering::new(&rows, model.predict(&rows)).unwrap();
        assert_eq!(row.silhouette, Some(clustering.silhouette(&L2).unwrap().mean()));
        assert_eq!(row.calinski_harabasz, clustering.calinski_harabasz().ok());
        assert_eq!(row.davies_bouldin, clustering.davies_bouldin().ok());
    }
    let values: Vec<f64> = selection.table().iter().map(|row| row.calinski_harabasz.unwrap()).collect();
    assert_eq!(selection.margin(), Some(values[1] - values[0].max(values[2])));
    assert_eq!((selection.table()[0].elbow, selection.table()[2].elbow), (Some(0.0), Some(0.0)));
    // Silhouettes of a sample say so.
    let sampled = KMeans::select(2..=4).silhouette_rows(60).n_references(0).fit_records(&rows, None).unwrap();
    for (row, exact) in sampled.table().iter().zip(selection.table()) {
        let error = row.silhouette_se.unwrap();
        assert!((row.silhouette.unwrap() - exact.silhouette.unwrap()).abs() < 4.0 * error && row.gap.is_none());
    }
}

#[test]
fn threads_change_no_bit_and_weights_are_copies() {
    let blobs = Blobs::new(5, 300, 2, 3, 20.0);
    let weights: Vec<f64> = (0..300).map(|i| (i % 3) as f64).collect();
    let with = |threads: Threads| {
        let params = KMeans::select(1..=5).n_references(5).each(|each| each.threads(threads).tolerance(0.0));
        params.fit_records(&blobs.rows, Some(&weights)).unwrap()
    };
    let weighted = with(Threads::One);
    for threads in [Threads::Count(2), Threads::Count(3)] {
        assert_eq!(with(threads).table(), weighted.table());
    }
    let copies: Vec<usize> = (0..300).flat_map(|i| vec![i; i % 3]).collect();
    let repeated = KMeans::select(1..=5).n_references(5).each(|each| each.tolerance(0.0));
    let repeated = repeated.fit_records(&blobs.rows.select(Axis(0), &copies), None).unwrap();
    for (a, b) in weighted.table().iter().zip(repeated.table()).take(3) {
        assert_close("inertia", a.inertia.unwrap(), b.inertia.unwrap(), 1e-9);
        for (a, b) in [(a.silhouette, b.silhouette), (a.davies_bouldin, b.davies_bouldin)] {
            assert!(a.zip(b).is_none_or(|(a, b)| (a - b).abs() < 1e-9), "{a:?} {b:?}");
        }
        // The reference sets are other draws.
        assert!((a.gap.unwrap() - b.gap.unwrap()).abs() < 0.2, "{a:?} {b:?}");
    }
    let single = KMeans::select(2..=4).n_references(0).fit_records(&narrow(&blobs.rows), None).unwrap();
    assert_eq!(single.best().n_clusters(), select(&blobs.rows, 2..=4, KMeansCriterion::Silhouette).best().n_clusters());
}

#[test]
fn what_cannot_be_selected_is_said() {
    let rows = data("faithful");
    let error = |params: miscela::KMeansSelectionParams<f64>| params.fit_records(&rows, None).unwrap_err().to_string();
    let select = |ks: &[usize]| KMeans::<f64>::select(ks.iter().copied()).n_references(2);
    assert!(error(select(&[])).contains("nothing to select"));
    assert!(error(select(&[0, 2])).contains("n_clusters"));
    assert!(error(select(&[1])).contains("silhouette: it needs at least two clusters"));
    assert!(error(select(&[2, 3]).criterion(KMeansCriterion::Elbow)).contains("at least three"));
    assert!(error(select(&[2]).n_references(0).criterion(KMeansCriterion::Gap)).contains("reference sets"));
    assert!(error(select(&[300])).contains("272"));
    assert!(error(select(&[2]).silhouette_rows(1)).contains("at least 2"));
    assert!(error(select(&[2]).each(|each| each.trim(0.1))).contains("trimming"));
    assert!(error(select(&[2]).each(|each| each.known_labels([Some(0)]))).contains("known labels"));
    let given = KMeansInit::Precomputed(array![[1.0, 2.0], [3.0, 4.0]]);
    assert!(error(select(&[2]).each(|each| each.init_method(given))).contains("given centres"));
    // One that fails does not keep others from being chosen.
    let selection = select(&[2, 300]).fit_records(&rows, None).unwrap();
    assert_eq!(selection.best().n_clusters(), 2);
    assert!(selection.to_string().contains("! 300 clusters: ") && selection.margin().is_none());
}

#[test]
fn rows_may_be_elsewhere() {
    let blobs = Blobs::new(3, 600, 2, 4, 14.0);
    let weights = blobs.weights.to_vec();
    let params = KMeans::select(1..=6).n_references(4);
    let here = params.fit_records(&blobs.rows, Some(&weights)).unwrap();
    let there = params.fit_source(&miscela::Chunked::new(&blobs.rows, Some(&weights), 250)).unwrap();
    assert_eq!(there.best_row().k, here.best_row().k);
    for (a, b) in there.table().iter().zip(here.table()) {
        assert_eq!((a.k, a.error.clone()), (b.k, b.error.clone()));
        // Each has the best of a few runs.
        assert!((a.inertia.unwrap() / b.inertia.unwrap() - 1.0).abs() < 0.05, "{a:?} {b:?}");
        if a.k == 4 {
            assert_close("silhouette", a.silhouette.unwrap(), b.silhouette.unwrap(), 1e-9);
            assert_close("gap", a.gap.unwrap(), b.gap.unwrap(), 1e-9);
            assert_close("Calinski-Harabasz", a.calinski_harabasz.unwrap(), b.calinski_harabasz.unwrap(), 1e-9);
        }
    }
}
