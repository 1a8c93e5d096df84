//! K-means of rows that are elsewhere: Lloyd's algorithm, a pass over the rows an iteration.

use crate::centroids::KMeansFamily;
use crate::engine::{self, Family, MStep, State};
use crate::inference::CentroidFit;
use crate::missing::ColumnMoments;
use crate::plan::Algorithm;
use crate::relocate::Empty;
use crate::report::{Observer, Run};
use crate::summary::Summary;
use crate::workers::checkpoint::{Checkpoint, Keeper, Parameters};
use crate::workers::elsewhere::{Elsewhere, Remote};
use crate::workers::{Pick, Task, WorkError, Workers};
use miscela_distance::L2;
use miscela_kernel::{Float, Scatter, Threads};
use ndarray::Array2;

/// What a fit of k-means needs besides a start.
#[derive(Clone, Copy, Debug)]
pub struct KMeansOver<'a> {
    /// The means and variances of the rows.
    pub summary: &'a Summary,
    /// Stop when the centres moved less than this, squared and summed.
    pub tolerance: f64,
    /// What becomes of empty clusters. Not [`Empty::SplitLargest`].
    pub empty: Empty,
    /// The limit of iterations.
    pub max_iterations: usize,
    /// Who does what is to be done here, beside the workers.
    pub threads: Threads,
}

impl KMeansOver<'_> {
    /// Fits from these centres, k × d. Returns the centres, how well they fit, and how the fit went.
    ///
    /// # Errors
    /// What workers or keeper meet with, and a policy for empty clusters that needs all rows.
    ///
    /// ```
    /// use miscela_em::{Empty, KMeansOver, Streamed, Task, Workers};
    /// use miscela_kernel::{Chunked, Threads};
    /// use ndarray::array;
    ///
    /// let rows = array![[0.0], [1.0], [2.0], [7.0], [8.0], [9.0]];
    /// let source = Chunked::new(&rows, None, 4);
    /// let mut workers = Streamed::new(&source, Threads::One);
    /// let (summary, _) = workers.run(&Task::Summary)?.summary()?;
    /// let fit = KMeansOver {
    ///     summary: &summary, tolerance: 0.0, empty: Empty::Farthest, max_iterations: 100, threads: Threads::One,
    /// };
    /// let (centres, how, run) = fit.run(&mut workers, array![[0.0], [2.0]], &mut (), &mut ())?;
    /// assert_eq!((centres, how.inertia), (array![[1.0], [8.0]], 4.0));
    /// assert!(run.termination.converged());
    /// # Ok::<(), miscela_em::WorkError>(())
    /// ```
    pub fn run<F: Float>(
        &self,
        workers: &mut dyn Workers<F>,
        start: Array2<F>,
        keeper: &mut dyn Keeper<F>,
        observer: &mut dyn Observer,
    ) -> Result<(Array2<F>, CentroidFit, Run), WorkError> {
        let labels = None;
        self.go(workers, (start, State::default(), Run::default(), labels), keeper, observer)
    }

    /// Goes on from a checkpoint of such a fit.
    ///
    /// # Errors
    /// As [`run`](Self::run), and if it is the checkpoint of another fit.
    pub fn resume<F: Float>(
        &self,
        workers: &mut dyn Workers<F>,
        checkpoint: Checkpoint<F>,
        keeper: &mut dyn Keeper<F>,
        observer: &mut dyn Observer,
    ) -> Result<(Array2<F>, CentroidFit, Run), WorkError> {
        let Checkpoint { parameters: Parameters::Centroids(centroids), state, run, labels } = checkpoint else {
            return Err(WorkError::OtherFit("of a mixture".into()));
        };
        if centroids.ncols() != self.summary.mean.len() {
            return Err(WorkError::OtherFit("of other columns".into()));
        }
        self.go(workers, (centroids, state, run, labels), keeper, observer)
    }

    fn go<F: Float>(
        &self,
        workers: &mut dyn Workers<F>,
        (centroids, state, mut run, labels): (Array2<F>, State, Run, Option<u64>),
        keeper: &mut dyn Keeper<F>,
        observer: &mut dyn Observer,
    ) -> Result<(Array2<F>, CentroidFit, Run), WorkError> {
        if self.empty == Empty::SplitLargest {
            return Err(WorkError::NeedsRows("to split the largest cluster where one is empty"));
        }
        let offset: Vec<F> = self.summary.offset();
        let task = Task::KMeans { centroids: centroids.clone(), offset: offset.clone() };
        task.prepare()?;
        let mut family = KMeansFamily::new(&centroids, L2, self.tolerance, offset)
            .with_algorithm(Algorithm::Lloyd)
            .with_gaps(self.summary.has_gaps())
            .with_empty(self.empty);
        let mut rows =
            Elsewhere { workers, keeper, summary: self.summary, labels, moved: Vec::new(), threads: self.threads };
        engine::resume(&mut rows, &mut family, state, &mut run, self.max_iterations, observer)?;
        let evaluate = |family: &KMeansFamily<F, L2>, rows: &mut Elsewhere<F>| {
            let task = Task::CentroidFit { centroids: family.centroids(), offset: self.summary.offset() };
            let fit = rows.workers.run(&task)?.centroid_fit()?;
            fit.check(family.n_components())?;
            Ok(fit)
        };
        let has_empty = |fit: &CentroidFit| fit.weights.contains(&0.0);
        let fit = engine::conclude(&mut rows, &mut family, &mut run, evaluate, has_empty)?;
        Ok((family.centroids(), fit, run))
    }
}

impl<F: Float> Remote<F> for KMeansFamily<F, L2> {
    fn step(&self, summary: &Summary) -> Task<F> {
        Task::KMeans { centroids: self.centroids(), offset: summary.offset() }
    }

    fn worst(&self, summary: &Summary) -> Pick<F> {
        Pick::FarthestOfCentroids { centroids: self.centroids(), offset: summary.offset() }
    }

    fn observed(&self, labels: &[(Vec<F>, u32)]) -> Option<Task<F>> {
        let centroids = self.centroids();
        let about = centroids.mapv(|x| x.widen());
        let task = || Task::Observed { means: centroids, about, scatter: Scatter::Spherical, labels: labels.to_vec() };
        self.is_partial().then(task)
    }

    fn m_step_by_columns(&mut self, columns: &ColumnMoments) -> MStep {
        self.m_step_by_columns(columns)
    }

    fn parameters(&self) -> Parameters<F> {
        Parameters::Centroids(self.centroids())
    }

    fn lost_objective(&self, shift: &[f64], labels: Vec<(Vec<F>, u32)>, summary: &Summary) -> Option<Task<F>> {
        let to = self.centroids();
        let from = Array2::from_shape_vec(to.dim(), shift.iter().map(|x| F::narrow(*x)).collect()).ok()?;
        Some(Task::Moved { from, to, offset: summary.offset(), labels })
    }
}
