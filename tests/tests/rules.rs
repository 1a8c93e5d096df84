//! Rules of assignment and of mixing: stochastic and annealed EM, given weights, held parameters.

use miscela::prelude::*;
use miscela_tests::{Blobs, assert_close, assert_near, cases, data};
use ndarray::{Array2, array};
use proptest::prelude::*;

type Params = GmmParams<f64, rand_xoshiro::Xoshiro256Plus>;

const HARD: Annealing = Annealing { from: 2.0, factor: 0.9, to: AnnealTo::Hard };

fn annealed() -> Assignment {
    Assignment::Annealed(Annealing::default())
}

/// From the nearest of the three rows that a seed draws.
fn from_rows(k: usize, seed: u64) -> Params {
    use rand::SeedableRng;
    let rng = rand_xoshiro::Xoshiro256Plus::seed_from_u64(seed);
    let params = GaussianMixture::params_with_rng(k, rng).init_method(GmmInitMethod::Random);
    params.tolerance(1e-7).max_n_iterations(2000).reg_covariance(0.0)
}

fn fit(params: &Params, rows: &Array2<f64>) -> GaussianMixture<f64> {
    params.fit(&DatasetBase::from(rows.view())).unwrap()
}

/// How many of 24 starts end within 0.1 of a maximum, or above.
fn hits(rows: &Array2<f64>, k: usize, assignment: Assignment, maximum: f64) -> usize {
    let ends = (0..24).map(|seed| fit(&from_rows(k, seed).assignment(assignment), rows));
    let models = ends.inspect(|model| assert_eq!(model.report().trace.len(), model.report().iterations));
    models.filter(|model| model.log_likelihood() >= maximum - 0.1).count()
}

#[test]
fn annealing_reaches_the_maximum_from_starts_that_plain_em_does_not() {
    // Of four components on the galaxies, plain EM from hundreds of starts finds none above -195.9, most often -199.25.
    // Of three on faithful, -1119.214, or by luck -1114.4.
    for (name, k, maximum) in [("galaxies", 4, -199.252), ("faithful", 3, -1119.214)] {
        let rows = data(name);
        let [plain, annealed] = [Assignment::Soft, annealed()].map(|rule| hits(&rows, k, rule, maximum));
        assert!(annealed >= plain + 4, "{name}: {annealed} of 24 starts by annealing, {plain} without");
    }
}

#[test]
fn annealing_to_hard_ends_with_classification_em() {
    let iris = data("iris");
    let kmeans = |params: Params| params.covariance(Covariance::TiedSpherical).mixing(Mixing::Equal).tolerance(0.0);
    let mut ends = Vec::new();
    for seed in 0..12 {
        let model = fit(&kmeans(from_rows(4, seed)).assignment(Assignment::Annealed(HARD)), &iris);
        assert_eq!(model.report().termination, Termination::LabelsUnchanged);
        // It is an end of k-means.
        let centres = KMeansInit::Precomputed(model.means().clone());
        let same = KMeans::params(4).init_method(centres).tolerance(0.0).fit(&DatasetBase::from(iris.view())).unwrap();
        assert_near("centres", same.centroids(), model.means(), 1e-12);
        let plain = fit(&kmeans(from_rows(4, seed)).assignment(Assignment::Hard), &iris);
        ends.push([plain, model].map(|model| model.report().run_objectives[0]));
    }
    assert!(ends.iter().all(|[plain, annealed]| annealed >= &(plain + 1e-9 * plain)), "{ends:?}");
    // k-means in these words: 57.2285 is the least inertia of four clusters.
    let reached = |rule: usize| ends.iter().filter(|end| end[rule] >= -354.3439).count();
    assert!(reached(1) >= 8 && reached(0) <= 3, "{ends:?}");
}

