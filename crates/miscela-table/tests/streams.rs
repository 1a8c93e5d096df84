//! The same rows in every format and in chunks of any size: the same bits. Files that other programs wrote are in `data`.

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Float64Array, NullArray};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use miscela_kernel::{Source, SourceError};
use miscela_table::{
    Arrays, Blocks, Columns, ReadOptions, RecordBatch, TableValues, chunk_rows, read, read_with, write_array,
    write_rows,
};
use ndarray::{Array2, Axis};
use ndarray_npy::write_npy;
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::tempdir;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

const NUMBERS: [&str; 6] = ["x", "y", "count", "large", "flag", "price"];

fn numbers() -> ReadOptions {
    ReadOptions { columns: Columns::only(NUMBERS), ..ReadOptions::default() }
}

/// Files of many programs, that hold what `numbers.csv` does.
const OTHERS: [&str; 9] = [
    "pyarrow.parquet",
    "pyarrow_v2.parquet",
    "pandas.parquet",
    "gzip.parquet",
    "polars.parquet",
    "lz4.feather",
    "zstd.arrow",
    "stream.arrow",
    "polars.arrow",
];

type Chunks<F> = Vec<(Array2<F>, Option<Vec<f64>>)>;

/// All chunks, and that each says where it begins.
fn chunks<F: miscela_kernel::Float>(source: &impl Source<F>) -> Result<Chunks<F>, SourceError> {
    source
        .chunks()?
        .map(|chunk| {
            let chunk = chunk?;
            let weights = chunk.weights.map(|weights| weights.into_owned());
            Ok((chunk.rows.into_owned(), weights))
        })
        .collect()
}

fn bits(values: &Array2<f64>) -> Vec<u64> {
    values.iter().map(|x| x.to_bits()).collect()
}

fn some(rows: &Array2<f64>, range: std::ops::Range<usize>) -> Array2<f64> {
    rows.slice_axis(Axis(0), range.into()).to_owned()
}

fn message<T>(result: Result<T, impl std::fmt::Display>) -> String {
    let error = result.err().expect("it is an error").to_string();
    error.rsplit_once('/').map_or(error.clone(), |(_, end)| end.to_string())
}

#[test]
fn files_of_other_programs_hold_the_same_numbers() {
    let expected = read(data("numbers.csv")).unwrap();
    assert_eq!(expected.names(), NUMBERS);
    let expected = expected.into_f64();
    for name in OTHERS {
        let table = read_with(data(name), &numbers()).unwrap();
        assert_eq!(table.names(), NUMBERS);
        assert_eq!(bits(&table.into_f64()), bits(&expected), "{name}");
    }
    for name in ["rows.npy", "fortran.npy"] {
        assert_eq!(bits(&read(data(name)).unwrap().into_f64()), bits(&expected), "{name}");
    }
    assert!(matches!(read(data("short.parquet")).unwrap().values(), TableValues::F32(_)));
}

#[test]
fn what_is_no_number_is_carried_as_text() {
    let carried = Columns::only(["name", "kind", "day", "count", "flag", "price", "y"]);
    let options = ReadOptions { carry: Some(carried), ..numbers() };
    let first = read_with(data("pyarrow.parquet"), &options).unwrap();
    let row: Vec<_> = first.carried().row(18).collect();
    assert_eq!(row[..5], ["row 1, \"quoted\"", "a", "2020-01-19", "42", "true"]);
    assert_eq!(row[5], "6.66");
    for name in OTHERS.iter().filter(|name| !name.starts_with("polars")) {
        assert_eq!(read_with(data(name), &options).unwrap().carried(), first.carried(), "{name}");
    }
}

#[test]
fn weights_are_a_column_apart() {
    let options = ReadOptions { weights: Some("weight".into()), ..numbers() };
    for name in OTHERS {
        let table = read_with(data(name), &options).unwrap();
        assert_eq!(table.names(), NUMBERS);
        assert_eq!(table.weights().unwrap()[..7], [0.0, 1.0, 2.0, 3.0, 4.0, 0.0, 1.0], "{name}");
        let blocks = Blocks::open(data(name), &options).unwrap().with_chunk_rows(7);
        assert_eq!(chunks::<f64>(&blocks).unwrap()[1].1.as_ref().unwrap()[..3], [2.0, 3.0, 4.0], "{name}");
    }
    let short = ReadOptions { weights: Some("b".into()), ..ReadOptions::default() };
    let table = read_with(data("short.parquet"), &short).unwrap();
    assert!(matches!(table.values(), TableValues::F32(_)));
    assert_eq!((table.names(), table.weights().unwrap()[3]), (&["a".to_string()][..], 3.0));
}

