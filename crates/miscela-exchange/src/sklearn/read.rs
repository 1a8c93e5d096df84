//! From arrays to a model.

use super::archive::Reader;
use super::damaged;
use crate::ExchangeError;
use miscela::{AnyModel, Covariance, Covariances, Float, GaussianMixture, KMeans, L2, Mixture};
use miscela_table::NpyArray;
use ndarray::{Array, Array1, ArrayD, ArrayViewMut2, Dimension, Ix1, Ix2, Ix3};
use serde::{Serialize, de::DeserializeOwned};

pub(crate) fn decode(bytes: &[u8]) -> Result<AnyModel, ExchangeError> {
    let mut arrays = Arrays { reader: Reader::open(bytes)? };
    if let Some(centres) = arrays.numbers("cluster_centers_")? {
        return Ok(match centres.narrow {
            true => AnyModel::KMeansF32(kmeans(&mut arrays, centres.values)?.into_any()),
            false => AnyModel::KMeansF64(kmeans(&mut arrays, centres.values)?.into_any()),
        });
    }
    if let Some(means) = arrays.numbers("means_")? {
        return Ok(match means.narrow {
            true => AnyModel::GmmF32(mixture(&mut arrays, means.values)?),
            false => AnyModel::GmmF64(mixture(&mut arrays, means.values)?),
        });
    }
    Err(damaged(format!(
        "it has neither the array `cluster_centers_` of a KMeans nor `means_` of a GaussianMixture, but {:?}; \
         write these with numpy.savez",
        arrays.reader.names()
    )))
}

/// Arrays with the shapes that they must have.
struct Arrays<'a> {
    reader: Reader<'a>,
}

struct Numbers {
    values: ArrayD<f64>,
    narrow: bool,
}

impl Arrays<'_> {
    fn numbers(&mut self, name: &str) -> Result<Option<Numbers>, ExchangeError> {
        match self.reader.array(name)? {
            None => Ok(None),
            Some(NpyArray::Numbers { values, narrow }) => Ok(Some(Numbers { values, narrow })),
            Some(_) => Err(damaged(format!("`{name}` holds no numbers"))),
        }
    }

    fn needed(&mut self, name: &str) -> Result<ArrayD<f64>, ExchangeError> {
        let numbers = self.numbers(name)?;
        Ok(numbers.ok_or_else(|| damaged(format!("the array `{name}` is missing; write it with numpy.savez")))?.values)
    }

    /// One number, if it is there.
    fn number(&mut self, name: &str) -> Result<Option<f64>, ExchangeError> {
        let Some(numbers) = self.numbers(name)? else { return Ok(None) };
        match (numbers.values.len(), numbers.values.first()) {
            (1, Some(number)) => Ok(Some(*number)),
            _ => Err(damaged(format!("`{name}` is no single number, but of shape {:?}", numbers.values.shape()))),
        }
    }

    fn texts(&mut self, name: &str) -> Result<Option<ArrayD<String>>, ExchangeError> {
        match self.reader.array(name)? {
            None => Ok(None),
            Some(NpyArray::Text(texts)) => Ok(Some(texts)),
            Some(_) => Err(damaged(format!("`{name}` holds no text; write it .astype(str)"))),
        }
    }

    /// The names of d columns, if they are there.
    fn feature_names(&mut self, d: usize) -> Result<Option<Vec<String>>, ExchangeError> {
        let name = "feature_names_in_";
        let names = self.texts(name)?.map(|names| shaped::<_, Ix1>(name, names, Some(&[d])));
        Ok(names.transpose()?.map(|names| names.to_vec()))
    }
}

/// An array of so many dimensions, and of this shape where one is given.
fn shaped<T, D: Dimension>(
    name: &str,
    array: ArrayD<T>,
    expected: Option<&[usize]>,
) -> Result<Array<T, D>, ExchangeError> {
    let got = array.shape().to_vec();
    if expected.is_some_and(|expected| got != expected) || got.contains(&0) {
        let expected = expected.map_or_else(|| "numbers".to_string(), |expected| format!("the shape {expected:?}"));
        return Err(damaged(format!("`{name}` has the shape {got:?} where {expected} is needed")));
    }
    let n = D::NDIM.unwrap_or_default();
    let sentence = || format!("`{name}` has the shape {got:?} where an array of {n} dimensions is needed");
    array.into_dimensionality().map_err(|_| damaged(sentence()))
}

