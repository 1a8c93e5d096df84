//! Measures of clusterings are scikit-learn's, and obey their laws.

use miscela::metrics::{Agreement, AnyDistance, Clustering, Distance, L1, L2, MetricsError, SquaredL2, centroid_index};
use miscela::prelude::*;
use miscela_tests::{Blobs, Record, assert_close, cases, data, labels, narrow};
use ndarray::{Array2, Axis, array};
use proptest::prelude::*;

/// As far as values may differ from scikit-learn's.
const EXACT: f64 = 1e-10;

/// Labels that are recorded a digit a row.
fn digits(record: &Record, key: &str) -> Vec<u32> {
    record.text(key).bytes().map(|digit| u32::from(digit - b'0')).collect()
}

fn table(record: &Record, key: &str) -> Vec<Vec<f64>> {
    record.matrix(key).outer_iter().map(|row| row.to_vec()).collect()
}

/// Absolute, as scikit-learn's measures are differences of numbers near 1.
fn agrees(expected: &Record, agreement: &Agreement) {
    let what = expected.name();
    let near = |key: &str, got: f64| {
        let recorded = expected.number(key);
        assert!((got - recorded).abs() <= EXACT, "{what}/{key}: {got} instead of {recorded}");
    };
    near("ari", agreement.ari());
    near("rand", agreement.rand());
    near("ami", agreement.ami().unwrap());
    near("nmi", agreement.nmi());
    near("homogeneity", agreement.homogeneity());
    near("completeness", agreement.completeness());
    near("v_measure", agreement.v_measure());
    near("fowlkes_mallows", agreement.fowlkes_mallows());
    if expected.has("mi_nats") {
        near("mi_nats", agreement.mutual_information());
    }
    assert_eq!(
        agreement.pair_confusion().matrix().map(Vec::from).to_vec(),
        table(expected, "pair_confusion"),
        "{what}"
    );
}