#[test]
fn every_format_gives_the_same_chunks() {
    let expected = read(data("numbers.csv")).unwrap().into_f64();
    for size in [1, 7, 64, 128, 300, 1000] {
        let cut: Chunks<f64> = expected.axis_chunks_iter(Axis(0), size).map(|rows| (rows.to_owned(), None)).collect();
        for name in OTHERS.iter().chain(&["numbers.csv"]) {
            let blocks = Blocks::open(data(name), &numbers()).unwrap().with_chunk_rows(size);
            assert_eq!(chunks::<f64>(&blocks).unwrap(), cut, "{name} by {size}");
            // And once more from the start, and as the other type of number.
            let narrow = chunks::<f32>(&blocks).unwrap();
            assert!(narrow.iter().zip(&cut).all(|(a, b)| a.0 == b.0.mapv(|x| x as f32)), "{name} by {size}");
        }
        for name in ["rows.npy", "fortran.npy"] {
            let blocks = Blocks::open(data(name), &ReadOptions::default()).unwrap().with_chunk_rows(size);
            assert_eq!(chunks::<f64>(&blocks).unwrap(), cut, "{name} by {size}");
            assert_eq!(blocks.n_rows(), Some(300));
        }
    }
}

#[test]
fn record_batches_and_iterations_are_sources_too() {
    let expected = read(data("numbers.csv")).unwrap().into_f64();
    let (rows, cuts) = (expected.clone(), [0, 100, 101, 250, 300]);
    let begin = || {
        let rows = rows.clone();
        cuts.windows(2)
            .map(|cut| cut.to_vec())
            .collect::<Vec<_>>()
            .into_iter()
            .map(move |cut| Ok(some(&rows, cut[0]..cut[1])))
    };
    let batches: Vec<_> = record_batches(&data("lz4.feather"));
    assert_eq!(batches.len(), 4);
    let memory = Blocks::of_batches(batches, &numbers()).unwrap();
    assert_eq!(memory.n_rows(), Some(300));
    for size in [1, 64, 99, 1000] {
        let cut: Chunks<f64> = expected.axis_chunks_iter(Axis(0), size).map(|rows| (rows.to_owned(), None)).collect();
        assert_eq!(chunks::<f64>(&memory.clone().with_chunk_rows(size)).unwrap(), cut);
        assert_eq!(chunks::<f64>(&Arrays::new(6, begin).with_chunk_rows(size)).unwrap(), cut);
    }
    let wrong = Arrays::new(5, begin);
    assert!(message(chunks::<f64>(&wrong)).contains("has 6 columns where 5 are expected"));
}

