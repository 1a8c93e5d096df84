//! linfa-clustering's own examples, with the import changed and nothing else; linfa's datasets and scalers in front; and
//! linfa-clustering itself beside.

use approx::assert_abs_diff_eq;
use linfa::DatasetBase;
use linfa::prelude::*;
use linfa::traits::{Fit, FitWith, Predict};
use linfa_datasets::generate;
use ndarray::{Array1, Array2, Axis, array};
use ndarray_rand::rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;

/// The tutorial in the documentation of `linfa_clustering::KMeans` 0.8.1.
#[test]
fn the_kmeans_tutorial() {
    use miscela::{IncrKMeansError, KMeans};

    // Our random number generator, seeded for reproducibility
    let seed = 42;
    let mut rng = Xoshiro256Plus::seed_from_u64(seed);

    // `expected_centroids` has shape `(n_centroids, n_features)`
    // i.e. three points in the 2-dimensional plane
    let expected_centroids = array![[0., 1.], [-10., 20.], [-1., 10.]];
    // Let's generate a synthetic dataset: three blobs of observations
    // (100 points each) centered around our `expected_centroids`
    let data = generate::blobs(100, &expected_centroids, &mut rng);
    let n_clusters = expected_centroids.len_of(Axis(0));

    // Standard K-means
    {
        let observations = DatasetBase::from(data.clone());
        // Let's configure and run our K-means algorithm
        // We use the builder pattern to specify the hyperparameters
        // `n_clusters` is the only mandatory parameter.
        // If you don't specify the others (e.g. `n_runs`, `tolerance`, `max_n_iterations`)
        // default values will be used.
        let model =
            KMeans::params_with_rng(n_clusters, rng.clone()).tolerance(1e-2).fit(&observations).expect("KMeans fitted");

        // Once we found our set of centroids, we can also assign new points to the nearest cluster
        let new_observation = DatasetBase::from(array![[-9., 20.5]]);
        // Predict returns the **index** of the nearest cluster
        let dataset = model.predict(new_observation);
        // We can retrieve the actual centroid of the closest cluster using `.centroids()`
        let closest_centroid = &model.centroids().index_axis(Axis(0), dataset.targets()[0]);
        assert_abs_diff_eq!(closest_centroid.to_owned(), &array![-10., 20.], epsilon = 1e-1);
    }

    // Incremental K-means
    {
        let batch_size = 100;
        // Shuffling the dataset is one way of ensuring that the batches contain random points from
        // the dataset, which is required for the algorithm to work properly
        let observations = DatasetBase::from(data.clone()).shuffle(&mut rng);

        let n_clusters = expected_centroids.nrows();
        let clf = KMeans::params_with_rng(n_clusters, rng.clone()).tolerance(1e-3);

        // Repeatedly run fit_with on every batch in the dataset until we have converged
        let model = observations
            .sample_chunks(batch_size)
            .cycle()
            .try_fold(None, |current, batch| {
                match clf.fit_with(current, &batch) {
                    // Early stop condition for the kmeans loop
                    Ok(model) => Err(model),
                    // Continue running if not converged
                    Err(IncrKMeansError::NotConverged(model)) => Ok(Some(model)),
                    Err(err) => panic!("unexpected kmeans error: {}", err),
                }
            })
            .unwrap_err();

        let new_observation = DatasetBase::from(array![[-9., 20.5]]);
        let dataset = model.predict(new_observation);
        let closest_centroid = &model.centroids().index_axis(Axis(0), dataset.targets()[0]);
        assert_abs_diff_eq!(closest_centroid.to_owned(), &array![-10., 20.], epsilon = 1e-1);
    }
}