/// A value, or none where there are too few or too many clusters.
fn measured(value: Result<f64, MetricsError>) -> Option<f64> {
    match value {
        Ok(value) => Some(value),
        Err(MetricsError::ClusterCount { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

fn measures(expected: &Record, clustering: &Clustering<f64>) {
    let values = [
        ("silhouette", measured(clustering.silhouette(&L2).map(|silhouette| silhouette.mean()))),
        ("calinski_harabasz", measured(clustering.calinski_harabasz())),
        ("davies_bouldin", measured(clustering.davies_bouldin())),
    ];
    for (key, got) in values {
        let what = format!("{}/{key}", expected.name());
        match (got, expected.number_or_null(key)) {
            (Some(got), Some(0.0)) => assert!(got.abs() <= EXACT, "{what}: {got}"),
            (Some(got), Some(expected)) => assert_close(&what, got, expected, EXACT),
            (got, expected) => assert_eq!(got, expected, "{what}"),
        }
    }
}

#[test]
fn real_labellings_measure_as_in_scikit_learn() {
    for name in ["iris", "faithful", "penguins@scaled", "digits"] {
        let record = Record::read(&format!("metrics/{name}.json"));
        let rows = data(&record.text("data"));
        let of = |name: &str| digits(&record.at("labels"), name);
        for (name, expected) in record.at("internal").parts() {
            let clustering = Clustering::new(&rows, of(&name)).unwrap();
            measures(&expected, &clustering);
            let silhouette = clustering.silhouette(&L2).unwrap();
            for (got, expected) in silhouette.values().iter().zip(expected.vector("silhouette_first10")) {
                assert!((got - expected).abs() <= EXACT, "{name}: {got} {expected}");
            }
        }
        for (pair, expected) in record.at("external").parts() {
            let (truth, labels) = pair.split_once('|').unwrap();
            agrees(&expected, &Agreement::new(of(truth), of(labels)).unwrap());
        }
    }
}

#[test]
fn degenerate_labellings_measure_as_in_scikit_learn() {
    let record = Record::read("metrics/degenerate.json");
    for (_, expected) in record.at("external").parts() {
        agrees(&expected, &Agreement::new(expected.counts("truth"), expected.counts("labels")).unwrap());
    }
    for (_, expected) in record.at("internal").parts() {
        let rows = expected.matrix("rows");
        measures(&expected, &Clustering::new(&rows, expected.counts("labels")).unwrap());
    }
}

#[test]
fn other_distances_and_weights_measure_as_in_scikit_learn() {
    let record = Record::read("metrics/degenerate.json");
    let (rows, species) = (data("iris"), labels("data/iris.labels.csv"));
    let clustering = Clustering::new(&rows, &species).unwrap();
    for name in ["l1", "l2", "sqeuclidean", "linf", "cosine"] {
        let distance = AnyDistance::from_name(name).unwrap();
        let got = clustering.silhouette(&distance).unwrap().mean();
        assert_close(name, got, record.at("distances").at("silhouette").number(name), EXACT);
    }
    let weights: Vec<f64> = (0..150).map(|i| (1 + i % 3) as f64).collect();
    measures(&record.at("weights").at("internal"), &Clustering::weighted(&rows, &weights, &species).unwrap());
    let thirds = (0..150).map(|i| i % 3);
    agrees(&record.at("weights").at("external"), &Agreement::weighted(&species, thirds, &weights).unwrap());
}

/// Numbers nobody has made a short cut for.
#[derive(Clone, Debug)]
struct Plain<D>(D);

impl<D: Distance<f64>> Distance<f64> for Plain<D> {
    fn distance(&self, a: &[f64], b: &[f64]) -> f64 {
        self.0.distance(a, b)
    }
}

/// The silhouettes by their definition, with weights as copies.
fn naive(rows: &Array2<f64>, weights: &[f64], labels: &[usize], distance: &impl Distance<f64>) -> Vec<f64> {
    let k = labels.iter().max().unwrap() + 1;
    let row = |i: usize| rows.row(i).to_vec();
    let of = |i: usize| {
        let mut sums = vec![(0.0, 0.0); k];
        for j in 0..rows.nrows() {
            sums[labels[j]].0 += weights[j] * distance.distance(&row(i), &row(j));
            sums[labels[j]].1 += weights[j];
        }
        let (own, weight) = sums[labels[i]];
        let others = sums.iter().enumerate().filter(|(c, (_, w))| *c != labels[i] && *w > 0.0);
        let b = others.map(|(_, (sum, w))| sum / w).fold(f64::INFINITY, f64::min);
        let a = own / (weight - 1.0);
        if weight <= 1.0 || weights[i] == 0.0 || a.max(b) == 0.0 { 0.0 } else { (b - a) / a.max(b) }
    };
    (0..rows.nrows()).map(of).collect()
}

fn dunn(rows: &Array2<f64>, labels: &[usize]) -> f64 {
    let (mut gap, mut diameter) = (f64::INFINITY, 0f64);
    for i in 0..labels.len() {
        for j in 0..i {
            let distance = L2.distance(rows.row(i).as_slice().unwrap(), rows.row(j).as_slice().unwrap());
            if labels[i] == labels[j] {
                diameter = diameter.max(distance);
            } else {
                gap = gap.min(distance);
            }
        }
    }
    if gap == 0.0 { 0.0 } else { gap / diameter }
}

fn near(what: &str, got: &[f64], expected: &[f64]) {
    for (i, (a, b)) in got.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= 1e-9, "{what}, row {i}: {a} {b}");
    }
}

/// Rows, labels of which at least two occur and one occurs twice, and small whole weights.
fn labelled() -> impl Strategy<Value = (Array2<f64>, Vec<usize>, Vec<f64>)> {
    (3usize..90, 1usize..6, 2usize..5).prop_flat_map(|(n, d, k)| {
        let number = prop_oneof![4 => -5.0..5.0f64, 1 => Just(1.0), 1 => 1e3..1.1e3f64];
        let rows = prop::collection::vec(number, n * d);
        let weights = prop::collection::vec((0u32..4).prop_map(f64::from), n);
        (rows, prop::collection::vec(0..k, n), weights).prop_map(move |(rows, mut labels, mut weights)| {
            labels[..3].copy_from_slice(&[0, 0, 1]);
            weights[..3].fill(1.0);
            (Array2::from_shape_vec((n, d), rows).unwrap(), labels, weights)
        })
    })
}

/// All measures of rows and labels.
fn all(clustering: &Clustering<f64>) -> Vec<f64> {
    let silhouette = |distance: AnyDistance| clustering.silhouette(&distance).unwrap().mean();
    vec![
        silhouette(AnyDistance::L2),
        silhouette(AnyDistance::L1),
        silhouette(AnyDistance::SquaredL2),
        silhouette(AnyDistance::LInf),
        clustering.davies_bouldin().unwrap(),
        clustering.calinski_harabasz().unwrap(),
        clustering.dunn(&L2).unwrap(),
    ]
}

fn assert_same(what: &str, got: &[f64], expected: &[f64]) {
    for (measure, (a, b)) in got.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0) || a == b, "{what}, measure {measure}: {a} {b}");
    }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn silhouettes_are_those_of_the_definition((rows, labels, weights) in labelled()) {
        let clustering = Clustering::weighted(&rows, &weights, &labels).unwrap();
        let values = |distance: &AnyDistance| clustering.silhouette(distance).unwrap().values().to_vec();
        near("L2", &values(&AnyDistance::L2), &naive(&rows, &weights, &labels, &L2));
        near("L1", &values(&AnyDistance::L1), &naive(&rows, &weights, &labels, &L1));
        near("squared", &values(&AnyDistance::SquaredL2), &naive(&rows, &weights, &labels, &SquaredL2));
        near("plain", clustering.silhouette(&Plain(L1)).unwrap().values(), &naive(&rows, &weights, &labels, &L1));
        // As many rows as are drawn are all of them.
        let estimate = clustering.silhouette_sample(&L2, weights.iter().filter(|w| **w > 0.0).count(), 7).unwrap();
        prop_assert_eq!((estimate.value, estimate.standard_error), (clustering.silhouette(&L2).unwrap().mean(), 0.0));
    }

    #[test]
    fn order_names_and_threads_change_nothing((rows, labels, _) in labelled(), seed in any::<u64>()) {
        let clustering = Clustering::new(&rows, &labels).unwrap();
        let expected = all(&clustering);
        for threads in [Threads::One, Threads::Count(2), Threads::Count(3)] {
            prop_assert_eq!(&all(&clustering.clone().threads(threads)), &expected);
        }
        let names: Vec<String> = labels.iter().map(|label| format!("{}", (label + 7) * 13 % 17)).collect();
        assert_same("renamed", &all(&Clustering::new(&rows, &names).unwrap()), &expected);
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by_key(|i| (*i as u64 + 1).wrapping_mul(seed | 1));
        let (moved, moved_labels) = (rows.select(Axis(0), &order), order.iter().map(|i| labels[*i]));
        assert_same("moved", &all(&Clustering::new(&moved, moved_labels).unwrap()), &expected);
        let scaled = rows.mapv(|x| x * 1e-12);
        assert_same("scaled", &all(&Clustering::new(&scaled, &labels).unwrap()), &expected);
        assert_same("Dunn", &expected[6..], &[dunn(&rows, &labels)]);
    }

    #[test]
    fn weights_are_copies((rows, labels, weights) in labelled()) {
        let weighted = Clustering::weighted(&rows, &weights, &labels).unwrap();
        let copies: Vec<usize> = (0..labels.len()).flat_map(|i| vec![i; weights[i] as usize]).collect();
        let (repeated, names) = (rows.select(Axis(0), &copies), copies.iter().map(|i| labels[*i]));
        assert_same("copies", &all(&weighted), &all(&Clustering::new(&repeated, names).unwrap()));
        assert_close("inertia", weighted.inertia(), Clustering::new(&repeated, copies.iter().map(|i| labels[*i])).unwrap().inertia(), 1e-9);
        let other: Vec<usize> = (0..labels.len()).map(|i| i % 3).collect();
        let agreement = Agreement::weighted(&labels, &other, &weights).unwrap();
        let again = Agreement::new(copies.iter().map(|i| labels[*i]), copies.iter().map(|i| other[*i])).unwrap();
        prop_assert_eq!(agreement, again);
    }

    #[test]
    fn measures_stay_within_their_bounds((rows, labels, weights) in labelled()) {
        let clustering = Clustering::weighted(&rows, &weights, &labels).unwrap();
        for distance in [AnyDistance::L2, AnyDistance::L1, AnyDistance::LInf] {
            let silhouette = clustering.silhouette(&distance).unwrap();
            prop_assert!(silhouette.values().iter().all(|s| (-1.0..=1.0).contains(s)));
        }
        prop_assert!(clustering.calinski_harabasz().unwrap() >= 0.0);
        prop_assert!(clustering.davies_bouldin().unwrap() >= 0.0);
        prop_assert!(clustering.dunn(&L2).unwrap() >= 0.0);
    }

    #[test]
    fn agreement_is_symmetric_bounded_and_blind_to_names(
        (a, b, c) in (1usize..60).prop_flat_map(|n| {
            let labels = || prop::collection::vec(0usize..6, n);
            (labels(), labels(), labels())
        }),
    ) {
        let (ab, ba) = (Agreement::new(&a, &b).unwrap(), Agreement::new(&b, &a).unwrap());
        let symmetric = |x: &Agreement| {
            let v = [x.ari(), x.ami().unwrap(), x.nmi(), x.v_measure(), x.fowlkes_mallows(), x.rand()];
            [v.as_slice(), &[x.mutual_information(), x.variation_of_information()]].concat()
        };
        assert_same("symmetric", &symmetric(&ab), &symmetric(&ba));
        assert_same("swapped", &[ab.homogeneity(), ab.completeness()], &[ba.completeness(), ba.homogeneity()]);
        // Two measures are one.
        assert_same("V and NMI", &[ab.v_measure()], &[ab.nmi()]);
        let renamed = b.iter().map(|label| ["f", "a", "e", "b", "d", "c"][*label]);
        assert_same("renamed", &symmetric(&Agreement::new(&a, renamed).unwrap()), &symmetric(&ab));
        for bounded in [ab.nmi(), ab.homogeneity(), ab.completeness(), ab.fowlkes_mallows(), ab.rand()] {
            prop_assert!((0.0..=1.0 + 1e-12).contains(&bounded));
        }
        prop_assert!((-0.5 - 1e-12..=1.0).contains(&ab.ari()) && ab.ami().unwrap() <= 1.0 + 1e-12);
        // Equal labellings, and a metric.
        let same = Agreement::new(&a, &a).unwrap();
        prop_assert_eq!((same.ari(), same.ami().unwrap(), same.variation_of_information()), (1.0, 1.0, 0.0));
        let vi = |x: &[usize], y: &[usize]| Agreement::new(x, y).unwrap().variation_of_information();
        prop_assert!(vi(&a, &c) <= vi(&a, &b) + vi(&b, &c) + 1e-12);
    }

    #[test]
    fn centroid_indices_count_what_is_missed(seed in any::<u64>(), k in 2usize..12, lost in 0usize..12) {
        let blobs = Blobs::new(seed, 2 * k, 3, k, 1.0);
        let (a, b) = blobs.rows.view().split_at(Axis(0), k);
        prop_assert_eq!(centroid_index(&a, &a).unwrap(), 0);
        prop_assert_eq!(centroid_index(&a, &b).unwrap(), centroid_index(&b, &a).unwrap());
        // Without some of them exactly those are missed.
        let lost = lost.min(k - 1);
        prop_assert_eq!(centroid_index(&a, &a.split_at(Axis(0), lost).1).unwrap(), lost);
    }
}

