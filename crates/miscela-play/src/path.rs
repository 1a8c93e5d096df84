//! The path from a free mixture to k-means: its stations, and in plain words where one is.
//!
//! Two sliders, one for the shapes of the components and one for how rows are shared. K-means is where three conditions
//! hold: all components share one sphere, their weights are equal and fixed, and each row belongs wholly to one of them. The
//! third also holds in two limits of equal spheres: σ² → 0, and T → 0.

use crate::settings::{Settings, Weights};
use serde::Serialize;

/// A station of the slider of shapes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Shape {
    /// What it is called.
    pub name: &'static str,
    /// The covariance structure.
    pub covariance: &'static str,
    /// Whether the weights are estimated.
    pub weights: Weights,
    /// σ² as a part of the mean variance of the columns, where it is fixed.
    pub variance: Option<f64>,
}

/// A station of the slider of assignment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Assigned {
    /// What it is called.
    pub name: &'static str,
    /// From 1, soft, to 0, hard.
    pub temperature: f64,
}

/// Whether a condition of k-means holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// It does.
    Holds,
    /// It does but for rows about half-way between two centres.
    Nearly,
    /// It does not.
    Open,
}

/// Where on the path two stations are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// All components share one sphere.
    pub sphere: Condition,
    /// Their weights are equal and fixed.
    pub equal: Condition,
    /// Rows belong wholly to one of them.
    pub hard: Condition,
    /// What that is, in plain words.
    pub words: String,
}

/// The stations of both sliders.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Path {
    /// From free covariances to a sphere that vanishes.
    pub shapes: &'static [Shape],
    /// From soft to hard.
    pub assigned: &'static [Assigned],
}

/// Below this σ² T, as a part of the variance of the data, few rows are shared.
const NEARLY_HARD: f64 = 2e-3;

impl Path {
    /// The path of the page.
    pub const fn new() -> Self {
        Self { shapes: &SHAPES, assigned: &ASSIGNED }
    }

    /// The rules at two stations.
    pub fn settings(&self, shape: &Shape, assigned: &Assigned) -> Settings {
        Settings {
            covariance: shape.covariance.into(),
            variance: shape.variance,
            weights: shape.weights,
            temperature: assigned.temperature,
        }
    }

    /// For each shape, and each way to assign, where one is.
    pub fn places(&self) -> Vec<Vec<Place>> {
        let place = |shape| self.assigned.iter().map(|assigned| Place::of(shape, assigned)).collect();
        self.shapes.iter().map(place).collect()
    }
}

impl Default for Path {
    fn default() -> Self {
        Self::new()
    }
}

const fn free(name: &'static str, covariance: &'static str) -> Shape {
    Shape { name, covariance, weights: Weights::Free, variance: None }
}

const fn sphere(name: &'static str, variance: Option<f64>) -> Shape {
    Shape { name, covariance: "tied-spherical", weights: Weights::Equal, variance }
}

static SHAPES: [Shape; 12] = [
    free("own ellipses, own weights", "full"),
    free("own upright ellipses, own weights", "diag"),
    free("own circles, own weights", "spherical"),
    free("one shared circle, own weights", "tied-spherical"),
    sphere("one shared circle, equal weights", None),
    sphere("the circle fixed at σ² = 0.3", Some(0.3)),
    sphere("the circle fixed at σ² = 0.1", Some(0.1)),
    sphere("the circle fixed at σ² = 0.03", Some(0.03)),
    sphere("the circle fixed at σ² = 0.01", Some(0.01)),
    sphere("the circle fixed at σ² = 0.001", Some(1e-3)),
    sphere("the circle fixed at σ² = 0.0001", Some(1e-4)),
    sphere("σ² → 0: the circle fixed at 0.00001", Some(1e-5)),
];

static ASSIGNED: [Assigned; 8] = [
    Assigned { name: "soft, T = 1", temperature: 1.0 },
    Assigned { name: "T = 0.5", temperature: 0.5 },
    Assigned { name: "T = 0.25", temperature: 0.25 },
    Assigned { name: "T = 0.1", temperature: 0.1 },
    Assigned { name: "T = 0.03", temperature: 0.03 },
    Assigned { name: "T = 0.01", temperature: 0.01 },
    Assigned { name: "T = 0.001", temperature: 1e-3 },
    Assigned { name: "hard, T = 0", temperature: 0.0 },
];

