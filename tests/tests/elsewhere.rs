//! Fits of rows that are elsewhere are the fits in memory: to the bit for one chunk, to rounding for any others.

use miscela::prelude::*;
use miscela::{
    Checkpoints, Chunked, Elsewhere, Empty, Partial, Pick, Report, SamplesError, Seconds, SourceError, Streamed, Task,
};
use miscela::{Summary, WorkError, Workers};
use miscela_em::MixtureTask;
use miscela_tests::{Blobs, assert_close, assert_near, cases, data};
use ndarray::{Array2, ArrayView, Dimension, array};
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::time::Duration;

const MIXED: usize = 3_000;

fn blobs() -> Blobs {
    Blobs::new(7, MIXED, 3, 4, 9.0)
}

fn kmeans_from(start: &Array2<f64>) -> KMeansParams<f64, rand_xoshiro::Xoshiro256Plus, miscela::L2> {
    let init = KMeansInit::Precomputed(start.clone());
    KMeans::params(start.nrows()).init_method(init).tolerance(0.0).algorithm(Algorithm::Lloyd)
}

fn mixture_from(start: &Array2<f64>, covariance: Covariance) -> GmmParams<f64, rand_xoshiro::Xoshiro256Plus> {
    let init = GmmInitMethod::means(start.clone());
    GaussianMixture::params(start.nrows()).init_method(init).covariance(covariance).tolerance(1e-9)
}

/// A report without what the clock and the place of the rows have to do with.
fn course(report: &Report) -> Report {
    Report { seconds: Seconds::default(), passes: 0, ..report.clone() }
}

fn close<D: Dimension>(what: &str, a: ArrayView<f64, D>, b: ArrayView<f64, D>) {
    assert_near(what, &a.to_owned(), &b.to_owned(), 1e-12);
}

#[test]
fn one_chunk_is_kmeans_in_memory_to_the_bit() {
    let Blobs { rows, weights, .. } = blobs();
    let start = blobs().first_rows(4);
    for weights in [None, weights.as_slice()] {
        let memory = kmeans_from(&start).check().unwrap().fit_observed(&rows, weights, &mut ()).unwrap();
        let streamed = kmeans_from(&start).fit_source(&Chunked::new(&rows, weights, 0), &mut ()).unwrap();
        assert_eq!(streamed.centroids(), memory.centroids());
        assert_eq!(streamed.inertia_sum(), memory.inertia_sum());
        assert_eq!(streamed.sizes(), memory.sizes());
        assert_eq!(course(streamed.report()), course(memory.report()));
        assert_eq!(streamed.report().termination.name(), "labels-unchanged");
        // A summary, an iteration each, and the fit of the end.
        assert_eq!(streamed.report().passes, streamed.report().iterations + 2);
        assert_eq!(memory.report().passes, 0);
    }
}

#[test]
fn one_chunk_is_the_mixture_in_memory_to_the_bit_whatever_its_structure() {
    let Blobs { rows, weights, .. } = blobs();
    let start = blobs().first_rows(4);
    for covariance in Covariance::all() {
        for assignment in [Assignment::Soft, Assignment::Hard] {
            let params = mixture_from(&start, covariance).assignment(assignment);
            let weights = weights.as_slice();
            let memory = params.fit_observed(&rows, weights, &mut ()).unwrap();
            let streamed = params.fit_source(&Chunked::new(&rows, weights, 0), &mut ()).unwrap();
            assert_eq!(streamed.sizes(), memory.sizes(), "{covariance} {assignment:?}");
            if assignment == Assignment::Hard && covariance == Covariance::TiedSpherical {
                // In memory that is k-means, which amends its sums.
                close("means", streamed.means().view(), memory.means().view());
                assert_eq!(streamed.report().iterations, memory.report().iterations);
                continue;
            }
            assert_eq!(streamed.means(), memory.means(), "{covariance} {assignment:?}");
            assert_eq!(streamed.covariances(), memory.covariances(), "{covariance} {assignment:?}");
            assert_eq!(streamed.weights(), memory.weights());
            assert_eq!(course(streamed.report()), course(memory.report()));
            assert_eq!(streamed.training_score().icl, memory.training_score().icl);
        }
    }
}

