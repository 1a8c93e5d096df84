//! Files that claim more than they hold end in an error, without a panic, and without memory for what they claim.

use miscela_table::read;
use std::fs;
use std::path::Path;

/// What a thread may hold at once while it reads files of a few kilobytes: one compressed byte may stand for 64 KiB.
const MOST: u64 = 1 << 28;

/// Reads files after each of their words in turn has been made a large number.
fn with_claims(names: &[&str], claims: &[&[u8]]) {
    let folder = tempfile::tempdir().unwrap();
    // All on this thread, whose memory is counted.
    let here = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().unwrap();
    for name in names {
        let good = fs::read(Path::new("tests/data").join(name)).unwrap();
        let path = folder.path().join(name);
        let mut refused = 0;
        for at in (0..good.len() - 8).step_by(4).take(4000) {
            for claim in claims {
                let mut bytes = good.clone();
                bytes[at..at + claim.len()].copy_from_slice(claim);
                fs::write(&path, bytes).unwrap();
                let mut read = || refused += usize::from(here.install(|| read(&path)).is_err());
                let held = allocation_counter::measure(&mut read).bytes_max;
                assert!(held < MOST, "{name}, byte {at}: {held} bytes were held");
            }
        }
        assert!(refused > 0, "{name}");
    }
}

const LARGE: [&[u8]; 3] = [&(1u64 << 40).to_le_bytes(), &(1u64 << 62).to_le_bytes(), &i32::MAX.to_le_bytes()];

#[test]
fn arrow_files_that_claim_much() {
    with_claims(&["lz4.feather", "zstd.arrow", "polars.arrow", "stream.arrow"], &LARGE);
}

#[test]
fn parquet_files_that_claim_much() {
    // Numbers of its metadata take seven bits a byte: so many of them are the largest there is.
    let largest: [&[u8]; 2] = [&[0xff, 0xff, 0xff, 0xff, 0x0f], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]];
    with_claims(&["short.parquet", "gaps.parquet"], &largest);
}

#[test]
fn a_page_that_claims_much() {
    // Of about a thousand bytes: a page that says it holds 1,014,559,227, and a dictionary of 405,823,691 entries; both found by fuzzing.
    for name in ["large_page.parquet", "large_dictionary.parquet"] {
        let error = read(Path::new("tests/data").join(name)).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("a page has no header, or claims more than its size allows"), "{name}: {error}");
    }
}

#[test]
fn a_header_that_claims_many_values_ends_where_the_file_does() {
    // Found by fuzzing: passing over them took as long as there were said to be.
    let started = std::time::Instant::now();
    assert!(read("tests/data/long_header.parquet").is_err());
    assert!(started.elapsed().as_secs() < 10);
}

#[test]
fn arrays_that_claim_much() {
    let good = fs::read("tests/data/rows.npy").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.npy");
    let header = String::from_utf8_lossy(&good[10..128]).into_owned();
    let (start, end) = (header.find("'shape': (").unwrap() + 10, header.find(')').unwrap());
    for shape in ["1000000000, 1000000000", "4611686018427387904, 4", "18446744073709551615, 1", "1, 1000000000"] {
        let mut bytes = good.clone();
        let longer = format!("{}{shape}{}", &header[..start], &header[end..]).trim_end().to_string();
        bytes.splice(10..128, format!("{longer:<117}\n").bytes());
        let length = 118u16.max(longer.len() as u16 + 1);
        bytes[8..10].copy_from_slice(&length.to_le_bytes());
        fs::write(&path, bytes).unwrap();
        let held = allocation_counter::measure(|| assert!(read(&path).is_err(), "{shape}")).bytes_max;
        assert!(held < 1 << 20, "{shape}: {held} bytes were held");
    }
}
