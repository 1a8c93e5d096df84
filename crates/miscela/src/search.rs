//! How long a search for a better optimum goes on, and what it does not go with.

use miscela_em::{Observer, Progress, Search, Termination};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// How long a [`Search`](crate::Search) goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum SearchBudget {
    /// Until it stops to gain. The same seed gives the same bits.
    #[default]
    UntilIdle,
    /// Until this many iterations were made, whether they gain or not. The same seed gives the same bits.
    Iterations(usize),
    /// Until this much time has passed, whether it gains or not. The result then depends on the clock.
    Seconds(f64),
}

/// A search, or a budget for one, that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// A search with something that it would not heed.
    #[error(
        "a search moves clusters wherever they are better placed, and {0} do not allow that; leave one of the two out"
    )]
    With(&'static str),
    /// A budget that is none.
    #[error("the budget of a search must be a positive number of iterations or seconds, not {0:?}")]
    Budget(SearchBudget),
    /// A budget, and no search.
    #[error("there is a budget for a search, and no search; choose one, or leave the budget out")]
    BudgetWithoutSearch,
}

/// Whether there can be a search with this budget, beside what a search cannot heed: the first of these that is given.
pub(crate) fn check(search: Search, budget: SearchBudget, given: &[(&'static str, bool)]) -> Result<(), SearchError> {
    let forbidden = given.iter().find(|(_, given)| *given).filter(|_| search != Search::None);
    match forbidden {
        Some((name, _)) => Err(SearchError::With(name)),
        None if !budget.is_usable() => Err(SearchError::Budget(budget)),
        None if search == Search::None && budget != SearchBudget::UntilIdle => Err(SearchError::BudgetWithoutSearch),
        None => Ok(()),
    }
}

impl SearchBudget {
    /// Whether it is a budget that something can be done with.
    fn is_usable(self) -> bool {
        match self {
            SearchBudget::UntilIdle => true,
            SearchBudget::Iterations(iterations) => iterations > 0,
            SearchBudget::Seconds(seconds) => Duration::try_from_secs_f64(seconds).is_ok_and(|time| !time.is_zero()),
        }
    }

    /// The limit of iterations, for the engine; it goes on when nothing is gained if there is one.
    pub(crate) fn iterations(self) -> Option<usize> {
        match self {
            SearchBudget::UntilIdle => None,
            SearchBudget::Iterations(iterations) => Some(iterations),
            SearchBudget::Seconds(_) => Some(usize::MAX),
        }
    }

    /// An observer that passes everything on and stops when the time is over.
    pub(crate) fn clocked(self, observer: &mut dyn Observer) -> Clocked<'_> {
        let time = match self {
            SearchBudget::Seconds(seconds) => Duration::try_from_secs_f64(seconds).ok(),
            _ => None,
        };
        let end = time.and_then(|time| Instant::now().checked_add(time));
        Clocked { observer, end, cancelled: false }
    }
}

/// See [`SearchBudget::clocked`].
pub(crate) struct Clocked<'o> {
    observer: &'o mut dyn Observer,
    end: Option<Instant>,
    /// Whether it was the observer that asked to stop.
    pub(crate) cancelled: bool,
}

impl Observer for Clocked<'_> {
    fn iteration(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.cancelled |= self.observer.iteration(progress).is_break();
        let over = self.end.is_some_and(|end| Instant::now() >= end);
        if self.cancelled || over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn reason(&self) -> Termination {
        self.observer.reason()
    }
}