#[test]
fn stochastic_em_keeps_its_best_and_escapes_poor_starts() {
    let faithful = data("faithful");
    let stochastic = |seed, limit| from_rows(3, seed).assignment(Assignment::Stochastic).max_n_iterations(limit);
    let mut escaped = 0;
    for seed in 0..6 {
        let plain = fit(&from_rows(3, seed), &faithful).log_likelihood();
        let model = fit(&stochastic(seed, 300), &faithful);
        let report = model.report();
        assert_eq!((report.iterations, report.trace.len()), (300, 300));
        assert_eq!(report.termination, Termination::MaxIterations);
        // Where no draw left a component with too little, the best is the best of the trace.
        let best = report.trace.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert!(model.log_likelihood() <= best * (1.0 - 1e-12) || !report.repairs.is_empty());
        if report.repairs.is_empty() {
            assert_close("best", model.log_likelihood(), best, 1e-12);
        }
        // EM from there ends at least as high, and sometimes above where it would have without.
        let refined =
            fit(&model.promote().assignment(Assignment::Soft).max_n_iterations(2000), &faithful).log_likelihood();
        escaped += usize::from(refined > plain + 1.0);
    }
    assert!(escaped >= 1, "{escaped}");
}

/// Rows, a start partition and how the rows are shared.
fn rule() -> impl Strategy<Value = Assignment> {
    prop_oneof![
        Just(Assignment::Soft),
        Just(Assignment::Hard),
        Just(Assignment::Tempered(0.7)),
        Just(Assignment::Stochastic),
        Just(annealed()),
        Just(Assignment::Annealed(HARD)),
    ]
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn a_rule_gives_the_same_bits_for_any_threads_and_files_keep_it(
        seed in any::<u64>(), assignment in rule(), covariance in prop::sample::select(Covariance::all().collect::<Vec<_>>()),
    ) {
        let blobs = Blobs::new(seed, 3000, 2, 3, 5.0);
        let params = GaussianMixture::params(3)
            .covariance(covariance)
            .assignment(assignment)
            .mixing(Mixing::Given(vec![0.25, 0.25, 0.5]))
            .init_method(GmmInitMethod::Labels(blobs.rough_labels()))
            .max_n_iterations(25);
        let fit = |threads| params.clone().threads(threads).fit_weighted(&blobs.rows, &blobs.weights).unwrap();
        let (one, three) = (fit(Threads::One), fit(Threads::Count(3)));
        prop_assert_eq!(one.parameters(), three.parameters());
        prop_assert_eq!(&one.report().trace, &three.report().trace);
        prop_assert_eq!(one.weights(), &array![0.25, 0.25, 0.5]);
        let folder = tempfile::tempdir().unwrap();
        one.save(folder.path().join("model.json")).unwrap();
        prop_assert_eq!(GaussianMixture::<f64>::load(folder.path().join("model.json")).unwrap(), one);
    }

    #[test]
    fn what_is_held_stays_whatever_the_rule(
        seed in any::<u64>(), assignment in rule(), held in any::<(bool, bool, bool)>(),
        covariance in prop::sample::select(Covariance::all().collect::<Vec<_>>()),
    ) {
        let blobs = Blobs::new(seed, 200, 2, 3, 6.0);
        let dataset = DatasetBase::from(blobs.rows.view());
        let start = GaussianMixture::params(3)
            .covariance(covariance)
            .init_method(GmmInitMethod::Labels(blobs.rough_labels()))
            .max_n_iterations(1)
            .reg_covariance(0.0)
            .fit(&dataset)
            .unwrap();
        let (weights, means, covariances) = held;
        let held = Held { weights, means, covariances };
        let model = start.promote().assignment(assignment).held(held).fit(&dataset).unwrap();
        let (old, new) = (start.parameters(), model.parameters());
        prop_assert!(!weights || old.weights == new.weights);
        prop_assert!(!means || old.means == new.means);
        prop_assert!(!covariances || old.covariances == new.covariances);
        let count = model.covariance().n_parameters(3, 2);
        let free = usize::from(!weights) * 2 + usize::from(!means) * 6 + usize::from(!covariances) * count;
        prop_assert_eq!(model.n_parameters(), free);
        prop_assert!(!means || !covariances || !weights || old == new);
    }

    #[test]
    fn stochastic_em_follows_its_seed_and_never_ends_below_its_start(seed in any::<u64>()) {
        let blobs = Blobs::new(seed, 300, 2, 3, 5.0);
        let dataset = DatasetBase::from(blobs.rows.view());
        let soft = GaussianMixture::params(3).init_method(GmmInitMethod::Labels(blobs.rough_labels())).fit(&dataset).unwrap();
        let drawn = |seed| {
            use rand::SeedableRng;
            let rng = rand_xoshiro::Xoshiro256Plus::seed_from_u64(seed);
            soft.promote().assignment(Assignment::Stochastic).max_n_iterations(20).with_rng(rng).fit(&dataset).unwrap()
        };
        let (a, again, b) = (drawn(1), drawn(1), drawn(2));
        prop_assert_eq!(a.parameters(), again.parameters());
        prop_assert!(a.report().trace != b.report().trace);
        for model in [a, b] {
            prop_assert!(model.log_likelihood() >= soft.log_likelihood() * (1.0 + 1e-12));
        }
    }
}

