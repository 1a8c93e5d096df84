//! Mixtures batch by batch: stepwise EM beside EM, beside sums about the origin, and through files.

use miscela::{CanonicalOrder, Collapse, Mixture, StepSize, prelude::*};
use miscela_tests::{Blobs, any_settings, assert_close, assert_covariances, assert_means, assert_near, cases, data};
use ndarray::{Array1, Array2, Array3, Axis, array};
use proptest::prelude::*;
use rand_xoshiro::Xoshiro256Plus;

type Params = GmmParams<f64, Xoshiro256Plus>;

fn weighted(blobs: &Blobs) -> (DatasetBase<Array2<f64>, ()>, Vec<f64>) {
    let weights = blobs.weights.mapv(|w| w as f32);
    let widened = weights.iter().map(|w| f64::from(*w)).collect();
    (DatasetBase::new(blobs.rows.clone(), ()).with_weights(weights), widened)
}

fn assert_same(a: &GaussianMixture<f64>, b: &GaussianMixture<f64>, tolerance: f64) {
    assert_near("weights", a.weights(), b.weights(), tolerance);
    assert_means("means", a.means(), b.means(), tolerance);
    assert_covariances("covariances", &a.covariances(), &b.covariances(), tolerance);
}

/// Two blobs that overlap a little, by batches.
fn batch(t: usize, n: usize) -> DatasetBase<Array2<f64>, ()> {
    let blobs = Blobs::new(77, 3000, 2, 2, 14.0);
    DatasetBase::new(blobs.rows.select(Axis(0), &(n * t..n * (t + 1)).collect::<Vec<_>>()), ())
}

proptest! {
    #![proptest_config(cases(80))]

    #[test]
    fn one_batch_of_all_rows_is_an_iteration(
        seed in any::<u64>(), n in 60usize..200, d in 1usize..4, k in 1usize..4,
        (covariance, assignment, mixing) in any_settings()
    ) {
        let blobs = Blobs::new(seed, n, d, k, 7.0);
        let (dataset, weights) = weighted(&blobs);
        let params = GaussianMixture::params(k).covariance(covariance).assignment(assignment).mixing(mixing);
        let params = params.init_method(GmmInitMethod::Labels(blobs.rough_labels())).tolerance(0.0);
        let iteration = params.clone().max_n_iterations(1).fit_weighted(&blobs.rows, &weights).unwrap();
        // Where a component lost all rows, a fit to all of them may give it others.
        prop_assume!(iteration.report().repairs.is_empty());
        let batch = params.partial_fit(None, &dataset).unwrap();
        assert_same(&batch, &iteration, 1e-9);
        prop_assert_eq!(batch.sizes(), iteration.sizes());
        assert_close("log-likelihood", batch.log_likelihood(), iteration.log_likelihood(), 1e-10);
        assert_close("trace", batch.report().trace[0], iteration.report().trace[0], 1e-10);
        let table = params.mini_batch(n).max_n_iterations(1).fit_weighted(&blobs.rows, &weights).unwrap();
        assert_same(&table, &iteration, 1e-9);
    }

    /// Integer weights are copies, zero is none.
    #[test]
    fn weights_are_copies(seed in any::<u64>(), k in 1usize..4, (covariance, assignment, mixing) in any_settings()) {
        let blobs = Blobs::new(seed, 90, 2, k, 7.0);
        let counts: Vec<usize> = (0..90).map(|i| (i * 7 + seed as usize % 5) % 4).collect();
        let copies: Vec<usize> = (0..90).flat_map(|i| vec![i; counts[i]]).collect();
        let params = GaussianMixture::params(k).covariance(covariance).assignment(assignment).mixing(mixing);
        let params = params.init_method(GmmInitMethod::means(blobs.centres.clone()));
        let weights: Array1<f32> = counts.iter().map(|n| *n as f32).collect();
        let weighted = DatasetBase::new(blobs.rows.clone(), ()).with_weights(weights);
        let repeated = DatasetBase::new(blobs.rows.select(Axis(0), &copies), ());
        let twice = |dataset| -> Result<GaussianMixture<f64>, GmmError> {
            params.partial_fit(Some(params.partial_fit(None, dataset)?), dataset)
        };
        match (twice(&weighted), twice(&repeated)) {
            (Ok(weighted), Ok(repeated)) if weighted.report().repairs.is_empty() => {
                assert_same(&weighted, &repeated, 1e-7);
            }
            (weighted, repeated) => prop_assert_eq!(weighted.is_ok(), repeated.is_ok()),
        }
    }
}

