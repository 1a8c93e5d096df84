//! Selection finds what mclust's `Mclust` finds, or better.

use miscela::prelude::*;
use miscela::{SelectionRow, SelectionStart};
use miscela_tests::{Record, assert_close, data, narrow};
use ndarray::{Array2, Axis, concatenate};

const SETS: [&str; 5] = ["faithful", "iris", "penguins", "galaxies", "faithful_waiting"];

fn rows(name: &str) -> Array2<f64> {
    match name {
        "faithful_waiting" => data("faithful").select(Axis(1), &[1]),
        _ => data(name),
    }
}

fn dataset(rows: &Array2<f64>) -> DatasetBase<Array2<f64>, ()> {
    DatasetBase::new(rows.clone(), ())
}

/// A cell of the table: k, structure, and the BIC in mclust's sign, or why the model cannot be chosen.
type Cell = (usize, Covariance, Result<f64, String>);

/// The table from mclust's starts, with a tolerance. They are those of `select`, but for faithful, whose ties rounding breaks.
fn table(name: &str, tolerance: f64) -> Vec<Cell> {
    let rows = rows(name);
    let limit = if tolerance < 1e-8 { 100_000 } else { 1_000 };
    if name != "faithful" {
        let selection = GaussianMixture::select(1..=9, Covariance::all())
            .each(|params| params.tolerance(tolerance).max_n_iterations(limit))
            .fit(&dataset(&rows))
            .unwrap();
        let cell = |row: &SelectionRow| (row.k, row.covariance, value(row));
        return selection.table().iter().map(cell).collect();
    }
    let starts = Record::read("mclust/hc.json").at("starts").at(name);
    let fit = |k: usize, covariance| {
        let digit = |label: char| label.to_digit(10).unwrap() as usize;
        let labels = if k == 1 { vec![0; 272] } else { starts.text(&k.to_string()).chars().map(digit).collect() };
        let params = GaussianMixture::params(k).covariance(covariance).init_method(GmmInitMethod::Labels(labels));
        let params = params.reg_covariance(0.0).tolerance(tolerance).max_n_iterations(limit);
        (k, covariance, Ok(-params.fit(&dataset(&rows)).unwrap().training_score().bic))
    };
    (1..=9).flat_map(|k| Covariance::all().map(move |covariance| fit(k, covariance))).collect()
}

fn value(row: &SelectionRow) -> Result<f64, String> {
    match &row.error {
        None => Ok(-row.score.as_ref().unwrap().bic),
        Some(error) => Err(error.clone()),
    }
}

/// What mclust has for each cell: `default` or `tight`, `None` where it gives up.
fn mclust(name: &str, table: &str, cells: &[Cell]) -> Vec<Option<f64>> {
    let record = Record::read("mclust/bic.json").at("bic").at(name).at(table);
    let of = |(k, covariance, _): &Cell| {
        let of_k = record.at(&k.to_string());
        let model = covariance.mclust_name();
        of_k.number_or_null(if of_k.has(model) { model } else { &model[..1] })
    };
    cells.iter().map(of).collect()
}

/// Where the loop inside VVE's M-step takes mclust, which leaves it early, to another maximum, and a better one.
const OTHER_MAXIMUM: (&str, usize, Covariance) = ("iris", 5, Covariance::Vve);

#[test]
fn no_model_is_worse_than_mclusts_from_its_start() {
    let mut compared = 0;
    for name in SETS {
        let cells = table(name, 1e-8);
        for ((k, covariance, ours), theirs) in cells.iter().zip(mclust(name, "default", &cells)) {
            match (ours, theirs) {
                _ if (name, *k, *covariance) == OTHER_MAXIMUM => {}
                (Ok(ours), Some(theirs)) => {
                    assert!(
                        ours - theirs >= -1e-4 * theirs.abs(),
                        "{name}, {k}, {covariance}: {ours}, mclust {theirs}"
                    );
                    compared += 1;
                }
                (Ok(ours), None) => panic!("{name}, {k}, {covariance}: {ours}, and mclust gives up"),
                // That these collapse is told by the test below.
                (Err(error), _) => assert!(error.contains("collapsed"), "{name}, {k}, {covariance}: {error}"),
            }
        }
    }
    assert_eq!(compared, 3 * 9 * 14 + 2 * 9 * 2 - 1 - 8, "all but the other maximum and what collapses");
}

