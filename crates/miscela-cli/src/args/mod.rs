//! The arguments as they are typed. What they mean together is worked out in [`plan`](crate::plan).

mod fit;
mod model;
mod play;
mod rows;
mod select;
mod shared;

pub(crate) use fit::{Bayesian, FitArgs, Init, MixtureArgs, Part};
pub(crate) use model::{ConvertArgs, InfoArgs, SampleArgs};
pub(crate) use play::{PlayArgs, PlayInit};
pub(crate) use rows::{ImputeArgs, MetricsArgs, PredictArgs, ReportArgs, ScoreArgs};
pub(crate) use select::{ReferenceBox, SelectArgs, SelectInit};
pub(crate) use shared::{ColumnArgs, Dtype, MemoryArgs, Method, ScalingArgs};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

/// Clusters tables with k-means and Gaussian mixtures.
///
/// A table is a file of rows and named columns: .csv or .tsv (each also .gz; a header is found by itself), .npy, .parquet,
/// .arrow or .feather; a folder of such files; or - for CSV on standard input. Models are kept as .json or .cbor. Labels count
/// from 0.
#[derive(Debug, Parser)]
#[command(name = "miscela", version, max_term_width = 100, after_help = EXAMPLE)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// Parses the arguments of the process. A negative number is a value, which its option then refuses by name.
    pub(crate) fn parse_all() -> Result<Self, clap::Error> {
        let command = Self::command().mut_subcommands(|command| {
            command.mut_args(|arg| {
                let has_value = !arg.is_positional() && arg.get_action().takes_values();
                arg.allow_negative_numbers(has_value)
            })
        });
        Self::from_arg_matches(&command.try_get_matches()?)
    }
}

const EXAMPLE: &str = "\
Example:
  miscela fit data.csv -m gmm -k 3 -o model.json --labels labels.csv
  miscela predict model.json more.csv --proba

Exit codes: 0 done, 1 the data or the model is at fault, 2 the call is.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find the clusters of a table
    Fit(Box<FitArgs>),
    /// Label the rows of a table by a model
    Predict(PredictArgs),
    /// Fit mixtures of many kinds, or numbers of clusters, to a table, and choose one
    Select(Box<SelectArgs>),
    /// Judge a model on a table
    Score(ScoreArgs),
    /// Measure a clustering by itself, beside a truth, or both
    Metrics(MetricsArgs),
    /// Write a page to look at: a model and the rows of a table
    Report(ReportArgs),
    /// Fill missing values by a model
    Impute(ImputeArgs),
    /// Draw rows from a mixture
    Sample(SampleArgs),
    /// See a mixture become k-means: a page to touch, whose every step is the engine's
    Play(PlayArgs),
    /// Show what a model file holds
    Info(InfoArgs),
    /// Turn a model file into another format, of miscela or of another tool
    Convert(ConvertArgs),
    /// Print a script that completes commands in a shell
    #[command(after_help = COMPLETIONS_EXAMPLE)]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print a manual page, for man to show
    Man(ManArgs),
}

const COMPLETIONS_EXAMPLE: &str = "\
Examples:
  miscela completions bash > ~/.local/share/bash-completion/completions/miscela
  miscela completions zsh > ~/.zfunc/_miscela
  miscela completions fish > ~/.config/fish/completions/miscela.fish";

const MAN_EXAMPLE: &str = "\
Examples:
  miscela man fit | man -l -
  miscela man > /usr/local/share/man/man1/miscela.1";

#[derive(Debug, Args)]
#[command(after_help = MAN_EXAMPLE)]
pub(crate) struct ManArgs {
    /// The command that the page is about [default: all of them, in short]
    pub(crate) command: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use miscela::prelude::*;
    use miscela::{CanonicalOrder, Empty, Sizing, SplitStrategy};

    #[test]
    fn the_definitions_hold_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_help_of_fit_knows_the_defaults_of_the_library() {
        let (kmeans, mixture) = (KMeans::<f64>::params(1), GaussianMixture::<f64>::params(1));
        let (kmeans, mixture) = (kmeans.check().unwrap(), mixture.check().unwrap());
        let help = |id: &str| {
            let command = Arguments::command();
            let fit = command.find_subcommand("fit").unwrap();
            fit.get_arguments().find(|arg| arg.get_id() == id).unwrap().get_help().unwrap().to_string()
        };
        let limits = (kmeans.max_n_iterations(), mixture.max_n_iterations());
        let expected = format!("[default: {}, and {} for a mixture]", limits.0, limits.1);
        assert!(help("max_iter").contains(&expected), "{expected}");
        let tolerances = (kmeans.tolerance(), mixture.tolerance());
        assert!(help("tol").contains(&format!("[default: {:e}, and {:e} for a mixture]", tolerances.0, tolerances.1)));
        assert!(help("reg_covar").contains(&format!("[default: {:e}]", mixture.reg_covariance())));
    }

    #[test]
    fn the_help_of_fit_knows_all_names() {
        let command = Arguments::command();
        let fit = command.find_subcommand("fit").unwrap();
        let knows = |id: &str, names: &mut dyn Iterator<Item = &'static str>| {
            let help = fit.get_arguments().find(|arg| arg.get_id() == id).unwrap().get_help().unwrap().to_string();
            names.for_each(|name| assert!(help.contains(name), "{help}: {name}"));
        };
        knows("algorithm", &mut Algorithm::ALL.into_iter().map(Algorithm::name));
        knows("empty", &mut Empty::ALL.into_iter().map(Empty::name));
        knows("sizing", &mut Sizing::ALL.into_iter().map(Sizing::name));
        knows("split", &mut SplitStrategy::ALL.into_iter().map(SplitStrategy::name));
        knows("order", &mut CanonicalOrder::ALL.into_iter().map(CanonicalOrder::name));
        knows("collapse", &mut Collapse::ALL.into_iter().map(Collapse::name));
        knows(
            "covariance",
            &mut Covariance::all().flat_map(|covariance| [covariance.name(), covariance.mclust_name()]),
        );
    }

    #[test]
    fn every_command_shows_an_example() {
        for command in Arguments::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("miscela {} ", command.get_name())), "{help}");
        }
    }
}
