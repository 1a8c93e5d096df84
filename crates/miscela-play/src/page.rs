//! The page, with what it needs to know: the sets, the stations and the words of the path, limits, where to start.

use crate::error::PlayError;
use crate::path::{Path, Place};
use crate::points::{MAX_POINTS, Points};
use crate::steps::{MAX_K, Start};
use miscela_page::Page;
use serde::Serialize;

const BODY: &str = include_str!("../assets/play.html");
const STYLE: &str = include_str!("../assets/play.css");
const SCRIPT: &str = include_str!("../assets/play.js");

/// What the page is told.
#[derive(Serialize)]
struct Config<'a> {
    path: Path,
    places: Vec<Vec<Place>>,
    start: Start,
    max_points: usize,
    max_k: usize,
    sets: &'a [Points],
}

/// A page of these sets, the first of which it shows.
pub(crate) fn page(title: &str, sets: &[Points], start: Start) -> Result<Page, PlayError> {
    let path = Path::new();
    let config = Config { path, places: path.places(), start, max_points: MAX_POINTS, max_k: MAX_K, sets };
    Ok(Page::new(title).style(STYLE).body(BODY).data("config", &config)?)
}

/// A page that asks the server it came from for each step.
pub(crate) fn served(sets: &[Points], start: Start) -> Result<String, PlayError> {
    Ok(page("miscela play", sets, start)?.script(SCRIPT).calls_home().to_html())
}

/// A page with a record of all steps.
pub(crate) fn recorded(points: Points, start: Start, record: &impl Serialize) -> Result<String, PlayError> {
    let title = format!("{}: k-means is a mixture", points.name());
    Ok(page(&title, &[points], start)?.data("record", record)?.script(SCRIPT).to_html())
}
