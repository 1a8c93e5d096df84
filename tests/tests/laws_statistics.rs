//! Statistics are a commutative monoid, and the sum over parts is the sum over all: what threads, batches, checkpoints
//! and clusters of machines rest on.

use miscela_em::{
    Assignment, Covariance, Covariances, Family, GaussianFamily, KMeansFamily, MergeError, Mixture, MixtureSettings,
    Statistics, Summary, Sums,
};
use miscela_kernel::{Float, Samples, Threads};
use miscela_tests::{Blobs, assert_close, assert_near, cases, narrow};
use ndarray::{Array1, Array2, ArrayView1};
use proptest::prelude::*;

/// The statistics of rows `from..to` under a family, block by block.
fn over<F: Float, M: Family<F>>(family: &M, samples: &Samples<F>, from: usize, to: usize) -> Statistics {
    let mut sums = zero(family, samples.n_columns());
    let mut scratch = M::Scratch::default();
    let mut rows = Vec::new();
    for start in (from..to).step_by(miscela_kernel::BLOCK_ROWS) {
        let block = samples.block(start..(start + miscela_kernel::BLOCK_ROWS).min(to), &mut rows);
        let mut labels = vec![u32::MAX; if family.is_hard() { block.len() } else { 0 }];
        family.e_step(&block, &mut labels, &mut sums, &mut scratch);
    }
    Statistics::new(family.fingerprint(), family.shift(), sums)
}

fn zero<F: Float, M: Family<F>>(family: &M, width: usize) -> Sums {
    Sums::zero(family.n_components(), width, family.scatter())
}

fn nothing<F: Float, M: Family<F>>(family: &M, width: usize) -> Statistics {
    Statistics::new(family.fingerprint(), family.shift(), zero(family, width))
}

fn merged(mut a: Statistics, b: &Statistics) -> Statistics {
    a.merge(b).unwrap();
    a
}

/// To rounding, each kind of sum on the scale of its largest entry.
fn same(a: &Statistics, b: &Statistics, tolerance: f64) {
    let view = |v: &[f64]| Array1::from(v.to_vec());
    let (a, b) = (a.sums(), b.sums());
    assert_near("Σ r", &view(&a.weight), &view(&b.weight), tolerance);
    assert_near("Σ r z", &view(&a.first), &view(&b.first), tolerance);
    assert_near("Σ r z zᵀ", &view(&a.second), &view(&b.second), tolerance);
    assert_close("objective", a.objective, b.objective, tolerance);
    assert_eq!(a.changed, b.changed);
}

/// The laws, for any family.
fn laws<F: Float, M: Family<F>>(family: &M, samples: &Samples<F>, cuts: [usize; 2], tolerance: f64) {
    let (n, d) = (samples.n_rows(), samples.n_columns());
    let [first, second] = cuts;
    let (a, b, c) =
        (over(family, samples, 0, first), over(family, samples, first, second), over(family, samples, second, n));
    let all = over(family, samples, 0, n);

    // Nothing changes nothing, on either side, bit for bit.
    assert_eq!(merged(a.clone(), &nothing(family, d)), a);
    assert_eq!(merged(nothing(family, d), &a), a);
    // The order of two does not matter, bit for bit; that of three does to rounding.
    assert_eq!(merged(a.clone(), &b), merged(b.clone(), &a));
    let left = merged(merged(a.clone(), &b), &c);
    let right = merged(a.clone(), &merged(b.clone(), &c));
    same(&left, &right, 1e-12);
    // Parts make the whole.
    same(&left, &all, tolerance);
    // What was put in can be taken out.
    let mut rest = left.clone();
    rest.subtract(&c).unwrap();
    let ab = merged(a.clone(), &b);
    let scale = |s: &Statistics| s.sums().second.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    for (got, expected) in rest.sums().second.iter().zip(&ab.sums().second) {
        assert!((got - expected).abs() <= 1e-12 * scale(&all));
    }
    // A document is the statistics.
    let text = serde_json::to_string(&a).unwrap();
    assert_eq!(serde_json::from_str::<Statistics>(&text).unwrap(), a);
    // Those of other parameters, or of other shapes, are refused.
    let other = Statistics::new(family.fingerprint() ^ 1, family.shift(), a.sums().clone());
    assert!(matches!(a.clone().merge(&other), Err(MergeError::Fingerprint(..))));
    let k = family.n_components();
    let wider = Statistics::new(family.fingerprint(), vec![0.0; k * (d + 1)], Sums::zero(k, d + 1, family.scatter()));
    assert!(matches!(a.clone().merge(&wider), Err(MergeError::Shape(..))));
}

fn mixture<F: Float>(centres: &Array2<F>) -> Mixture<F> {
    let k = centres.nrows();
    let weights = Array1::from_elem(k, F::narrow(1.0 / k as f64));
    Mixture::new(weights, centres.clone(), Covariances::TiedSpherical(F::narrow(2.0)))
}

