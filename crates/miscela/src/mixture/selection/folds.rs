//! The likelihood of rows that a fit did not see, by cross-validation (Smyth 2000).

use super::{SelectionParams, SelectionRow};
use crate::told::Steps;
use crate::{Float, GmmError};
use miscela_em::Covariance;
use miscela_kernel::{Samples, Threads};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256Plus;

impl<F: Float> SelectionParams<F> {
    /// Fills in the mean log-likelihood of held-out rows: each fold is held out once, and the starts are made anew of the
    /// rest.
    pub(super) fn hold_out(
        &self,
        samples: &Samples<F>,
        (covariances, table): (&[Covariance], &mut [SelectionRow]),
        threads: Threads,
        steps: &Steps,
    ) -> Result<(), GmmError> {
        let (folds, n_folds) = self.deal(samples);
        let rows = samples.rows();
        let weights = |held: usize, inside: bool| -> Vec<f64> {
            let weight = |(i, fold): (usize, &usize)| if (*fold == held) == inside { samples.weight(i) } else { 0.0 };
            folds.iter().enumerate().map(weight).collect()
        };
        let mut totals = vec![0.0; table.len()];
        for held in 0..n_folds {
            let part = |inside| Samples::with_missing(&rows, Some(weights(held, inside).into()));
            let models = self.fits(&part(false)?, covariances, threads, steps)?;
            let unseen = part(true)?;
            for ((row, total), model) in table.iter_mut().zip(&mut totals).zip(&models) {
                match model {
                    Ok(model) => *total += model.score_of(&unseen)?.log_likelihood,
                    Err(error) if row.error.is_none() => {
                        row.error = Some(format!("without fold {} of {n_folds}: {error}", held + 1));
                    }
                    Err(_) => *total = f64::NAN,
                }
            }
        }
        for (row, total) in table.iter_mut().zip(totals) {
            let mean = total / samples.total_weight();
            row.held_out = Some(mean).filter(|mean| mean.is_finite() && row.error.is_none());
        }
        Ok(())
    }

    /// The fold of each row, dealt at random to the rows of positive weight, and the number of folds: at most one a row.
    fn deal(&self, samples: &Samples<F>) -> (Vec<usize>, usize) {
        let mut rng = Xoshiro256Plus::seed_from_u64(self.seed);
        // Not the numbers that starts are drawn by.
        let mut rng = Xoshiro256Plus::seed_from_u64(rng.r#gen::<u64>() ^ u64::MAX);
        let mut order: Vec<usize> = (0..samples.n_rows()).filter(|i| samples.weight(*i) > 0.0).collect();
        order.shuffle(&mut rng);
        let n_folds = self.n_folds.min(order.len());
        let mut folds = vec![0; samples.n_rows()];
        order.iter().enumerate().for_each(|(at, row)| folds[*row] = at % n_folds);
        (folds, n_folds)
    }
}
