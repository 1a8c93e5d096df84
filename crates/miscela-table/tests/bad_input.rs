//! Each kind of input that is wrong or odd: the message, word for word, or the right answer.

use miscela_table::{
    Columns, Format, Kind, ReadOptions, TableError, read, read_array3, read_csv_from, read_labels, read_vector,
    read_with,
};
use ndarray::{Array3, array};
use ndarray_npy::{WriteNpyExt, write_npy};
use std::fs;
use std::path::PathBuf;
use tempfile::{TempDir, tempdir};

fn csv(text: impl AsRef<[u8]>) -> Result<miscela_table::Table, TableError> {
    read_csv_from(text.as_ref(), "t.csv", &ReadOptions::default())
}

/// The message for a text that cannot be read.
fn complaint(text: impl AsRef<[u8]>) -> String {
    csv(text).unwrap_err().to_string()
}

/// A file in a new folder, which stays as long as it is held.
fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}

/// The message without the folder.
fn message(error: TableError, path: &std::path::Path) -> String {
    error.to_string().replace(&format!("{}/", path.parent().unwrap().display()), "")
}

#[test]
fn text_in_a_number_column() {
    assert_eq!(
        complaint("a,b\n1,2\n\n3,oops\n"),
        r#"t.csv, line 4, column "b": "oops" is not a number; correct it or leave the column out"#
    );
    assert_eq!(
        complaint("a;b\n3;4\n5;x\n6;7"),
        r#"t.csv, line 3, column "b": "x" is not a number; correct it or leave the column out"#
    );
    assert_eq!(
        complaint("name,a,place,b\nx,1,y,2\n"),
        r#"t.csv, line 2: columns "name", "place" hold text and no numbers; leave them out"#
    );
}

#[test]
fn semicolons_and_tabs_are_between_fields_where_no_comma_is() {
    let plain = csv("a,b\n1,2\n3,4\n").unwrap();
    for text in ["a;b\n1;2\n3;4\n", "a\tb\r\n1\t2\r\n3\t4", "\n\n a ; b \n1;2\n\n3;4"] {
        let table = csv(text).unwrap();
        assert_eq!(table.names(), plain.names(), "{text:?}");
        assert_eq!(table.into_f64(), plain.clone().into_f64(), "{text:?}");
    }
    // One column is one column, and where there is a comma that is it.
    assert_eq!(csv("1\n2\n").unwrap().names().len(), 1);
    assert_eq!(csv("a;x,b\n1,2\n").unwrap().names(), ["a;x", "b"]);
    // Longer than what is looked at.
    let names: Vec<String> = (0..20_000).map(|j| format!("column{j}")).collect();
    let numbers = vec!["1.5"; 20_000];
    let wide = csv(format!("{}\n{}\n", names.join(";"), numbers.join(";"))).unwrap();
    assert_eq!(wide.names().len(), 20_000);
}

#[test]
fn lines_are_those_of_an_editor() {
    let ends = ["a,b\r\n1,2\r\n\r\n3,oops\r\n", "\n  \na,b\n3,oops", "a,b\n\"1\",2\n3,4\n\"oops\",5"];
    let lines = ["line 4", "line 4", "line 4"];
    for (text, line) in ends.iter().zip(lines) {
        assert!(complaint(text).contains(line), "{}", complaint(text));
    }
    let options = ReadOptions { columns: Columns::except(["t"]), ..ReadOptions::default() };
    let text = "t,v\n\"two\nlines\",1\n\"two\nlines\",oops\n";
    let error = read_csv_from(text.as_bytes(), "t.csv", &options).unwrap_err();
    assert!(error.to_string().contains("line 4,"), "{error}");
    // Beyond the reader's buffer as well.
    let long = "1,2\r\n".repeat(50_000) + "1,oops\r\n";
    assert!(complaint(long).contains("line 50001,"));
}

