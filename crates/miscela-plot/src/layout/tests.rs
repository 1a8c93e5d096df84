//! No text lies on another or beyond the edge, whatever is drawn, and nothing panics.

use super::*;
use ndarray::{Array2, Array3};
use proptest::prelude::*;

/// The boxes of all texts.
fn boxes(scene: &Scene) -> Vec<(String, Rect)> {
    let mut boxes = vec![];
    for shape in &scene.shapes {
        let Shape::Text { at: [x, y], text, size, anchor, upwards, .. } = shape else { continue };
        let width = font::width(text, *size);
        let before = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => width / 2.0,
            Anchor::End => width,
        };
        let (up, down) = (0.76 * size, 0.24 * size);
        boxes.push(match upwards {
            false => (text.clone(), Rect { x: x - before, y: y - up, width, height: up + down }),
            true => (text.clone(), Rect { x: x - up, y: y - width + before, width: up + down, height: width }),
        });
    }
    boxes
}

fn assert_legible(scene: &Scene) {
    let boxes = boxes(scene);
    assert!(boxes.len() > 2);
    for (i, (text, a)) in boxes.iter().enumerate() {
        assert!(
            a.x >= 0.0 && a.y >= 0.0 && a.right() <= scene.width && a.bottom() <= scene.height,
            "{text:?} at {a:?} is beyond the edge of {} × {}",
            scene.width,
            scene.height
        );
        for (other, b) in &boxes[..i] {
            let apart = a.x >= b.right() || b.x >= a.right() || a.y >= b.bottom() || b.y >= a.bottom();
            assert!(apart, "{text:?} at {a:?} lies on {other:?} at {b:?}");
        }
    }
}

/// n rows about k centres; `offset` and `scale` place and stretch them.
fn data(n: usize, k: usize, d: usize, offset: f64, scale: f64) -> (Array2<f64>, Vec<usize>, Array2<f64>, Array3<f64>) {
    let at = |i: usize, j: usize| offset + scale * ((i * 7919 + j * 104_729) % 1000) as f64;
    let points = Array2::from_shape_fn((n, d), |(i, j)| at(i, j));
    let labels = (0..n).map(|i| i % k).collect();
    let centres = Array2::from_shape_fn((k, d), |(i, j)| at(i, j));
    let variance = |i, j| if i == j { (150.0 * scale).powi(2) } else { 0.0 };
    (points, labels, centres, Array3::from_shape_fn((k, d, d), |(_, i, j)| variance(i, j)))
}

/// Names as they may come: short, without end, of any characters.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("x".to_string()),
        Just("a name that never ends ".repeat(6)),
        Just("Donaudampfschifffahrtsgesellschaft_".repeat(5)),
        "\\PC{0,60}",
        ".{0,30}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, ..ProptestConfig::default() })]

    #[test]
    fn text_never_overlaps(
        n in prop_oneof![1usize..60, Just(3000)],
        k in 1usize..120,
        d in 1usize..9,
        offset in prop::sample::select(vec![0.0, -3.0, 1e8, 1e12, -1e12]),
        exponent in -120i32..120,
        outlier in prop::option::of(prop::sample::select(vec![1e15, -1e15, 1e250])),
        rest in any::<bool>(),
        weighted in any::<bool>(),
        names in prop::collection::vec(name(), 10),
    ) {
        let (mut points, labels, centres, covariances) = data(n, k, d, offset, 10f64.powi(exponent));
        if let Some(outlier) = outlier {
            points[(n / 2, 0)] = outlier;
        }
        let weights: Vec<f64> = (0..n).map(|i| if weighted { (1 + i % 5) as f64 * 0.5 } else { 1.0 }).collect();
        let label = |at: ndarray::ArrayView2<f64>| at.rows().into_iter().map(|at| Some(usize::from(at.sum() > offset) % k)).collect();
        let degrees = vec![3.0; k];
        let mut drawn = Clusters::new(points.view(), &labels, centres.view())
            .covariances(covariances.view())
            .row_weights(&weights)
            .names(&names[..d])
            .regions(&label)
            .note(&names[9])
            .title(&names[0]);
        if rest {
            drawn = drawn.rest(&names[8]).degrees(&degrees);
        }
        assert_legible(&clusters(&drawn).unwrap());
        if n < 100 {
            assert_legible(&grid(&vec![drawn; k.min(9)]).unwrap());
        }
        let values = points.column(0).to_vec();
        assert_legible(&crate::trace::trace(&values, &names[0], "title", &names[1]).unwrap());
    }

    #[test]
    fn text_of_silhouettes_and_curves_never_overlaps(
        n in 1usize..300,
        k in 1usize..90,
        first in 0usize..100_000,
        step in 1usize..50,
        exponent in -200i32..200,
        errors in any::<bool>(),
        names in prop::collection::vec(name(), 20),
    ) {
        let labels: Vec<usize> = (0..n).map(|i| first + i * i % k).collect();
        let values: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
        let silhouettes = crate::Silhouettes::new(&values, &labels).title(&names[0]).note(&names[1]);
        assert_legible(&crate::silhouettes::silhouettes(&silhouettes).unwrap());

        let line = |name: &String| {
            let at = |i: usize| (first + i * step, (i + name.len()) as f64 * 10f64.powi(exponent));
            let line = crate::Curve::new(name.as_str(), (0..k).map(at));
            if errors { line.errors((0..k).map(|i| (first + i * step, 10f64.powi(exponent)))) } else { line }
        };
        let one = crate::Curves::new().panel(&names[2], names.iter().map(line)).best(first + step, 3).title(&names[3]);
        assert_legible(&crate::curves::curves(&one).unwrap());
        let three = names[..3].iter().fold(crate::Curves::new(), |curves, name| curves.panel(name, [line(name)]));
        assert_legible(&crate::curves::curves(&three.best(first, 0).note(&names[4])).unwrap());
    }
}

#[test]
fn what_is_checked_can_fail() {
    let shapes = (0..4).map(|i| Shape::text([10.0, 20.0 + 3.0 * f64::from(i)], "text", 11.0, Anchor::Start)).collect();
    let scene = Scene { width: 100.0, height: 100.0, title: String::new(), shapes };
    assert!(std::panic::catch_unwind(|| assert_legible(&scene)).is_err());
}
