//! What is written is read back: the same bits, names and text, in every format.

use miscela_table::{
    Columns, ReadOptions, TableValues, read, read_array3, read_labels, read_vector, read_with, write_array,
    write_labels, write_rows,
};
use ndarray::{Array, Array2, Array3, ArrayView2, ShapeBuilder};
use ndarray_npy::{ReadNpyExt, WritableElement, WriteNpyExt, write_npy};
use proptest::prelude::*;
use std::fs;
use std::path::PathBuf;
use tempfile::{TempDir, tempdir};

fn names(d: usize) -> Vec<String> {
    (0..d).map(|j| format!("column, \"{j}\"")).collect()
}

fn bits(values: &Array2<f64>) -> Vec<u64> {
    values.iter().map(|x| x.to_bits()).collect()
}

fn file(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}

/// Finite numbers of every size and sign, and whole ones.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |x| x.is_finite()),
        (-1000i32..1000).prop_map(f64::from),
    ]
}

fn table() -> impl Strategy<Value = Array2<f64>> {
    (1usize..12, 1usize..5).prop_flat_map(|(n, d)| {
        prop::collection::vec(number(), n * d).prop_map(move |values| Array2::from_shape_vec((n, d), values).unwrap())
    })
}

proptest! {
    #[test]
    fn every_format_keeps_every_bit(values in table()) {
        let folder = tempdir().unwrap();
        for ending in ["csv", "tsv", "csv.gz", "tsv.gz", "npy", "npy.gz", "CSV", "parquet", "arrow", "feather"] {
            let path = file(&folder, &format!("t.{ending}"));
            let written = names(values.ncols());
            write_array(&path, &written, values.view()).unwrap();
            let table = read(&path).unwrap();
            if !ending.contains("npy") {
                prop_assert_eq!(table.names(), &written);
            }
            prop_assert_eq!(bits(&table.into_f64()), bits(&values), "{}", ending);
        }
    }

    #[test]
    fn f32_comes_back_as_the_same_f32(values in table()) {
        let values = values.mapv(|x| (x as f32).clamp(f32::MIN, f32::MAX));
        let folder = tempdir().unwrap();
        for ending in ["csv", "npy", "parquet", "arrow"] {
            let path = file(&folder, &format!("t.{ending}"));
            write_array(&path, &names(values.ncols()), values.view()).unwrap();
            let table = read(&path).unwrap();
            prop_assert_eq!(matches!(table.values(), TableValues::F32(_)), ending != "csv");
            let again = table.into_array::<f32>().unwrap();
            prop_assert!(again.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }

    #[test]
    fn labels_come_back(labels in prop::collection::vec(0usize..1_000_000, 1..30)) {
        let folder = tempdir().unwrap();
        for ending in ["csv", "tsv.gz", "npy", "parquet", "arrow"] {
            let path = file(&folder, &format!("l.{ending}"));
            write_labels(&path, &labels).unwrap();
            prop_assert_eq!(&read_labels(&path).unwrap(), &labels);
        }
    }

    #[test]
    fn carried_text_comes_back(texts in prop::collection::vec("[ -~é]{0,8}(\n[a-z]{1,3})?", 1..10)) {
        let folder = tempdir().unwrap();
        let path = file(&folder, "t.csv");
        write_rows(&path, &["id", "v"], |rows| {
            texts.iter().enumerate().try_for_each(|(i, text)| {
                rows.text(text)?;
                rows.integer(i)?;
                rows.end()
            })
        })
        .unwrap();
        let options = ReadOptions { columns: Columns::only(["v"]), carry: Some(Columns::only(["id"])), ..ReadOptions::default() };
        let table = read_with(&path, &options).unwrap();
        prop_assert_eq!(table.carried().names(), ["id"]);
        for (i, text) in texts.iter().enumerate() {
            let carried: Vec<_> = table.carried().row(i).collect();
            prop_assert_eq!(carried, [text.trim_matches(|c: char| c.is_ascii_whitespace())]);
        }
    }
}

#[test]
fn every_integer_type_is_read_as_numbers() {
    fn check<T: WritableElement + TryFrom<u8> + Clone>(folder: &TempDir) {
        let path = file(folder, "t.npy");
        let row: Vec<T> = [7u8, 0, 120].into_iter().filter_map(|x| T::try_from(x).ok()).collect();
        write_npy(&path, &Array2::from_shape_vec((1, 3), row).unwrap()).unwrap();
        assert_eq!(read(&path).unwrap().into_f64(), ndarray::array![[7.0, 0.0, 120.0]]);
    }
    let folder = tempdir().unwrap();
    check::<u8>(&folder);
    check::<u16>(&folder);
    check::<u32>(&folder);
    check::<u64>(&folder);
    check::<i8>(&folder);
    check::<i16>(&folder);
    check::<i32>(&folder);
    check::<i64>(&folder);
    check::<f32>(&folder);
}

#[test]
fn negative_integers_keep_their_sign() {
    let folder = tempdir().unwrap();
    let path = file(&folder, "t.npy");
    write_npy(&path, &ndarray::array![[-3i16, 4]]).unwrap();
    assert_eq!(read(&path).unwrap().into_f64(), ndarray::array![[-3.0, 4.0]]);
}

#[test]
fn fortran_order_big_endian_and_one_dimension() {
    let folder = tempdir().unwrap();
    let path = file(&folder, "t.npy");
    let columns = Array::from_shape_vec((2, 3).f(), vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0]).unwrap();
    write_npy(&path, &columns).unwrap();
    assert!(fs::read(&path).unwrap().windows(4).any(|word| word == b"True"), "the file is in Fortran order");
    let read_back = read(&path).unwrap().into_f64();
    assert!(read_back.is_standard_layout());
    assert_eq!(read_back, ndarray::array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);

    let mut bytes = Vec::new();
    ndarray::array![[1.5f64, -2.0]].write_npy(&mut bytes).unwrap();
    let data = bytes.len() - 16;
    bytes[data..].chunks_exact_mut(8).for_each(<[u8]>::reverse);
    let little = bytes.iter().position(|&byte| byte == b'<').unwrap();
    bytes[little] = b'>';
    fs::write(&path, bytes).unwrap();
    assert_eq!(read(&path).unwrap().into_f64(), ndarray::array![[1.5, -2.0]]);

    write_npy(&path, &ndarray::array![1.0, 2.0, 3.0]).unwrap();
    let column = read(&path).unwrap();
    assert_eq!(column.names(), ["x0"]);
    assert_eq!(column.into_f64().dim(), (3, 1));
    assert_eq!(read_vector(&path).unwrap().to_vec(), [1.0, 2.0, 3.0]);
}

#[test]
fn what_is_written_is_npy_to_others() {
    let folder = tempdir().unwrap();
    let path = file(&folder, "t.npy");
    let transposed = ndarray::array![[1.0f32, 2.0], [3.0, 4.0], [5.0, 6.0]].reversed_axes();
    write_array(&path, &names(3), transposed.view()).unwrap();
    assert_eq!(Array2::<f32>::read_npy(fs::File::open(&path).unwrap()).unwrap(), transposed);
}

#[test]
fn covariances_of_both_types() {
    let folder = tempdir().unwrap();
    let path = file(&folder, "c.npy");
    let covariances = Array3::from_shape_fn((2, 3, 3), |(c, i, j)| (c + i * j) as f64);
    write_npy(&path, &covariances).unwrap();
    assert_eq!(read_array3(&path).unwrap(), covariances);
    write_npy(&path, &covariances.mapv(|x| x as f32)).unwrap();
    assert_eq!(read_array3(&path).unwrap(), covariances);
}

#[test]
fn numbers_are_short() {
    let folder = tempdir().unwrap();
    let path = file(&folder, "t.csv");
    let row = [0.1, 3.0, -0.0, 1e300, 1.5e-9, 123456.75];
    write_array(&path, &["a", "b", "c", "d", "e", "f"], ArrayView2::from(&[row])).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "a,b,c,d,e,f\n0.1,3,-0,1e300,1.5e-9,123456.75\n");
}

#[test]
fn a_failed_write_leaves_what_was_there() {
    let folder = tempdir().unwrap();
    let path = file(&folder, "t.csv");
    fs::write(&path, "before").unwrap();
    let error = write_rows(&path, &["a", "b"], |rows| {
        rows.integer(1)?;
        rows.end()
    })
    .unwrap_err();
    assert!(error.to_string().starts_with("cannot write "), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}

#[cfg(unix)]
#[test]
fn files_have_the_usual_permissions_and_devices_are_not_replaced() {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    let folder = tempdir().unwrap();
    let (ours, usual) = (file(&folder, "t.csv"), file(&folder, "usual"));
    write_labels(&ours, &[0]).unwrap();
    fs::write(&usual, "").unwrap();
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&ours), mode(&usual));

    miscela_table::write_file("/dev/null", |out| out.write_all(b"x")).unwrap();
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}
