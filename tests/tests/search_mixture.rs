//! Searches for better optima of mixtures: never worse, the same bits for any threads, out of planted defects, and not into
//! maxima that say nothing.

use miscela::SearchReport;
use miscela::prelude::*;
use miscela_tests::{Blobs, any_settings, assert_close, cases, data, narrow};
use ndarray::{Array2, Axis};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;
use std::ops::ControlFlow;

type Params = GmmParams<f64, Xoshiro256Plus>;

const SEARCHES: [Search; 2] = [Search::Swap, Search::Breathing];

fn params(k: usize, seed: u64) -> Params {
    GaussianMixture::params_with_rng(k, Xoshiro256Plus::seed_from_u64(seed))
}

fn report(model: &GaussianMixture<f64>) -> &SearchReport {
    model.report().search.as_ref().unwrap()
}

/// What a fit maximised.
fn objective(model: &GaussianMixture<f64>) -> f64 {
    *report(model).trace.last().unwrap_or(&report(model).before)
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn a_search_is_never_worse_than_its_start(
        search in prop::sample::select(SEARCHES.to_vec()),
        (seed, n, d, k) in (any::<u64>(), 60usize..300, 1usize..4, 1usize..6),
        (covariance, assignment, mixing) in any_settings(),
        spread in 0.0..20.0f64,
        collapse in prop::sample::select(vec![Collapse::Floor, Collapse::Floor, Collapse::Shrink, Collapse::Respawn, Collapse::Drop]),
        noise in prop::sample::select(vec![None, None, Some(Noise::Hypervolume)]),
        ridge in prop::sample::select(vec![0.0, 1e-6]),
    ) {
        let blobs = Blobs::new(seed, n, d, 5, spread);
        let mut params = params(k, seed)
            .covariance(covariance)
            .assignment(assignment)
            .mixing(mixing)
            .collapse(collapse)
            .reg_covariance(ridge);
        if let Some(noise) = noise {
            params = params.noise(noise);
        }
        let plain = params.clone().fit_weighted(&blobs.rows, &blobs.weights).unwrap();
        let found = params.clone().search(search).fit_weighted(&blobs.rows, &blobs.weights).unwrap();
        let told = report(&found);
        assert_close("before", told.before, plain.report().run_objectives[0], 1e-12);
        prop_assert!(told.trace.len() == told.kept && told.kept <= told.tried);
        prop_assert!(told.trace.first().is_none_or(|first| *first > told.before));
        prop_assert!(told.trace.windows(2).all(|pair| pair[1] > pair[0]));
        // What is told belongs to the parameters.
        if assignment == Assignment::Soft {
            assert_close("after", objective(&found), found.log_likelihood(), 1e-12);
            let again = found.score_samples(&blobs.rows).iter().zip(&blobs.weights).map(|(l, w)| l * w).sum::<f64>();
            assert_close("log-likelihood", again, found.log_likelihood(), 1e-9);
        }
        prop_assert_eq!(found.sizes().iter().sum::<usize>(), n);
    }

    #[test]
    fn threads_and_layout_change_no_bit(
        search in prop::sample::select(SEARCHES.to_vec()),
        (seed, k) in (any::<u64>(), 2usize..7),
        (covariance, assignment, mixing) in any_settings(),
    ) {
        let blobs = Blobs::new(seed, 1200, 2, 8, 12.0);
        let columns = blobs.rows.t().as_standard_layout().into_owned().reversed_axes();
        let params = params(k, seed).covariance(covariance).assignment(assignment).mixing(mixing).search(search);
        let one = params.clone().threads(Threads::One).fit_weighted(&blobs.rows, &blobs.weights).unwrap();
        let three = params.threads(Threads::Count(3)).fit_weighted(&columns, &blobs.weights).unwrap();
        prop_assert_eq!(one.means(), three.means());
        prop_assert_eq!(one.covariances(), three.covariances());
        prop_assert_eq!(report(&one), report(&three));
    }
}

/// Nine blobs, and components that all start in five of them.
fn planted() -> (Array2<f64>, Vec<usize>, GmmInitMethod<f64>) {
    let noise = Blobs::new(5, 900, 2, 1, 0.0).rows;
    let rows = Array2::from_shape_fn((900, 2), |(i, j)| {
        9.0 * if j == 0 { i % 9 % 3 } else { i % 9 / 3 } as f64 + noise[[i, j]]
    });
    let start: Vec<usize> = (0..9).map(|c| if c < 5 { c } else { 9 * c + c - 5 }).collect();
    (rows.clone(), (0..900).map(|i| i % 9).collect(), GmmInitMethod::means(rows.select(Axis(0), &start)))
}

