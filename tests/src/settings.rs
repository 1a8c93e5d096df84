//! What a mixture can be asked for, drawn at random.

use miscela::prelude::*;
use proptest::prelude::*;

/// A structure, a rule of assignment that ends, soft half of the time, and weights that are free or equal.
pub fn any_settings() -> impl Strategy<Value = (Covariance, Assignment, Mixing)> {
    let structures: Vec<Covariance> = Covariance::all().collect();
    let rules = vec![Assignment::Soft, Assignment::Soft, Assignment::Hard, Assignment::Tempered(0.5)];
    let settings = (prop::sample::select(structures), prop::sample::select(rules), any::<bool>());
    settings.prop_map(|(covariance, assignment, free)| {
        (covariance, assignment, if free { Mixing::Free } else { Mixing::Equal })
    })
}
