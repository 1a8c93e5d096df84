//! `miscela impute`: a table with its missing values filled by a model.

use crate::answer::{ImputeAnswer, nested};
use crate::args::ImputeArgs;
use crate::data::{Data, Request};
use crate::error::Failure;
use crate::model::{Loaded, Model, Number};
use crate::plan::threads;
use crate::progress::Progress;
use crate::{output, paths, summary};
use miscela::Missing;
use miscela_table::{Columns, Format, Kind, STANDARD_STREAM, TextColumns, write_array, write_rows};
use ndarray::Array2;
use std::path::Path;

pub(crate) fn run(args: &ImputeArgs) -> Result<(), Failure> {
    paths::model(&args.model)?;
    paths::tables(&args.data)?;
    args.output.as_deref().map_or(Ok(()), paths::table)?;
    let stdout = args.answer.json.then_some(Path::new(STANDARD_STREAM));
    paths::apart(&[Some(&args.data), Some(&args.model)], &[args.output.as_deref(), stdout])?;
    paths::folders(&[args.output.as_deref()])?;
    match Loaded::open(&args.model)? {
        Loaded::F32(model) => impute(args, &model),
        Loaded::F64(model) => impute(args, &model),
    }
}

fn impute<F: Number>(args: &ImputeArgs, model: &Model<F>) -> Result<(), Failure> {
    let progress = Progress::start(args.answer.quiet);
    let meter = progress.reading(&args.data);
    let request = Request {
        model: Some(model.feature_names()),
        carry: Some(Columns::All),
        missing: Some(Missing::Marginal),
        meter,
        ..Request::default()
    };
    let data = Data::read(&args.data, &args.columns, &request)?;
    data.check_for(&args.data, model.feature_names(), args.answer.quiet)?;
    let (names, carried) = (data.table.names().to_vec(), data.table.carried().clone());
    let rows = data.table.into_array::<F>()?;
    progress.stage("filling");
    let whole = threads(args.threads.threads).install(|_| model.impute(&rows, &args.data))?;
    drop(progress);

    let stdout = (!args.answer.json).then_some(Path::new(STANDARD_STREAM));
    if let Some(path) = args.output.as_deref().or(stdout) {
        match Format::of(path)?.kind {
            // Arrays have room for the model's columns alone.
            Kind::Npy => write_array(path, &names, whole.view())?,
            _ => write_filled(path, &names, &carried, (&rows, &whole))?,
        }
    }
    let n_missing = rows.iter().filter(|x| x.is_nan()).count();
    if args.answer.json {
        let (method, feature_names) = (model.method(), model.feature_names());
        let n_samples = rows.nrows();
        return output::json(&ImputeAnswer { method, n_samples, n_missing, feature_names, rows: nested(whole.view()) });
    }
    match &args.output {
        Some(path) if !args.answer.quiet && !paths::is_stream(path) => {
            let (values, rows) = (summary::count(n_missing, "value"), summary::count(rows.nrows(), "row"));
            output::text(&format!("{values} filled in {rows}, written to {}\n", path.display()))
        }
        _ => Ok(()),
    }
}

/// The table as it was read, with numbers where values were missing.
fn write_filled<F: Number>(
    path: &Path,
    names: &[String],
    carried: &TextColumns,
    (rows, whole): (&Array2<F>, &Array2<F>),
) -> Result<(), Failure> {
    let place = |name: &String| names.iter().position(|used| used == name);
    let places: Vec<Option<usize>> = carried.names().iter().map(place).collect();
    write_rows(path, carried.names(), |out| {
        for i in 0..rows.nrows() {
            for (text, place) in carried.row(i).zip(&places) {
                match place.filter(|j| rows[[i, *j]].is_nan()) {
                    Some(j) => out.number(whole[[i, j]])?,
                    None => out.text(text)?,
                }
            }
            out.end()?;
        }
        Ok(())
    })?;
    Ok(())
}