#[test]
fn any_chunks_give_the_same_fit_to_rounding_and_any_threads_to_the_bit() {
    let Blobs { rows, weights, .. } = blobs();
    let (start, weights) = (blobs().first_rows(4), weights.as_slice());
    let kmeans = kmeans_from(&start).check().unwrap().fit_observed(&rows, weights, &mut ()).unwrap();
    let mixture = mixture_from(&start, Covariance::Full).fit_observed(&rows, weights, &mut ()).unwrap();
    for size in [1, 77, 1024, 2999] {
        let source = Chunked::new(&rows, weights, size);
        let streamed = kmeans_from(&start).fit_source(&source, &mut ()).unwrap();
        close("centroids", streamed.centroids().view(), kmeans.centroids().view());
        assert_close("inertia", streamed.inertia_sum(), kmeans.inertia_sum(), 1e-12);
        assert_eq!(streamed.report().iterations, kmeans.report().iterations);
        let soft = mixture_from(&start, Covariance::Full).fit_source(&source, &mut ()).unwrap();
        assert_eq!(soft.report().iterations, mixture.report().iterations);
        close("means", soft.means().view(), mixture.means().view());
        close("weights", soft.weights().view(), mixture.weights().view());
        assert_near("covariances", &soft.covariances(), &mixture.covariances(), 1e-12);
        assert_close("log-likelihood", soft.log_likelihood(), mixture.log_likelihood(), 1e-12);
        for threads in [1, 2, 3] {
            let again = kmeans_from(&start).threads(Threads::Count(threads)).fit_source(&source, &mut ()).unwrap();
            assert_eq!(again.centroids(), streamed.centroids());
            let again = mixture_from(&start, Covariance::Full).threads(Threads::Count(threads));
            assert_eq!(again.fit_source(&source, &mut ()).unwrap().means(), soft.means());
        }
    }
}

#[test]
fn the_numbers_may_be_short() {
    let rows = blobs().rows.mapv(|x| x as f32);
    let source = Chunked::new(&rows, None, 500);
    let streamed = KMeans::<f32>::params(4).fit_source(&source, &mut ()).unwrap();
    let memory = KMeans::<f32>::params(4).fit_weighted(&rows, &vec![1.0; MIXED]).unwrap();
    assert!((streamed.inertia_sum() - memory.inertia_sum()).abs() < 1e-3 * memory.inertia_sum());
}

#[test]
fn a_sample_of_all_rows_is_all_rows() {
    // The start is found in a sample, which here holds every row in order: the fit is that in memory.
    let rows = data("faithful");
    let streamed = GaussianMixture::params(2).fit_source(&Chunked::new(&rows, None, 100), &mut ()).unwrap();
    let memory = GaussianMixture::params(2).fit(&DatasetBase::from(rows.clone())).unwrap();
    assert_near("means", &streamed.means().to_owned(), &memory.means().to_owned(), 1e-9);
    assert_close("score", streamed.training_score().bic, memory.training_score().bic, 1e-9);
}

#[test]
fn the_fit_of_a_model_is_known_without_the_rows_at_hand() {
    let rows = data("faithful");
    let model = GaussianMixture::params(2).fit(&DatasetBase::from(rows.clone())).unwrap();
    let source = Chunked::new(&rows, None, 50);
    let elsewhere = model.score_over(&mut Streamed::new(&source, Threads::One)).unwrap();
    let here = model.evaluate(&rows, None).unwrap();
    assert_close("log-likelihood", elsewhere.log_likelihood, here.log_likelihood, 1e-12);
    assert_close("icl", elsewhere.icl, here.icl, 1e-12);
    assert_eq!(elsewhere.n_samples, here.n_samples);
}

