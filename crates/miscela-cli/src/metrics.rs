//! `miscela metrics`: how good a clustering is, by itself and beside a truth.

use crate::args::{Dtype, MetricsArgs};
use crate::columns::shown;
use crate::data::{Data, Request, Weights, check_length};
use crate::error::{Failure, name_of};
use crate::model::Number;
use crate::output::{HINT, TITLE};
use crate::progress::Progress;
use crate::{output, paths, plan, plot, summary};
use miscela::Threads;
use miscela::metrics::{Agreement, Clustering, MetricsError, Silhouette, centroid_index};
use miscela_plot::Picture;
use miscela_table::{read_labels, read_vector};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

pub(crate) fn run(args: &MetricsArgs) -> Result<(), Failure> {
    let weights = check(args)?;
    let progress = Progress::start(args.answer.quiet);
    let meter = progress.reading(args.data.as_deref().unwrap_or(&args.labels));
    let labels = read_labels(&args.labels)?;
    let truth = args.truth.as_deref().map(read_labels).transpose()?;
    if let (Some(path), Some(truth)) = (&args.truth, &truth) {
        same_length(&args.labels, labels.len(), "labels", path, truth.len())?;
    }
    let request = Request { weights: weights.as_ref(), meter, ..Request::default() };
    let data = args.data.as_deref().map(|path| Data::read(path, &args.columns, &request)).transpose()?;
    if let (Some(path), Some(data)) = (&args.data, &data) {
        same_length(&args.labels, labels.len(), "labels", path, data.table.n_rows())?;
    }
    let weights = match (&data, weights.as_ref().and_then(Weights::file)) {
        (Some(data), _) => data.weights.clone(),
        (None, Some(file)) => {
            let weights = read_vector(file)?.to_vec();
            check_length(file, weights.len(), &args.labels, labels.len())?;
            Some(weights)
        }
        (None, None) => None,
    };
    progress.stage("measuring");
    let mut answer = MetricsAnswer {
        n_samples: labels.len(),
        n_clusters: counted(&labels, weights.as_deref()),
        ..MetricsAnswer::default()
    };
    if let Some(truth) = &truth {
        answer.compare(truth, &labels, weights.as_deref()).map_err(|error| Failure::in_file(&args.labels, error))?;
    }
    if let (Some(data), Some(path)) = (data, &args.data) {
        let measured = match data.dtype() {
            Dtype::F32 => answer.measure::<f32>(args, data, &labels, truth.as_deref()),
            Dtype::F64 => answer.measure::<f64>(args, data, &labels, truth.as_deref()),
        };
        measured.map_err(|error| Failure::in_file(path, error))?;
    }
    if let Some(path) = &args.plot {
        plot::save(&answer.picture(args, &labels, weights.as_deref())?, path)?;
    }
    drop(progress);
    match (args.answer.json, args.answer.quiet) {
        (true, _) => output::json(&answer),
        (false, true) => Ok(()),
        (false, false) => output::text(&answer.text(args)),
    }
}

/// What the arguments alone show, and where the weights are.
fn check(args: &MetricsArgs) -> Result<Option<Weights>, Failure> {
    if args.truth.is_none() && args.data.is_none() {
        return Err(Failure::call("there is nothing to measure the labels by; give --truth, --data or both"));
    }
    if args.data.is_none() && (args.columns.columns.is_some() || args.columns.exclude.is_some()) {
        return Err(Failure::call("--columns and --exclude choose columns of --data, which is not given"));
    }
    let weights = args.weights.as_deref().map(Weights::named);
    if args.data.is_none() && weights.as_ref().is_some_and(|weights| weights.file().is_none()) {
        return Err(Failure::call(
            "--weights names a column of --data, which is not given; give the file of the weights",
        ));
    }
    let read = [Some(args.labels.as_path()), args.truth.as_deref(), args.data.as_deref()];
    for path in read.into_iter().flatten() {
        paths::table(path)?;
    }
    let read = [read.as_slice(), &[weights.as_ref().and_then(Weights::file)]].concat();
    plot::check(args.plot.as_deref())?;
    let stdout = args.answer.json.then_some(Path::new(miscela_table::STANDARD_STREAM));
    paths::apart(&read, &[args.plot.as_deref(), stdout])?;
    paths::folders(&[args.plot.as_deref()])?;
    Ok(weights)
}

