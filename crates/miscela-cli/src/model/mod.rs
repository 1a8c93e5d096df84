//! A model of any kind, as the commands see it: it takes rows as they are, whatever was done to them before the fit.

mod fitted;

pub(crate) use fitted::{Fitted, Likelihood, Number, Score};

use crate::error::Failure;
use miscela::{
    AnyModel, CanonicalOrder, ColumnScaling, Covariances, GaussianMixture, Missing, MixtureScore, Report, Scaled,
    Source, Streamed, Threads,
};
use ndarray::{Array1, Array2};
use std::borrow::Cow;
use std::ops::Deref;
use std::path::Path;

/// A model. What does not depend on units is that of the fit; what does is said here, in those of the rows.
#[derive(Debug)]
pub(crate) struct Model<F> {
    fitted: Fitted<F>,
    units: Option<Units<F>>,
}

/// A fit of scaled columns in the units of the rows.
#[derive(Debug)]
struct Units<F> {
    scaling: ColumnScaling,
    centres: Array2<F>,
    mixture: Option<(Scaled<GaussianMixture<F>>, GaussianMixture<F>)>,
}

/// A model read from a file.
#[derive(Debug)]
pub(crate) enum Loaded {
    F32(Model<f32>),
    F64(Model<f64>),
}

impl<F> Deref for Model<F> {
    type Target = Fitted<F>;

    fn deref(&self) -> &Fitted<F> {
        &self.fitted
    }
}

/// Reads a model file, whatever it holds, and the scaling of its rows.
pub(crate) fn open_any(path: &Path) -> Result<(Option<ColumnScaling>, AnyModel), Failure> {
    AnyModel::load_with_scaling(path).map_err(|error| Failure::in_file(path, error))
}

impl Loaded {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let (scaling, model) = open_any(path)?;
        let f32 = |fitted| Model::new(fitted, scaling.clone()).map(Loaded::F32);
        let f64 = |fitted| Model::new(fitted, scaling.clone()).map(Loaded::F64);
        match model {
            AnyModel::KMeansF32(model) => f32(Fitted::KMeans(Box::new(model))),
            AnyModel::BisectingF32(model) => f32(Fitted::Bisecting(Box::new(model))),
            AnyModel::GmmF32(model) => f32(Fitted::Mixture(Box::new(model))),
            AnyModel::BayesianF32(model) => f32(Fitted::Bayesian(Box::new(model))),
            AnyModel::KMeansF64(model) => f64(Fitted::KMeans(Box::new(model))),
            AnyModel::BisectingF64(model) => f64(Fitted::Bisecting(Box::new(model))),
            AnyModel::GmmF64(model) => f64(Fitted::Mixture(Box::new(model))),
            AnyModel::BayesianF64(model) => f64(Fitted::Bayesian(Box::new(model))),
            other => Err(Failure::in_file(path, format!("a model of kind {} is not available here", other.kind()))),
        }
    }

    /// The model of fewer clusters, where that is asked for; errors name the model's file.
    pub(crate) fn cut(self, k: Option<usize>, path: &Path) -> Result<Self, Failure> {
        match (self, k) {
            (model, None) => Ok(model),
            (Loaded::F32(model), Some(k)) => model.map(|fitted| fitted.cut(k, path)).map(Loaded::F32),
            (Loaded::F64(model), Some(k)) => model.map(|fitted| fitted.cut(k, path)).map(Loaded::F64),
        }
    }
}

impl<F: Number> Model<F> {
    /// A model of rows that were scaled, if they were.
    pub(crate) fn new(fitted: Fitted<F>, scaling: Option<ColumnScaling>) -> Result<Self, Failure> {
        let units = scaling.map(|scaling| Units::new(&fitted, scaling)).transpose()?;
        Ok(Self { fitted, units })
    }

    /// What a change makes of it.
    fn map(self, change: impl FnOnce(Fitted<F>) -> Result<Fitted<F>, Failure>) -> Result<Self, Failure> {
        Self::new(change(self.fitted)?, self.units.map(|units| units.scaling))
    }

    /// The model of scaled rows.
    pub(crate) fn fitted(&self) -> &Fitted<F> {
        &self.fitted
    }

    /// How rows are scaled, if they are.
    pub(crate) fn scaling(&self) -> Option<&ColumnScaling> {
        self.units.as_ref().map(|units| &units.scaling)
    }