/// Every task there is, for rows of two columns.
fn tasks(rows: &Array2<f64>) -> Vec<Task<f64>> {
    let centroids = rows.select(ndarray::Axis(0), &[0, 1, 2]);
    let summary = summary(&Chunked::new(rows, None, 0));
    let offset = summary.mean.clone();
    let model = mixture_from(&centroids, Covariance::Full).max_n_iterations(1).fit(&DatasetBase::from(rows.clone()));
    let mixture = mixture_of(&model.unwrap());
    let task = |assignment| MixtureTask {
        mixture: mixture.clone(),
        covariance: Covariance::Full,
        assignment,
        tails: Default::default(),
        summary: summary.clone(),
    };
    let pick = |pick| Task::Pick { pick, count: 5, seed: 9 };
    let to = &centroids + 0.5;
    let others = vec![(rows.row(5).to_vec(), 2), (rows.row(7).to_vec(), 0)];
    let kmeans = Task::KMeans { centroids: centroids.clone(), offset: offset.clone() };
    vec![
        Task::Summary,
        Task::Scatter { about: offset.clone(), scatter: miscela_kernel::Scatter::Full },
        Task::KMeans { centroids: centroids.clone(), offset: offset.clone() },
        Task::Mixture(Box::new(task(Assignment::Soft))),
        Task::Mixture(Box::new(task(Assignment::Hard))),
        Task::Moments {
            means: centroids.clone(),
            about: to.clone(),
            scatter: miscela_kernel::Scatter::Diagonal,
            offset: offset.clone(),
        },
        Task::Observed {
            means: centroids.clone(),
            about: to.clone(),
            scatter: miscela_kernel::Scatter::Full,
            labels: others.clone(),
        },
        Task::CentroidFit { centroids: centroids.clone(), offset: offset.clone() },
        Task::MixtureFit { mixture: mixture.clone(), temperature: 0.5 },
        Task::Moved { from: centroids.clone(), to, offset: offset.clone(), labels: others.clone() },
        Task::Relabelled { step: Box::new(kmeans), labels: others },
        pick(Pick::Sample),
        pick(Pick::Far { centroids: centroids.clone(), offset: offset.clone() }),
        pick(Pick::FarthestOfCentroids { centroids, offset }),
        pick(Pick::WorstOfMixture(Box::new(task(Assignment::Hard)))),
    ]
}

/// The parameters of a model.
fn mixture_of(model: &GaussianMixture<f64>) -> miscela::Mixture<f64> {
    let covariances = miscela::Covariances::Full(model.covariances().to_owned());
    miscela::Mixture::new(model.weights().to_owned(), model.means().to_owned(), covariances)
}

fn summary(source: &Chunked<f64>) -> Summary {
    Streamed::new(source, Threads::One).run(&Task::Summary).unwrap().summary().unwrap().0
}

