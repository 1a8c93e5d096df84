//! Volumes that vary with one shape for all (VEI, VEE, VEV), and one volume for all with shapes that vary (EVI, EVE, EVV).
//!
//! ```text
//! Σₖ = λₖ C:   C = Σₖ (Nₖ/N) Sₖ/λₖ    and    λₖ = tr(Sₖ C⁻¹)/d,  in turn    (Sₖ the covariance about the mean)
//! Σₖ = λ Sₖ/|Sₖ|^(1/d),   λ = Σₖ (Nₖ/N) |Sₖ|^(1/d)
//! ```
//!
//! Each half of a turn maximises the expected likelihood over what it sets, with the floor as a bound, so that no number of
//! turns lowers it. In ln λ and along the geodesics of C the likelihood is concave: there is one maximum (Celeux & Govaert
//! 1995, §2.2 and §3.1; Wiesel 2012).

use super::Regulariser;

/// When no ln λ changes by more than this, the turns end.
const CHANGE: f64 = 1e-13;
/// And after so many, in any case.
const TURNS: usize = 300;

/// Sets the shape by the volumes and the volumes by the shape, in turn. What scale the volumes have does not matter.
pub(super) fn alternate<C>(
    volumes: &mut [f64],
    mut shape: impl FnMut(&[f64]) -> C,
    mut volume: impl FnMut(&C, usize) -> f64,
) -> C {
    for _ in 1..TURNS {
        let (current, mut change) = (shape(volumes), 0.0f64);
        for (c, old) in volumes.iter_mut().enumerate() {
            let new = volume(&current, c);
            change = change.max((new / *old).ln().abs());
            *old = new;
        }
        if change <= CHANGE {
            return current;
        }
    }
    shape(volumes)
}

/// Multiplies all that is given of each component by λ/|Sₖ|^(1/d), from the mean of the logarithms of each Sₖ's variances
/// along its axes.
pub(super) fn to_one_volume(shares: &[f64], mean_logarithms: &[f64], all: &mut [Vec<f64>]) {
    // About the greatest, so that nothing overflows.
    let greatest = mean_logarithms.iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
    let volume: f64 = shares.iter().zip(mean_logarithms).map(|(share, l)| share * (l - greatest).exp()).sum();
    for (numbers, l) in all.iter_mut().zip(mean_logarithms) {
        let factor = volume * (greatest - l).exp();
        numbers.iter_mut().for_each(|x| *x *= factor);
    }
}

/// The mean of the logarithms.
pub(super) fn mean_logarithm(variances: &[f64]) -> f64 {
    variances.iter().map(|v| v.ln()).sum::<f64>() / variances.len() as f64
}

/// λₖ and C of variances along axes that are known (VEI: the coordinates; VEV: each component's own, in order of size), none
/// of λₖ C below `lowest`, in units of `unit`.
pub(super) struct Along<'a> {
    pub(super) shares: &'a [f64],
    pub(super) variances: &'a [Vec<f64>],
    pub(super) unit: &'a [f64],
    pub(super) lowest: f64,
}

impl Along<'_> {
    /// The variances of all components, from the volumes of the variances before if there are any.
    pub(super) fn estimate(&self, previous: Option<Vec<Vec<f64>>>, regulariser: &mut Regulariser) -> Vec<Vec<f64>> {
        let mut volumes: Vec<f64> = match previous {
            Some(previous) => previous.iter().map(|variances| mean_logarithm(variances).exp()).collect(),
            None => self.variances.iter().map(|variances| self.relative_mean(variances)).collect(),
        };
        volumes.iter_mut().for_each(|volume| *volume = volume.max(self.lowest));
        let shape = alternate(&mut volumes, |volumes| self.shape(volumes), |shape, c| self.volume(shape, c));
        for (c, volume) in volumes.iter().enumerate() {
            let bounds = shape.iter().zip(self.unit).map(|(s, unit)| (volume * s, self.lowest * unit * (1.0 + 1e-9)));
            regulariser.note(Some(c), bounds.filter(|(variance, bound)| variance <= bound).count());
        }
        volumes.iter().map(|volume| shape.iter().map(|s| volume * s).collect()).collect()
    }

    fn relative_mean(&self, variances: &[f64]) -> f64 {
        variances.iter().zip(self.unit).map(|(v, unit)| v / unit).sum::<f64>() / self.unit.len() as f64
    }

    fn shape(&self, volumes: &[f64]) -> Vec<f64> {
        let least = volumes.iter().fold(f64::INFINITY, |m, x| m.min(*x));
        let pooled = |j: usize| {
            let components = self.shares.iter().zip(self.variances).zip(volumes);
            components.map(|((share, variances), volume)| share * (variances[j] / volume)).sum::<f64>()
        };
        self.unit.iter().enumerate().map(|(j, unit)| pooled(j).max(self.lowest / least * unit)).collect()
    }

    fn volume(&self, shape: &[f64], c: usize) -> f64 {
        let least = shape.iter().zip(self.unit).fold(f64::INFINITY, |m, (s, unit)| m.min(s / unit));
        let trace: f64 = self.variances[c].iter().zip(shape).map(|(v, s)| v / s).sum();
        (trace / shape.len() as f64).max(self.lowest / least)
    }
}