#[test]
fn held_means_do_not_lower_the_likelihood() {
    // The covariances are then about the means that are held, not about the rows' own.
    let faithful = data("faithful");
    let dataset = DatasetBase::from(faithful.view());
    let start = GmmInitMethod::means(array![[2.5, 60.0], [4.0, 75.0]]);
    let held = Held { means: true, ..Held::default() };
    let params = GaussianMixture::params(2).init_method(start).held(held).reg_covariance(0.0).tolerance(0.0);
    let model = params.max_n_iterations(500).fit(&dataset).unwrap();
    assert!(model.report().converged());
    assert!(model.report().trace.windows(2).all(|pair| pair[1] >= pair[0] - 1e-9), "{:?}", model.report().trace);
    // At the maximum each covariance is the weighted mean of (x − μ)(x − μ)ᵀ about the mean as given.
    let shares = model.predict_proba(&faithful);
    for c in 0..2 {
        let apart = &faithful - &model.means().row(c);
        let weighted = &apart * &shares.column(c).insert_axis(ndarray::Axis(1));
        let expected = weighted.t().dot(&apart) / shares.column(c).sum();
        assert_near("covariance", &model.covariances().index_axis(ndarray::Axis(0), c), &expected, 1e-6);
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let rows = data("faithful");
    let error = |params: Params| params.fit(&DatasetBase::from(rows.view())).unwrap_err().to_string();
    let params = || GaussianMixture::params(2);
    let given = |weights: &[f64]| error(params().mixing(Mixing::Given(weights.to_vec())));
    assert!(given(&[1.0]).contains("1 weights were given for 2 components"));
    assert!(given(&[0.7, 0.7]).contains("sum to 1.4"));
    assert!(given(&[-0.5, 1.5]).contains("must not be negative"));
    let annealed = |from, factor| error(params().assignment(Assignment::Annealed(Annealing { from, factor, ..HARD })));
    assert!(annealed(0.5, 0.8).contains("1 or more, not 0.5"));
    assert!(annealed(f64::INFINITY, 0.8).contains("finite temperature"));
    assert!(annealed(10.0, 1.0).contains("between 0 and 1, not 1"));
    assert!(annealed(10.0, f64::NAN).contains("not NaN"));
}

/// Every third label.
fn some_of(labels: &[usize]) -> Vec<Option<usize>> {
    labels.iter().enumerate().map(|(i, label)| (i % 3 == 0).then_some(*label)).collect()
}

#[test]
fn with_all_rows_known_the_fit_is_discriminant_analysis() {
    let (iris, labels) = (data("iris"), miscela_tests::labels("data/iris.labels.csv"));
    let dataset = DatasetBase::from(iris.view());
    for rule in [Assignment::Soft, Assignment::Hard, Assignment::Stochastic] {
        let params = GaussianMixture::params(3).known_labels(labels.iter().copied().map(Some)).assignment(rule);
        let model = params.clone().reg_covariance(0.0).max_n_iterations(5).fit(&dataset).unwrap();
        // The classes' own means and covariances, of the textbook.
        let (mut density, mut log_likelihood) = (Array2::zeros((150, 3)), 0.0);
        for c in 0..3 {
            let members: Vec<usize> = (0..150).filter(|i| labels[*i] == c).collect();
            let own = iris.select(ndarray::Axis(0), &members);
            let mean = own.mean_axis(ndarray::Axis(0)).unwrap();
            let apart = &own - &mean;
            let covariance = apart.t().dot(&apart) / members.len() as f64;
            assert_near("mean", &model.means().row(c), &mean, 1e-12);
            assert_near("covariance", &model.covariances().index_axis(ndarray::Axis(0), c), &covariance, 1e-10);
            assert_close("weight", model.weights()[c], members.len() as f64 / 150.0, 1e-12);
            let exact = miscela_tests::ExactInverse::of(covariance.view());
            for (i, row) in iris.outer_iter().enumerate() {
                let normaliser = 4.0 * std::f64::consts::TAU.ln() + exact.log_determinant();
                density[[i, c]] = model.weights()[c].ln() - 0.5 * (normaliser + exact.form(row, mean.view()));
            }
        }
        for (i, row) in density.outer_iter().enumerate() {
            log_likelihood += row[labels[i]];
            let best = (0..3).fold(0, |best, c| if row[c] > row[best] { c } else { best });
            assert_eq!(model.predict(&dataset)[i], best, "quadratic discriminant analysis of flower {i}");
        }
        // Known rows contribute ln(w N) of their own component.
        assert_close("log-likelihood", model.log_likelihood(), log_likelihood, 1e-10);
        // One M-step, that of the start, is all there is to do.
        let start = params.reg_covariance(0.0).max_n_iterations(0).fit(&dataset).unwrap();
        assert_near("means", start.means(), model.means(), 1e-12);
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn known_rows_stay_and_the_objective_does_not_fall(
        seed in any::<u64>(), rule in rule(), covariance in prop::sample::select(Covariance::all().collect::<Vec<_>>()),
    ) {
        let blobs = Blobs::new(seed, 240, 2, 3, 4.0);
        let known = some_of(&blobs.labels);
        let params = GaussianMixture::params(3).covariance(covariance).assignment(rule).known_labels(known.clone());
        let params = params.reg_covariance(0.0).tolerance(0.0).max_n_iterations(30);
        let fit = |threads| params.clone().threads(threads).fit_weighted(&blobs.rows, &blobs.weights).unwrap();
        let model = fit(Threads::One);
        let again = fit(Threads::Count(2));
        prop_assert_eq!(model.parameters(), again.parameters());
        let trace = &model.report().trace;
        let fixed_rule = matches!(rule, Assignment::Soft | Assignment::Hard | Assignment::Tempered(_));
        if fixed_rule && model.report().repairs.is_empty() {
            prop_assert!(trace.windows(2).all(|pair| pair[1] >= pair[0] - 1e-9 * pair[0].abs()), "{trace:?}");
        }
        // Components are the classes in their order, and the likelihood is that of the rows' own components where known.
        let densities = model.component_log_densities(&blobs.rows) + &model.weights().mapv(f64::ln);
        let expected: f64 = (0..240).map(|i| {
            let row = densities.row(i);
            let most = row.iter().fold(f64::NEG_INFINITY, |most, l| most.max(*l));
            let mixture = most + row.iter().map(|l| (l - most).exp()).sum::<f64>().ln();
            blobs.weights[i] * known[i].map_or(mixture, |label| row[label])
        }).sum();
        assert_close("log-likelihood", model.log_likelihood(), expected, 1e-9);
    }

    #[test]
    fn kmeans_keeps_known_rows_too(seed in any::<u64>(), unknown_clusters in 0usize..3) {
        let blobs = Blobs::new(seed, 200, 3, 4, 6.0);
        let known: Vec<Option<usize>> =
            some_of(&blobs.labels).into_iter().map(|label| label.filter(|label| *label >= unknown_clusters)).collect();
        let params = KMeans::params(4).known_labels(known.clone()).tolerance(0.0);
        let model = params.fit_weighted(&blobs.rows, &blobs.weights).unwrap();
        let trace = &model.report().trace;
        prop_assert!(trace.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-9)), "{trace:?}");
        // Each centre is the mean of its rows: those known to be there, and those nearest to it.
        let nearest = model.predict(&DatasetBase::from(blobs.rows.view()));
        let labels: Vec<usize> = (0..200).map(|i| known[i].unwrap_or(nearest[i])).collect();
        let mut inertia = 0.0;
        for c in 0..4 {
            let own = (0..200).filter(|i| labels[*i] == c);
            let (mut sum, mut total) = (ndarray::Array1::zeros(3), 0.0);
            own.clone().for_each(|i| {
                sum.scaled_add(blobs.weights[i], &blobs.rows.row(i));
                total += blobs.weights[i];
            });
            assert_near("centre", &model.centroids().row(c), &(sum / total), 1e-9);
            let centre = model.centroids().row(c);
            inertia += own.map(|i| blobs.weights[i] * (&blobs.rows.row(i) - &centre).mapv(|z| z * z).sum()).sum::<f64>();
        }
        assert_close("inertia", model.inertia_sum(), inertia, 1e-9);
    }

    #[test]
    fn no_rung_of_the_ladder_ends_below_the_last(seed in any::<u64>(), d in 1usize..4, equal in any::<bool>()) {
        let blobs = Blobs::new(seed, 150, d, 3, 5.0);
        let dataset = DatasetBase::from(blobs.rows.view());
        let exact = |params: Params| params.reg_covariance(0.0).tolerance(1e-6).max_n_iterations(60);
        let kmeans = KMeans::params(3).fit(&dataset).unwrap();
        let same = kmeans.promote().covariance(Covariance::TiedSpherical).mixing(Mixing::Equal);
        let hard = exact(same.assignment(Assignment::Hard)).fit(&dataset).unwrap();
        prop_assert!(hard.training_score().n_samples == 150);
        let mut rung = exact(hard.promote().assignment(Assignment::Soft)).fit(&dataset).unwrap();
        prop_assert!(rung.log_likelihood() >= hard.log_likelihood() - 1e-9 * hard.log_likelihood().abs());
        if !equal {
            let free = exact(rung.promote().mixing(Mixing::Free)).fit(&dataset).unwrap();
            prop_assert!(free.log_likelihood() >= rung.log_likelihood() - 1e-9 * rung.log_likelihood().abs());
            rung = free;
        }
        // Up every edge of the order of structures, depth first.
        let mut open = vec![rung];
        while let Some(rung) = open.pop() {
            let below = rung.covariance();
            let above = |one: Covariance, other: Covariance| one != other && one.generalises(other);
            let next = Covariance::all().filter(|one| above(*one, below));
            let next = next.filter(|one| !Covariance::all().any(|other| above(*one, other) && above(other, below)));
            for covariance in next {
                let freer = exact(rung.promote().covariance(covariance)).fit(&dataset).unwrap();
                let sound = freer.report().repairs.is_empty() && rung.report().repairs.is_empty();
                let slack = 1e-8 * rung.log_likelihood().abs();
                prop_assert!(!sound || freer.log_likelihood() >= rung.log_likelihood() - slack,
                    "{below} {} {covariance} {}", rung.log_likelihood(), freer.log_likelihood());
                // Each structure once is enough: the edges into it start from different places.
                if open.iter().all(|other| other.covariance() != covariance) {
                    open.push(freer);
                }
            }
        }
    }
}

