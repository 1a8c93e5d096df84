//! `miscela info`: what a model file holds.

use crate::answer::InfoAnswer;
use crate::args::InfoArgs;
use crate::error::Failure;
use crate::model::{Loaded, Model, Number};
use crate::{output, paths, summary};

pub(crate) fn run(args: &InfoArgs) -> Result<(), Failure> {
    paths::model(&args.model)?;
    match Loaded::open(&args.model)? {
        Loaded::F32(model) => info(args, &model),
        Loaded::F64(model) => info(args, &model),
    }
}

fn info<F: Number>(args: &InfoArgs, model: &Model<F>) -> Result<(), Failure> {
    match (args.answer.json, args.answer.quiet) {
        (true, _) => output::json(&InfoAnswer::new(model)),
        (false, true) => Ok(()),
        (false, false) => output::text(&summary::info(model, &args.model)),
    }
}
