//! How much memory a table may take, and whether it does.

use crate::args::MemoryArgs;
use miscela_table::Format;
use std::fs;
use std::path::Path;

/// No number in memory takes more than so many times the bytes it takes in a file that is not packed: an array of single bytes.
const MOST_UNPACKED: u64 = 8;

/// The budget: what was asked for; else half of what is free, as a fit may hold the numbers twice. Nothing where the system does
/// not say what is free.
pub(crate) fn budget(args: &MemoryArgs) -> Option<u64> {
    args.memory.or_else(|| {
        let free = available(&fs::read_to_string("/proc/meminfo").ok()?)?;
        Some(granted().map_or(free, |granted| granted.min(free)) / 2)
    })
}

/// The line `MemAvailable:  123 kB`.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// What the control groups of the process leave it, as containers and services have them (version 2): the least of all that are
/// above it, of which files that are only cached take nothing.
fn granted() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let root = Path::new("/sys/fs/cgroup");
    root.join(own).ancestors().take_while(|group| group.starts_with(root)).filter_map(left_to).min()
}

/// Of one group.
fn left_to(group: &Path) -> Option<u64> {
    let read = |name: &str| fs::read_to_string(group.join(name)).ok();
    let number = |text: String| text.trim().parse::<u64>().ok();
    let (most, taken) = (number(read("memory.max")?)?, number(read("memory.current")?)?);
    let cached = read("memory.stat")?.lines().find_map(|line| line.strip_prefix("file ")?.parse().ok()).unwrap_or(0);
    Some(most.saturating_sub(taken.saturating_sub(cached)))
}

/// Whether the file is so small that what it holds fits, whatever it is.
pub(crate) fn surely_fits(path: &Path, budget: u64) -> bool {
    let plain = Format::of(path).is_ok_and(|format| !format.is_packed());
    let bytes = path.metadata().map(|there| there.len());
    plain && bytes.is_ok_and(|bytes| bytes.saturating_mul(MOST_UNPACKED) <= budget)
}

/// A number of bytes for people: `1.5 GB`.
pub(crate) fn shown(bytes: u64) -> String {
    let units = [("GB", 1u64 << 30), ("MB", 1 << 20), ("KB", 1 << 10)];
    match units.into_iter().find(|(_, size)| bytes >= *size) {
        Some((unit, size)) => format!("{:.1} {unit}", bytes as f64 / size as f64),
        None => format!("{bytes} bytes"),
    }
}

/// A size as it is typed: a number of bytes, or of K, M, G, T, which are powers of 1024.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let wrong = || "give a size such as 512M or 2G".to_string();
    let upper = text.trim().to_ascii_uppercase();
    let plain = upper.strip_suffix("IB").or(upper.strip_suffix('B')).unwrap_or(&upper);
    let (number, unit) = match plain.char_indices().last() {
        Some((end, 'K')) => (&plain[..end], 10),
        Some((end, 'M')) => (&plain[..end], 20),
        Some((end, 'G')) => (&plain[..end], 30),
        Some((end, 'T')) => (&plain[..end], 40),
        _ => (plain, 0),
    };
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let bytes = number * f64::from(unit).exp2();
    if bytes >= 1.0 && bytes < u64::MAX as f64 { Ok(bytes as u64) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_shown() {
        assert_eq!(
            ["2G", "512M", "1.5gib", "100", "3 kB"].map(size),
            [2 << 30, 512 << 20, 3 << 29, 100, 3 << 10].map(Ok)
        );
        for wrong in ["", "G", "-1G", "nan", "1e99T", "2X", "0"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!([100, 1 << 20, 3 << 29].map(shown), ["100 bytes", "1.0 MB", "1.5 GB"]);
    }

    #[test]
    fn what_is_free_is_read() {
        assert_eq!(available("MemTotal:  9 kB\nMemAvailable:    5 kB\n"), Some(5 << 10));
        assert_eq!(available("MemTotal: 9 kB"), None);
    }
}