#[test]
fn labels_that_make_no_sense_are_refused() {
    let rows = data("faithful");
    let dataset = DatasetBase::from(rows.view());
    let error = |known: Vec<Option<usize>>| {
        let mixture = GaussianMixture::params(2).known_labels(known.clone()).fit(&dataset).unwrap_err().to_string();
        assert_eq!(mixture, KMeans::params(2).known_labels(known).fit(&dataset).unwrap_err().to_string());
        mixture
    };
    assert!(error(vec![None; 3]).contains("known labels for 3 rows and the data has 272"));
    let mut known = vec![None; 272];
    known[5] = Some(2);
    assert!(error(known).contains("row 5 is 2; with 2 clusters labels run from 0 to 1"));
    assert!(error(vec![Some(0); 272]).contains("known to be of cluster 1"));
    let hierarchical = GaussianMixture::params(2).init_method(GmmInitMethod::Hierarchical);
    let refused = hierarchical.known_labels(vec![None; 272]).fit(&dataset).unwrap_err().to_string();
    assert!(refused.contains("use another start"));
    let mut gaps = rows.clone();
    gaps[[3, 1]] = f64::NAN;
    let params = GaussianMixture::params(2).missing(Missing::Marginal).known_labels(vec![None; 272]);
    let refused = params.fit(&DatasetBase::from(gaps)).unwrap_err().to_string();
    assert!(refused.contains("without missing values"));
}

