//! `miscela convert`: a model file in another format.

use crate::answer::ConvertAnswer;
use crate::args::ConvertArgs;
use crate::error::Failure;
use crate::model::open_any;
use crate::{output, paths};

pub(crate) fn run(args: &ConvertArgs) -> Result<(), Failure> {
    paths::model(&args.model)?;
    paths::model(&args.output)?;
    paths::folders(&[Some(&args.output)])?;
    let model = open_any(&args.model)?;
    model.save(&args.output).map_err(|error| Failure::in_file(&args.output, error))?;
    let (from, to) = (args.model.display().to_string(), args.output.display().to_string());
    match (args.answer.json, args.answer.quiet) {
        (true, _) => output::json(&ConvertAnswer { method: model.kind(), from, to }),
        (false, true) => Ok(()),
        (false, false) => output::text(&format!("{from} written to {to}\n")),
    }
}
