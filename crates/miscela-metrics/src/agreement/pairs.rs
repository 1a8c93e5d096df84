//! Measures that count pairs of rows.

use super::Agreement;

/// Ordered pairs of different rows, by whether the truth has them together and whether the labels do: scikit-learn's
/// `pair_confusion_matrix`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct PairConfusion {
    /// Apart in both.
    pub apart: f64,
    /// Apart in truth, together by the labels.
    pub joined: f64,
    /// Together in truth, apart by the labels.
    pub split: f64,
    /// Together in both.
    pub together: f64,
}

impl PairConfusion {
    /// `[[apart, joined], [split, together]]`, as scikit-learn has it.
    pub fn matrix(&self) -> [[f64; 2]; 2] {
        [[self.apart, self.joined], [self.split, self.together]]
    }
}

impl Agreement {
    /// The pairs of rows that the labellings have together or apart. Whole numbers, exact below 2⁵³, where weights are.
    pub fn pair_confusion(&self) -> PairConfusion {
        let squares = |weights: &mut dyn Iterator<Item = f64>| weights.map(|w| w * w).sum::<f64>();
        let both = squares(&mut self.cells.iter().map(|(_, _, w)| *w));
        let first = squares(&mut self.first.iter().copied());
        let second = squares(&mut self.second.iter().copied());
        PairConfusion {
            together: both - self.total,
            joined: second - both,
            split: first - both,
            apart: self.total * self.total - first - second + both,
        }
    }

    /// The share of pairs on which the labellings agree (Rand 1971).
    ///
    /// **Not** as a measure of quality: with many clusters nearly all pairs are apart in any two labellings, and it nears 1.
    pub fn rand(&self) -> f64 {
        let PairConfusion { apart, joined, split, together } = self.pair_confusion();
        let (agree, all) = (apart + together, apart + together + joined + split);
        if agree == all || all == 0.0 { 1.0 } else { agree / all }
    }

    /// The Rand index, adjusted so that labels dealt at random score 0 on average (Hubert & Arabie 1985).
    ///
    /// **Not** where small clusters matter: pairs are counted, and a cluster ten times as large has a hundred times as many.
    pub fn ari(&self) -> f64 {
        let PairConfusion { apart, joined, split, together } = self.pair_confusion();
        if joined == 0.0 && split == 0.0 {
            return 1.0;
        }
        let by_chance = (together + split) * (split + apart) + (together + joined) * (joined + apart);
        2.0 * (together * apart - split * joined) / by_chance
    }

    /// The geometric mean of how many pairs together in truth are so by the labels, and the other way round (Fowlkes &
    /// Mallows 1983).
    ///
    /// **Not** for few clusters: chance alone gives √(Σp² Σq²), 0.5 for two even halves.
    pub fn fowlkes_mallows(&self) -> f64 {
        let PairConfusion { joined, split, together, .. } = self.pair_confusion();
        if together == 0.0 {
            return 0.0;
        }
        (together / (together + joined)).sqrt() * (together / (together + split)).sqrt()
    }
}
