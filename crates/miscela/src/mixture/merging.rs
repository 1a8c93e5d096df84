//! Components merged into clusters.

use super::{GaussianMixture, GmmError};
use crate::Float;
use crate::input::samples_of;
use linfa::DatasetBase;
use miscela_em::{Hierarchy, Missing, responsibilities};
use miscela_kernel::Threads;
use ndarray::{Array1, Array2, ArrayBase, Data, Ix2};

/// The components of a mixture merged step by step, from k groups to one, on the rows of a dataset. Made by
/// [`GaussianMixture::merge`].
///
/// A number of groups below one is taken as one, above k as k.
#[derive(Clone, Debug, PartialEq)]
pub struct Merging<F> {
    hierarchy: Hierarchy,
    /// n × k
    probabilities: Array2<F>,
}

impl<F: Float> GaussianMixture<F> {
    /// Merges components that describe the rows together: from k to one, always the two whose merging lowers the entropy of
    /// the soft clustering most (Baudry et al. 2010), as mclust's `clustCombi`. The weights of the dataset count.
    ///
    /// Cost: O(n k²) time, n × k numbers kept.
    ///
    /// ```
    /// use miscela::prelude::*;
    ///
    /// let iris = linfa_datasets::iris();
    /// let model = GaussianMixture::params(5).fit(&iris)?;
    /// let merging = model.merge(&iris)?;
    /// println!("entropies {:?}, elbow at {}", merging.entropies(), merging.elbow());
    /// let (labels, p) = (merging.labels(2), merging.probabilities(2));
    /// assert_eq!((labels.len(), p.dim()), (150, (150, 2)));
    /// # Ok::<(), GmmError>(())
    /// ```
    ///
    /// # Errors
    /// If rows or weights are at fault, or the width is another.
    pub fn merge<S: Data<Elem = F>, T>(
        &self,
        dataset: &DatasetBase<ArrayBase<S, Ix2>, T>,
    ) -> Result<Merging<F>, GmmError> {
        self.check_width(&dataset.records)?;
        let samples = samples_of(dataset, Missing::Error)?;
        let probabilities = responsibilities(&samples, &self.density, Threads::Ambient);
        let hierarchy = Hierarchy::new(probabilities.view(), samples.weights(), Threads::Ambient);
        Ok(Merging { hierarchy, probabilities })
    }
}

impl<F: Float> Merging<F> {
    /// Step by step the groups that are merged, (a, b) with a < b, numbered as they are at that step: b joins a, and those
    /// after b move up by one. k − 1 pairs.
    pub fn merges(&self) -> &[(usize, usize)] {
        self.hierarchy.merges()
    }

    /// The entropy of the soft clustering, −Σ w r ln r, with 1, 2, …, k groups; it never falls from one to the next.
    pub fn entropies(&self) -> &[f64] {
        self.hierarchy.entropies()
    }

    /// The number of groups at the elbow of the entropies, as mclust's `clustCombiOptim`: where two straight lines that meet
    /// there fit them best.
    pub fn elbow(&self) -> usize {
        self.hierarchy.elbow()
    }

    /// The group of each component, k, among `g` groups.
    pub fn groups(&self, g: usize) -> Vec<usize> {
        self.hierarchy.groups(g)
    }

    /// The probability of each of `g` groups for each row, n × g; rows sum to one.
    pub fn probabilities(&self, g: usize) -> Array2<F> {
        self.combine(g, &self.probabilities)
    }

    /// The probabilities of `g` groups for other rows, n × g, from those of the components
    /// ([`predict_proba`](GaussianMixture::predict_proba), n × k).
    ///
    /// # Panics
    /// If there are not k columns.
    pub fn combine<S: Data<Elem = F>>(&self, g: usize, probabilities: &ArrayBase<S, Ix2>) -> Array2<F> {
        assert_eq!(probabilities.ncols(), self.hierarchy.n_components(), "one column a component");
        self.hierarchy.combine(g, probabilities.view())
    }

    /// The most probable of `g` groups for each row, n; the lowest index on ties.
    pub fn labels(&self, g: usize) -> Array1<usize> {
        let most = |row: ndarray::ArrayView1<F>| (1..row.len()).fold(0, |m, c| if row[c] > row[m] { c } else { m });
        self.probabilities(g).outer_iter().map(most).collect()
    }
}
