use super::*;
use crate::path::Path;
use proptest::prelude::*;

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![-1.0..1.0f64, prop::num::f64::NORMAL, prop::num::f64::ZERO]
}

fn points() -> impl Strategy<Value = Vec<[f64; 2]>> {
    prop::collection::vec([-3.0..3.0f64, -3.0..3.0f64], 12..60)
}

fn at(shape: usize, assigned: usize) -> Settings {
    let path = Path::new();
    path.settings(&path.shapes[shape % path.shapes.len()], &path.assigned[assigned % path.assigned.len()])
}

fn start(k: usize, seed: u64) -> Start {
    Start { k, init: Init::KMeansPlusPlus, seed }
}

/// The labels that shares are written under.
fn labels(shares: &str, k: usize) -> Vec<usize> {
    let mut bytes = shares.bytes();
    let mut labels = Vec::new();
    while let Some(letter) = bytes.next() {
        labels.push(usize::from(letter.to_ascii_lowercase() - b'a'));
        if letter.is_ascii_uppercase() {
            bytes.by_ref().take(k - 1).for_each(drop);
        }
    }
    labels
}

fn close(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs())))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// N steps through text, as they come from a page, are the engine's own fit of N iterations.
    #[test]
    fn steps_are_the_iterations_of_one_fit(points in points(), k in 1..5usize, shape in 0..12usize, assigned in 0..8usize, seed: u64) {
        let (steps, settings) = (Steps::new(&points).unwrap(), at(shape, assigned));
        let centres = steps.centres(start(k, seed)).unwrap();
        let mut frame = steps.start(&centres, &settings).unwrap();
        for iterations in 0..4 {
            let init = GmmInitMethod::Parameters {
                weights: equal(&settings, k),
                means: plane(&centres),
                covariances: settings.variance.map(|part| Covariances::TiedSpherical(part * steps.variance)),
            };
            // Without a stop before: the fit may have come to its end sooner.
            let params = settings.params(k).unwrap().init_method(init).max_n_iterations(iterations);
            let model = params.fit(&steps.rows).unwrap();
            if (model.report().iterations as u64) < iterations {
                break;
            }
            let Parameters { weights, means, covariances } = &frame.parameters;
            prop_assert!(close(weights, &model.weights().to_vec()), "weights after {iterations}");
            prop_assert!(close(means.as_flattened(), &model.means().iter().copied().collect::<Vec<_>>()), "means after {iterations}");
            let expected: Vec<f64> = model.covariances().iter().copied().collect();
            prop_assert!(close(covariances.as_flattened().as_flattened(), &expected), "covariances after {iterations}");
            prop_assert!((frame.log_likelihood - model.log_likelihood() / points.len() as f64).abs() < 1e-8 * (1.0 + frame.log_likelihood.abs()));
            let shares = steps.expect(&frame.parameters, &settings).unwrap().shares;
            prop_assert_eq!(labels(&shares, k), model.predict(&steps.points()).to_vec());
            let text = serde_json::to_string(&frame.parameters).unwrap();
            frame = steps.maximise(&serde_json::from_str(&text).unwrap(), &settings).unwrap().frame;
        }
    }

    /// Hard, equal and one shared sphere is k-means: after every iteration the same inertia, and the same labels at the end.
    #[test]
    fn the_end_of_the_path_is_k_means(points in points(), k in 1..6usize, shape in 4..12usize, seed: u64) {
        let steps = Steps::new(&points).unwrap();
        let centres = steps.centres(start(k, seed)).unwrap();
        let k_means = steps.k_means(&centres).unwrap();
        let run = steps.run(&centres, &at(shape, 7)).unwrap();
        prop_assert!(run.settled);
        let inertias: Vec<f64> = run.frames.iter().map(|frame| frame.inertia).collect();
        prop_assert!(inertias.len() >= k_means.trace.len());
        prop_assert!(close(&inertias[..k_means.trace.len()], &k_means.trace), "{:?} {:?}", inertias, k_means.trace);
        prop_assert_eq!(labels(&run.last.shares, k), k_means.labels);
    }

    /// No rule, no start and no parameters that text can hold bring a step down.
    #[test]
    fn nothing_that_can_be_asked_for_panics(
        points in prop::collection::vec([finite(), finite()], 0..20),
        weights in prop::collection::vec(prop::num::f64::ANY, 0..4),
        means in prop::collection::vec([prop::num::f64::ANY; 2], 0..4),
        covariances in prop::collection::vec([[-1.0..2.0f64, -1.0..1.0], [-1.0..1.0, -1.0..2.0f64]], 0..4),
        shape in 0..12usize, assigned in 0..8usize, k in 0..10usize, seed: u64,
    ) {
        let (Ok(steps), settings) = (Steps::new(&points), at(shape, assigned)) else { return Ok(()) };
        let parameters = Parameters { weights, means: means.clone(), covariances };
        let _ = steps.expect(&parameters, &settings);
        let _ = steps.maximise(&parameters, &settings);
        let _ = steps.k_means(&means);
        let _ = steps.start(&means, &settings);
        if let Ok(centres) = steps.centres(start(k, seed)) {
            let _ = steps.run(&centres, &settings);
        }
    }
}

#[test]
fn what_cannot_be_is_refused_in_one_sentence() {
    let few = Steps::new(&[[0.0, 0.0], [1.0, 1.0]]).unwrap();
    for (error, words) in [
        (Steps::new(&vec![[0.0; 2]; 2001]).map(drop), "2001 points are more than the 2000"),
        (few.centres(start(3, 1)).map(drop), "3"),
        (few.centres(start(0, 1)).map(drop), "choose one from 1 to 8"),
        (few.centres(start(9, 1)).map(drop), "choose one from 1 to 8"),
        (few.k_means(&[]).map(drop), "0"),
        (few.start(&[], &at(0, 0)).map(drop), "choose one from 1 to 8"),
    ] {
        let sentence = error.unwrap_err().to_string();
        assert!(sentence.contains(words) && !sentence.contains('\n'), "{sentence}");
    }
    let parameters = Parameters { weights: vec![1.0], means: vec![], covariances: vec![] };
    assert!(few.expect(&parameters, &at(0, 0)).unwrap_err().to_string().contains("1 weights, 0 means"));
}

/// Where the sphere is small or it is cold, Old Faithful is labelled as by k-means; where components are free it is not.
#[test]
fn k_means_appears_along_the_path() {
    let steps = Steps::new(crate::Points::old_faithful().rows()).unwrap();
    let centres = steps.centres(start(4, 42)).unwrap();
    let k_means = steps.k_means(&centres).unwrap();
    let same = |shape, assigned| {
        let run = steps.run(&centres, &at(shape, assigned)).unwrap();
        labels(&run.last.shares, 4).iter().zip(&k_means.labels).filter(|(a, b)| a == b).count()
    };
    let by_size: Vec<usize> = (0..12).map(|shape| same(shape, 0)).collect();
    let by_heat: Vec<usize> = (0..8).map(|assigned| same(4, assigned)).collect();
    assert_eq!((by_size[11], by_heat[6], by_heat[7]), (272, 272, 272), "{by_size:?} {by_heat:?}");
    assert!(by_size[0] < 272, "{by_size:?}");
}