fn kmeans<F: Float + Serialize + DeserializeOwned>(
    arrays: &mut Arrays<'_>,
    centres: ArrayD<f64>,
) -> Result<KMeans<F, L2>, ExchangeError> {
    let centres = shaped::<_, Ix2>("cluster_centers_", centres, None)?;
    let (k, d) = centres.dim();
    let model = KMeans::from_centroids(centres.mapv(F::narrow), L2).map_err(|error| damaged(error.to_string()))?;
    let mut document = model.to_document()?;
    if let Some(labels) = arrays.numbers("labels_")? {
        let labels: Array1<f64> = shaped("labels_", labels.values, None)?;
        for label in labels {
            if !(label >= 0.0 && label < k as f64 && label.fract() == 0.0) {
                return Err(damaged(format!("`labels_` holds {label}, which is none of the {k} clusters")));
            }
            document.sizes[label as usize] += 1;
        }
        document.total_weight = document.sizes.iter().sum::<usize>() as f64;
        document.cluster_count = document.sizes.iter().map(|size| F::narrow(*size as f64)).collect();
        // The inertia of no rows would be none.
        document.inertia = arrays.number("inertia_")?.unwrap_or_default();
    }
    if let Some(iterations) = arrays.number("n_iter_")? {
        document.report.iterations = iterations as usize;
    }
    if let Some(names) = arrays.feature_names(d)? {
        document.feature_names = names;
    }
    Ok(KMeans::from_document(document)?)
}

fn mixture<F: Float>(arrays: &mut Arrays<'_>, means: ArrayD<f64>) -> Result<GaussianMixture<F>, ExchangeError> {
    let means = shaped::<_, Ix2>("means_", means, None)?;
    let (k, d) = means.dim();
    let weights: Array1<f64> = shaped("weights_", arrays.needed("weights_")?, Some(&[k]))?;
    let given = arrays.needed("covariances_")?;
    let rounding = F::UNIT_ROUNDOFF.sqrt();
    let name = match arrays.texts("covariance_type")? {
        Some(text) if text.len() == 1 => text.iter().next().cloned().unwrap_or_default(),
        Some(text) => {
            return Err(damaged(format!("`covariance_type` is no single text, but of shape {:?}", text.shape())));
        }
        None => type_by_shape(given.shape(), k, d)?.to_string(),
    };
    let (covariance, covariances) = match name.as_str() {
        "full" => {
            let mut all = shaped::<_, Ix3>("covariances_", given, Some(&[k, d, d]))?;
            all.outer_iter_mut().for_each(|one| mirror(one, rounding));
            (Covariance::Full, Covariances::Full(all))
        }
        "tied" => {
            let mut one = shaped::<_, Ix2>("covariances_", given, Some(&[d, d]))?;
            mirror(one.view_mut(), rounding);
            (Covariance::Tied, Covariances::Tied(one))
        }
        "diag" => (Covariance::Diagonal, Covariances::Diagonal(shaped("covariances_", given, Some(&[k, d]))?)),
        "spherical" => (Covariance::Spherical, Covariances::Spherical(shaped("covariances_", given, Some(&[k]))?)),
        other => {
            let known = "full, tied, diag or spherical";
            return Err(damaged(format!("`covariance_type` is {other:?} where {known} is needed")));
        }
    };
    let mixture = Mixture::new(weights.mapv(F::narrow), means.mapv(F::narrow), covariances.cast());
    let model = GaussianMixture::from_parameters(mixture, covariance).map_err(|error| damaged(error.to_string()))?;
    Ok(match arrays.feature_names(d)? {
        Some(names) => model.with_feature_names(names),
        None => model,
    })
}

/// Makes a matrix symmetric that is so but for rounding, as products of matrices are not. The lower triangle counts, as in
/// scikit-learn's own densities.
fn mirror(mut matrix: ArrayViewMut2<f64>, rounding: f64) {
    for i in 0..matrix.nrows() {
        for j in 0..i {
            let scale = (matrix[[i, i]] * matrix[[j, j]]).abs().sqrt();
            if (matrix[[i, j]] - matrix[[j, i]]).abs() <= rounding * scale {
                matrix[[j, i]] = matrix[[i, j]];
            }
        }
    }
}

/// scikit-learn's name for covariances of this shape, where it leaves no choice.
fn type_by_shape(shape: &[usize], k: usize, d: usize) -> Result<&'static str, ExchangeError> {
    match shape {
        [_, _, _] => Ok("full"),
        [_] => Ok("spherical"),
        [rows, _] if *rows == d && k != d => Ok("tied"),
        [rows, _] if *rows == k && k != d => Ok("diag"),
        _ => Err(damaged(format!(
            "the shape {shape:?} of `covariances_` leaves open of which type they are; \
             write covariance_type=gm.covariance_type too"
        ))),
    }
}