#[test]
fn missing_values() {
    for (word, text) in [("", "a,b\n1,\n"), ("NA", "a,b\n1, NA\n"), ("null", "a,b\n1,null\n"), ("", "1,\n2,3\n")] {
        let line = if text.starts_with('a') { 2 } else { 1 };
        let column = if text.starts_with('a') { "b" } else { "x1" };
        let expected =
            format!("t.csv, line {line}, column {column:?}: {word:?} is a missing value; fill it or remove the row");
        assert_eq!(complaint(text), expected);
    }
    assert!(complaint("a\n1\n\"\"\n2\n").contains(r#"line 3, column "a": "" is a missing value"#));
    // All are counted, and none where something else is wrong.
    assert_eq!(
        complaint("a,b\n1,2\n?,3\n4,NaN\n,5\n"),
        r#"t.csv, line 3, column "a": "?" is a missing value, the first of 3; fill them or remove the rows"#
    );
    assert!(complaint("a,b\n1,NA\n2,inf\n").contains("line 3, column \"b\": inf is not"));
}

#[test]
fn missing_values_are_read_where_they_are_wanted() {
    let options = ReadOptions { missing: true, carry: Some(Columns::All), ..ReadOptions::default() };
    let text = "a,b\n1,NA\n,2\nnan,?\n";
    let table = read_csv_from(text.as_bytes(), "t.csv", &options).unwrap();
    assert_eq!(table.carried().row(2).collect::<Vec<_>>(), ["nan", "?"]);
    let values = table.into_array::<f32>().unwrap();
    let there: Vec<bool> = values.iter().map(|x| !x.is_nan()).collect();
    assert_eq!(there, [true, false, false, true, false, false]);
    let infinite = read_csv_from("a\ninf\n".as_bytes(), "t.csv", &options).unwrap_err();
    assert!(infinite.to_string().contains("not a finite number"), "{infinite}");
    let (_folder, path) = file("t.npy", "");
    write_npy(&path, &array![[1.0, f64::NAN]]).unwrap();
    let table = read_with(&path, &options).unwrap().into_f64();
    assert!(table[[0, 0]] == 1.0 && table[[0, 1]].is_nan());
}

#[test]
fn values_that_are_not_finite() {
    for word in ["inf", "-Infinity", "1e999"] {
        assert_eq!(
            complaint(format!("a,b\n1,2\n{word},4\n")),
            format!("t.csv, line 3, column \"a\": {word} is not a finite number; fill it or remove the row")
        );
    }
}

#[test]
fn ragged_lines() {
    let advice = "make all lines equally wide";
    assert_eq!(complaint("a,b\n1,2\n3\n"), format!("t.csv, line 3: 1 fields where the first line has 2; {advice}"));
    assert_eq!(complaint("1,2\n3,4,5\n"), format!("t.csv, line 2: 3 fields where the first line has 2; {advice}"));
}

#[test]
fn nothing_to_read() {
    assert_eq!(complaint(""), "t.csv is empty; give at least one row");
    assert_eq!(complaint("\r\n \n"), "t.csv is empty; give at least one row");
    assert_eq!(complaint("a,b\n"), "t.csv has columns and no rows; give at least one row");
    assert_eq!(complaint("a,b"), "t.csv has columns and no rows; give at least one row");
}

#[test]
fn names() {
    assert_eq!(complaint("a,b,a\n1,2,3\n"), r#"t.csv: columns 1 and 3 are both called "a"; rename one of them"#);
    assert_eq!(csv("1,2\n3,4").unwrap().names(), ["x0", "x1"]);
    assert_eq!(csv(",b\n3,4").unwrap().names(), ["x0", "b"]);
    assert_eq!(csv(" a , \"b\" \n3,4").unwrap().names(), ["a", "\"b\""]);
}

#[test]
fn columns_that_are_not_there() {
    let read = |columns| {
        let text = "a,b,species\n1,2,setosa\n";
        read_csv_from(text.as_bytes(), "t.csv", &ReadOptions { columns, ..ReadOptions::default() })
    };
    let expected = r#"t.csv has no column "c"; its columns are: a, b, species"#;
    assert_eq!(read(Columns::only(["a", "c"])).unwrap_err().to_string(), expected);
    assert_eq!(read(Columns::except(["c"])).unwrap_err().to_string(), expected);
    assert_eq!(read(Columns::only(["a", "a"])).unwrap_err().to_string(), r#"column "a" is chosen twice; name it once"#);
    assert_eq!(
        read(Columns::except(["a", "b", "species"])).unwrap_err().to_string(),
        "t.csv: no column is left to read; choose at least one of: a, b, species"
    );
    let table = read(Columns::only(["b", "a"])).unwrap();
    assert_eq!(table.names(), ["b", "a"]);
    assert!(table.column("c").unwrap_err().to_string().ends_with("its columns are: b, a"));
    assert_eq!(table.without(&["b"]).unwrap().into_f64(), array![[1.0]]);
    assert_eq!(table.select(&["a", "b"]).unwrap().into_f64(), array![[1.0, 2.0]]);
}

#[test]
fn odd_and_right() {
    let expected = array![[1.0, 2.0], [3.0, 4.5]];
    for text in [
        "\u{feff}a,b\n1,2\n3,4.5\n",
        "\u{feff}1,2\n3,4.5\n",
        "a,b\r\n1,2\r\n3,4.5\r\n",
        "a,b\n\n1,2\n\n   \n3,4.5",
        "\"a\",\"b\"\n\"1\",\"2\"\n\"3\",\"4.5\"\n",
        " a ,b\n 1 ,\t2\n3, +4.5e0 \n",
    ] {
        assert_eq!(csv(text).unwrap().into_f64(), expected, "{text:?}");
    }
}

#[test]
fn text_that_is_not_utf8() {
    assert_eq!(complaint(b"a,\xff\n1,2\n"), "t.csv, line 1, field 2: the text is not UTF-8; save the file in UTF-8");
    assert_eq!(complaint(b"a,b\n1,\xff\n"), "t.csv, line 2, field 2: the text is not UTF-8; save the file in UTF-8");
    // In a column that is not used, it does not matter.
    let options = ReadOptions { columns: Columns::except(["b"]), ..ReadOptions::default() };
    assert_eq!(read_csv_from(&b"a,b\n1,\xff\n"[..], "t.csv", &options).unwrap().into_f64(), array![[1.0]]);
}

#[test]
fn endings() {
    assert!(matches!(Format::of("t.parquet"), Ok(Format { kind: Kind::Parquet, gzip: false })));
    assert!(matches!(Format::of("t.Feather"), Ok(Format { kind: Kind::Arrow, gzip: false })));
    assert_eq!(
        read("t.parquet.gz").unwrap_err().to_string(),
        "t.parquet.gz: .parquet.gz files are not available; convert the table to .csv, .npy or .parquet"
    );
    for path in ["t.txt", "t", "", "t.gz", ".."] {
        assert!(matches!(Format::of(path), Err(TableError::UnknownEnding { .. })), "{path}");
    }
}

#[test]
fn files_that_cannot_be_read() {
    let error = read("no/such/file.csv").unwrap_err().to_string();
    assert!(error.starts_with("cannot read no/such/file.csv: No such file"), "{error}");
    let (_folder, path) = file("t.csv.gz", "not gzip");
    assert!(matches!(read(&path), Err(TableError::Read { .. })));
}

#[test]
fn files_are_named_and_columns_chosen_by_ending() {
    let (_folder, path) = file("t.tsv", "id\tv\na\tb c\n");
    let options = ReadOptions { columns: Columns::except(["id"]), ..ReadOptions::default() };
    assert_eq!(
        message(read_with(&path, &options).unwrap_err(), &path),
        r#"t.tsv, line 2, column "v": "b c" is not a number; correct it or leave the column out"#
    );
}

#[test]
fn labels_that_are_none() {
    for bad in ["-1", "1.5", "NaN", "1e300"] {
        let (_folder, path) = file("l.csv", format!("label\n0\n{bad}\n"));
        assert_eq!(
            message(read_labels(&path).unwrap_err(), &path),
            format!("l.csv, line 3, column \"label\": {bad} is not a label; labels are whole numbers from 0 on")
        );
    }
    let (_folder, path) = file("l.csv", "0\n2\n1\n");
    assert_eq!(read_labels(&path).unwrap(), [0, 2, 1]);
    let (_folder, path) = file("l.csv", "id,label\na,0\nb,2\n");
    assert_eq!(read_labels(&path).unwrap(), [0, 2]);
    let (_folder, path) = file("l.csv", "id,cluster\na,0\nb,2\n");
    assert_eq!(
        message(read_labels(&path).unwrap_err(), &path),
        "l.csv has 2 columns where one is expected; leave only the one that is meant, or call it \"label\""
    );
    assert!(matches!(read_vector(&path), Err(TableError::NotOneColumn { .. })));
    let (_folder, path) = file("w.csv", "w\n0.5\n2\n");
    assert_eq!(read_vector(&path).unwrap().to_vec(), [0.5, 2.0]);
}

#[test]
fn numbers_too_large_for_f32() {
    assert_eq!(
        csv("a,b\n1,2\n3,1e39").unwrap().into_array::<f32>().unwrap_err().to_string(),
        r#"t.csv, row 1 (counted from 0), column "b": 1e39 does not fit into 32 bits; use f64"#
    );
}

#[test]
fn arrays_that_hold_what_is_not_finite() {
    let (_folder, path) = file("t.npy", "");
    write_npy(&path, &array![[1.0, 2.0], [3.0, f64::NAN]]).unwrap();
    assert_eq!(
        message(read(&path).unwrap_err(), &path),
        r#"t.npy, row 1 (counted from 0), column "x1": "NaN" is a missing value; fill it or remove the row"#
    );
    let options = ReadOptions { columns: Columns::only(["x0"]), carry: Some(Columns::All), ..ReadOptions::default() };
    let table = read_with(&path, &options).unwrap();
    assert_eq!(table.carried().row(1).collect::<Vec<_>>(), ["3", "NaN"]);
    assert_eq!(table.into_f64(), array![[1.0], [3.0]]);
}

#[test]
fn damaged_arrays() {
    let mut good = Vec::new();
    array![[1.0, 2.0], [3.0, 4.0]].write_npy(&mut good).unwrap();
    let with = |from: &str, to: &str| {
        let at = good.windows(from.len()).position(|word| word == from.as_bytes()).unwrap();
        [&good[..at], to.as_bytes(), &good[at + from.len()..]].concat()
    };
    let cases = [
        (good[..good.len() - 1].to_vec(), "the file is cut short; write it again"),
        (good[..20].to_vec(), "the file is cut short; write it again"),
        ([&good[..], b"x"].concat(), "there is more after the array; save one array a file"),
        (b"a,b\n1,2\n3,4\n".to_vec(), "this is not an NPY file; save it with numpy.save or use another ending"),
        (
            with("<f8", "<c8"),
            "numbers of type \"c8\" cannot be read; save the array as float64, float32 or an integer type",
        ),
        (with("'<f8'", "[('a'"), "records of several types cannot be read; save a plain array of numbers"),
        (with("shape", "shepe"), "the header of the array is damaged; write the file again"),
        (with("(2, 2)", "(2, z)"), "the header of the array is damaged; write the file again"),
    ];
    for (bytes, expected) in cases {
        let (_folder, path) = file("t.npy", bytes);
        assert_eq!(message(read(&path).unwrap_err(), &path), format!("t.npy: {expected}"));
    }
    // Shapes that no memory holds, one that overflows, and one with more columns than there are bytes.
    let too_large = "does not fit into memory";
    for (shape, expected) in [
        ("(99999999999999, 2)", too_large),
        ("(99999999999999999, 999)", too_large),
        ("(2, 99999999999)", "the file is cut short; write it again"),
    ] {
        let mut bytes = with("(2, 2)", shape);
        let grown = bytes.len() - good.len();
        let padding = bytes.windows(grown).rposition(|word| word.iter().all(|&byte| byte == b' ')).unwrap();
        bytes.drain(padding..padding + grown);
        let (_folder, path) = file("t.npy", bytes);
        assert!(read(&path).unwrap_err().to_string().ends_with(expected), "{shape}");
    }
}

#[test]
fn arrays_of_another_shape() {
    let (_folder, path) = file("t.npy", "");
    write_npy(&path, &Array3::<f64>::zeros((2, 2, 3))).unwrap();
    assert_eq!(
        message(read(&path).unwrap_err(), &path),
        "t.npy: the array has shape [2, 2, 3], and rows × columns is expected"
    );
    assert_eq!(
        message(read_array3(&path).unwrap_err(), &path),
        "t.npy: the array has shape [2, 2, 3], and k × d × d is expected"
    );
    write_npy(&path, &Array3::from_elem((1, 2, 2), f64::NAN)).unwrap();
    assert!(read_array3(&path).unwrap_err().to_string().contains("at (0, 0, 0) is NaN"));
    write_npy(&path, &ndarray::Array2::<f64>::zeros((0, 2))).unwrap();
    assert!(matches!(read(&path), Err(TableError::Empty { .. })));
}

#[test]
fn errors_and_tables_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<TableError>();
    crosses::<miscela_table::Table>();
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_once() {
    let (_folder, path) = file("other.csv", "");
    let path = path.with_file_name("pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let target = path.clone();
    let writer = std::thread::spawn(move || fs::write(target, "a,b\n1,2\n"));
    assert_eq!(read(&path).unwrap().into_f64(), array![[1.0, 2.0]]);
    writer.join().unwrap().unwrap();
    let error = miscela_table::Blocks::open(&path, &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("can be read only once"), "{error}");
}
