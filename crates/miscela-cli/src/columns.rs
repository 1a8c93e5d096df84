//! Numbers and columns of text, so that a person can compare them.

/// Spaces between columns.
const GAP: usize = 2;

/// A column under its name.
pub(crate) struct Column {
    name: String,
    cells: Vec<String>,
}

impl Column {
    pub(crate) fn new(name: &str, cells: impl Iterator<Item = String>) -> Self {
        Self { name: name.to_string(), cells: cells.collect() }
    }

    /// Characters, with the space before.
    pub(crate) fn width(&self) -> usize {
        let longest = self.cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
        longest.max(self.name.chars().count()) + GAP
    }
}

/// Columns side by side, aligned to the right. All have as many cells as the first.
pub(crate) fn aligned(columns: &[Column]) -> String {
    let rows = columns.first().map_or(0, |column| column.cells.len());
    let line = |cell: &dyn Fn(&Column) -> String| -> String {
        let cells = columns.iter().map(|column| format!("{:>width$}", cell(column), width = column.width()));
        cells.chain(["\n".to_string()]).collect()
    };
    let head = line(&|column| column.name.clone());
    (0..rows).map(|i| line(&|column| column.cells[i].clone())).fold(head, |text, line| text + &line)
}

/// How the numbers of a column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decimals {
    Plain(usize),
    Scientific,
}

impl Decimals {
    pub(crate) fn write(self, number: f64) -> String {
        match self {
            Decimals::Plain(decimals) => format!("{number:.decimals$}"),
            Decimals::Scientific => format!("{number:.4e}"),
        }
    }
}

/// Decimals enough to tell the numbers of a column from each other: four digits of their range, or of the smallest
/// deviation if that is less.
pub(crate) fn decimals_for(numbers: &[f64], deviations: &[f64]) -> Decimals {
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let size = low.abs().max(high.abs());
    let scales = deviations.iter().copied().chain([high - low]).filter(|scale| *scale > size * 1e-12);
    let scale = scales.fold(f64::INFINITY, f64::min);
    let scale = if scale.is_finite() { scale } else { size };
    let plain = scale == 0.0 || (scale >= 1e-6 && size < 1e12);
    if !plain {
        return Decimals::Scientific;
    }
    let digits = if scale == 0.0 { 0.0 } else { 3.0 - scale.log10().floor() };
    Decimals::Plain(digits.clamp(0.0, 6.0) as usize)
}

/// A figure that stands alone, with six digits or all before the point.
pub(crate) fn shown(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e12).contains(&size) {
        return format!("{number:.5e}");
    }
    let digits = if size == 0.0 { 0.0 } else { 5.0 - size.log10().floor() };
    format!("{number:.0$}", digits.clamp(0.0, 9.0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_follow_what_differs() {
        let write = |numbers: &[f64]| decimals_for(numbers, &[]).write(numbers[0]);
        assert_eq!(write(&[4.29793, 2.09433]), "4.298");
        assert_eq!(write(&[80.2849, 54.75]), "80.28");
        assert_eq!(write(&[100_000_001.25, 100_000_003.0]), "100000001.250");
        assert_eq!(write(&[7.0, 7.0]), "7.000");
        assert_eq!(write(&[0.0]), "0");
        assert_eq!(write(&[1.5e-30, 2e-30]), "1.5000e-30");
        assert_eq!(decimals_for(&[10.0, 20.0], &[0.012, 3.0]), Decimals::Plain(5));
    }

    #[test]
    fn figures_are_short() {
        assert_eq!(shown(8901.768721), "8901.77");
        assert_eq!(shown(-1130.263958), "-1130.26");
        assert_eq!(shown(123456789.0), "123456789");
        assert_eq!(shown(0.0), "0");
        assert_eq!(shown(1.5e-9), "1.50000e-9");
    }

    #[test]
    fn columns_are_aligned_to_the_right() {
        let columns = [
            Column::new("a", ["1".to_string(), "10".to_string()].into_iter()),
            Column::new("grüße", ["x".to_string(), "yz".to_string()].into_iter()),
        ];
        assert_eq!(aligned(&columns), "   a  grüße\n   1      x\n  10     yz\n");
    }
}
