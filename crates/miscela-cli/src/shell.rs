//! `miscela completions` and `miscela man`: what shells and readers are told of the commands, made from their definitions.

use crate::args::{Arguments, ManArgs};
use crate::error::Failure;
use crate::output;
use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

/// The name that the program is called by.
const NAME: &str = "miscela";

pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), NAME, &mut script);
    output::text(&String::from_utf8_lossy(&script))
}

pub(crate) fn man(args: &ManArgs) -> Result<(), Failure> {
    let mut all = Arguments::command();
    // Names the pages of commands by one word each: miscela-fit.
    all.build();
    let page = match &args.command {
        None => all,
        Some(name) => {
            let names: Vec<String> = all.get_subcommands().map(|command| command.get_name().to_string()).collect();
            let found = all.get_subcommands().find(|command| command.get_name() == name).cloned();
            let unknown = || Failure::call(format!("there is no command {name}; there are {}", names.join(", ")));
            found.ok_or_else(unknown)?
        }
    };
    let mut text = Vec::new();
    Man::new(page).render(&mut text)?;
    output::text(&String::from_utf8_lossy(&text))
}