    /// Rows as the fit would have seen them.
    pub(crate) fn scaled<'a>(&self, rows: &'a Array2<F>) -> Cow<'a, Array2<F>> {
        match self.scaling() {
            Some(scaling) if scaling.n_columns() == rows.ncols() => Cow::Owned(scaling.scaled(rows)),
            _ => Cow::Borrowed(rows),
        }
    }

    fn of_rows(&self) -> Option<&(Scaled<GaussianMixture<F>>, GaussianMixture<F>)> {
        self.units.as_ref()?.mixture.as_ref()
    }

    /// The mixture, as a density of the rows.
    pub(crate) fn mixture(&self) -> Option<&GaussianMixture<F>> {
        self.of_rows().map(|(_, mixture)| mixture).or(self.fitted.mixture())
    }

    /// The mixture that `what` needs.
    pub(crate) fn need_mixture(&self, path: &Path, what: &str) -> Result<&GaussianMixture<F>, Failure> {
        let sentence = || format!("it holds a k-means model, and {what} needs a mixture: fit one with -m gmm");
        self.mixture().ok_or_else(|| Failure::in_file(path, sentence()))
    }

    /// k × d
    pub(crate) fn centres(&self) -> &Array2<F> {
        self.units.as_ref().map_or_else(|| self.fitted.centres(), |units| &units.centres)
    }

    /// The standard deviation of each component in column `j`, k; none for k-means.
    pub(crate) fn deviations(&self, j: usize) -> Vec<f64> {
        let Some(mixture) = self.mixture() else {
            return Vec::new();
        };
        let variance = |c: usize| match mixture.covariance_parameters() {
            Covariances::Full(all) => all[[c, j, j]],
            Covariances::Tied(one) => one[[j, j]],
            Covariances::Diagonal(all) => all[[c, j]],
            Covariances::TiedDiagonal(one) => one[j],
            Covariances::Spherical(all) => all[c],
            Covariances::TiedSpherical(one) => *one,
            other => other.dense(mixture.n_clusters(), mixture.n_features())[[c, j, j]],
        };
        (0..mixture.n_clusters()).map(|c| variance(c).widen().sqrt()).collect()
    }

    pub(crate) fn report(&self) -> &Report {
        self.of_rows().map_or_else(|| self.fitted.report(), |(_, mixture)| mixture.report())
    }

    /// The lower bounds of a Bayesian fit: the one that was maximised, and that of the log-evidence.
    pub(crate) fn bounds(&self) -> Option<(f64, f64)> {
        let model = self.bayesian()?;
        let total_weight = model.mixture().training_score().total_weight;
        let less = self.scaling().map_or(0.0, |scaling| scaling.log_scale_of_all(total_weight));
        Some((model.lower_bound() - less, model.evidence_bound() - less))
    }

    /// Does something else about missing values, where that is said; errors name the model's file.
    pub(crate) fn with_missing(self, missing: Option<Missing>, path: &Path) -> Result<Self, Failure> {
        self.map(|fitted| fitted.with_missing(missing, path))
    }

    /// Numbers the clusters by this rule.
    pub(crate) fn canonical_order(self, order: CanonicalOrder) -> Result<Self, Failure> {
        self.map(|fitted| fitted.canonical_order(order))
    }

    /// Likelihood and criteria on the rows of the fit, for a mixture that has seen some.
    pub(crate) fn likelihood(&self) -> Likelihood {
        let plain = || self.fitted.mixture().map(GaussianMixture::training_score);
        let score = self.of_rows().map(|(scaled, _)| scaled.training_score()).or_else(plain);
        score.filter(|score| score.total_weight > 0.0).map_or(Likelihood::default(), Likelihood::from)
    }

    /// The label of each row; errors name the file that the rows are from.
    pub(crate) fn labels(&self, rows: &Array2<F>, data: &Path) -> Result<Vec<usize>, Failure> {
        self.fitted.labels(&self.scaled(rows), data)
    }

    /// How uncertain each row's label is, n; none for k-means.
    pub(crate) fn uncertainty(&self, rows: &Array2<F>) -> Option<Array1<f64>> {
        self.fitted.uncertainty(&self.scaled(rows))
    }

    /// The probability of each component for each row, n × k; none for k-means.
    pub(crate) fn probabilities(&self, rows: &Array2<F>) -> Option<Array2<F>> {
        self.fitted.probabilities(&self.scaled(rows))
    }

    /// Rows with their gaps filled; errors name the file that the rows are from.
    pub(crate) fn impute(&self, rows: &Array2<F>, data: &Path) -> Result<Array2<F>, Failure> {
        let mut whole = self.fitted.impute(&self.scaled(rows), data)?;
        if let Some(scaling) = self.scaling() {
            scaling.unscale_in_place(&mut whole);
            // What was there stays what it was, to the bit.
            whole.zip_mut_with(rows, |filled, there| *filled = if there.is_nan() { *filled } else { *there });
        }
        Ok(whole)
    }

    /// How well the model fits rows; errors name the file that they are from.
    pub(crate) fn score(&self, rows: &Array2<F>, weights: Option<&[f64]>, data: &Path) -> Result<Score, Failure> {
        match self.of_rows() {
            Some((scaled, _)) => {
                let score = scaled.evaluate(rows, weights).map_err(|error| Failure::in_file(data, error))?;
                Ok(self.scored(rows.nrows(), None, score.into()))
            }
            None => self.fitted.score(&self.scaled(rows), weights, data),
        }
    }

    /// How well a mixture fits rows that are read chunk by chunk, and how many these are.
    pub(crate) fn score_over(
        &self,
        source: &dyn Source<F>,
        threads: Threads,
        data: &Path,
    ) -> Option<Result<(MixtureScore, usize), Failure>> {
        let mixture = self.fitted.mixture()?;
        let mut workers = Streamed::new(source, threads).with_missing(self.missing().unwrap_or_default());
        let score = threads.install(|_| match self.of_rows() {
            Some((scaled, _)) => scaled.score_over(&mut workers),
            None => mixture.score_over(&mut workers),
        });
        let n_rows = workers.n_rows().unwrap_or(0) as usize;
        Some(score.map(|score| (score, n_rows)).map_err(|error| Failure::in_file(data, error)))
    }

    pub(crate) fn save(&self, path: &Path) -> Result<(), Failure> {
        self.fitted.save(path, self.scaling())
    }
}

impl<F: Number> Units<F> {
    fn new(fitted: &Fitted<F>, scaling: ColumnScaling) -> Result<Self, Failure> {
        let mixture = |mixture: &GaussianMixture<F>| {
            let scaled = Scaled::new(scaling.clone(), mixture.clone());
            let of_rows = scaled.unscaled().map_err(Failure::fault)?;
            Ok::<_, Failure>((scaled, of_rows))
        };
        let mixture = fitted.mixture().map(mixture).transpose()?;
        Ok(Self { centres: scaling.unscaled(fitted.centres()), mixture, scaling })
    }
}
