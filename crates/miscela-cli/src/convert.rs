//! `miscela convert`: a model file in another format, of miscela or of another tool.

use crate::answer::ConvertAnswer;
use crate::args::ConvertArgs;
use crate::error::{Failure, name_of};
use crate::model::open_any;
use crate::{output, paths};
use miscela::{AnyModel, Codec, ColumnScaling, Kept as _};
use miscela_exchange::Format;
use std::path::Path;

pub(crate) fn run(args: &ConvertArgs) -> Result<(), Failure> {
    let (source, target) = (Kept::at(&args.model)?, Kept::at(&args.output)?);
    source.check_readable()?;
    paths::folders(&[Some(&args.output)])?;
    let (scaling, model) = source.open(&args.model)?;
    target.save(&model, scaling.as_ref(), &args.output)?;
    let (from, to) = (args.model.display().to_string(), args.output.display().to_string());
    match (args.answer.json, args.answer.quiet) {
        (true, _) => output::json(&ConvertAnswer { method: model.kind(), from, to }),
        (false, true) => Ok(()),
        (false, false) => output::text(&format!("{from} written to {to}\n")),
    }
}

/// How a model is kept in a file.
enum Kept {
    Whole,
    ForOthers(Format),
}

impl Kept {
    /// By the ending.
    fn at(path: &Path) -> Result<Self, Failure> {
        match (Codec::from_path(path), Format::from_path(path)) {
            (Ok(_), _) => Ok(Kept::Whole),
            (_, Ok(format)) => Ok(Kept::ForOthers(format)),
            (Err(_), Err(_)) => {
                let endings = Codec::ALL.map(Codec::ending).into_iter().chain(Format::ALL.map(Format::ending));
                let endings: Vec<String> = endings.map(|ending| format!(".{ending}")).collect();
                Err(Failure::call(format!("{}: a model file ends in {}", name_of(path), endings.join(", "))))
            }
        }
    }

    fn check_readable(&self) -> Result<(), Failure> {
        match self {
            Kept::Whole => Ok(()),
            Kept::ForOthers(format) => format.check_readable().map_err(Failure::call),
        }
    }

    /// A model, and the scaling of its rows where there is one.
    fn open(&self, path: &Path) -> Result<(Option<ColumnScaling>, AnyModel), Failure> {
        match self {
            Kept::Whole => open_any(path),
            Kept::ForOthers(format) => {
                let model = format.load(path).map_err(|error| Failure::in_file(path, error))?;
                Ok((None, model))
            }
        }
    }

    fn save(&self, model: &AnyModel, scaling: Option<&ColumnScaling>, path: &Path) -> Result<(), Failure> {
        match self {
            Kept::Whole => model.write(path, scaling.cloned()).map_err(|error| Failure::in_file(path, error)),
            Kept::ForOthers(format) => {
                let bytes = format.encode_scaled(model, scaling).map_err(|error| Failure::in_file(path, error))?;
                miscela_table::write_file(path, |out| out.write_all(&bytes)).map_err(Failure::from)
            }
        }
    }
}