/// Plain and accelerated fits from the same start, to the end.
fn both(params: &Params, rows: &Array2<f64>) -> [GaussianMixture<f64>; 2] {
    let exact = params.clone().reg_covariance(0.0).tolerance(0.0).max_n_iterations(20_000);
    [Acceleration::None, Acceleration::Squarem].map(|acceleration| fit(&exact.clone().acceleration(acceleration), rows))
}

/// E-steps of a fit.
fn e_steps(model: &GaussianMixture<f64>) -> usize {
    model.report().iterations + model.report().given_up
}

#[test]
fn acceleration_ends_at_the_same_fixed_point_in_fewer_e_steps() {
    let blobs = Blobs::new(5, 600, 2, 3, 6.0);
    let mut saved = 0.0f64;
    for (rows, k) in [(data("faithful"), 2), (data("iris"), 3), (data("galaxies"), 3), (blobs.rows, 3)] {
        for covariance in Covariance::all() {
            let params = GaussianMixture::params(k).covariance(covariance);
            let [plain, fast] = both(&params, &rows);
            let what = format!("{covariance}, k = {k}, d = {}", rows.ncols());
            let trace = &fast.report().trace;
            assert_eq!(trace.len(), fast.report().iterations, "{what}");
            if plain.report().repairs.is_empty() && fast.report().repairs.is_empty() {
                assert!(trace.windows(2).all(|pair| pair[1] >= pair[0] - 1e-11 * pair[0].abs()), "{what}: {trace:?}");
                // From the same start, the same maximum, unless the path forks; and then not below.
                assert!(fast.log_likelihood() >= plain.log_likelihood() * (1.0 + 1e-8), "{what}");
                if (fast.log_likelihood() - plain.log_likelihood()).abs() <= 1e-8 * plain.log_likelihood().abs() {
                    assert_near(&what, fast.weights(), plain.weights(), 1e-4);
                    assert_near(&what, fast.means(), plain.means(), 1e-4);
                    assert_near(&what, &fast.covariances(), &plain.covariances(), 1e-4);
                    saved += (e_steps(&plain) as f64 / e_steps(&fast) as f64).ln();
                }
            }
        }
    }
    assert!(saved > 20.0, "{saved}");
}

