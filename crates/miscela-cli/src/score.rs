//! `miscela score`: how well a model fits the rows of a table.

use crate::args::ScoreArgs;
use crate::data::{Data, Request, Weights};
use crate::error::Failure;
use crate::model::{Loaded, Model, Number, Score};
use crate::plan::threads;
use crate::progress::Progress;
use crate::rows::Rows;
use crate::{output, paths, summary};

pub(crate) fn run(args: &ScoreArgs) -> Result<(), Failure> {
    paths::model(&args.model)?;
    paths::tables(&args.data)?;
    let weights = args.weights.as_deref().map(Weights::named);
    paths::apart(&[Some(&args.data), weights.as_ref().and_then(Weights::file)], &[])?;
    match Loaded::open(&args.model)?.cut(args.cut.cut, &args.model)? {
        Loaded::F32(model) => score(args, weights.as_ref(), &model.with_missing(args.missing.missing, &args.model)?),
        Loaded::F64(model) => score(args, weights.as_ref(), &model.with_missing(args.missing.missing, &args.model)?),
    }
}

fn score<F: Number>(args: &ScoreArgs, weights: Option<&Weights>, model: &Model<F>) -> Result<(), Failure> {
    let progress = Progress::start(args.answer.quiet);
    let meter = progress.reading(&args.data);
    let request =
        Request { model: Some(model.feature_names()), missing: model.missing(), weights, meter, ..Request::default() };
    let threads = threads(args.threads.threads);
    let rows = Rows::open(&args.data, &args.columns, &request, (&args.memory, threads), args.answer.quiet)?;
    progress.stage("scoring");
    let score = match rows {
        Rows::Stream(stream) => stream.score(model, threads, &args.data)?,
        Rows::Table(data) => {
            let Data { table, weights, .. } = *data;
            let rows = table.into_array::<F>()?;
            threads.install(|_| model.score(&rows, weights.as_deref(), &args.data))?
        }
    };
    drop(progress);
    answer(args, model, &score)
}

fn answer<F: Number>(args: &ScoreArgs, model: &Model<F>, score: &Score) -> Result<(), Failure> {
    match (args.answer.json, args.answer.quiet) {
        (true, _) => output::json(score),
        (false, true) => Ok(()),
        (false, false) => output::text(&summary::score(score, model, &args.data)),
    }
}