/// The tutorial in the documentation of `linfa_clustering::GaussianMixtureModel` 0.8.1; it prints where this asserts.
#[test]
fn the_mixture_tutorial() {
    use miscela::GaussianMixtureModel;

    let mut rng = Xoshiro256Plus::seed_from_u64(42);
    let expected_centroids = array![[0., 1.], [-10., 20.], [-1., 10.]];
    let n = 200;

    // We generate a dataset from points normally distributed around some distant centroids.
    let dataset = DatasetBase::from(generate::blobs(n, &expected_centroids, &mut rng));

    // Our GMM is expected to have a number of clusters equals the number of centroids
    // used to generate the dataset
    let n_clusters = expected_centroids.len_of(Axis(0));

    // We fit the model from the dataset setting some options
    let gmm = GaussianMixtureModel::params(n_clusters)
        .n_runs(10)
        .tolerance(1e-4)
        .with_rng(rng)
        .fit(&dataset)
        .expect("GMM fitting");

    // Then we can get dataset membership information, targets contain **cluster indexes**
    // corresponding to the cluster infos in the list of GMM means and covariances
    let blobs_dataset = gmm.predict(dataset);
    let DatasetBase { records: _blobs_records, targets: blobs_targets, .. } = blobs_dataset;
    assert_eq!(gmm.means().dim(), (3, 2));
    assert_eq!(gmm.covariances().dim(), (3, 2, 2));
    assert_eq!(blobs_targets.len(), 3 * n);

    // We can also get the nearest cluster for a new point
    let new_observation = DatasetBase::from(array![[-9., 20.5]]);
    // Predict returns the **index** of the nearest cluster
    let dataset = gmm.predict(new_observation);
    // We can retrieve the actual centroid of the closest cluster using `.centroids()` (alias of .means())
    let closest_centroid = &gmm.centroids().index_axis(Axis(0), dataset.targets()[0]);
    assert_abs_diff_eq!(closest_centroid.to_owned(), &array![-10., 20.], epsilon = 3e-1);
}

/// All the names that `linfa_clustering`'s k-means and mixtures have in public, used as there.
#[test]
fn the_names_are_linfas() {
    use miscela::{
        GaussianMixtureModel, GmmError, GmmInitMethod, KMeans, KMeansError, KMeansInit, KMeansParamsError, L2,
    };

    let rows = array![[0.0, 0.0], [1.0, 0.0], [10.0, 10.0], [11.0, 10.0]];
    let rng = Xoshiro256Plus::seed_from_u64(1);
    let dataset = DatasetBase::from(rows.clone());
    for init in [
        KMeansInit::Random,
        KMeansInit::KMeansPlusPlus,
        KMeansInit::KMeansPara,
        KMeansInit::Precomputed(array![[0.0, 0.0], [10.0, 10.0]]),
    ] {
        let params = KMeans::params_with(2, rng.clone(), L2).init_method(init).n_runs(3).max_n_iterations(20);
        let model = params.fit(&dataset).unwrap();
        assert_eq!(model.cluster_count(), &array![2.0, 2.0]);
        assert_abs_diff_eq!(model.inertia(), 0.25);
        // One row, rows, a dataset, and squared distances.
        assert_eq!(model.predict(&array![0.5, 0.0]), model.predict(&rows)[0]);
        let squared: Array1<f64> = model.transform(&rows);
        assert_abs_diff_eq!(squared, array![0.25, 0.25, 0.25, 0.25]);
        let labelled: DatasetBase<Array2<f64>, Array1<usize>> = model.predict(dataset.clone());
        assert_eq!(labelled.targets, model.predict(&dataset));
    }
    let error = KMeans::<f64>::params(0).fit(&dataset).unwrap_err();
    assert!(matches!(error, KMeansError::InvalidParams(KMeansParamsError::NClusters)));
    for init in [GmmInitMethod::KMeans, GmmInitMethod::Random] {
        let model =
            GaussianMixtureModel::params_with_rng(2, rng.clone()).init_method(init).n_runs(2).reg_covariance(1e-3);
        let model = model.max_n_iterations(50).fit(&dataset).unwrap();
        assert_eq!(model.weights().len(), 2);
        assert_eq!(model.precisions().dim(), (2, 2, 2));
        assert_eq!(model.predict_proba(&rows).dim(), (4, 2));
    }
    let error = GaussianMixtureModel::<f64>::params(5).fit(&dataset).unwrap_err();
    assert!(matches!(error, GmmError::TooFewSamples { n_samples: 4, n_clusters: 5 }), "{error}");
}