fn same_length(labels: &Path, n_labels: usize, what: &str, other: &Path, n: usize) -> Result<(), Failure> {
    if n_labels == n {
        return Ok(());
    }
    let (labels, other) = (name_of(labels), name_of(other));
    Err(Failure::fault(format!("{labels} has {n_labels} {what} and {other} has {n} rows; give one label a row")))
}

/// The number of clusters that have a row of positive weight.
fn counted(labels: &[usize], weights: Option<&[f64]>) -> usize {
    let counts = |row: usize| weights.is_none_or(|weights| weights[row] > 0.0);
    labels.iter().enumerate().filter(|(row, _)| counts(*row)).map(|(_, label)| label).collect::<BTreeSet<_>>().len()
}

/// The answer of `metrics`: null where the inputs do not allow a measure.
#[derive(Debug, Default, Serialize)]
struct MetricsAnswer {
    n_samples: usize,
    n_clusters: usize,
    ari: Option<f64>,
    ami: Option<f64>,
    nmi: Option<f64>,
    homogeneity: Option<f64>,
    completeness: Option<f64>,
    v_measure: Option<f64>,
    fowlkes_mallows: Option<f64>,
    rand: Option<f64>,
    mutual_information: Option<f64>,
    variation_of_information: Option<f64>,
    pair_confusion: Option<[[f64; 2]; 2]>,
    centroid_index: Option<usize>,
    silhouette: Option<f64>,
    silhouette_error: Option<f64>,
    calinski_harabasz: Option<f64>,
    davies_bouldin: Option<f64>,
    dunn: Option<f64>,
    inertia: Option<f64>,
    /// The silhouette of each row.
    #[serde(skip)]
    each: Vec<f64>,
}

impl MetricsAnswer {
    /// What a truth allows.
    fn compare(&mut self, truth: &[usize], labels: &[usize], weights: Option<&[f64]>) -> Result<(), MetricsError> {
        let agreement = match weights {
            Some(weights) => Agreement::weighted(truth, labels, weights)?,
            None => Agreement::new(truth, labels)?,
        };
        self.ari = Some(agreement.ari());
        self.ami = match agreement.ami() {
            Err(MetricsError::Fractional(_)) => None,
            ami => Some(ami?),
        };
        self.nmi = Some(agreement.nmi());
        self.homogeneity = Some(agreement.homogeneity());
        self.completeness = Some(agreement.completeness());
        self.v_measure = Some(agreement.v_measure());
        self.fowlkes_mallows = Some(agreement.fowlkes_mallows());
        self.rand = Some(agreement.rand());
        self.mutual_information = Some(agreement.mutual_information());
        self.variation_of_information = Some(agreement.variation_of_information());
        self.pair_confusion = Some(agreement.pair_confusion().matrix());
        Ok(())
    }