/// s ← (1 − γ) s + γ ŝ of Σ r, Σ r x and Σ r x xᵀ about the origin, and means and covariances of that: by the book.
#[test]
fn steps_are_those_of_sums_about_the_origin() {
    let blobs = Blobs::new(5, 600, 2, 3, 9.0);
    let (exponent, offset, ridge) = (0.6, 2.0, 1e-3);
    let start = Mixture::new(
        array![0.2, 0.3, 0.5],
        blobs.centres.clone(),
        Covariances::Full(Array3::from_shape_fn((3, 2, 2), |(_, i, j)| if i == j { 2.0 } else { 0.0 })),
    );
    let params = GaussianMixture::params(3).init_method(GmmInitMethod::from(&start)).reg_covariance(ridge);
    let params = params.step_size(StepSize { exponent, offset });
    let mut expected = GaussianMixture::from_parameters(start, Covariance::Full).unwrap();
    let outer = |x: &Array1<f64>| Array2::from_shape_fn((2, 2), |(i, j)| x[i] * x[j]);
    // What the start leads to: its ridge is not of the rows.
    let mut sums: Vec<(f64, Array1<f64>, Array2<f64>)> = (0..3)
        .map(|c| {
            let (w, mean) = (expected.weights()[c], expected.means().row(c).to_owned());
            let scatter = expected.covariances().index_axis(Axis(0), c).to_owned() - Array2::<f64>::eye(2) * ridge;
            (w, &mean * w, (scatter + outer(&mean)) * w)
        })
        .collect();
    let mut model = None;
    for t in 0..6 {
        let of_batch: Vec<usize> = (100 * t..100 * (t + 1)).collect();
        let rows = blobs.rows.select(Axis(0), &of_batch);
        let weights = blobs.weights.select(Axis(0), &of_batch).mapv(|w| w as f32);
        let total: f64 = weights.iter().map(|w| f64::from(*w)).sum();
        let gamma = (t as f64 + offset).powf(-exponent);
        let shares = expected.predict_proba(&rows);
        for (c, (n, first, second)) in sums.iter_mut().enumerate() {
            (*n, *first, *second) = (*n * (1.0 - gamma), &*first * (1.0 - gamma), &*second * (1.0 - gamma));
            for ((row, w), share) in rows.outer_iter().zip(&weights).zip(shares.column(c)) {
                let r = gamma * share * f64::from(*w) / total;
                *n += r;
                first.scaled_add(r, &row);
                second.scaled_add(r, &outer(&row.to_owned()));
            }
        }
        let means: Vec<Array1<f64>> = sums.iter().map(|(n, first, _)| first / *n).collect();
        let covariance = |c: usize| &sums[c].2 / sums[c].0 - outer(&means[c]) + Array2::<f64>::eye(2) * ridge;
        let covariances = Array3::from_shape_fn((3, 2, 2), |(c, i, j)| covariance(c)[[i, j]]);
        let weights_now: Array1<f64> = sums.iter().map(|(n, ..)| *n).collect();
        let means = Array2::from_shape_fn((3, 2), |(c, j)| means[c][j]);
        let mixture = Mixture::new(weights_now, means, Covariances::Full(covariances));
        expected = GaussianMixture::from_parameters(mixture, Covariance::Full).unwrap();
        let dataset = DatasetBase::new(rows, ()).with_weights(weights);
        let next = params.partial_fit(model, &dataset).unwrap();
        assert_same(&next, &expected, 1e-9);
        model = Some(next);
    }
}

#[test]
fn every_structure_learns_from_batches() {
    let truth = Blobs::new(77, 3000, 2, 2, 14.0);
    for covariance in Covariance::all() {
        for assignment in [Assignment::Soft, Assignment::Hard] {
            let params = GaussianMixture::params(2).covariance(covariance).assignment(assignment);
            let model =
                (0..15).fold(None, |model, t| Some(params.partial_fit(model, &batch(t, 200)).unwrap())).unwrap();
            let all = params.fit(&DatasetBase::new(truth.rows.clone(), ())).unwrap();
            let rows = DatasetBase::new(truth.rows.clone(), ());
            let (here, there) = (model.score(&rows).unwrap(), all.score(&rows).unwrap());
            assert!(here > there - 0.02, "{covariance} {assignment}: {here} and {there}");
            assert_eq!(model.report().trace.len(), 15);
            assert_eq!(model.sizes().iter().sum::<usize>(), 200);
        }
    }
}