fn record_batches(path: &Path) -> Vec<RecordBatch> {
    let file = fs::File::open(path).unwrap();
    arrow_ipc::reader::FileReader::try_new(file, None).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_folder_is_its_files_one_after_the_other() {
    let folder = tempdir().unwrap();
    let all = read(data("numbers.csv")).unwrap().into_f64();
    let part = |name: &str, rows: std::ops::Range<usize>| {
        write_array(folder.path().join(name), &NUMBERS, some(&all, rows).view()).unwrap();
    };
    part("part-1.parquet", 0..100);
    part("part-2.csv.gz", 100..101);
    part("part-3.arrow", 101..300);
    fs::write(folder.path().join("_SUCCESS"), "").unwrap();
    fs::write(folder.path().join(".part-1.crc"), "").unwrap();
    assert_eq!(read(folder.path()).unwrap().into_f64(), all);
    let blocks = Blocks::open(folder.path(), &ReadOptions::default()).unwrap().with_chunk_rows(64);
    let cut: Chunks<f64> = all.axis_chunks_iter(Axis(0), 64).map(|rows| (rows.to_owned(), None)).collect();
    assert_eq!(chunks::<f64>(&blocks).unwrap(), cut);
    let origins: Vec<_> = Source::<f64>::chunks(&blocks).unwrap().map(|chunk| chunk.unwrap().origin).collect();
    assert!(origins[0].name.ends_with("part-1.parquet, row group 0") && origins[0].first_row == 0);
    // Over the end of a file, the folder has the rows.
    assert_eq!((origins[1].name.as_str(), origins[1].first_row), (folder.path().to_str().unwrap(), 64));
    assert!(origins[2].name.ends_with("part-3.arrow") && origins[2].first_row == 27);

    part("part-4.csv", 0..3);
    write_array(folder.path().join("part-5.csv"), &["x", "z"], Array2::<f64>::zeros((3, 2)).view()).unwrap();
    assert_eq!(
        message(Blocks::open(folder.path(), &ReadOptions::default())),
        "part-1.parquet has x, y, count, large, flag, price; make the files of a folder alike"
    );
    fs::write(folder.path().join("part-5.csv"), "x,y,count,large,flag,price\n").unwrap();
    assert_eq!(
        message(Blocks::open(folder.path(), &ReadOptions::default())),
        "part-5.csv has columns and no rows; give at least one row"
    );
    fs::write(folder.path().join("part-5.csv"), "").unwrap();
    assert_eq!(message(read(folder.path())), "part-5.csv is empty; give at least one row");
    let none = tempdir().unwrap();
    assert!(message(Blocks::open(none.path(), &ReadOptions::default())).contains("holds no table"));
}

#[test]
fn missing_values_are_read_where_they_are_wanted() {
    let options = ReadOptions { missing: true, ..ReadOptions::default() };
    let shown = |rows: &Array2<f64>| rows.iter().map(|x| !x.is_nan()).collect::<Vec<_>>();
    let there = [true, false, false, true, true, true, false, true];
    assert_eq!(shown(&read_with(data("gaps.parquet"), &options).unwrap().into_f64()), there);
    let blocks = Blocks::open(data("gaps.parquet"), &options).unwrap();
    assert_eq!(shown(&chunks::<f64>(&blocks).unwrap()[0].0), there);
    assert_eq!(
        message(read(data("gaps.parquet"))),
        "gaps.parquet, row group 0, row 0 (both counted from 0), column \"b\": \"NaN\" is a missing value, the first of 3; fill them or remove the rows"
    );
    let only = ReadOptions { columns: Columns::only(["b"]), ..ReadOptions::default() };
    assert!(message(read_with(data("gaps.parquet"), &only)).contains("row group 0, row 0"));
}

#[test]
fn what_is_wrong_is_said_with_file_row_group_and_column() {
    // NaN in a late partition.
    let folder = tempdir().unwrap();
    for part in 0..50 {
        let mut rows = Array2::from_elem((10, 2), f64::from(part));
        if part == 43 {
            rows[(7, 1)] = f64::NAN;
        }
        write_array(folder.path().join(format!("part-{part:04}.parquet")), &["a", "b"], rows.view()).unwrap();
    }
    let blocks = Blocks::open(folder.path(), &ReadOptions::default()).unwrap().with_chunk_rows(16);
    assert_eq!(
        message(chunks::<f64>(&blocks)),
        "part-0043.parquet, row group 0, row 7 (both counted from 0), column \"b\": \"NaN\" is a missing value; fill it or remove the row"
    );
    // A column of text, of too large numbers, of none.
    let all = Blocks::open(data("pyarrow.parquet"), &ReadOptions::default());
    assert_eq!(
        message(all),
        "pyarrow.parquet, column \"name\": values of type LargeUtf8 are not numbers; leave the column out, or convert it"
    );
    let missing = ReadOptions { columns: Columns::only(["nothing"]), ..ReadOptions::default() };
    assert!(message(Blocks::open(data("lz4.feather"), &missing)).starts_with("lz4.feather has no column \"nothing\""));
    let path = folder.path().join("large.parquet");
    write_array(&path, &["a"], Array2::from_elem((3, 1), 1e39).view()).unwrap();
    let large = Blocks::open(&path, &ReadOptions::default()).unwrap();
    assert!(chunks::<f64>(&large).is_ok());
    assert!(message(chunks::<f32>(&large)).contains("does not fit into 32 bits; use f64"));
    // No file, no bytes, other bytes.
    assert!(
        Blocks::open("no/such.parquet", &numbers())
            .is_err_and(|error| error.to_string().starts_with("cannot read no/such.parquet: "))
    );
    for ending in ["parquet", "arrow", "feather", "csv", "npy"] {
        let path = folder.path().join(format!("bad.{ending}"));
        for bytes in [&b""[..], b"PAR1, but it is none"] {
            fs::write(&path, bytes).unwrap();
            let opened = Blocks::open(&path, &ReadOptions::default()).and_then(|_| read(&path));
            assert!(message(opened).starts_with(&format!("bad.{ending}")), "{ending}");
        }
    }
}

#[test]
fn damage_anywhere_is_an_error_and_no_panic() {
    let folder = tempdir().unwrap();
    for name in ["pyarrow.parquet", "pyarrow_v2.parquet", "lz4.feather", "stream.arrow", "rows.npy"] {
        let good = fs::read(data(name)).unwrap();
        let path = folder.path().join(name);
        for cut in (0..good.len()).step_by(good.len() / 60) {
            fs::write(&path, &good[..cut]).unwrap();
            assert!(read_with(&path, &numbers()).is_err(), "{name} cut at {cut}");
        }
        // Arrow's decoder takes the lengths in a file at their word: one that is beyond memory ends the process.
        let flips = if name.ends_with("npy") || name.ends_with("parquet") { good.len() } else { 0 };
        for flip in (0..flips).step_by(97) {
            let mut bytes = good.clone();
            bytes[flip] ^= 0x55;
            fs::write(&path, &bytes).unwrap();
            // Either it is seen, or the numbers are others: never a panic of the caller.
            let Ok(table) = read_with(&path, &numbers()) else { continue };
            // Nor are rows lost.
            let said = Blocks::open(&path, &numbers()).unwrap().n_rows();
            assert_eq!(Some(table.n_rows() as u64), said, "{name} flipped at {flip}");
        }
    }
}

#[test]
fn a_stream_that_is_cut_between_its_batches_is_an_error() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("t.arrow");
    let batch = record_batches(&data("zstd.arrow")).remove(0);
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    let mut borders = Vec::new();
    for _ in 0..3 {
        writer.write(&batch).unwrap();
        borders.push(writer.get_ref().len());
    }
    let whole = writer.into_inner().unwrap();
    fs::write(&path, &whole).unwrap();
    assert_eq!(read_with(&path, &numbers()).unwrap().n_rows(), 3 * batch.num_rows());
    for border in borders {
        fs::write(&path, &whole[..border]).unwrap();
        assert_eq!(message(read_with(&path, &numbers())), "t.arrow: the stream is cut short; write the file again");
    }
}

