//! The values of options, read one by one: numbers in their range, names that are known, names that are known and not
//! available.

use miscela::metrics::AnyDistance;
use miscela::{AnnealTo, Annealing, Assignment, Missing};

/// The distance of k-means. Both names are one: centres by Euclidean distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metric {
    L2,
}

pub(crate) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("give at least 1".to_string()),
        Ok(count) => Ok(count),
        Err(_) => Err("give a whole number, at least 1".to_string()),
    }
}

pub(crate) fn at_least_two(text: &str) -> Result<usize, String> {
    at_least_one(text).ok().filter(|count| *count > 1).ok_or_else(|| "give a whole number, at least 2".to_string())
}

fn number(text: &str, fits: impl Fn(f64) -> bool, what: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|x: &f64| x.is_finite() && fits(*x));
    number.ok_or_else(|| format!("give a finite number {what}"))
}

pub(crate) fn not_negative(text: &str) -> Result<f64, String> {
    number(text, |x| x >= 0.0, "from 0 on")
}

pub(crate) fn positive(text: &str) -> Result<f64, String> {
    number(text, |x| x > 0.0, "above 0")
}

pub(crate) fn missing(name: &str) -> Result<Missing, String> {
    name.parse().map_err(|_| "use error or marginal".to_string())
}

pub(crate) fn metric(name: &str) -> Result<Metric, String> {
    match name {
        "l2" | "sqeuclidean" => Ok(Metric::L2),
        "l1" | "linf" | "lp" | "cosine" | "mahalanobis" | "kl" => Err(not_available(name, "l2")),
        _ => Err("use l2 or sqeuclidean".to_string()),
    }
}

/// The distance of a measure, which needs no centres.
pub(crate) fn measured(name: &str) -> Result<AnyDistance, String> {
    AnyDistance::from_name(name).ok_or_else(|| "use l2, sqeuclidean, l1, linf, cosine or kl".to_string())
}

pub(crate) fn assignment(name: &str) -> Result<Assignment, String> {
    match name {
        "soft" => Ok(Assignment::Soft),
        "hard" => Ok(Assignment::Hard),
        "stochastic" => Ok(Assignment::Stochastic),
        "annealed" => Ok(Assignment::Annealed(Annealing::default())),
        _ => Err("use soft, hard, stochastic or annealed".to_string()),
    }
}

pub(crate) fn at_least_1(text: &str) -> Result<f64, String> {
    number(text, |x| x >= 1.0, "from 1 on")
}

pub(crate) fn between_0_and_1(text: &str) -> Result<f64, String> {
    number(text, |x| x > 0.0 && x < 1.0, "between 0 and 1")
}

pub(crate) fn anneal_to(name: &str) -> Result<AnnealTo, String> {
    match name {
        "soft" => Ok(AnnealTo::Soft),
        "hard" => Ok(AnnealTo::Hard),
        _ => Err("use soft or hard".to_string()),
    }
}

fn not_available(name: &str, instead: &str) -> String {
    format!("{name} is not available; use {instead}")
}