#[test]
fn student_components_learn_from_batches() {
    let rows = data("faithful");
    let params = GaussianMixture::params(2).tails(Tails::Student(Degrees::Shared));
    let params = params.step_size(StepSize { exponent: 0.6, offset: 1.0 });
    let whole = DatasetBase::from(rows.clone());
    let mut model = None;
    for _ in 0..300 {
        model = Some(params.partial_fit(model, &whole).unwrap());
    }
    let all = params.clone().tolerance(1e-9).max_n_iterations(1000).fit(&whole).unwrap();
    let (here, there) = (model.unwrap().score(&whole).unwrap(), all.score(&whole).unwrap());
    assert!((here - there).abs() < 1e-3, "{here} and {there}");
    // One that was fitted to all rows stays where it is.
    let moved = params.partial_fit(Some(all.clone()), &whole).unwrap();
    assert_means("means", moved.means(), all.means(), 1e-5);
    assert_close("degrees", moved.degrees().unwrap()[0], all.degrees().unwrap()[0], 1e-3);
}

#[test]
fn a_model_of_all_rows_goes_on_as_one_that_has_seen_them() {
    let dataset = DatasetBase::from(data("iris"));
    for covariance in Covariance::all() {
        let params = GaussianMixture::params(2).covariance(covariance).tolerance(1e-10).max_n_iterations(1000);
        let all = params.fit(&dataset).unwrap();
        let moved = params.partial_fit(Some(all.clone()), &dataset).unwrap();
        // The statistics of the fit led back to the same parameters, and so do those of the same rows.
        assert_same(&moved, &all, 1e-4);
        assert_eq!(moved.stream().map(|stream| (stream.batches(), stream.total_weight())), Some((2, 300.0)));
    }
    // A model that was made from parameters has seen nothing: the first batch counts wholly.
    let start = Mixture::new(
        array![0.5, 0.5],
        array![[5.0, 3.4, 1.5, 0.2], [6.2, 2.9, 4.9, 1.7]],
        Covariances::TiedSpherical(1.0),
    );
    let params = GaussianMixture::params(2).covariance(Covariance::TiedSpherical);
    let given = GaussianMixture::from_parameters(start.clone(), Covariance::TiedSpherical).unwrap();
    let one = params.partial_fit(Some(given), &dataset).unwrap();
    let other = params.init_method(GmmInitMethod::from(&start)).partial_fit(None, &dataset).unwrap();
    assert_eq!(one.means(), other.means());
}

#[test]
fn a_file_goes_on_as_the_model_would() {
    let folder = tempfile::tempdir().unwrap();
    for (name, covariance) in [("m.json", Covariance::Full), ("m.cbor", Covariance::TiedDiagonal)] {
        let (path, params) = (folder.path().join(name), GaussianMixture::params(2).covariance(covariance));
        let first = params.partial_fit(None, &batch(0, 200)).unwrap();
        let (mut kept, mut filed) = (first.clone(), first);
        for t in 1..5 {
            filed.save(&path).unwrap();
            filed = GaussianMixture::load(&path).unwrap();
            assert_eq!(filed, kept);
            kept = params.partial_fit(Some(kept), &batch(t, 200)).unwrap();
            filed = params.partial_fit(Some(filed), &batch(t, 200)).unwrap();
            assert_eq!((kept.parameters(), kept.stream()), (filed.parameters(), filed.stream()));
            filed = kept.clone();
        }
    }
    // Statistics of another model are refused.
    let params = GaussianMixture::params(2);
    let documents: Vec<_> =
        (0..2).map(|t| params.partial_fit(None, &batch(t, 200)).unwrap().to_document().unwrap()).collect();
    let mut mixed = documents[0].clone();
    mixed.stream.clone_from(&documents[1].stream);
    assert!(GaussianMixture::from_document(mixed).unwrap_err().to_string().contains("stream"));
}

#[test]
fn components_may_be_renumbered() {
    let params = GaussianMixture::params(2);
    let model = params.partial_fit(None, &batch(0, 200)).unwrap();
    let other = model.clone().canonical_order(CanonicalOrder::Centre).unwrap();
    let other = if other.means() == model.means() {
        // Take the other way round.
        let flipped = Array2::from_shape_fn((2, 2), |(i, j)| model.means()[[1 - i, j]]);
        let start = Mixture { means: flipped, ..model.parameters().clone() };
        other.align_to(&GaussianMixture::from_parameters(start, Covariance::Full).unwrap()).unwrap()
    } else {
        other
    };
    assert_ne!(other.means(), model.means());
    let next = |model| {
        params.partial_fit(Some(model), &batch(1, 200)).unwrap().canonical_order(CanonicalOrder::Centre).unwrap()
    };
    assert_same(&next(model), &next(other), 1e-12);
}

