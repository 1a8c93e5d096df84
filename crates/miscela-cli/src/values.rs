//! The values of options, read one by one: numbers in their range, names that are known.

use miscela::{AnnealTo, Annealing, AnyCentred, AnyDistance, Assignment, Degrees, L2, Missing};

/// The distance of k-means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Metric {
    /// Known by its name.
    Named(AnyCentred),
    /// By the covariance of the rows.
    Mahalanobis,
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
    const USE: &str = "use l2, l1, cosine, mahalanobis, kl or itakura-saito";
    match name {
        // Centres by Euclidean distance, both.
        "l2" | "sqeuclidean" => Ok(Metric::Named(L2.into())),
        "mahalanobis" => Ok(Metric::Mahalanobis),
        _ => match AnyDistance::from_name(name).map(AnyCentred::try_from) {
            Some(Ok(distance)) => Ok(Metric::Named(distance)),
            Some(Err(error)) => Err(error.to_string()),
            None if AnyDistance::NAMES.contains(&name) => Err(format!("k-means has no centre rule for {name}; {USE}")),
            None => Err(USE.to_string()),
        },
    }
}

/// The distance of a measure, which needs no centres.
pub(crate) fn measured(name: &str) -> Result<AnyDistance, String> {
    AnyDistance::from_name(name).ok_or_else(|| "use l2, sqeuclidean, l1, linf, cosine, kl or itakura-saito".to_string())
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

/// Degrees of freedom: a number, or how they are estimated.
pub(crate) fn degrees(text: &str) -> Result<Degrees, String> {
    match text {
        "shared" => Ok(Degrees::Shared),
        "each" => Ok(Degrees::Each),
        _ => positive(text).map(Degrees::Given).map_err(|_| "give a finite number above 0, shared or each".to_string()),
    }
}