    /// What rows allow; with a truth, also how many of its clusters are missed.
    fn measure<F: Number>(
        &mut self,
        args: &MetricsArgs,
        data: Data,
        labels: &[usize],
        truth: Option<&[usize]>,
    ) -> Result<(), String> {
        let Data { table, weights, .. } = data;
        let rows = table.into_array::<F>().map_err(|error| error.to_string())?;
        let of = |labels: &[usize]| match &weights {
            Some(weights) => Clustering::weighted(&rows, weights, labels),
            None => Clustering::new(&rows, labels),
        };
        let measure = |threads: Threads| {
            let clustering = of(labels)?.threads(threads);
            match args.sample {
                Some(size) => {
                    let estimate = allowed(clustering.silhouette_sample(&args.metric, size, args.seed))?;
                    self.silhouette = estimate.map(|estimate| estimate.value);
                    self.silhouette_error = estimate.map(|estimate| estimate.standard_error);
                }
                None => {
                    let silhouette = allowed(clustering.silhouette(&args.metric))?;
                    self.silhouette = silhouette.as_ref().map(Silhouette::mean);
                    self.each = silhouette.map_or(Vec::new(), |silhouette| silhouette.values().to_vec());
                    self.dunn = allowed(clustering.dunn(&args.metric))?;
                }
            }
            self.calinski_harabasz = allowed(clustering.calinski_harabasz())?;
            self.davies_bouldin = allowed(clustering.davies_bouldin())?;
            self.inertia = Some(clustering.inertia());
            if let Some(truth) = truth {
                self.centroid_index = Some(centroid_index(&clustering.centroids(), &of(truth)?.centroids())?);
            }
            Ok(())
        };
        plan::threads(args.threads.threads).install(measure).map_err(|error: MetricsError| error.to_string())
    }

    /// The silhouettes, where there are any.
    fn picture(&self, args: &MetricsArgs, labels: &[usize], weights: Option<&[f64]>) -> Result<Picture, Failure> {
        let title = format!("Silhouettes of {}", name_of(&args.labels));
        match self.silhouette {
            Some(mean) => plot::silhouettes(&self.each, labels, weights, mean, &title),
            None => Err(Failure::in_file(
                &args.labels,
                format!("silhouettes need at least two clusters and fewer than rows; there are {}", self.n_clusters),
            )),
        }
    }

    fn text(&self, args: &MetricsArgs) -> String {
        let number = |value: Option<f64>| value.map(shown);
        let silhouette = number(self.silhouette).map(|silhouette| match self.silhouette_error {
            Some(error) => format!("{silhouette} ± {} (standard error)", shown(error)),
            None => silhouette,
        });
        let lines = [
            ("ARI", number(self.ari)),
            ("AMI", number(self.ami)),
            ("NMI", number(self.nmi)),
            ("homogeneity", number(self.homogeneity)),
            ("completeness", number(self.completeness)),
            ("V", number(self.v_measure)),
            ("Fowlkes-Mallows", number(self.fowlkes_mallows)),
            ("VI", number(self.variation_of_information).map(|vi| vi + " nats (lower is better)")),
            ("centroid index", self.centroid_index.map(|n| format!("{n} (clusters missed)"))),
            ("silhouette", silhouette),
            ("Calinski-H.", number(self.calinski_harabasz)),
            ("Davies-Bouldin", number(self.davies_bouldin).map(|db| db + " (lower is better)")),
            ("Dunn", number(self.dunn)),
            ("inertia", number(self.inertia)),
        ];
        let shown: Vec<_> = lines.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let (clusters, rows) = (summary::count(self.n_clusters, "cluster"), summary::count(self.n_samples, "row"));
        let mut text = format!("{TITLE}{clusters}{TITLE:#}: {rows} of {}\n\n", name_of(&args.labels));
        text += &summary::figures(&shown);
        let hint = match (&args.truth, &args.data) {
            (None, _) => "with --truth FILE: agreement with other labels",
            (_, None) => "with --data FILE: silhouette, Calinski-Harabasz, Davies-Bouldin, Dunn",
            _ => return text,
        };
        text + &format!("\n{HINT}Next: {hint}{HINT:#}\n")
    }
}

/// A measure, or none where there are too few or too many clusters for it.
fn allowed<T>(measured: Result<T, MetricsError>) -> Result<Option<T>, MetricsError> {
    match measured {
        Err(MetricsError::ClusterCount { .. }) => Ok(None),
        measured => measured.map(Some),
    }
}