/// With a tight tolerance both come to the same maxima, and where one collapses so does the other. VVE is the exception: its
/// common axes are found by a loop that mclust leaves early, mostly below what can be had.
#[test]
fn to_the_end_all_models_are_mclusts() {
    let mut compared = 0;
    for name in SETS {
        let cells = table(name, 1e-12);
        for ((k, covariance, ours), theirs) in cells.iter().zip(mclust(name, "tight", &cells)) {
            let what = format!("{name}, {k}, {covariance}");
            match (ours, theirs) {
                _ if *covariance == Covariance::Vve => continue,
                (Ok(ours), Some(theirs)) => assert_close(&what, *ours, theirs, 1e-4),
                (ours, theirs) => assert!(ours.is_err() && theirs.is_none(), "{what}: {ours:?}, mclust {theirs:?}"),
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 3 * 9 * 13 + 2 * 9 * 2);
}

#[test]
fn the_best_is_at_least_mclusts() {
    for name in SETS {
        let selection = GaussianMixture::select(1..=9, Covariance::all()).fit(&dataset(&rows(name))).unwrap();
        let cells: Vec<Cell> = selection.table().iter().map(|row| (row.k, row.covariance, value(row))).collect();
        let best = mclust(name, "default", &cells).into_iter().flatten().fold(f64::NEG_INFINITY, f64::max);
        let ours = -selection.best_row().score.as_ref().unwrap().bic;
        assert!(ours >= best - 1e-6 * best.abs(), "{name}: {ours}, mclust {best}");
        assert_eq!(selection.best().bic(&dataset(&rows(name))).unwrap(), -ours);
        let lowest = cells.iter().filter_map(|(.., bic)| bic.as_ref().ok()).fold(f64::NEG_INFINITY, |m, x| m.max(*x));
        assert!(ours >= lowest - 1e-9 * lowest.abs());
    }
}

fn six() -> [Covariance; 6] {
    use Covariance::{Diagonal, Full, Spherical, Tied, TiedDiagonal, TiedSpherical};
    [Full, Tied, Diagonal, Spherical, TiedDiagonal, TiedSpherical]
}

#[test]
fn threads_change_no_bit() {
    let iris = dataset(&rows("iris"));
    for criterion in [Criterion::Bic, Criterion::HeldOut] {
        let fit = |threads| {
            let params = GaussianMixture::select(1..=3, six()).criterion(criterion).n_starts(2).warm(true);
            params.each(|params| params.threads(threads)).fit(&iris).unwrap()
        };
        let (one, three) = (fit(Threads::One), fit(Threads::Count(3)));
        assert_eq!(one.table(), three.table());
        assert_eq!(one.best().parameters(), three.best().parameters());
        assert_eq!(one.to_string(), three.to_string());
    }
}

#[test]
fn a_weight_is_a_number_of_copies() {
    let rows = rows("iris");
    let weights: Vec<f64> = (0..150).map(|i| (i % 4) as f64).collect();
    let places: Vec<usize> = (0..150).flat_map(|i| vec![i; i % 4]).collect();
    let params = GaussianMixture::select(1..=3, six());
    let weighted = params.fit_records(&rows, Some(&weights)).unwrap();
    let repeated = params.fit_records(&rows.select(Axis(0), &places), None).unwrap();
    for (a, b) in weighted.table().iter().zip(repeated.table()) {
        let what = format!("{}, {}", a.k, a.covariance);
        let bic = |row: &SelectionRow| row.score.as_ref().unwrap().bic;
        assert_close(&what, bic(a), bic(b), 1e-7);
        assert_eq!(a.error, b.error, "{what}");
    }
}

#[test]
fn warm_starts_never_fall_along_the_ladder() {
    let penguins = dataset(&rows("penguins"));
    let params = GaussianMixture::select([3, 6], Covariance::all());
    let (cold, warm) = (params.fit(&penguins).unwrap(), params.clone().warm(true).fit(&penguins).unwrap());
    let likelihood = |row: &SelectionRow| row.score.as_ref().unwrap().log_likelihood;
    let slack = |x: f64| 1e-9 * x.abs();
    let (mut better, mut pairs) = (0, 0);
    for (a, b) in warm.table().iter().zip(cold.table()) {
        assert!(likelihood(a) >= likelihood(b) - slack(likelihood(b)), "{} {}", a.k, a.covariance);
        better += usize::from(likelihood(a) > likelihood(b) + 1e-3);
        for special in warm.table().iter().filter(|row| row.k == a.k && a.covariance.generalises(row.covariance)) {
            let (own, below) = (likelihood(a), likelihood(special));
            assert!(own >= below - slack(below), "{} {}: {own}, {below} of {}", a.k, a.covariance, special.covariance);
            pairs += 1;
        }
    }
    assert!(pairs > 100 && better > 0, "{pairs} pairs, {better} better");
    let fits = warm.best().report().n_runs;
    assert!(fits > 1 && cold.best().report().n_runs == 1, "{fits} starts");
}

#[test]
fn more_starts_are_no_worse() {
    let faithful = dataset(&rows("faithful"));
    let params = GaussianMixture::select([4, 6], six());
    let (one, five) = (params.fit(&faithful).unwrap(), params.clone().n_starts(5).fit(&faithful).unwrap());
    let kmeans = params.clone().start(SelectionStart::KMeans).n_starts(4).fit(&faithful).unwrap();
    for ((a, b), c) in one.table().iter().zip(five.table()).zip(kmeans.table()) {
        let bic = |row: &SelectionRow| row.score.as_ref().unwrap().bic;
        assert!(bic(b) <= bic(a), "{} {}", a.k, a.covariance);
        // The four from k-means are among the five.
        assert!(bic(b) <= bic(c), "{} {}", a.k, a.covariance);
    }
}

#[test]
fn what_cannot_be_fitted_is_a_row_and_ties_are_said() {
    let few = dataset(&rows("iris").select(Axis(0), &[0, 50, 100, 0, 50, 100]));
    let selection = GaussianMixture::select([1, 2, 4, 7], [Covariance::Tied, Covariance::TiedSpherical]);
    let selection = selection.each(|params| params.reg_covariance(0.1)).fit(&few).unwrap();
    let errors: Vec<bool> = selection.table().iter().map(|row| row.error.is_some()).collect();
    assert_eq!(errors, [false, false, false, false, true, true, true, true]);
    let text = selection.to_string();
    assert!(text.contains("4 components, tied covariances") && text.contains("only 3 rows"), "{text}");

    let one = GaussianMixture::select([1], Covariance::all()).fit(&dataset(&rows("faithful"))).unwrap();
    assert_eq!((one.ties().count(), one.best().n_parameters()), (7, 5), "all that turn are one with one component");
    assert!(one.to_string().contains("tied with it"), "{one}");

    let none = GaussianMixture::<f64>::select([8], Covariance::all()).fit(&few).unwrap_err().to_string();
    assert!(none.contains("none of the 14 models") && none.contains("only 3 rows"), "{none}");
    for wrong in
        [GaussianMixture::select([], six()), GaussianMixture::select([2], []), GaussianMixture::select([0], six())]
    {
        assert!(matches!(wrong.fit(&few), Err(GmmError::InvalidParams(_))));
    }
    let refused = GaussianMixture::select([2], six()).each(|params| params.noise(Noise::Hypervolume)).fit(&few);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "invalid hyperparameter: a selection does not take noise; fit the models one by one"
    );
}

/// Rows that the fit did not see tell how many clusters there are, even to AIC's loss; and chance comes from the seed alone.
#[test]
fn held_out_rows_choose() {
    let penguins = dataset(&rows("penguins"));
    let params = GaussianMixture::select(1..=6, [Covariance::Tied]).criterion(Criterion::HeldOut);
    let selection = params.fit(&penguins).unwrap();
    let of = |row: &SelectionRow| row.held_out.unwrap();
    let highest = selection.table().iter().map(of).fold(f64::NEG_INFINITY, f64::max);
    assert_eq!(of(selection.best_row()), highest);
    assert!((3..=6).contains(&selection.best().n_clusters()), "{selection}");
    for row in selection.table() {
        let inside = row.score.as_ref().unwrap().mean_log_likelihood;
        assert!(of(row) < inside, "{}: {} and {inside} of rows that were seen", row.k, of(row));
    }
    assert_eq!(params.fit(&penguins).unwrap().table(), selection.table());
    assert_ne!(params.clone().seed(1).fit(&penguins).unwrap().table(), selection.table());
    let repeated = concatenate![Axis(0), rows("penguins"), rows("penguins")];
    let twice = params.fit_records(&rows("penguins"), Some(&[2.0; 342])).unwrap();
    for (a, b) in twice.table().iter().zip(selection.table()) {
        assert_close("a weight of two for all", of(a), of(b), 0.05);
    }
    assert!(params.n_folds(1).fit_records(&repeated, None).is_err());
}

#[test]
fn single_precision_chooses_alike() {
    let rows = rows("faithful");
    let params = GaussianMixture::select(1..=4, six());
    let double = params.fit_records(&rows, None).unwrap();
    let single = GaussianMixture::<f32>::select(1..=4, six()).fit_records(&narrow(&rows), None).unwrap();
    let choice = |row: &SelectionRow| (row.k, row.covariance);
    assert_eq!(choice(single.best_row()), choice(double.best_row()));
}

/// Fits of a selection are those of the parameters alone, from the same start, where values are missing too.
#[test]
fn rows_may_have_gaps() {
    let mut rows = rows("iris");
    (0..150).step_by(7).for_each(|i| rows[[i, i % 4]] = f64::NAN);
    assert!(GaussianMixture::select(1..=3, six()).fit_records(&rows, None).is_err());
    let params = GaussianMixture::select(1..=3, six()).each(|params| params.missing(Missing::Marginal));
    let selection = params.fit_records(&rows, None).unwrap();
    for row in selection.table().iter().filter(|row| row.error.is_none()) {
        let params = GaussianMixture::params(row.k).covariance(row.covariance).missing(Missing::Marginal);
        let params = params.init_method(GmmInitMethod::Hierarchical).reg_covariance(0.0).tolerance(1e-8);
        let model = params.max_n_iterations(1_000).fit(&dataset(&rows)).unwrap();
        assert_eq!(row.score.as_ref().unwrap().log_likelihood, model.log_likelihood(), "{} {}", row.k, row.covariance);
    }
    let held_out = params.criterion(Criterion::HeldOut).fit_records(&rows, None).unwrap();
    assert!(held_out.best_row().held_out.is_some_and(f64::is_finite));
}

#[test]
fn rows_may_be_elsewhere() {
    // The sample that starts are found in holds all of these rows.
    let rows = rows("iris");
    for (start, warm) in [(SelectionStart::Hierarchical, false), (SelectionStart::KMeans, true)] {
        let params = GaussianMixture::select(1..=4, six()).start(start).warm(warm).n_starts(2);
        let here = params.fit(&dataset(&rows)).unwrap();
        let there = params.fit_source(&miscela::Chunked::new(&rows, None, 60)).unwrap();
        assert_eq!(there.best_row().k, here.best_row().k);
        assert_eq!(there.best_row().covariance, here.best_row().covariance);
        for (a, b) in there.table().iter().zip(here.table()) {
            assert_eq!((a.k, a.covariance, a.error.is_some()), (b.k, b.covariance, b.error.is_some()));
            let [a, b] = [a, b].map(|row| row.score.as_ref().map(|score| score.bic));
            let (a, b) = (a.unwrap(), b.unwrap());
            assert!((a - b).abs() < 1e-6 * b.abs(), "{a} {b}");
        }
    }
    let params = GaussianMixture::select(1..=2, six()).criterion(Criterion::HeldOut);
    let error = params.fit_source(&miscela::Chunked::new(&rows, None, 60)).unwrap_err().to_string();
    assert!(error.contains("needs all rows"), "{error}");
    let mut rows = rows;
    rows[[70, 2]] = f64::NAN;
    let params = GaussianMixture::select(1..=2, six());
    let error = params.fit_source(&miscela::Chunked::new(&rows, None, 60)).unwrap_err().to_string();
    assert!(error.starts_with("row 70, column 2 has no value"), "{error}");
}