#[test]
fn acceleration_climbs_the_objective_that_a_prior_is_part_of() {
    for (name, k) in [("iris", 4), ("faithful", 4)] {
        let [plain, fast] = both(&GaussianMixture::params(k).collapse(Collapse::Prior), &data(name));
        let trace = &fast.report().trace;
        assert!(trace.windows(2).all(|pair| pair[1] >= pair[0] - 1e-11 * pair[0].abs()), "{name}: {trace:?}");
        let [before, now] = [&plain, &fast].map(|model| model.report().trace.last().copied().unwrap());
        assert!(now >= before - 1e-8 * before.abs(), "{name}: {before} {now}");
        assert!(2 * e_steps(&fast) < e_steps(&plain), "{name}: {} of {}", e_steps(&fast), e_steps(&plain));
    }
}

#[test]
fn promotion_follows_all_that_the_model_was_fitted_with() {
    let mut rows = data("iris");
    rows[[3, 1]] = f64::NAN;
    let params = GaussianMixture::params(2).missing(Missing::Marginal).collapse(Collapse::Prior).reg_covariance(0.0);
    let model = fit(&params, &rows);
    let next = fit(&model.promote(), &rows);
    assert_eq!((next.missing(), next.collapse()), (Missing::Marginal, Collapse::Prior));
    assert!(next.report().trace[0] >= model.report().trace[model.report().iterations - 1]);
}

#[test]
fn a_limit_leaves_an_accelerated_fit_where_it_was_judged() {
    let rows = data("iris");
    for limit in 0..12 {
        let params = GaussianMixture::params(3).covariance(Covariance::Vev).reg_covariance(0.0).tolerance(0.0);
        let model = fit(&params.acceleration(Acceleration::Squarem).max_n_iterations(limit), &rows);
        let trace = &model.report().trace;
        assert_eq!(trace.len(), limit as usize);
        assert!(trace.windows(2).all(|pair| pair[1] >= pair[0] - 1e-10), "{trace:?}");
        if let Some(last) = trace.last() {
            assert_close("log-likelihood", model.log_likelihood(), *last, 1e-12);
        }
    }
    let hard = GaussianMixture::params(3).assignment(Assignment::Hard).acceleration(Acceleration::Squarem);
    assert!(hard.fit(&DatasetBase::from(rows.view())).unwrap_err().to_string().contains("hard assignment"));
}