fn families<F: Float>(rows: &Array2<F>, weights: &Array1<f64>, centres: &Array2<F>, cuts: [usize; 2], tolerance: f64) {
    let samples = Samples::weighted(rows, weights.to_vec()).unwrap();
    let summary = Summary::of(&samples, Threads::One);
    let offset: Vec<F> = summary.mean.iter().map(|m| F::narrow(*m)).collect();
    laws(&KMeansFamily::new(centres, miscela::L2, 0.0, offset), &samples, cuts, tolerance);
    for covariance in Covariance::all() {
        for assignment in [Assignment::Soft, Assignment::Hard, Assignment::Tempered(0.3)] {
            let start = mixture(centres);
            let start =
                Mixture { covariances: covariance.shape(&start.covariances, &start.weights, rows.ncols()), ..start };
            let settings = MixtureSettings { covariance, assignment, ..MixtureSettings::default() };
            let family = GaussianFamily::new(start, settings, &summary, samples.total_weight()).unwrap();
            laws(&family, &samples, cuts, tolerance);
        }
    }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn parts_make_the_whole(
        seed in any::<u64>(), n in 3usize..900, d in 1usize..5, k in 1usize..5, a in 0.0..1.0f64, b in 0.0..1.0f64
    ) {
        let blobs = Blobs::new(seed, n.max(k), d, k, 6.0);
        let n = blobs.rows.nrows();
        let mut cuts = [(a * n as f64) as usize, (b * n as f64) as usize];
        cuts.sort_unstable();
        families(&blobs.rows, &blobs.weights, &blobs.centres, cuts, 1e-10);
        // Within a block, f32 moments may be added up in f32 before they are widened.
        families(&narrow(&blobs.rows), &blobs.weights, &narrow(&blobs.centres), cuts, 1e-4);
    }
}

/// The mean and scatter that statistics lead to are those of the rows.
#[test]
fn statistics_know_the_means() {
    let blobs = Blobs::new(3, 500, 3, 2, 5.0);
    let samples = Samples::weighted(&blobs.rows, blobs.weights.to_vec()).unwrap();
    let offset = vec![0.0; 3];
    let family = KMeansFamily::new(&blobs.centres, miscela::L2, 0.0, offset);
    let statistics = over(&family, &samples, 0, 500);
    let nearest = |row: &ArrayView1<f64>| {
        let distance = |c: usize| (row - &blobs.centres.row(c)).mapv(|x| x * x).sum();
        usize::from(distance(1) < distance(0))
    };
    for c in 0..2 {
        let of_c = || blobs.rows.outer_iter().zip(&blobs.weights).filter(|(row, _)| nearest(row) == c);
        let weight: f64 = of_c().map(|(_, w)| w).sum();
        let mean = of_c().fold(Array1::zeros(3), |sum, (row, w)| sum + &row * *w) / weight;
        let scatter: f64 = of_c().map(|(row, w)| w * (&row - &mean).mapv(|x| x * x).sum()).sum();
        assert_close("weight", statistics.sums().weight[c], weight, 1e-12);
        assert_near("mean", &statistics.means().row(c), &mean, 1e-12);
        assert_close("scatter", statistics.scatter_about_mean(c)[0], scatter, 1e-12);
    }
}

/// `summarize → merge → from_statistics`, the protocol of parties that share sums.
mod protocol {
    use miscela::prelude::*;
    use miscela::{load_statistics, save_statistics};
    use miscela_tests::{Blobs, assert_close, assert_near, cases, data};
    use ndarray::{Array2, ArrayView2, Axis};
    use proptest::prelude::*;

    fn parts(rows: &Array2<f64>, cut: usize) -> (ArrayView2<'_, f64>, ArrayView2<'_, f64>) {
        rows.view().split_at(Axis(0), cut)
    }