/// A function that returns linfa's error can use `?` on ours, and the other way round.
#[test]
fn errors_convert() {
    fn fit(dataset: &Dataset<f64, usize, ndarray::Ix1>) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
        let scaled =
            linfa_preprocessing::linear_scaling::LinearScaler::standard().fit(dataset)?.transform(dataset.clone());
        let model = miscela::KMeans::params(3).n_runs(10).fit(&scaled)?;
        Ok(model.predict(&scaled).len())
    }
    assert_eq!(fit(&linfa_datasets::iris()).unwrap(), 150);
    let converted: miscela::KMeansError = linfa::Error::Parameters("no".into()).into();
    assert!(converted.to_string().contains("no"));
    let converted: miscela::GmmError = linfa::Error::Parameters("no".into()).into();
    assert!(converted.to_string().contains("no"));
}

#[test]
fn scalers_work_in_front() {
    use linfa_preprocessing::linear_scaling::LinearScaler;
    use linfa_preprocessing::norm_scaling::NormScaler;
    use linfa_preprocessing::whitening::Whitener;
    use miscela::{Covariance, GaussianMixture, KMeans};

    let iris = linfa_datasets::iris();
    let scaled = [
        LinearScaler::standard().fit(&iris).unwrap().transform(iris.clone()),
        LinearScaler::min_max().fit(&iris).unwrap().transform(iris.clone()),
        LinearScaler::max_abs().fit(&iris).unwrap().transform(iris.clone()),
        NormScaler::l2().transform(iris.clone()),
        Whitener::cholesky().fit(&iris).unwrap().transform(iris.clone()),
    ];
    for dataset in scaled {
        let kmeans = KMeans::params(3).n_runs(5).fit(&dataset).unwrap();
        assert_eq!(kmeans.predict(&dataset).len(), 150);
        assert!(kmeans.sizes().iter().all(|size| *size > 0));
        for covariance in Covariance::all() {
            let mixture = GaussianMixture::params(3).covariance(covariance).fit(&dataset).unwrap();
            assert!(mixture.log_likelihood().is_finite());
        }
    }
    // Whitening is a linear map: a full mixture knows no difference, but for a constant.
    let whitener = Whitener::cholesky().fit(&iris).unwrap();
    let white = whitener.transform(iris.clone());
    let start = miscela::GmmInitMethod::Labels(iris.targets().to_vec());
    let fit = |dataset: &Dataset<f64, usize, ndarray::Ix1>| {
        let params = GaussianMixture::params(3).reg_covariance(0.0).max_n_iterations(30).tolerance(0.0);
        params.init_method(start.clone()).fit(dataset).unwrap()
    };
    assert_eq!(fit(&white).predict(&white), fit(&iris).predict(&iris));
}

/// On blobs that lie well apart, linfa-clustering and miscela find the same centroids and mixtures.
#[test]
fn linfa_clustering_finds_the_same() {
    let mut rng = Xoshiro256Plus::seed_from_u64(9);
    let centres = array![[0., 1., 3.], [-20., 20., 0.], [-1., 30., 9.], [25., -4., 1.]];
    let dataset = DatasetBase::from(generate::blobs(150, &centres, &mut rng));

    let ours = miscela::KMeans::params_with_rng(4, rng.clone()).n_runs(10).fit(&dataset).unwrap();
    let theirs = linfa_clustering::KMeans::params_with_rng(4, rng.clone()).n_runs(10).fit(&dataset).unwrap();
    let (a, b) = (sorted(ours.centroids()), sorted(theirs.centroids()));
    // Theirs are means of the rows and the old centroid.
    assert_abs_diff_eq!(a, b, epsilon = 1e-2);
    assert_abs_diff_eq!(ours.inertia(), theirs.inertia(), epsilon = 1e-3);

    let ours = miscela::GaussianMixture::params_with_rng(4, rng.clone()).fit(&dataset).unwrap();
    let theirs = linfa_clustering::GaussianMixtureModel::params(4).with_rng(rng).fit(&dataset).unwrap();
    assert_abs_diff_eq!(sorted(ours.means()), sorted(theirs.means()), epsilon = 1e-3);
}

/// Rows by their first column.
fn sorted(rows: &Array2<f64>) -> Array2<f64> {
    let mut order: Vec<usize> = (0..rows.nrows()).collect();
    order.sort_by(|a, b| rows[[*a, 0]].total_cmp(&rows[[*b, 0]]));
    rows.select(Axis(0), &order)
}
