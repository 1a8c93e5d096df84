//! `miscela sample`: rows drawn from a mixture.

use crate::answer::{SampleAnswer, nested};
use crate::args::SampleArgs;
use crate::error::Failure;
use crate::model::{Loaded, Model, Number};
use crate::{output, paths, summary};
use miscela_table::{STANDARD_STREAM, write_array, write_labels};
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::SeedableRng;
use std::path::Path;

pub(crate) fn run(args: &SampleArgs) -> Result<(), Failure> {
    check(args)?;
    match Loaded::open(&args.model)? {
        Loaded::F32(model) => sample(args, &model),
        Loaded::F64(model) => sample(args, &model),
    }
}

fn check(args: &SampleArgs) -> Result<(), Failure> {
    paths::model(&args.model)?;
    args.output.as_deref().map_or(Ok(()), paths::table)?;
    args.labels.as_deref().map_or(Ok(()), paths::table)?;
    let written = [rows_to(args), args.labels.as_deref()];
    let stdout = args.answer.json.then_some(Path::new(STANDARD_STREAM));
    paths::apart(&[Some(&args.model)], &[written[0], written[1], stdout])?;
    paths::folders(&written)
}

/// Where the rows are written, apart from the JSON answer.
fn rows_to(args: &SampleArgs) -> Option<&Path> {
    let stdout = (!args.answer.json).then_some(Path::new(STANDARD_STREAM));
    args.output.as_deref().or(stdout)
}

fn sample<F: Number>(args: &SampleArgs, model: &Model<F>) -> Result<(), Failure> {
    let mixture = model.need_mixture(&args.model, "sampling")?;
    let (rows, labels) = mixture.sample(args.n, &mut Xoshiro256Plus::seed_from_u64(args.seed));
    let labels = labels.to_vec();
    if let Some(path) = &args.labels {
        write_labels(path, &labels)?;
    }
    if let Some(path) = rows_to(args) {
        write_array(path, mixture.feature_names(), rows.view())?;
    }
    if args.answer.json {
        let feature_names = mixture.feature_names();
        return output::json(&SampleAnswer {
            n_samples: args.n,
            feature_names,
            rows: nested(rows.view()),
            labels: &labels,
        });
    }
    match &args.output {
        Some(path) if !args.answer.quiet && !paths::is_stream(path) => {
            output::text(&format!("{} written to {}\n", summary::count(args.n, "row"), path.display()))
        }
        _ => Ok(()),
    }
}