#[test]
fn categories_and_columns_of_nulls_are_carried() {
    let rows = 5000;
    let colours: DictionaryArray<Int32Type> = (0..rows).map(|i| ["red", "green", ""].get(i % 4).copied()).collect();
    let columns: [(&str, ArrayRef); 3] = [
        ("x", Arc::new(Float64Array::from_iter_values((0..rows).map(|i| i as f64)))),
        ("colour", Arc::new(colours)),
        ("none", Arc::new(NullArray::new(rows))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let folder = tempdir().unwrap();
    let path = folder.path().join("t.arrow");
    let mut writer = FileWriter::try_new(fs::File::create(&path).unwrap(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let carry = Some(Columns::only(["colour", "none"]));
    let table =
        read_with(&path, &ReadOptions { columns: Columns::only(["x"]), carry, ..ReadOptions::default() }).unwrap();
    for i in 0..rows {
        let expected = [["red", ""], ["green", ""], ["", ""], ["", ""]][i % 4];
        assert_eq!(table.carried().row(i).collect::<Vec<_>>(), expected, "row {i}");
    }
}

#[test]
fn a_file_that_changes_is_an_error() {
    let folder = tempdir().unwrap();
    let column = |rows| Array2::from_shape_fn((rows, 1), |(i, _)| (i as f64).sqrt());
    for ending in ["csv", "npy", "parquet", "arrow"] {
        let path = folder.path().join(format!("t.{ending}"));
        let write = |rows: usize| match ending {
            "npy" => write_npy(&path, &column(rows)).unwrap(),
            _ => write_array(&path, &["x"], column(rows).view()).unwrap(),
        };
        write(1000);
        let blocks = Blocks::open(&path, &ReadOptions::default()).unwrap().with_chunk_rows(10);
        assert_eq!(chunks::<f64>(&blocks).unwrap().len(), 100);
        write(2000);
        assert_eq!(
            message(chunks::<f64>(&blocks)),
            format!("t.{ending} has changed since it was first read; do not change the data during a fit")
        );
        fs::remove_file(&path).unwrap();
        assert!(chunks::<f64>(&blocks).is_err());
    }
}

#[test]
fn a_file_that_shrinks_while_it_is_read_is_an_error() {
    let folder = tempdir().unwrap();
    let column = Array2::from_shape_fn((200_000, 1), |(i, _)| (i as f64).sqrt());
    for ending in ["csv", "csv.gz", "npy", "parquet", "arrow"] {
        let path = folder.path().join(format!("t.{ending}"));
        write_array(&path, &["x"], column.view()).unwrap();
        let blocks = Blocks::open(&path, &ReadOptions::default()).unwrap().with_chunk_rows(10);
        let mut pass = Source::<f64>::chunks(&blocks).unwrap();
        assert_eq!(pass.next().unwrap().unwrap().rows.nrows(), 10, "{ending}");
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(file.metadata().unwrap().len() / 3).unwrap();
        let rest: Result<Vec<_>, _> = pass.collect();
        let error = rest.unwrap_err().to_string();
        assert!(error.contains(&format!("t.{ending}")), "{error}");
    }
}

#[test]
fn a_pass_that_is_given_up_ends_its_thread() {
    let blocks = Blocks::open(data("pyarrow.parquet"), &numbers()).unwrap().with_chunk_rows(1);
    for _ in 0..200 {
        let mut pass = Source::<f64>::chunks(&blocks).unwrap();
        assert!(pass.next().is_some_and(|chunk| chunk.is_ok()));
    }
    // Passes beside each other do not wait for each other.
    let mut passes: Vec<_> = (0..9).map(|_| Source::<f64>::chunks(&blocks).unwrap()).collect();
    for _ in 0..300 {
        assert!(passes.iter_mut().all(|pass| pass.next().is_some_and(|chunk| chunk.is_ok())));
    }
    assert!(passes.iter_mut().all(|pass| pass.next().is_none()));
}

#[test]
fn the_size_of_chunks_follows_from_the_columns() {
    assert_eq!([1, 2, 16, 63, 64, 1000].map(chunk_rows), [1 << 20, 1 << 19, 1 << 16, 1 << 14, 1 << 14, 1 << 14]);
    let blocks = Blocks::open("-", &ReadOptions::default());
    assert_eq!(message(blocks), "standard input can be read only once; put the table into a file to read it in chunks");
}

#[test]
fn columns_have_one_type_each() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let mixed = write_rows(&path, &["a"], |rows| {
        rows.number(1.0)?;
        rows.end()?;
        rows.text("two")?;
        rows.end()
    });
    assert!(message(mixed).contains("column \"a\" would hold values of two types"));
    let narrow = write_rows(&path, &["a", "b"], |rows| {
        rows.number(1.0)?;
        rows.end()
    });
    assert!(message(narrow).contains("a row has 1 fields where the table has 2 columns"));
    assert!(!path.exists());
}

#[test]
fn bytes_are_counted_in_every_format() {
    let folder = tempdir().unwrap();
    let rows = Array2::from_shape_fn((20_000, 8), |(i, j)| ((i * 8 + j) as f64).sin());
    let names: Vec<_> = (0..8).map(|j| format!("x{j}")).collect();
    let mut all = 0.0;
    for ending in ["csv", "tsv", "csv.gz", "npy", "npy.gz", "parquet", "arrow", "feather"] {
        let path = folder.path().join(format!("rows.{ending}"));
        write_array(&path, &names, rows.view()).unwrap();
        let options = ReadOptions::default();
        read_with(&path, &options).unwrap();
        // What a file says of itself may be read more than once.
        let (read, length) = (options.meter.bytes() as f64, path.metadata().unwrap().len() as f64);
        assert!((read / length - 1.0).abs() < 0.03, "{ending}: {read} of {length} bytes");
        all += read;
    }
    let options = ReadOptions::default();
    read_with(folder.path(), &options).unwrap();
    assert!((options.meter.bytes() as f64 / all - 1.0).abs() < 0.01);
}

fn table() -> impl Strategy<Value = Array2<f64>> {
    (1usize..200, 1usize..6).prop_flat_map(|(n, d)| {
        let number = any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |x| x.is_finite());
        prop::collection::vec(number, n * d).prop_map(move |values| Array2::from_shape_vec((n, d), values).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_rows_in_any_chunks(values in table(), size in 1usize..250, threads in 1usize..4) {
        let folder = tempdir().unwrap();
        let names: Vec<String> = (0..values.ncols()).map(|j| format!("column {j}")).collect();
        let cut: Vec<Vec<u64>> = values.axis_chunks_iter(Axis(0), size).map(|rows| bits(&rows.to_owned())).collect();
        for ending in ["csv", "tsv.gz", "npy", "npy.gz", "parquet", "arrow"] {
            let path = folder.path().join(format!("t.{ending}"));
            write_array(&path, &names, values.view()).unwrap();
            let blocks = Blocks::open(&path, &ReadOptions::default()).unwrap();
            let blocks = blocks.with_chunk_rows(size).with_threads(threads);
            let got: Vec<Vec<u64>> = chunks::<f64>(&blocks).unwrap().iter().map(|(rows, _)| bits(rows)).collect();
            prop_assert_eq!(&got, &cut, "{}", ending);
        }
    }
}
