//! What has changed from one model to the next.
//!
//! Clusters are matched so that the distances of all pairs sum to the least (the Hungarian method), and each pair is compared.

use miscela_em::cheapest_matching;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What has changed from a previous model to the current one.
///
/// Not a test: what is much depends on how much two fits of equal data differ; compare with the drift between fits of
/// halves of the old data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Drift {
    /// The clusters that both models have, in the order of the current one.
    pub matches: Vec<MatchedClusters>,
    /// Clusters of the previous model that the current one has none for.
    pub vanished: Vec<usize>,
    /// Clusters of the current model that the previous one had none for.
    pub appeared: Vec<usize>,
    /// ½ Σ |change of the shares| over all clusters: the share of all weight that is elsewhere, at least; from 0 to 1.
    pub moved_share: f64,
    /// How rows are labelled by one and the other, if any were given.
    pub relabelled: Option<Relabelled>,
}

/// A cluster, before and now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MatchedClusters {
    /// Its number in the previous model.
    pub previous: usize,
    /// Its number in the current one.
    pub current: usize,
    /// How far its centre moved, in units of the spread: 1 is as far as the previous model's rows lie from their centres, in root
    /// mean square.
    pub movement: f64,
    /// Its share of the weight in the previous model.
    pub previous_share: f64,
    /// Its share now.
    pub current_share: f64,
}

/// Rows that one model and the other put into different clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Relabelled {
    /// Rows.
    pub rows: usize,
    /// Those whose two clusters are not matched.
    pub changed: usize,
}

impl Drift {
    /// From distances of current to previous clusters, shares of each, and how far the centre of a pair has moved.
    pub(crate) fn new<E>(
        apart: &Array2<f64>,
        previous_shares: &[f64],
        current_shares: &[f64],
        movement: impl Fn(usize, usize) -> Result<f64, E>,
    ) -> Result<Self, E> {
        let matched = matching(apart);
        let pairs: Vec<(usize, usize)> =
            matched.iter().enumerate().filter_map(|(current, previous)| Some((current, (*previous)?))).collect();
        let pair = |(current, previous): &(usize, usize)| {
            Ok(MatchedClusters {
                previous: *previous,
                current: *current,
                movement: movement(*current, *previous)?,
                previous_share: previous_shares[*previous],
                current_share: current_shares[*current],
            })
        };
        let matches = pairs.iter().map(pair).collect::<Result<Vec<_>, E>>()?;
        let vanished: Vec<usize> =
            (0..apart.ncols()).filter(|c| pairs.iter().all(|(_, previous)| previous != c)).collect();
        let appeared: Vec<usize> = (0..apart.nrows()).filter(|c| matched[*c].is_none()).collect();
        let changes = matches.iter().map(|pair| (pair.current_share - pair.previous_share).abs());
        let gone = vanished.iter().map(|c| previous_shares[*c]);
        let new = appeared.iter().map(|c| current_shares[*c]);
        let moved_share = changes.chain(gone).chain(new).sum::<f64>() / 2.0;
        Ok(Self { matches, vanished, appeared, moved_share, relabelled: None })
    }

    /// The same with the labels that both models give to some rows. Labels beyond all clusters, those of noise, are one.
    pub(crate) fn on(self, previous: &Array1<usize>, current: &Array1<usize>) -> Self {
        let of = |label: usize| self.matches.iter().find(|pair| pair.current == label).map(|pair| pair.previous);
        let k = |unmatched: &[usize]| self.matches.len() + unmatched.len();
        let (before, now) = (k(&self.vanished), k(&self.appeared));
        let stays = |(previous, current): &(&usize, &usize)| match **current {
            label if label >= now => **previous >= before,
            label => of(label) == Some(**previous),
        };
        let kept = previous.iter().zip(current).filter(stays).count();
        let relabelled = Relabelled { rows: current.len(), changed: current.len() - kept };
        Self { relabelled: Some(relabelled), ..self }
    }

    /// The greatest movement of a cluster that both models have; zero if there is none.
    pub fn greatest_movement(&self) -> f64 {
        self.matches.iter().map(|pair| pair.movement).fold(0.0, f64::max)
    }
}

/// For each current cluster the previous one, from their distances; those that are no number are as far as can be.
pub(crate) fn matching(apart: &Array2<f64>) -> Vec<Option<usize>> {
    // Far enough that sums of them are finite.
    let bounded = apart.mapv(|cost| if cost < 1e150 { cost } else { 1e150 });
    cheapest_matching(bounded.view())
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>8} {:>8} {:>10} {:>8} {:>8}", "previous", "current", "movement", "share", "now")?;
        for MatchedClusters { previous, current, movement, previous_share, current_share } in &self.matches {
            let (before, now) = (100.0 * previous_share, 100.0 * current_share);
            writeln!(f, "{previous:>8} {current:>8} {movement:>10.3} {before:>7.1}% {now:>7.1}%")?;
        }
        for previous in &self.vanished {
            writeln!(f, "{previous:>8} {:>8}", "-")?;
        }
        for current in &self.appeared {
            writeln!(f, "{:>8} {current:>8}", "-")?;
        }
        match self.relabelled {
            Some(Relabelled { rows, changed }) => writeln!(f, "{changed} of {rows} rows changed their cluster"),
            None => Ok(()),
        }
    }
}
