//! All stations of the path computed beforehand, so that one file can show them without a server.
//!
//! At each station the engine runs from the same centres to the end. Of long runs some iterations are kept: the first few, then
//! ever fewer. How many is as the size of the file allows.

use crate::error::PlayError;
use crate::page;
use crate::path::Path;
use crate::points::Points;
use crate::settings::Settings;
use crate::steps::{Expected, Frame, Parameters, Reference, Run, Start, Steps};
use serde::Serialize;

/// The most points of an exported page; of more as many are taken, evenly spaced in their order.
pub const EXPORT_POINTS: usize = 500;

/// What the record may take of a page of two million bytes.
const MOST_BYTES: usize = 1_800_000;

/// How many iterations of a run are kept, from the most to what always fits.
const KEPT: [usize; 5] = [16, 11, 7, 4, 2];

/// Significant digits of numbers that are drawn.
const DIGITS: usize = 6;

#[derive(Serialize)]
struct Record {
    /// What k-means makes of the same centres.
    k_means: Reference,
    /// For each shape, and each way to assign.
    runs: Vec<Vec<Recorded>>,
}

/// What is kept of a run.
#[derive(Clone, Serialize)]
struct Recorded {
    frames: Vec<Kept>,
    settled: bool,
}

/// What is kept of an iteration.
#[derive(Clone, Serialize)]
struct Kept {
    iteration: usize,
    #[serde(flatten)]
    frame: Frame,
    #[serde(flatten)]
    expected: Expected,
}

/// The page as one file of less than two million bytes, with the path computed beforehand. It loads nothing and needs no server.
///
/// Of more than [`EXPORT_POINTS`] points as many are taken. Cost: a hundred fits of them.
///
/// # Errors
/// If there are fewer distinct points than components, or more components than the page has room for.
pub fn export(points: &Points, start: Start) -> Result<String, PlayError> {
    let points = points.clone().thinned(EXPORT_POINTS);
    let steps = Steps::new(points.rows())?;
    let centres = steps.centres(start)?;
    let path = Path::new();
    let settings = |shape| path.assigned.iter().map(move |assigned| path.settings(shape, assigned));
    let run = |settings: Settings| Ok((steps.run(&centres, &settings)?, settings));
    let runs = path.shapes.iter().map(|shape| settings(shape).map(run).collect::<Result<Vec<_>, PlayError>>());
    let runs = runs.collect::<Result<Vec<_>, _>>()?;
    let mut page = String::new();
    for most in KEPT {
        let kept = |(run, settings): &(Run, Settings)| Recorded::of(run, settings, &steps, most);
        let rows = runs.iter().map(|row| row.iter().map(kept).collect::<Result<_, _>>());
        let record = Record { k_means: steps.k_means(&centres)?, runs: rows.collect::<Result<_, _>>()? };
        page = page::recorded(points.clone(), start, &record)?;
        if page.len() <= MOST_BYTES {
            break;
        }
    }
    Ok(page)
}

impl Recorded {
    fn of(run: &Run, settings: &Settings, steps: &Steps, most: usize) -> Result<Self, PlayError> {
        let kept = |iteration: usize| {
            let frame = &run.frames[iteration];
            let expected = steps.expect(&frame.parameters, settings)?;
            Ok(Kept { iteration, frame: shortened(frame), expected })
        };
        let frames = kept_of(run.frames.len(), most).into_iter().map(kept).collect::<Result<_, PlayError>>()?;
        Ok(Self { frames, settled: run.settled })
    }
}

/// Which of n iterations are kept: the first half one by one, the rest further and further apart, and the last.
fn kept_of(n: usize, most: usize) -> Vec<usize> {
    if n <= most {
        return (0..n).collect();
    }
    let near = most / 2;
    let far = most - near;
    let ratio = ((n - 1) as f64 / near as f64).powf(1.0 / far as f64);
    let later = (1..=far).map(|i| (near as f64 * ratio.powi(i as i32)).round() as usize);
    let mut kept: Vec<usize> = (0..near).chain(later.map(|i| i.clamp(near, n - 1))).collect();
    kept.dedup();
    kept
}

fn shortened(frame: &Frame) -> Frame {
    let Frame { parameters: Parameters { weights, means, covariances }, log_likelihood, inertia, repairs } = frame;
    Frame {
        parameters: Parameters {
            weights: weights.iter().map(|w| short(*w)).collect(),
            means: means.iter().map(|row| row.map(short)).collect(),
            covariances: covariances.iter().map(|matrix| matrix.map(|row| row.map(short))).collect(),
        },
        log_likelihood: short(*log_likelihood),
        inertia: short(*inertia),
        repairs: repairs.clone(),
    }
}

/// As many digits as are drawn.
fn short(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return 0.0;
    }
    let text = format!("{x:.0$e}", DIGITS - 1);
    text.parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_iterations_and_the_last_are_kept() {
        assert_eq!(kept_of(4, 16), [0, 1, 2, 3]);
        for n in [17, 40, 501] {
            for most in KEPT {
                let kept = kept_of(n, most);
                assert!(kept.len() <= most && kept.is_sorted_by(|a, b| a < b), "{n} {most}: {kept:?}");
                assert_eq!((kept[0], kept.last().copied()), (0, Some(n - 1)), "{n} {most}: {kept:?}");
            }
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(short(-0.123456789), -0.123457);
        assert_eq!(short(123456789.0), 123457000.0);
        assert_eq!((short(0.0), short(1e-300)), (0.0, 1e-300));
    }
}
