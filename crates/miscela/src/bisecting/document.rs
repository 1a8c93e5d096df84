//! A tree of clusters as a document, and back.

use super::fit::Course;
use super::tree::{Figures, Tree};
use super::{BisectingKMeans, SplitStrategy};
use crate::Float;
use crate::kmeans::{KMeansError, check_centres, dtype, malformed, not_negative};
use crate::report::Report;
use crate::scaling::{ColumnScaling, refuse_scaling, taken, unscaled};
use miscela_distance::{AnyCentred, Distance, L2};
use miscela_em::Termination;
use miscela_persist::{Document, Dtype, Format, PersistError, Version, matrix, rows, save, vector};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::Path;

/// What the file of a bisecting k-means model holds. Nodes are numbered as in [`BisectingKMeans::nodes`]: 0 is the root, and split
/// s, from 0 on, has made 2s + 1 and 2s + 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BisectingKMeansDocument<F> {
    /// Always `miscela-model`.
    pub format: Format,
    /// The version of the format.
    pub version: Version,
    /// `bisecting-kmeans`
    pub kind: String,
    /// The type of the parameters.
    pub dtype: Dtype,
    /// d
    pub n_features: usize,
    /// One a column.
    pub feature_names: Vec<String>,
    /// What is done to the rows before: all that follows is of scaled rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<ColumnScaling>,
    /// The distance: `l2`, `cosine`, …; that of Mahalanobis with its matrix.
    pub metric: AnyCentred,
    /// Which cluster was split next.
    pub strategy: SplitStrategy,
    /// k − 1
    pub splits: Vec<BisectingSplit>,
    /// The centres of the nodes, 2k − 1 × d.
    pub centres: Vec<Vec<F>>,
    /// Rows of positive weight in each node, 2k − 1.
    pub sizes: Vec<usize>,
    /// Their weight, 2k − 1.
    pub weights: Vec<f64>,
    /// Σ w ‖x − c‖² of each node, 2k − 1.
    pub inertia: Vec<f64>,
    /// How the fit went.
    pub report: Report,
}

/// A split, and how it went.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BisectingSplit {
    /// The node that was divided.
    pub node: usize,
    /// Iterations of the best run.
    pub iterations: usize,
    /// Why that stopped.
    pub termination: Termination,
}

const KIND: &str = "bisecting-kmeans";

/// To how much of itself the weight of a node is that of its parts: they are sums in other orders.
const ROUNDING: f64 = 1e-6;

impl<F: Float + Serialize + DeserializeOwned> BisectingKMeans<F, L2> {
    /// Reads a model from a file. Its predictions are, bit for bit, those of the model that was saved.
    ///
    /// # Errors
    /// If the file cannot be read, is not such a model by Euclidean distance of this number type, or contradicts itself.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, KMeansError> {
        Self::load_with(path)
    }

    /// Reads a model by any distance, as [`load`](BisectingKMeans::load) does one by Euclidean distance. With [`AnyCentred`] the
    /// file says which.
    ///
    /// # Errors
    /// As [`load`](BisectingKMeans::load); also if the file is of a model by another distance.
    pub fn load_with<D: Distance<F> + TryFrom<AnyCentred>>(
        path: impl AsRef<Path>,
    ) -> Result<BisectingKMeans<F, D>, KMeansError> {
        Ok(unscaled(BisectingKMeans::from_file(&Document::open(path)?)?)?)
    }
}

impl<F: Float + Serialize + DeserializeOwned, D: Distance<F>> BisectingKMeans<F, D> {
    /// Writes the model to a file, whole or not at all, as JSON (`.json`) or CBOR (`.cbor`) by its ending.
    ///
    /// # Errors
    /// On an unknown ending, or where the file system refuses.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), KMeansError>
    where
        D: Into<AnyCentred>,
    {
        Ok(save(path, &self.to_document()?)?)
    }

    /// The model as a document.
    ///
    /// # Errors
    /// Never for a fitted model; the number type has a name that documents know.
    pub fn to_document(&self) -> Result<BisectingKMeansDocument<F>, PersistError>
    where
        D: Into<AnyCentred>,
    {
        let nodes = &self.tree.nodes;
        Ok(BisectingKMeansDocument {
            format: Format,
            version: Version::default(),
            kind: KIND.into(),
            dtype: dtype::<F>()?,
            n_features: self.n_features(),
            feature_names: self.feature_names.clone(),
            scaling: None,
            metric: self.distance.clone().into(),
            strategy: self.strategy,
            splits: self.tree.splits.clone(),
            centres: rows(self.node_centres().view()),
            sizes: nodes.iter().map(|node| node.size).collect(),
            weights: nodes.iter().map(|node| node.weight).collect(),
            inertia: nodes.iter().map(|node| node.inertia).collect(),
            report: self.report.clone(),
        })
    }

