//! `miscela play`: the engine behind a page on loopback, or its path in one file.

use crate::args::{PlayArgs, PlayInit};
use crate::data::{Data, Request};
use crate::error::{Failure, name_of};
use crate::{output, paths, stop};
use miscela_play::{EXPORT_POINTS, Init, MAX_K, PlayError, Points, Server, Start};
use miscela_table::{TableValues, write_file};
use ndarray::{ArrayView2, Axis};
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct ServedAnswer<'a> {
    url: &'a str,
}

#[derive(Serialize)]
struct ExportAnswer {
    page: String,
    bytes: usize,
    n_samples: usize,
    /// Rows that are points of the page.
    n_drawn: usize,
}

pub(crate) fn run(args: &PlayArgs) -> Result<(), Failure> {
    let start = start(args)?;
    if let Some(data) = &args.data {
        paths::tables(data)?;
    }
    if let Some(page) = &args.export {
        paths::page(page)?;
        paths::apart(&[args.data.as_deref()], &[Some(page)])?;
    }
    let points = args.data.as_deref().map(|data| read(data, args)).transpose()?;
    match &args.export {
        Some(page) => export(args, page, &points.unwrap_or_else(Points::old_faithful), start),
        None => serve(args, points, start),
    }
}

fn start(args: &PlayArgs) -> Result<Start, Failure> {
    if args.k > MAX_K {
        return Err(Failure::call(PlayError::Components(args.k)));
    }
    let init = match args.init {
        PlayInit::Random => Init::Random,
        PlayInit::PlusPlus => Init::KMeansPlusPlus,
    };
    Ok(Start { k: args.k, init, seed: args.seed })
}

/// Two columns of a table.
fn read(path: &Path, args: &PlayArgs) -> Result<Points, Failure> {
    let table = Data::read(path, &args.columns, &Request::default())?.table;
    let [x, y] = table.names() else {
        let (file, n, names) = (name_of(path), table.names().len(), table.names().join(", "));
        return Err(Failure::fault(format!(
            "{file} has {n} columns ({names}); choose two for the page with --columns A,B"
        )));
    };
    let rows: Vec<[f64; 2]> = match table.values() {
        TableValues::F32(rows) => pairs(rows.view()),
        TableValues::F64(rows) => pairs(rows.view()),
    };
    if rows.len() < args.k {
        let (file, n, k) = (name_of(path), rows.len(), args.k);
        return Err(Failure::fault(format!("{file} has {n} rows, fewer than the {k} components; lower -k")));
    }
    let name = path.file_stem().map_or_else(|| name_of(path), |stem| stem.to_string_lossy().into_owned());
    Ok(Points::of_columns(&name, [x, y], &rows))
}

fn pairs<F: Copy + Into<f64>>(rows: ArrayView2<F>) -> Vec<[f64; 2]> {
    rows.axis_iter(Axis(0)).map(|row| [row[0].into(), row[1].into()]).collect()
}

fn export(args: &PlayArgs, path: &Path, points: &Points, start: Start) -> Result<(), Failure> {
    let page = miscela_play::export(points, start).map_err(Failure::fault)?;
    write_file(path, |out| out.write_all(page.as_bytes()))?;
    let (n, drawn) = (points.of(), points.rows().len().min(EXPORT_POINTS));
    if args.answer.json {
        let page_name = path.display().to_string();
        return output::json(&ExportAnswer { page: page_name, bytes: page.len(), n_samples: n, n_drawn: drawn });
    }
    if args.answer.quiet || paths::is_stream(path) {
        return Ok(());
    }
    let part = if drawn < n { format!("{drawn} of {n} rows, evenly taken") } else { format!("{n} rows") };
    output::text(&format!(
        "The path from a free mixture to k-means, {part}, {} components: written to {} ({} kB)\nOpen it in a browser; it loads nothing.\n",
        start.k,
        name_of(path),
        page.len().div_ceil(1000)
    ))
}

fn serve(args: &PlayArgs, points: Option<Points>, start: Start) -> Result<(), Failure> {
    // Before the address is told, so that whoever reads it can end this.
    stop::at_first(|| ());
    let sets: Vec<Points> = points.into_iter().chain(Points::built_in()).collect();
    let server = Server::bind(args.port, &sets, start).map_err(Failure::fault)?;
    let url = server.url();
    match (args.answer.json, args.answer.quiet) {
        (true, _) => output::json(&ServedAnswer { url: &url })?,
        (false, true) => output::text(&format!("{url}\n"))?,
        (false, false) => {
            output::text(&format!("Open this page in a browser of this machine; Ctrl-C ends it:\n\n  {url}\n\n"))?
        }
    }
    server.run(stop::came).map_err(Failure::fault)
}