#[test]
fn agreement_by_chance_is_no_agreement() {
    // Labels dealt at random: adjusted measures are 0 on average, within four standard errors.
    let random = |seed: u64, k: u64| (0..60).map(move |i| miscela_kernel::uniform::of_row(seed, i) % k);
    let mut sums = [[0.0; 2]; 2];
    let trials = 400;
    for trial in 0..trials {
        let agreement = Agreement::new(random(2 * trial, 4), random(2 * trial + 1, 7)).unwrap();
        for (sum, value) in sums.iter_mut().zip([agreement.ari(), agreement.ami().unwrap()]) {
            *sum = [sum[0] + value, sum[1] + value * value];
        }
    }
    for [sum, squares] in sums {
        let (mean, n) = (sum / trials as f64, trials as f64);
        let error = ((squares / n - mean * mean) / n).sqrt();
        assert!(mean.abs() < 4.0 * error, "{mean} ± {error}");
    }
}

#[test]
fn a_sample_states_its_error() {
    // Overlapping, and weighted, so that there is something to miss.
    let blobs = Blobs::new(3, 1500, 3, 5, 3.0);
    let weights: Vec<f64> = (0..1500).map(|i| [1.0, 0.0, 3.0, 2.0][i % 4]).collect();
    let clustering = Clustering::weighted(&blobs.rows, &weights, &blobs.rough_labels()).unwrap();
    let exact = clustering.silhouette(&L2).unwrap().mean();
    let (trials, size) = (200, 100);
    let (mut within, mut squared, mut stated) = (0, 0.0, 0.0);
    for seed in 0..trials {
        let estimate = clustering.silhouette_sample(&L2, size, seed).unwrap();
        assert_eq!(estimate, clustering.silhouette_sample(&L2, size, seed).unwrap());
        let off = estimate.value - exact;
        within += usize::from(off.abs() <= 2.0 * estimate.standard_error);
        squared += off * off / trials as f64;
        stated += estimate.standard_error.powi(2) / trials as f64;
    }
    // 95.4 % of 200 are 191 ± 3; the stated variance is the one there is, to about a tenth.
    assert!((180..=200).contains(&within), "{within}");
    assert!((squared / stated - 1.0).abs() < 0.35, "{squared} {stated}");
}

