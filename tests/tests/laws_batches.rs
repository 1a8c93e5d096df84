//! K-means batch by batch: each centre is the weighted mean of all rows that it was ever given.

use miscela::prelude::*;
use miscela_tests::{Blobs, assert_close, assert_means, assert_near, cases};
use ndarray::{Array1, Array2, Axis};
use proptest::prelude::*;

/// N ← N + w, c ← c + w (x − c)/N over the rows nearest to the centres before the batch.
fn absorb(centres: &mut Array2<f64>, counts: &mut Array1<f64>, rows: &Array2<f64>, weights: &Array1<f32>) {
    let before = centres.clone();
    for (row, w) in rows.outer_iter().zip(weights) {
        let distance = |c: usize| (&row - &before.row(c)).mapv(|x| x * x).sum();
        let nearest = (0..before.nrows()).min_by(|a, b| distance(*a).total_cmp(&distance(*b))).unwrap();
        let w = f64::from(*w);
        counts[nearest] += w;
        let step = (&row - &centres.row(nearest)) * (w / counts[nearest]);
        centres.row_mut(nearest).scaled_add(1.0, &step);
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn centres_are_means_of_all_they_were_given(
        seed in any::<u64>(), n in 40usize..300, d in 1usize..5, k in 1usize..5, batches in 1usize..6
    ) {
        let blobs = Blobs::new(seed, n, d, k, 6.0);
        let start = blobs.first_rows(k);
        // A tolerance that is never met, so that the model always comes back as not converged.
        // And no centre is re-seeded, however few rows it has won.
        let params = KMeans::params(k).init_method(KMeansInit::Precomputed(start.clone())).tolerance(0.0);
        let params = params.reassignment_ratio(0.0);
        let (mut centres, mut counts) = (start, Array1::zeros(k));
        let mut model = None;
        let order: Vec<usize> = (0..n).collect();
        for batch in order.chunks(n.div_ceil(batches)) {
            if model.is_none() && batch.len() < k {
                return Ok(());
            }
            let rows = blobs.rows.select(Axis(0), batch);
            let weights: Array1<f32> = blobs.weights.select(Axis(0), batch).mapv(|w| w as f32);
            absorb(&mut centres, &mut counts, &rows, &weights);
            let moved = match params.fit_with(model, &DatasetBase::new(rows, ()).with_weights(weights)) {
                Ok(moved) | Err(IncrKMeansError::NotConverged(moved)) => moved,
                Err(error) => panic!("{error}"),
            };
            assert_means("centroids", moved.centroids(), &centres, 1e-9);
            assert_near("counts", moved.cluster_count(), &counts, 1e-9);
            model = Some(moved);
        }
        let model = model.unwrap();
        prop_assert_eq!(model.report().iterations, model.report().trace.len());
        prop_assert_eq!(model.sizes().iter().sum::<usize>(), n);
        assert_close("Σ w", model.cluster_count().sum(), blobs.weights.sum(), 1e-6);
    }
}