    proptest! {
        #![proptest_config(cases(24))]

        #[test]
        fn rounds_of_kmeans_are_its_iterations(seed: u64, cut in 1usize..199) {
            let Blobs { rows, weights, .. } = Blobs::new(seed, 200, 3, 4, 8.0);
            let weights = weights.as_slice().unwrap();
            let start = rows.select(Axis(0), &[0, 1, 2, 3]);
            let params = KMeans::params(4).init_method(KMeansInit::Precomputed(start.clone())).tolerance(0.0);
            let mut model = KMeans::from_centroids(start, miscela::L2).unwrap();
            let (here, there) = parts(&rows, cut);
            for round in 1..4 {
                let mut statistics = model.summarize(&here, Some(&weights[..cut])).unwrap();
                statistics.merge(&model.summarize(&there, Some(&weights[cut..])).unwrap()).unwrap();
                // A cluster that runs empty takes a row in a fit, and keeps its centre here.
                prop_assume!(statistics.sums().weight.iter().all(|w| *w > 0.0));
                model = model.from_statistics(&statistics).unwrap();
                let fit = params.clone().max_n_iterations(round).fit_weighted(&rows, weights).unwrap();
                prop_assume!(fit.report().iterations == round as usize);
                assert_near("centroids", model.centroids(), fit.centroids(), 1e-12);
                assert_close("inertia", model.inertia_sum(), fit.report().trace[round as usize - 1], 1e-11);
            }
        }

        #[test]
        fn rounds_of_mixtures_are_their_iterations(seed: u64, cut in 1usize..299, structure in 0usize..14, hard: bool) {
            let Blobs { rows, weights, .. } = Blobs::new(seed, 300, 2, 3, 8.0);
            let weights = weights.as_slice().unwrap();
            let covariance = Covariance::all().nth(structure).unwrap();
            let assignment = if hard { Assignment::Hard } else { Assignment::Soft };
            let start = rows.select(Axis(0), &[0, 1, 2]);
            let params = GaussianMixture::params(3)
                .init_method(GmmInitMethod::means(start))
                .covariance(covariance)
                .assignment(assignment)
                .tolerance(0.0);
            let mut model = params.clone().max_n_iterations(0).fit_weighted(&rows, weights).unwrap();
            let (here, there) = parts(&rows, cut);
            for round in 1..4 {
                let mut statistics = model.summarize(&here, Some(&weights[..cut])).unwrap();
                statistics.merge(&model.summarize(&there, Some(&weights[cut..])).unwrap()).unwrap();
                prop_assume!(statistics.sums().weight.iter().all(|w| *w > 1e-3));
                model = model.from_statistics(&statistics).unwrap();
                let fit = params.clone().max_n_iterations(round).fit_weighted(&rows, weights).unwrap();
                // What was repaired is measured against the variances of the columns, which sums of a sphere do not tell apart.
                prop_assume!(fit.report().iterations == round as usize && fit.report().repairs.is_empty());
                if round == 1 {
                    // What the first statistics tell is the objective at the start.
                    let start = params.clone().max_n_iterations(0).fit_weighted(&rows, weights).unwrap();
                    let score = start.training_score();
                    let classified = score.log_likelihood + 0.5 * (score.bic - score.icl);
                    let expected = if hard { classified } else { score.log_likelihood };
                    assert_close("objective", model.log_likelihood(), expected, 1e-11);
                }
                assert_near("weights", &model.weights().to_owned(), &fit.weights().to_owned(), 1e-9);
                assert_near("means", &model.means().to_owned(), &fit.means().to_owned(), 1e-9);
                assert_near("covariances", &model.covariances().to_owned(), &fit.covariances().to_owned(), 1e-8);
            }
        }
    }

    #[test]
    fn statistics_of_another_model_or_of_nothing_make_no_model() {
        let rows = data("faithful");
        let model = GaussianMixture::params(2).max_n_iterations(1).fit(&DatasetBase::from(rows.clone())).unwrap();
        let mut statistics = model.summarize(&rows, None).unwrap();
        let next = model.from_statistics(&statistics).unwrap();
        let error = next.from_statistics(&statistics).unwrap_err().to_string();
        assert!(error.contains("taken under different parameters"), "{error}");
        let other = GaussianMixture::params(3).max_n_iterations(1).fit(&DatasetBase::from(rows.clone())).unwrap();
        let error = other.from_statistics(&statistics).unwrap_err().to_string();
        assert!(error.contains("different shapes"), "{error}");
        statistics.subtract(&statistics.clone()).unwrap();
        let error = model.from_statistics(&statistics).unwrap_err().to_string();
        assert!(error.contains("no rows of positive weight"), "{error}");
    }

    #[test]
    fn files_of_statistics_are_exact_and_strict() {
        let rows = data("faithful");
        let model = GaussianMixture::params(2).fit(&DatasetBase::from(rows.clone())).unwrap();
        let statistics = model.summarize(&rows, None).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for ending in ["json", "cbor"] {
            let file = folder.path().join(format!("site.{ending}"));
            save_statistics(&file, &statistics).unwrap();
            assert_eq!(load_statistics(&file).unwrap(), statistics);
        }
        let file = folder.path().join("site.json");
        let text = std::fs::read_to_string(&file).unwrap();
        for (from, to) in
            [("miscela-statistics", "something"), ("\"version\": 1", "\"version\": 2"), ("\"sums\"", "\"sum\"")]
        {
            assert!(text.contains(from), "{from}");
            std::fs::write(&file, text.replace(from, to)).unwrap();
            assert!(load_statistics(&file).is_err(), "{to}");
        }
        model.save(&file).unwrap();
        assert!(load_statistics(&file).is_err());
    }
}
