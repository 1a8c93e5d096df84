//! The cluster of a single row is found without asking for memory: a service does it for every request.

use miscela::prelude::*;
use miscela::{Cosine, Kl, L1};
use ndarray::{Array1, Array2};

fn allocations<M>(model: &M, rows: &Array2<f64>) -> u64
where
    M: PredictInplace<Array2<f64>, Array1<usize>> + PredictInplace<Array1<f64>, usize>,
{
    let expected: Array1<usize> = model.predict(rows);
    let rows: Vec<Array1<f64>> = rows.outer_iter().map(|row| row.to_owned()).collect();
    let mut labels = vec![usize::MAX; rows.len()];
    let counted = allocation_counter::measure(|| {
        for (label, row) in labels.iter_mut().zip(&rows) {
            *label = model.predict(row);
        }
    });
    assert_eq!(Array1::from(labels), expected);
    counted.count_total
}

#[test]
fn a_single_row_is_labelled_without_allocation() {
    let rows = linfa_datasets::iris().records;
    let params = || KMeans::params(5).threads(Threads::One);
    let data = DatasetBase::from(rows.clone());
    let model = params().fit(&data).unwrap();
    assert_eq!(allocations(&model, &rows), 0);
    // The counter counts.
    assert!(allocation_counter::measure(|| drop(model.predict(&rows))).count_total > 0);

    let mut gaps = rows.clone();
    gaps.column_mut(1).iter_mut().step_by(3).for_each(|x| *x = f64::NAN);
    assert_eq!(allocations(&model.with_missing(Missing::Marginal), &gaps), 0);

    let rng = <rand_xoshiro::Xoshiro256Plus as rand::SeedableRng>::seed_from_u64(42);
    let with = |rng: &rand_xoshiro::Xoshiro256Plus| rng.clone();
    assert_eq!(allocations(&KMeans::params_with(5, with(&rng), L1).fit(&data).unwrap(), &rows), 0);
    assert_eq!(allocations(&KMeans::params_with(5, with(&rng), Cosine).fit(&data).unwrap(), &rows), 0);
    assert_eq!(allocations(&KMeans::params_with(5, with(&rng), Kl).fit(&data).unwrap(), &rows), 0);

    let tree = BisectingKMeans::params(9).fit(&data).unwrap();
    assert_eq!(allocations(&tree, &rows), 0);
    let medians = BisectingKMeans::params_with(9, with(&rng), L1).fit(&data).unwrap();
    assert_eq!(allocations(&medians, &rows), 0);
}
