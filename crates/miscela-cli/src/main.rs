//! The command `miscela`: clusters tables with k-means and Gaussian mixtures.
//!
//! ```text
//! args (as typed) ─► plan (checked, no file touched) ─► data, start (read) ─► problem (the library) ─► answer, summary
//! ```
//!
//! One file a command; [`error`] says with which code to leave.

mod answer;
mod args;
mod columns;
mod convert;
mod data;
mod error;
mod fit;
mod impute;
mod info;
mod memory;
mod metrics;
mod model;
mod output;
mod paths;
mod plan;
mod play;
mod plot;
mod predict;
mod problem;
mod progress;
mod provenance;
mod report;
mod rows;
mod sample;
mod score;
mod select;
mod shell;
mod spread;
mod start;
mod stop;
mod stream;
mod summary;
mod values;

use args::{Arguments, Command};
use clap::error::ErrorKind;
use error::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    tell_panics();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Panics are told as ever, but for those of decoders, which end in an error of one sentence.
fn tell_panics() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !miscela_table::is_guarded() {
            tell(panic);
        }
    }));
}

fn run() -> Result<(), Failure> {
    let arguments = match Arguments::parse_all() {
        Ok(arguments) => arguments,
        Err(error) => return explain(&error),
    };
    stop::heed_signals()?;
    match &arguments.command {
        Command::Fit(args) => fit::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Score(args) => score::run(args),
        Command::Metrics(args) => metrics::run(args),
        Command::Report(args) => report::run(args),
        Command::Impute(args) => impute::run(args),
        Command::Select(args) => select::run(args),
        Command::Sample(args) => sample::run(args),
        Command::Play(args) => play::run(args),
        Command::Info(args) => info::run(args),
        Command::Convert(args) => convert::run(args),
        Command::Completions { shell } => shell::completions(*shell),
        Command::Man(args) => shell::man(args),
    }
}

/// Prints help where it was asked for; otherwise what is wrong with the arguments, as one sentence.
fn explain(error: &clap::Error) -> Result<(), Failure> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Ok(error.print()?);
    }
    let text = error.render().to_string();
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        anstream::eprint!("{text}");
        return Err(Failure::call("name a command; see miscela --help"));
    }
    Err(Failure::Call(one_sentence(&text)))
}

/// The message and the tips of the parser, without its usage.
fn one_sentence(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let kept = lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    kept.fold(String::new(), |sentence, line| match line.strip_prefix("tip: ") {
        _ if sentence.is_empty() => line.to_string(),
        Some(tip) => format!("{sentence}; {tip}"),
        None => format!("{sentence} {line}"),
    })
}