#[test]
fn single_precision_any_layout_and_many_rows_are_one_path() {
    let blobs = Blobs::new(1, 2000, 9, 4, 2.0);
    let names = blobs.rough_labels();
    let exact = Clustering::new(&blobs.rows, &names).unwrap();
    let rows = narrow(&blobs.rows);
    let single = Clustering::new(&rows, &names).unwrap();
    let (a, b) = (single.silhouette(&L2).unwrap(), exact.silhouette(&L2).unwrap());
    assert_close("f32", a.mean(), b.mean(), 1e-6);
    assert_close("f32 L1", single.silhouette(&L1).unwrap().mean(), exact.silhouette(&L1).unwrap().mean(), 1e-6);
    let columns = blobs.rows.t().as_standard_layout().reversed_axes().to_owned();
    assert!(!columns.is_standard_layout());
    assert_eq!(Clustering::new(&columns, &names).unwrap().silhouette(&L2).unwrap(), b);
    for threads in [Threads::One, Threads::Count(2), Threads::Count(5)] {
        assert_eq!(exact.clone().threads(threads).silhouette(&L2).unwrap(), b);
        assert_eq!(exact.clone().threads(threads).silhouette(&L1).unwrap(), exact.silhouette(&L1).unwrap());
    }
    near("L2", b.values(), &naive(&blobs.rows, &vec![1.0; 2000], &names, &L2));
    // Far from the origin, differences keep their digits.
    let far = blobs.rows.mapv(|x| (x * 1024.0).round() / 1024.0 + 1048576.0);
    let near_origin = far.mapv(|x| x - 1048576.0);
    let moved = Clustering::new(&far, &names).unwrap().silhouette(&L1).unwrap();
    near("L1", moved.values(), Clustering::new(&near_origin, &names).unwrap().silhouette(&L1).unwrap().values());
}