/// All numbers of a partial, in the order of its document, and nothing else of it.
fn numbers(partial: &Partial<f64>) -> Vec<f64> {
    fn gather(value: &serde_json::Value, into: &mut Vec<f64>) {
        match value {
            serde_json::Value::Number(number) => into.extend(number.as_f64()),
            serde_json::Value::Array(all) => all.iter().for_each(|one| gather(one, into)),
            serde_json::Value::Object(all) => {
                all.iter().filter(|(key, _)| *key != "fingerprint").for_each(|(_, one)| gather(one, into));
            }
            _ => {}
        }
    }
    let mut numbers = Vec::new();
    gather(&serde_json::to_value(partial).unwrap(), &mut numbers);
    numbers
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn partials_of_parts_make_the_whole(
        seed: u64, n in 60usize..900, cuts in (0.0..1.0f64, 0.0..1.0f64), has_gaps: bool
    ) {
        let Blobs { rows: whole, weights, .. } = Blobs::new(seed, n, 2, 3, 6.0);
        let mut rows = whole.clone();
        // None in the last third, nor in the first rows, which are parameters here.
        let gap = |(i, j): (usize, usize)| has_gaps && (10..n / 3 * 2).contains(&i) && (i * 7 + j).is_multiple_of(4);
        rows.indexed_iter_mut().filter(|(at, _)| gap(*at)).for_each(|(_, x)| *x = f64::NAN);
        let weights = weights.as_slice().unwrap();
        let mut cuts = [cuts.0, cuts.1].map(|cut| (cut * n as f64) as usize);
        cuts.sort_unstable();
        for task in tasks(&whole) {
            // Fits of rows with gaps ask for nothing of the kind, and of an E-step of k-means only for weights.
            let of_whole_rows = matches!(task, Task::Moved { .. } | Task::Moments { .. } | Task::Scatter { .. });
            if has_gaps && (of_whole_rows || matches!(task, Task::KMeans { .. } | Task::Relabelled { .. })) {
                continue;
            }
            let work = task.prepare().unwrap();
            let part = |from: usize, to: usize| {
                let rows = rows.slice_axis(ndarray::Axis(0), (from..to).into()).to_owned();
                (from < to).then(|| {
                    let weights = Some(weights[from..to].into());
                    let samples = miscela::Samples::with_missing(&rows, weights).unwrap();
                    work.run(&samples, from as u64, Threads::One).unwrap()
                })
            };
            let together = |parts: Vec<Option<Partial<f64>>>| {
                let mut parts = parts.into_iter().flatten();
                let mut all = parts.next().unwrap();
                parts.for_each(|part| all.merge(part).unwrap());
                all
            };
            let [a, b, c] = [part(0, cuts[0]), part(cuts[0], cuts[1]), part(cuts[1], n)];
            let whole = together(vec![part(0, n)]);
            for order in [[&a, &b, &c], [&c, &a, &b], [&b, &c, &a]] {
                let merged = together(order.map(Clone::clone).to_vec());
                let (got, expected) = (numbers(&merged), numbers(&whole));
                prop_assert_eq!(got.len(), expected.len());
                let scale = expected.iter().filter(|x| x.abs() < 1e15).fold(1.0f64, |m, x| m.max(x.abs()));
                for (got, expected) in got.iter().zip(&expected) {
                    prop_assert!((got - expected).abs() <= 1e-11 * scale, "{task:?}: {got} {expected}");
                }
            }
            // What travels is what arrives, bit for bit; of JSON, whatever is a number.
            if has_gaps && matches!(whole, Partial::Picks(_)) {
                continue;
            }
            let (sent, answer) = (serde_json::to_string(&task).unwrap(), serde_json::to_string(&whole).unwrap());
            prop_assert_eq!(&serde_json::from_str::<Task<f64>>(&sent).unwrap(), &task);
            prop_assert_eq!(&serde_json::from_str::<Partial<f64>>(&answer).unwrap(), &whole);
        }
    }

    #[test]
    fn a_fit_that_is_left_and_gone_on_with_ends_with_the_same_bits(seed: u64, stop in 1usize..12, runs in 1usize..3) {
        let rows = Blobs::new(seed, 400, 2, 4, 4.0).rows;
        let source = Chunked::new(&rows, None, 90);
        let folder = tempfile::tempdir().unwrap();
        let mut checkpoints = Checkpoints::new(folder.path().join("state"), Duration::ZERO);

        let kmeans = KMeans::<f64>::params(4).tolerance(0.0).n_runs(runs).init_method(KMeansInit::Random).check().unwrap();
        let mixture = GaussianMixture::<f64>::params(4).n_runs(runs as u64).init_method(GmmInitMethod::Random);
        let mixture = mixture.tolerance(1e-4).check().unwrap();
        let uninterrupted = kmeans.fit_source(&source, &mut ()).unwrap();
        let attempt = |checkpoints: &mut Checkpoints, stop: usize| {
            // A crash, as far as the fit can tell: what it returned is lost, and what it had written is not.
            let mut seen = 0;
            let mut observer = |_: &Progress| {
                seen += 1;
                if seen < stop { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let mut workers = Streamed::new(&source, Threads::One);
            let (checkpoints, observer) = (Some(checkpoints), &mut observer);
            kmeans.fit_over(Elsewhere { workers: &mut workers, checkpoints, observer, threads: Threads::One })
        };
        attempt(&mut checkpoints, stop).unwrap();
        attempt(&mut checkpoints, 2).unwrap();
        let ended = attempt(&mut checkpoints, usize::MAX).unwrap();
        prop_assert_eq!(ended.centroids(), uninterrupted.centroids());
        prop_assert_eq!(ended.inertia_sum(), uninterrupted.inertia_sum());
        prop_assert_eq!(course(ended.report()), course(uninterrupted.report()));

        if checkpoints.exists() {
            // The other kind of model has no use for it, nor has the same kind with other parameters or other rows.
            let mut workers = Streamed::new(&source, Threads::One);
            let elsewhere = Elsewhere {
                workers: &mut workers, checkpoints: Some(&mut checkpoints), observer: &mut (), threads: Threads::One,
            };
            let error = mixture.fit_over(elsewhere).unwrap_err().to_string();
            prop_assert!(error.contains("checkpoint"), "{error}");
        }
        checkpoints.remove().unwrap();
        let uninterrupted = mixture.fit_source(&source, &mut ()).unwrap();
        for stop in [stop, 2, usize::MAX] {
            let mut seen = 0;
            let mut observer = |_: &Progress| {
                seen += 1;
                if seen < stop { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let mut workers = Streamed::new(&source, Threads::One);
            let elsewhere = Elsewhere {
                workers: &mut workers,
                checkpoints: Some(&mut checkpoints),
                observer: &mut observer,
                threads: Threads::One,
            };
            let ended = mixture.fit_over(elsewhere).unwrap();
            if stop == usize::MAX {
                prop_assert_eq!(ended.means(), uninterrupted.means());
                prop_assert_eq!(ended.covariances(), uninterrupted.covariances());
                prop_assert_eq!(course(ended.report()), course(uninterrupted.report()));
            }
        }
    }
}

#[test]
fn a_checkpoint_of_other_rows_or_other_parameters_is_refused() {
    let (rows, others) = (blobs().rows, Blobs::new(8, MIXED, 3, 4, 9.0).rows);
    let folder = tempfile::tempdir().unwrap();
    let mut checkpoints = Checkpoints::new(folder.path().join("state"), Duration::ZERO);
    let mut fit = |rows: &Array2<f64>, k: usize| {
        let source = Chunked::new(rows, None, 1000);
        let params = KMeans::<f64>::params(k).tolerance(0.0).init_method(KMeansInit::Random).check().unwrap();
        let workers = &mut Streamed::new(&source, Threads::One);
        let checkpoints = Some(&mut checkpoints);
        params.fit_over(Elsewhere { workers, checkpoints, observer: &mut (), threads: Threads::One })
    };
    fit(&rows, 5).unwrap();
    assert!(fit(&rows, 6).unwrap_err().to_string().contains("of another fit: the parameters differ"));
    assert!(fit(&others, 5).unwrap_err().to_string().contains("of another fit: the data differ"));
    std::fs::write(folder.path().join("state"), b"nothing of the kind").unwrap();
    assert!(fit(&rows, 5).unwrap_err().to_string().contains("cannot be used"));
}

#[test]
fn an_empty_cluster_takes_the_farthest_distinct_row() {
    // Two centres are far off, and rows come in copies.
    let rows = Array2::from_shape_fn((40, 1), |(i, _)| [0.0, 1.0, 10.0, 30.0][i % 4]);
    let start = array![[0.0], [100.0], [200.0]];
    for size in [0, 3, 16] {
        let streamed = kmeans_from(&start).fit_source(&Chunked::new(&rows, None, size), &mut ()).unwrap();
        let memory = kmeans_from(&start).fit_weighted(&rows, &vec![1.0; 40]).unwrap();
        assert_eq!(streamed.centroids(), memory.centroids());
        assert_eq!(streamed.report().iterations, memory.report().iterations);
        for (a, b) in streamed.report().trace.iter().zip(&memory.report().trace) {
            assert_close("trace", *a, *b, 1e-12);
        }
        let repairs =
            |report: &Report| report.repairs.iter().map(|r| (r.iteration, r.component, r.action)).collect::<Vec<_>>();
        assert_eq!(repairs(streamed.report()), repairs(memory.report()));
        assert_close("inertia", streamed.inertia_sum(), memory.inertia_sum(), 1e-12);
    }
    // As many clusters as distinct rows: none can spare its last.
    let start = array![[0.0], [100.0], [200.0], [300.0], [400.0]];
    let streamed = kmeans_from(&start).fit_source(&Chunked::new(&rows, None, 7), &mut ()).unwrap();
    assert!(streamed.report().repairs.iter().any(|repair| repair.action.name() == "kept-empty"));
    assert!(streamed.inertia_sum() < 1e-20);
}

#[test]
fn starts_from_all_rows_are_no_worse_than_random_ones_whatever_the_chunks() {
    let rows = Blobs::new(3, 20_000, 2, 25, 60.0).rows;
    let inertia = |init: KMeansInit<f64>, seed: u64, size: usize| {
        use rand::SeedableRng;
        let rng = rand_xoshiro::Xoshiro256Plus::seed_from_u64(seed);
        let params = KMeans::params_with_rng(25, rng).init_method(init).max_n_iterations(0);
        let model = params.fit_source(&Chunked::new(&rows, None, size), &mut ()).unwrap();
        (model.inertia_sum(), model.report().passes)
    };
    let mean = |init: KMeansInit<f64>| (0..10).map(|seed| inertia(init.clone(), seed, 0).0).sum::<f64>() / 10.0;
    let [parallel, plus_plus, random] =
        [KMeansInit::KMeansPara, KMeansInit::KMeansPlusPlus, KMeansInit::Random].map(mean);
    assert!(parallel < 0.7 * random && plus_plus < 0.7 * random, "{parallel} {plus_plus} {random}");
    assert!(parallel < 1.3 * plus_plus, "{parallel} {plus_plus}");
    for init in [KMeansInit::KMeansPara, KMeansInit::KMeansPlusPlus] {
        // What is drawn is a function of the rows' numbers.
        let (whole, cut) = (inertia(init.clone(), 5, 0), inertia(init, 5, 777));
        assert_close("inertia", whole.0, cut.0, 1e-12);
        assert_eq!(whole.1, cut.1);
    }
    // A summary, the start, the fit of the end.
    assert_eq!(inertia(KMeansInit::KMeansPara, 0, 0).1, 1 + 7 + 1);
    assert_eq!(inertia(KMeansInit::Random, 0, 0).1, 1 + 1 + 1);
}

#[test]
fn a_sample_stands_for_all_rows() {
    // Weights over four powers of ten: the estimates of the total, and of that of some rows, are right on average.
    let n = 5_000;
    let rows = Array2::from_shape_fn((n, 1), |(i, _)| i as f64);
    let weights: Vec<f64> = (0..n).map(|i| 10f64.powi((i * 7919 % 5) as i32 - 2)).collect();
    let (all, few): (f64, f64) = (weights.iter().sum(), weights[..n / 4].iter().sum());
    let (mut total, mut part, draws) = (0.0, 0.0, 400);
    for seed in 0..draws {
        let source = Chunked::new(&rows, Some(&weights), 512);
        let task = Task::Pick { pick: Pick::Sample, count: 200, seed };
        let picks = Streamed::new(&source, Threads::One).run(&task).unwrap().picks().unwrap();
        let (sample, stands_for) = picks.standing_for().unwrap();
        assert_eq!((sample.nrows(), stands_for.len()), (200, 200));
        assert!(sample.column(0).windows(2).into_iter().all(|pair| pair[0] < pair[1]));
        total += stands_for.iter().sum::<f64>();
        part +=
            sample.column(0).iter().zip(&stands_for).filter(|(x, _)| **x < n as f64 / 4.0).map(|(_, w)| w).sum::<f64>();
    }
    let draws = draws as f64;
    assert!((total / draws / all - 1.0).abs() < 0.01, "{}", total / draws / all);
    assert!((part / draws / few - 1.0).abs() < 0.02, "{}", part / draws / few);
}

#[test]
fn what_needs_all_rows_says_so() {
    let rows = data("faithful");
    let source = Chunked::new(&rows, None, 100);
    let needs = |error: KMeansError| {
        assert!(matches!(error, KMeansError::Work(WorkError::NeedsRows(_))), "{error}");
    };
    let kmeans = || KMeans::<f64>::params(2);
    needs(kmeans().trim(0.1).fit_source(&source, &mut ()).unwrap_err());
    needs(kmeans().min_size(3).fit_source(&source, &mut ()).unwrap_err());
    needs(kmeans().algorithm(Algorithm::Bounds).fit_source(&source, &mut ()).unwrap_err());
    needs(kmeans().empty(Empty::SplitLargest).fit_source(&source, &mut ()).unwrap_err());
    let needs = |error: GmmError| assert!(matches!(error, GmmError::Work(WorkError::NeedsRows(_))), "{error}");
    let mixture = || GaussianMixture::<f64>::params(2);
    needs(mixture().assignment(Assignment::Stochastic).fit_source(&source, &mut ()).unwrap_err());
    needs(mixture().noise(Noise::Hypervolume).fit_source(&source, &mut ()).unwrap_err());
    needs(mixture().collapse(Collapse::Respawn).fit_source(&source, &mut ()).unwrap_err());
    needs(mixture().init_method(GmmInitMethod::Labels(vec![0; 272])).fit_source(&source, &mut ()).unwrap_err());
    let error = kmeans().trim(0.1).fit_source(&source, &mut ()).unwrap_err().to_string();
    assert_eq!(
        error,
        "trimming needs all rows in memory at once, and cannot be had of a stream or a cluster; fit a sample, or leave it out"
    );
}

#[test]
fn what_is_wrong_with_the_rows_is_said_with_its_place() {
    let mut rows = data("faithful");
    rows[[250, 1]] = f64::NAN;
    let error = KMeans::<f64>::params(2).fit_source(&Chunked::new(&rows, None, 100), &mut ()).unwrap_err();
    assert!(error.to_string().starts_with("row 250, column 1 has no value"), "{error}");
    let KMeansError::Work(WorkError::Source(SourceError::Rows { source, .. })) = error else { panic!("{error}") };
    assert!(matches!(source, SamplesError::Missing { .. }));

    let none: Array2<f64> = Array2::zeros((0, 2));
    let error = KMeans::<f64>::params(2).fit_source(&Chunked::new(&none, None, 0), &mut ()).unwrap_err();
    assert!(error.to_string().starts_with("there are no rows"), "{error}");
    let one = array![[1.0, 2.0]];
    let error = GaussianMixture::<f64>::params(2).fit_source(&Chunked::new(&one, None, 0), &mut ()).unwrap_err();
    assert!(error.to_string().starts_with("1 rows cannot make 2 clusters"), "{error}");
    let weights = vec![0.0; 272];
    let whole = data("faithful");
    let error = KMeans::<f64>::params(2).fit_source(&Chunked::new(&whole, Some(&weights), 0), &mut ()).unwrap_err();
    assert!(error.to_string().contains("no rows of positive weight"), "{error}");
}

#[test]
fn heavy_tails_and_temperatures_are_those_in_memory_too() {
    let Blobs { rows, weights, .. } = blobs();
    let (start, weights) = (blobs().first_rows(4), weights.as_slice());
    for tails in [Degrees::Shared, Degrees::Each, Degrees::Given(4.0)] {
        for assignment in [Assignment::Soft, Assignment::Hard, Assignment::Tempered(0.7)] {
            let params = mixture_from(&start, Covariance::Full).tails(Tails::Student(tails)).assignment(assignment);
            let memory = params.clone().max_n_iterations(9).fit_observed(&rows, weights, &mut ()).unwrap();
            let streamed = params.max_n_iterations(9).fit_source(&Chunked::new(&rows, weights, 0), &mut ()).unwrap();
            assert_eq!(streamed.means(), memory.means(), "{tails:?} {assignment:?}");
            assert_eq!(streamed.degrees(), memory.degrees());
            assert_eq!(course(streamed.report()), course(memory.report()));
        }
    }
    let params = mixture_from(&start, Covariance::Full).collapse(Collapse::Prior);
    let memory = params.fit_observed(&rows, weights, &mut ()).unwrap();
    let streamed = params.fit_source(&Chunked::new(&rows, weights, 0), &mut ()).unwrap();
    assert_eq!(course(streamed.report()), course(memory.report()));
}

#[test]
fn copies_that_fill_the_rounds_of_a_start_do_not_hide_the_other_rows() {
    let rows = Array2::from_shape_fn((12_000, 1), |(i, _)| 4f64.powi((i % 12) as i32));
    let params = KMeans::<f64>::params(12).init_method(KMeansInit::KMeansPara).tolerance(0.0);
    let model = params.fit_source(&Chunked::new(&rows, None, 1000), &mut ()).unwrap();
    assert_eq!(model.inertia_sum(), 0.0);
}

#[test]
fn tasks_that_make_no_sense_are_refused() {
    let centroids = array![[0.0, 1.0], [2.0, 3.0]];
    let refused = |task: Task<f64>| assert!(task.prepare().is_err(), "{task:?}");
    refused(Task::KMeans { centroids: Array2::zeros((0, 2)), offset: vec![0.0; 2] });
    refused(Task::KMeans { centroids: centroids.clone(), offset: vec![0.0; 3] });
    refused(Task::KMeans { centroids: &centroids + f64::NAN, offset: vec![0.0; 2] });
    let step = Box::new(Task::KMeans { centroids: centroids.clone(), offset: vec![0.0; 2] });
    refused(Task::Relabelled { step: step.clone(), labels: vec![(vec![0.0], 0)] });
    refused(Task::Relabelled { step: step.clone(), labels: vec![(vec![0.0; 2], 2)] });
    refused(Task::Relabelled { step: Box::new(Task::Summary), labels: vec![] });
    // Rows of another width are an error, not a panic; so is a claim that is larger than anything there is.
    let rows = array![[1.0], [2.0]];
    let samples = miscela::Samples::new(&rows).unwrap();
    assert!(step.prepare().unwrap().run(&samples, 0, Threads::One).is_err());
    let sample = Task::Pick { pick: Pick::Sample, count: usize::MAX, seed: 0 }.prepare().unwrap();
    let picked = sample.run(&samples, u64::MAX, Threads::One).unwrap().picks().unwrap();
    assert_eq!(picked.standing_for().unwrap().0.nrows(), 2);
}