#[test]
fn tables_by_batches_are_the_same_for_any_threads_and_end_near() {
    let blobs = Blobs::new(11, 20_000, 3, 4, 12.0);
    let dataset = DatasetBase::new(blobs.rows.clone(), ());
    let params = GaussianMixture::params(4).mini_batch(500);
    let fit = |threads| params.clone().threads(threads).fit(&dataset).unwrap();
    let (one, three) = (fit(Threads::One), fit(Threads::Count(3)));
    assert_eq!((one.parameters(), one.stream()), (three.parameters(), three.stream()));
    let all = GaussianMixture::params(4).fit(&dataset).unwrap();
    let (here, there) = (one.score(&dataset).unwrap(), all.score(&dataset).unwrap());
    assert!(here > there - 0.01, "{here} and {there}");
    assert_eq!(one.sizes().iter().sum::<usize>(), 20_000);
    assert_eq!(one.report().trace.len(), one.report().iterations);
    assert_close("log-likelihood", one.log_likelihood(), 20_000.0 * here, 1e-12);
    // It goes on with what comes next.
    let more = params.partial_fit(Some(one), &dataset).unwrap();
    assert!(more.report().trace.len() > 1);
}

#[test]
fn plain_and_by_convention_are_the_same() {
    let params = GaussianMixture::params(2).tolerance(2e-2);
    let (mut model, mut settled_at) = (None, Vec::new());
    for t in 0..15 {
        let plain = params.partial_fit(model.clone(), &batch(t, 200)).unwrap();
        let (settled, convention) = match params.fit_with(model, &batch(t, 200)) {
            Ok(model) => (true, model),
            Err(IncrGmmError::NotConverged(model)) => (false, model),
            Err(error) => panic!("{error}"),
        };
        assert_eq!((settled, convention.parameters()), (plain.report().converged(), plain.parameters()));
        model = Some(convention);
        settled_at.push(settled);
    }
    assert!(!settled_at[1] && settled_at.contains(&true), "{settled_at:?}");
}

#[test]
fn what_needs_all_rows_is_refused() {
    let dataset = DatasetBase::from(data("iris"));
    let params = GaussianMixture::params(3);
    let refused: [(Params, &str); 6] = [
        (params.clone().noise(Noise::Hypervolume), "where noise is"),
        (params.clone().known_labels(vec![None; 150]), "known label"),
        (params.clone().acceleration(Acceleration::Squarem), "acceleration"),
        (params.clone().assignment(Assignment::Stochastic), "drawn"),
        (params.clone().assignment(Assignment::Annealed(Annealing::default())), "cool"),
        (params.clone().collapse(Collapse::Respawn), "start again"),
    ];
    for (params, why) in refused {
        for sentence in [
            params.partial_fit(None, &dataset).unwrap_err().to_string(),
            params.clone().mini_batch(32).fit(&dataset).unwrap_err().to_string(),
        ] {
            assert!(sentence.contains(why) && !sentence.contains(". "), "{sentence}");
        }
    }
    let mut gaps = data("iris");
    gaps[[3, 1]] = f64::NAN;
    let gaps = DatasetBase::from(gaps);
    for params in [params.clone().missing(Missing::Marginal), params.clone().missing(Missing::Marginal).mini_batch(32)]
    {
        assert!(params.partial_fit(None, &gaps).unwrap_err().to_string().contains("missing values"));
        assert!(params.fit(&gaps).is_err() == params.check_ref().unwrap().mini_batch().is_some());
    }
    let zero = params.clone().mini_batch(0).fit(&dataset).unwrap_err().to_string();
    assert!(zero.contains("size of batches"));
    for (exponent, offset) in [(0.5, 1.0), (1.1, 1.0), (f64::NAN, 1.0), (0.7, 0.5), (0.7, f64::INFINITY)] {
        let bad = params.clone().step_size(StepSize { exponent, offset }).fit(&dataset).unwrap_err().to_string();
        assert!(bad.contains("exponent"), "{bad}");
    }
    let model = params.partial_fit(None, &dataset).unwrap();
    let other = |params: Params| params.partial_fit(Some(model.clone()), &dataset).unwrap_err().to_string();
    assert!(other(GaussianMixture::params(4)).contains("3 components"));
    assert!(other(params.clone().covariance(Covariance::Tied)).contains("covariance structure"));
    assert!(other(params.clone().tails(Tails::Student(Degrees::Each))).contains("tails"));
    assert!(params.partial_fit(Some(model.clone()), &DatasetBase::from(array![[1.0]])).is_err());
    assert!(params.partial_fit(None, &DatasetBase::from(array![[1.0], [2.0]])).is_err());
}

#[test]
fn a_prior_weighs_as_much_as_beside_all_rows() {
    let dataset = DatasetBase::from(data("iris"));
    let params = GaussianMixture::params(3).collapse(Collapse::Prior).reg_covariance(0.0);
    let iteration = params.clone().max_n_iterations(1).fit(&dataset).unwrap();
    assert_same(&params.partial_fit(None, &dataset).unwrap(), &iteration, 1e-9);
    assert_same(&params.mini_batch(150).max_n_iterations(1).fit(&dataset).unwrap(), &iteration, 1e-9);
}