    /// The model of a document that was opened, and the scaling that its rows need.
    pub(crate) fn from_file(file: &Document) -> Result<(Option<ColumnScaling>, Self), PersistError>
    where
        D: TryFrom<AnyCentred>,
    {
        file.header().expect_kind(&[KIND])?;
        file.header().expect_dtype(dtype::<F>()?)?;
        let mut document: BisectingKMeansDocument<F> = file.decode()?;
        let scaling = taken(&mut document.scaling, document.n_features)?;
        Ok((scaling, Self::from_document(document)?))
    }

    /// The model of a document.
    ///
    /// # Errors
    /// If its rows are [scaled](crate::Scaled), the parts contradict each other, or the splits make no tree; the error names the field.
    pub fn from_document(document: BisectingKMeansDocument<F>) -> Result<Self, PersistError>
    where
        D: TryFrom<AnyCentred>,
    {
        refuse_scaling(document.scaling.as_ref())?;
        let name = document.metric.name();
        let of_another =
            |_| malformed("metric", format!("`{name}` is not the distance of the model that is asked for"));
        let distance = D::try_from(document.metric.clone()).map_err(of_another)?;
        let d = document.n_features;
        if d == 0 {
            return Err(malformed("n_features", "a model has at least one feature".into()));
        }
        let tree = tree(&document, &distance)?;
        let Report { n_runs, trace, repairs, seconds, .. } = document.report.clone();
        let course = Course { n_runs, trace, repairs, seconds };
        let mut model = Self::new(tree, document.strategy, distance, course);
        model.report.provenance = document.report.provenance.clone();
        if model.report != document.report || model.report.trace.len() != model.report.iterations {
            let message = "its iterations, ending and objectives are not those of the splits and the leaves".into();
            return Err(malformed("report", message));
        }
        model.feature_names = crate::names::checked(document.feature_names, d)?;
        Ok(model)
    }
}

/// The tree that the splits make, of nodes that are the sums of their parts.
fn tree<F: Float, D: Distance<F>>(
    document: &BisectingKMeansDocument<F>,
    distance: &D,
) -> Result<Tree<F>, PersistError> {
    let (splits, d) = (&document.splits, document.n_features);
    let n_nodes = 2 * splits.len() + 1;
    let centres = matrix("centres", &document.centres, n_nodes, d)?;
    check_centres("centres", &centres, distance)?;
    let sizes = vector("sizes", &document.sizes, n_nodes)?;
    let weights = vector("weights", &document.weights, n_nodes)?;
    let inertia = vector("inertia", &document.inertia, n_nodes)?;
    for node in 0..n_nodes {
        not_negative(&format!("inertia[{node}]"), inertia[node])?;
        if sizes[node] == 0 {
            return Err(malformed(&format!("sizes[{node}]"), "a node has at least one row".into()));
        }
        if weights[node] <= 0.0 || !weights[node].is_finite() {
            return Err(malformed(&format!("weights[{node}]"), format!("{} is no weight", weights[node])));
        }
    }
    let figures = |node: usize| Figures { size: sizes[node], weight: weights[node], inertia: inertia[node] };
    let mut tree = Tree::of_root(centres.row(0).to_vec(), figures(0));
    for (s, split) in splits.iter().enumerate() {
        let field = format!("splits[{s}].node");
        let divided = |message: String| Err(malformed(&field, message));
        match tree.nodes.get(split.node) {
            None => return divided(format!("there is no node {} before this split", split.node)),
            Some(node) if node.children.is_some() => return divided(format!("node {} is divided twice", split.node)),
            Some(_) => {}
        }
        let (parts, children) = ([2 * s + 1, 2 * s + 2], [figures(2 * s + 1), figures(2 * s + 2)]);
        let whole = figures(split.node);
        let [size, weight] = [
            children[0].size.checked_add(children[1].size) == Some(whole.size),
            (children[0].weight + children[1].weight - whole.weight).abs() <= ROUNDING * whole.weight,
        ];
        for (field, sums_up) in [("sizes", size), ("weights", weight)] {
            if !sums_up {
                let message =
                    format!("those of nodes {} and {} do not sum to that of {}", parts[0], parts[1], split.node);
                return Err(malformed(field, message));
            }
        }
        let both = parts.into_iter().flat_map(|part| centres.row(part).to_vec());
        tree.divide(*split, both, children);
    }
    Ok(tree)
}
