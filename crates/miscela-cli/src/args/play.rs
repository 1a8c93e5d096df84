//! The arguments of `play`.

use super::shared::{AnswerArgs, ColumnArgs};
use crate::values::at_least_one;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// A method to find the centres that the page starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlayInit {
    /// k distinct rows
    Random,
    /// Rows far from each other
    #[value(name = "k-means++")]
    PlusPlus,
}

const PLAY_EXAMPLE: &str = "\
Examples:
  miscela play
  miscela play measurements.csv --columns length,width -k 3
  miscela play faithful.csv --export page.html

The page is served on 127.0.0.1 alone, at an address that holds a random token and is printed; whoever knows it can use it, until
Ctrl-C ends the command. An exported page is one file of less than 2 MB that needs no server and loads nothing.";

#[derive(Debug, Args)]
#[command(after_help = PLAY_EXAMPLE)]
pub(crate) struct PlayArgs {
    /// A table of two columns, or of more with --columns A,B; shown in standard deviations [default: sets that are built in]
    pub(crate) data: Option<PathBuf>,
    /// The number of components to begin with, from 1 to 8
    #[arg(short, value_name = "K", default_value = "4", value_parser = at_least_one)]
    pub(crate) k: usize,
    /// How to find the centres to begin with
    #[arg(long, value_name = "METHOD", value_enum, default_value = "k-means++")]
    pub(crate) init: PlayInit,
    /// Seed of the random numbers to begin with
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,
    /// Serve on this port [default: one that is free]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true, conflicts_with = "export")]
    pub(crate) port: u16,
    /// Serve nothing: write the page to this file (.html), with every step on the way computed beforehand
    #[arg(long, value_name = "FILE")]
    pub(crate) export: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) answer: AnswerArgs,
    #[command(flatten)]
    pub(crate) columns: ColumnArgs,
}