#[test]
fn defects_are_mended_whatever_the_structure_and_the_rule() {
    let (rows, labels, start) = planted();
    let dataset = DatasetBase::from(rows.view());
    for search in SEARCHES {
        for covariance in Covariance::all() {
            for assignment in [Assignment::Soft, Assignment::Hard] {
                let params = params(9, 3).covariance(covariance).assignment(assignment);
                let best = params.clone().init_method(GmmInitMethod::Labels(labels.clone())).fit(&dataset).unwrap();
                let params = params.init_method(start.clone());
                let plain = params.clone().fit(&dataset).unwrap();
                assert!(
                    plain.log_likelihood() < best.log_likelihood() - 90.0,
                    "{covariance}: the start has no defects"
                );
                let found = params.search(search).fit(&dataset).unwrap();
                let short = best.log_likelihood() - found.log_likelihood();
                assert!(short < 2.0, "{search} {covariance} {assignment}: {short} short of the planted maximum");
                assert!(report(&found).kept > 0);
            }
        }
    }
}

#[test]
fn noise_tails_both_types_and_given_starts_go_with_a_search() {
    let (rows, labels, start) = planted();
    let dataset = DatasetBase::from(rows.view());
    for search in SEARCHES {
        for tails in [Tails::Gaussian, Tails::Student(Degrees::Given(8.0)), Tails::Student(Degrees::Each)] {
            let params = params(9, 1).tails(tails).noise(Noise::Hypervolume);
            let best = params.clone().init_method(GmmInitMethod::Labels(labels.clone())).fit(&dataset).unwrap();
            let found = params.init_method(start.clone()).search(search).fit(&dataset).unwrap();
            let short = best.log_likelihood() - found.log_likelihood();
            assert!(short < 5.0, "{search} {tails:?}: {short} short");
        }
        let (narrowed, k) = (narrow(&rows), 9);
        let params = GaussianMixture::<f32>::params(k).init_method(GmmInitMethod::Random);
        let plain = params.clone().fit(&DatasetBase::from(narrowed.view())).unwrap();
        let found = params.search(search).fit(&DatasetBase::from(narrowed.view())).unwrap();
        assert!(found.log_likelihood() >= plain.log_likelihood());
    }
}

#[test]
fn integer_weights_are_repetition() {
    let (rows, _, start) = planted();
    let weights: Vec<f64> = (0..900).map(|i| f64::from(1 + i % 3)).collect();
    let copies: Vec<usize> = (0..900).flat_map(|i| vec![i as usize; 1 + i as usize % 3]).collect();
    let repeated = rows.select(Axis(0), &copies);
    for search in SEARCHES {
        let params = params(9, 7).init_method(start.clone()).search(search);
        let weighted = params.clone().fit_weighted(&rows, &weights).unwrap();
        let plain = params.clone().fit(&DatasetBase::from(repeated.view())).unwrap();
        assert_close("log-likelihood", weighted.log_likelihood(), plain.log_likelihood(), 1e-6);
        assert_eq!(report(&weighted).kept, report(&plain).kept);
        // Rows of no weight are not there.
        let mut more = weights.clone();
        more.extend([0.0; 50]);
        let far = ndarray::concatenate![Axis(0), rows, Array2::from_elem((50, 2), 1e6)];
        let same = params.fit_weighted(&far, &more).unwrap();
        assert_close("log-likelihood", same.log_likelihood(), weighted.log_likelihood(), 1e-6);
    }
}

#[test]
fn where_em_gets_stuck_for_many_seeds_a_search_does_not() {
    let blobs = Blobs::new(11, 2000, 2, 12, 24.0);
    let dataset = DatasetBase::from(blobs.rows.view());
    let fitted =
        |seed, search| params(12, seed).tolerance(1e-5).max_n_iterations(500).search(search).fit(&dataset).unwrap();
    let planted = params(12, 0).tolerance(1e-5).init_method(GmmInitMethod::Labels(blobs.labels.clone()));
    let best = planted.fit(&dataset).unwrap().log_likelihood();
    let succeed = |search| {
        let near = |seed: &u64| fitted(*seed, search).log_likelihood() > best - 2.0;
        (0..40).filter(near).count()
    };
    let [plain, swap, breathing] = Search::ALL.map(succeed);
    assert!(plain <= 25, "plain EM gets stuck too rarely to show anything: {plain} of 40 succeed");
    assert!(swap >= 39 && breathing >= 39, "{plain}, {swap}, {breathing} of 40 succeed");
}

#[test]
fn real_data_end_no_lower_than_without() {
    for (name, k) in [("iris", 3), ("iris", 4), ("faithful", 2), ("faithful", 3), ("penguins@scaled", 3)] {
        let dataset = DatasetBase::from(data(name));
        for covariance in Covariance::all() {
            let params = params(k, 42).covariance(covariance);
            let plain = params.clone().fit(&dataset).unwrap();
            for search in SEARCHES {
                let found = params.clone().search(search).fit(&dataset).unwrap();
                assert!(found.log_likelihood() >= plain.log_likelihood(), "{name} {covariance} {search}");
                // Nothing that needed repairs is kept where plain EM needed none, nor what a few rows make.
                let least = |model: &GaussianMixture<f64>| model.weights().iter().fold(1.0f64, |m, w| m.min(*w));
                let (n, d) = dataset.records().dim();
                let own = d + covariance.n_parameters(2, d) - covariance.n_parameters(1, d);
                let floor = least(&plain).min(own as f64 / n as f64);
                assert!(least(&found) >= floor * (1.0 - 1e-9), "{name} {covariance} {search}");
            }
        }
    }
}

