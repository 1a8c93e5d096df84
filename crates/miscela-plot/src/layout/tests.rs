//! No text lies on another or beyond the edge, whatever is drawn.

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
    assert!(boxes.len() > 3);
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn text_never_overlaps(
        n in 1usize..60,
        k in 1usize..120,
        d in 1usize..9,
        offset in prop::sample::select(vec![0.0, -3.0, 1e8, -1e12]),
        exponent in -120i32..120,
        long in any::<bool>(),
    ) {
        let (points, labels, centres, covariances) = data(n, k, d, offset, 10f64.powi(exponent));
        let names: Vec<_> = (0..d).map(|j| if long { "a name that never ends ".repeat(6) } else { format!("x{j}") }).collect();
        let drawn = Clusters::new(points.view(), &labels, centres.view())
            .covariances(covariances.view())
            .names(&names)
            .title(&names[0]);
        assert_legible(&clusters(&drawn).unwrap());
        assert_legible(&grid(&vec![drawn; k.min(9)]).unwrap());
        let values: Vec<_> = points.column(0).to_vec();
        assert_legible(&trace(&values, &names[0], "title").unwrap());
    }
}

#[test]
fn what_is_checked_can_fail() {
    let shapes = (0..4).map(|i| Shape::text([10.0, 20.0 + 3.0 * f64::from(i)], "text", 11.0, Anchor::Start)).collect();
    let scene = Scene { width: 100.0, height: 100.0, title: String::new(), shapes };
    assert!(std::panic::catch_unwind(|| assert_legible(&scene)).is_err());
}