impl Place {
    /// Where one is with these shapes and this assignment.
    pub fn of(shape: &Shape, assigned: &Assigned) -> Self {
        let holds = |it: bool| if it { Condition::Holds } else { Condition::Open };
        let sphere = holds(shape.covariance == "tied-spherical");
        let equal = holds(shape.weights == Weights::Equal);
        let temperature = assigned.temperature;
        // The variance of the data, where σ² is estimated, is an upper bound of it.
        let hard = match shape.variance.unwrap_or(1.0) * temperature {
            0.0 => Condition::Holds,
            small if small < NEARLY_HARD => Condition::Nearly,
            _ => Condition::Open,
        };
        let words = words(shape, temperature, (sphere, equal, hard));
        Self { sphere, equal, hard, words }
    }
}

fn words(shape: &Shape, temperature: f64, conditions: (Condition, Condition, Condition)) -> String {
    use Condition::{Holds, Nearly, Open};
    let shared = match temperature {
        1.0 => "rows are shared by probability: EM".to_string(),
        _ => format!("rows are shared by probability, sharpened at temperature {temperature}"),
    };
    match conditions {
        (Holds, Holds, Holds) => "This is k-means now: one shared sphere, equal fixed weights, and each row belongs wholly to \
                                  one component. How large the sphere is no longer matters."
            .into(),
        (Holds, Holds, Nearly) if temperature == 1.0 => {
            "K-means in the limit σ² → 0: the spheres are so small that all rows but those half-way between two centres belong \
             to the nearest one."
                .into()
        }
        (Holds, Holds, Nearly) => "K-means in the limit: it is so cold that all rows but those half-way between two centres \
                                   belong to the nearest one."
            .into(),
        (Holds, Holds, Open) => match shape.variance {
            None => format!("A mixture of equal spheres, whose size is estimated; {shared}. What k-means has beyond that is hard \
                             assignment: by the other slider, or by σ² → 0."),
            Some(part) => format!("Equal spheres of a fixed size, σ² = {part} of the variance of the points; {shared}. Centres \
                                   whose spheres are large meet; as σ² falls they part, and at σ² → 0 this is k-means."),
        },
        (Holds, Open, Holds) => "Nearly k-means: hard assignment and one shared sphere, but the weights are free, so that larger \
                                 clusters win rows that are nearer to another centre. Equal fixed weights are a condition."
            .into(),
        (Holds, Open, _) => format!("A mixture of spheres of one size whose weights are free; {shared}."),
        (Open, _, Holds) => "Hard assignment alone is not k-means: components still have shapes and weights of their own. This is \
                             classification EM."
            .into(),
        _ => match shape.covariance {
            "full" => format!("A free Gaussian mixture, whose components are ellipses of their own; {shared}."),
            "diag" => format!("A Gaussian mixture whose components are upright ellipses of their own; {shared}."),
            _ => format!("A Gaussian mixture whose components are circles of sizes of their own; {shared}."),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exactly where hard assignment, equal fixed weights and one shared sphere meet.
    #[test]
    fn it_says_k_means_where_all_three_conditions_hold_and_nowhere_else() {
        let path = Path::new();
        for (shape, row) in path.shapes.iter().zip(path.places()) {
            for (assigned, place) in path.assigned.iter().zip(row) {
                let all = shape.covariance == "tied-spherical"
                    && shape.weights == Weights::Equal
                    && assigned.temperature == 0.0;
                assert_eq!(place.words.starts_with("This is k-means now"), all, "{shape:?} {assigned:?}");
                let conditions = [place.sphere, place.equal, place.hard];
                assert_eq!(conditions.iter().all(|condition| *condition == Condition::Holds), all);
                let limit = place.words.starts_with("K-means in the limit");
                assert_eq!(limit, conditions == [Condition::Holds, Condition::Holds, Condition::Nearly]);
            }
        }
    }

    #[test]
    fn every_station_has_rules_that_the_engine_takes() {
        let path = Path::new();
        for shape in path.shapes {
            for assigned in path.assigned {
                assert!(path.settings(shape, assigned).params(3).is_ok(), "{shape:?} {assigned:?}");
            }
        }
        let first = (path.shapes.first(), path.assigned.first().map(|a| a.temperature));
        assert_eq!((first.0.map(|s| s.covariance), first.1), (Some("full"), Some(1.0)));
        let last = path.shapes.last().zip(path.assigned.last());
        assert!(last.is_some_and(|(s, a)| s.variance == Some(1e-5) && a.temperature == 0.0));
    }
}
