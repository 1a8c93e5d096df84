//! K-means of one column is solved: no start, run or search does better, and what is told belongs to the centres.

use miscela::prelude::*;
use miscela_tests::{assert_close, cases, data, narrow};
use ndarray::{Array2, Axis};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;

fn rng(seed: u64) -> Xoshiro256Plus {
    Xoshiro256Plus::seed_from_u64(seed)
}

/// Numbers in groups of which some are heavy, and their weights.
fn numbers() -> impl Strategy<Value = (Array2<f64>, Vec<f64>)> {
    prop::collection::vec((-3i32..3, -1.0..1.0f64, 0.0..3.0f64), 30..200).prop_map(|rows| {
        let values = rows.iter().map(|(group, x, _)| f64::from(*group) * 3.0 + x).collect();
        (Array2::from_shape_vec((rows.len(), 1), values).unwrap(), rows.iter().map(|row| row.2).collect())
    })
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn nothing_that_iterates_is_better((rows, weights) in numbers(), k in 1usize..9, seed in any::<u64>()) {
        let params = KMeans::params_with_rng(k, rng(seed));
        let best = params.clone().fit_weighted(&rows, &weights).unwrap();
        prop_assert_eq!(best.report().termination.name(), "optimal");
        prop_assert!(best.report().converged() && best.report().search.is_none());
        let again = best.inertia_of(&rows, Some(&weights)).unwrap();
        assert_close("inertia", again, best.inertia_sum(), 1e-12);
        prop_assert_eq!(best.sizes().iter().sum::<usize>(), weights.iter().filter(|w| **w > 0.0).count());
        let iterates = params.algorithm(Algorithm::Lloyd).tolerance(0.0).n_runs(3).search(Search::Breathing);
        let found = iterates.fit_weighted(&rows, &weights).unwrap();
        prop_assert!(best.inertia_sum() <= found.inertia_sum() * (1.0 + 1e-9));
        // Lloyd's steps do not move it.
        let start = KMeansInit::Precomputed(best.centroids().to_owned());
        let held = KMeans::params(k).init_method(start).tolerance(0.0).fit_weighted(&rows, &weights).unwrap();
        assert_close("settled", held.inertia_sum(), best.inertia_sum(), 1e-12);
    }

    #[test]
    fn weights_are_repeated_rows((rows, weights) in numbers(), k in 1usize..6) {
        let weights: Vec<f64> = weights.iter().map(|w| w.floor()).collect();
        let copies: Vec<usize> = (0..weights.len()).flat_map(|i| vec![i; weights[i] as usize]).collect();
        prop_assume!(copies.len() > 2 * k);
        let weighted = KMeans::params(k).fit_weighted(&rows, &weights);
        let repeated = KMeans::params(k).fit(&DatasetBase::from(rows.select(Axis(0), &copies)));
        let (Ok(weighted), Ok(repeated)) = (weighted, repeated) else { return Err(TestCaseError::reject("few values")) };
        assert_close("inertia", weighted.inertia_sum(), repeated.inertia_sum(), 1e-12);
        prop_assert_eq!(weighted.cluster_count(), repeated.cluster_count());
    }
}

/// What Ckmeans.1d.dp (Wang & Song, by way of ckwrap 1.2.3) and kmeans1d 0.5.0 find for the galaxies, (1000 km/s)².
const GALAXIES: [(usize, f64); 7] = [
    (2, 737.4042943957382),
    (3, 335.75402704285716),
    (4, 106.78525792940394),
    (6, 42.02426507492066),
    (10, 10.553118186288717),
    (20, 1.235797376190478),
    (40, 0.08429355000000033),
];

#[test]
fn the_galaxies() {
    let rows = data("galaxies");
    for (k, inertia) in &GALAXIES {
        let model = KMeans::params(*k).fit(&DatasetBase::from(rows.clone())).unwrap();
        assert_close("inertia", model.inertia_sum(), *inertia, 1e-9);
        let narrow = KMeans::params(*k).fit(&DatasetBase::from(narrow(&rows))).unwrap();
        assert_close("inertia in f32", narrow.inertia_sum(), *inertia, 1e-4);
    }
}

#[test]
fn what_asks_for_more_than_the_optimum_iterates() {
    let dataset = DatasetBase::from(data("galaxies"));
    let params = KMeans::params(3);
    let start = KMeansInit::Precomputed(ndarray::array![[9e3], [20e3], [30e3]]);
    let others = [
        params.clone().init_method(start),
        params.clone().algorithm(Algorithm::Bounds),
        params.clone().max_n_iterations(0),
        params.clone().trim(0.1),
        params.clone().max_size(40),
        params.clone().known_labels((0..82).map(|i| (i == 0).then_some(0))),
    ];
    for other in others {
        assert_ne!(other.fit(&dataset).unwrap().report().termination.name(), "optimal");
    }
    let too_few = KMeans::params(3).fit(&DatasetBase::from(ndarray::array![[1.0], [2.0], [2.0]]));
    assert!(too_few.unwrap_err().to_string().contains("distinct"));
}