#[test]
fn more_clusters_than_are_swept_at_once() {
    let blobs = Blobs::new(2, 400, 2, 37, 1.0);
    let names: Vec<usize> = (0..400).map(|i| i % 37).collect();
    let clustering = Clustering::new(&blobs.rows, &names).unwrap();
    near("L1", clustering.silhouette(&L1).unwrap().values(), &naive(&blobs.rows, &vec![1.0; 400], &names, &L1));
}

#[test]
fn what_cannot_be_measured_is_said() {
    let rows = array![[0.0, 1.0], [2.0, 3.0], [4.0, 9.0]];
    let error = |labels: &[usize]| Clustering::new(&rows, labels).unwrap_err();
    assert_eq!(error(&[0, 1]), MetricsError::LabelCount { expected: 3, got: 2 });
    assert_eq!(error(&[0, 1, 1, 1]), MetricsError::LabelCount { expected: 3, got: 4 });
    let clustering = Clustering::new(&rows, [0, 0, 1]).unwrap();
    assert_eq!(clustering.silhouette_sample(&L2, 1, 0), Err(MetricsError::SampleSize { size: 1, most: 3 }));
    assert_eq!(clustering.silhouette_sample(&L2, 4, 0), Err(MetricsError::SampleSize { size: 4, most: 3 }));
    let signs = array![[0.0, 1.0], [-2.0, 3.0], [4.0, 9.0]];
    let kl = AnyDistance::from_name("kl").unwrap();
    assert!(matches!(Clustering::new(&signs, [0, 0, 1]).unwrap().silhouette(&kl), Err(MetricsError::Domain(_))));
    let holes = array![[0.0, f64::NAN], [2.0, 3.0]];
    assert!(matches!(Clustering::new(&holes, [0, 1]), Err(MetricsError::Samples(_))));
    let samples = miscela_kernel::Samples::with_missing(&holes, None).unwrap();
    assert!(matches!(Clustering::of(samples, [0, 1]), Err(MetricsError::Samples(_))));
    assert_eq!(Agreement::new([0, 1], [0]), Err(MetricsError::LabelCount { expected: 2, got: 1 }));
    assert!(Agreement::weighted([0, 1], [0, 1], &[1.0]).is_err() && Agreement::weighted([0], [0], &[-1.0]).is_err());
    let halves = Agreement::weighted([0, 1, 1], [0, 0, 1], &[0.5, 1.0, 1.0]).unwrap();
    assert_eq!(halves.ami(), Err(MetricsError::Fractional(0.5)));
    assert!(halves.ari().is_finite());
    let (two, three) = (array![[0.0, 1.0]], array![[0.0, 1.0, 2.0]]);
    assert_eq!(centroid_index(&two, &three), Err(MetricsError::ColumnCount { expected: 2, got: 3 }));
    // A label that only rows without weight have is no cluster.
    let weighted = Clustering::weighted(&rows, vec![1.0, 1.0, 0.0], [0, 0, 1]).unwrap();
    assert!(matches!(weighted.dunn(&L2), Err(MetricsError::ClusterCount { n_clusters: 1, .. })));
}