/// With as many components as these rows, EM that is started often finds ever higher likelihoods on ever fewer rows.
#[test]
fn a_search_does_not_end_on_a_few_rows() {
    let blobs = Blobs::new(2, 120, 2, 3, 6.0);
    for (search, seed) in SEARCHES.into_iter().flat_map(|search| (0..5).map(move |seed| (search, seed))) {
        let params = params(4, seed).reg_covariance(0.0);
        let plain = params.clone().fit(&DatasetBase::from(blobs.rows.view())).unwrap();
        let found = params.search(search).fit(&DatasetBase::from(blobs.rows.view())).unwrap();
        let least = |model: &GaussianMixture<f64>| 120.0 * model.weights().iter().fold(1.0f64, |m, w| m.min(*w));
        assert!(least(&found) >= least(&plain).min(5.0) - 1e-9, "{} of {}", least(&found), least(&plain));
    }
}

#[test]
fn a_budget_is_kept_to_and_used_up() {
    let blobs = Blobs::new(3, 300, 2, 6, 10.0);
    for search in SEARCHES {
        for iterations in [1, 7, 200] {
            let params = params(6, 42).search(search).search_budget(SearchBudget::Iterations(iterations));
            let found = params.fit_weighted(&blobs.rows, &blobs.weights).unwrap();
            assert_eq!(report(&found).iterations, iterations, "{search}");
        }
        let params = params(6, 42).search(search).search_budget(SearchBudget::Seconds(0.02));
        let found = params.fit_weighted(&blobs.rows, &blobs.weights).unwrap();
        assert!(report(&found).iterations > 0 && found.report().converged());
        // One component, or rows that are all alike, leave nothing to be done, however long.
        let endless = |k| self::params(k, 1).search(search).search_budget(SearchBudget::Iterations(100_000));
        let copies = Array2::from_shape_fn((40, 2), |(i, _)| (i % 2) as f64);
        endless(2).fit(&DatasetBase::from(copies)).unwrap();
    }
}

#[test]
fn an_observer_may_stop_a_search() {
    let blobs = Blobs::new(3, 300, 2, 6, 10.0);
    for search in SEARCHES {
        let plain = params(6, 42).fit_observed(&blobs.rows, None, &mut ()).unwrap().report().iterations;
        let mut seen = 0;
        let mut observer = |_: &Progress| {
            seen += 1;
            if seen == plain + 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let found = params(6, 42).search(search).fit_observed(&blobs.rows, None, &mut observer).unwrap();
        assert_eq!(found.report().termination, Termination::Cancelled);
        assert_eq!(seen, plain + 5);
    }
}

#[test]
fn what_a_search_cannot_heed_is_refused() {
    let rows = Blobs::new(3, 60, 2, 2, 10.0).rows;
    let dataset = DatasetBase::from(rows.view());
    let refused = |params: Params| params.fit(&dataset).unwrap_err().to_string();
    let params = self::params(2, 1).search(Search::Swap);
    assert!(refused(params.clone().known_labels(vec![None; 60])).contains("known labels"));
    assert!(refused(params.clone().missing(Missing::Marginal)).contains("missing values"));
    let held = Held { means: true, ..Held::default() };
    assert!(refused(params.clone().held(held)).contains("held parameters"));
    assert!(refused(params.clone().mixing(Mixing::Given(vec![0.5, 0.5]))).contains("given weights"));
    assert!(refused(params.clone().assignment(Assignment::Stochastic)).contains("stochastic"));
    assert!(refused(params.clone().max_n_iterations(0)).contains("0 iterations"));
    assert!(refused(params.clone().search_budget(SearchBudget::Seconds(0.0))).contains("positive number"));
    let budget = self::params(2, 1).search_budget(SearchBudget::Iterations(3));
    assert!(refused(budget).contains("no search"));
    let selection = GaussianMixture::<f64>::select(1..=2, [Covariance::Full]).each(|_| params).fit(&dataset);
    assert!(selection.unwrap_err().to_string().contains("does not take a search"));
}

/// Of the flowers, 29 have the same width of their petals: a component of theirs is as likely as the ridge lets it be.
#[test]
fn rows_of_equal_rounded_values_are_no_component() {
    let rows = DatasetBase::from(data("iris"));
    for search in [Search::Swap, Search::Breathing] {
        let model = GaussianMixture::params(3).search(search).fit(&rows).unwrap();
        assert!((model.log_likelihood() + 180.2).abs() < 0.2, "{search}: {}", model.log_likelihood());
    }
}
