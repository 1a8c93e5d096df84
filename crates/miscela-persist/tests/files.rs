//! A file holds the old document or the new one, and no more files are there than before.

mod sample;

use miscela_persist::{Codec, Document, Dtype, MAX_BYTES, PersistError, load_bytes, save};
use sample::{Sample, sample};
use serde::{Serialize, Serializer, ser::Error};
use std::fs;
use std::path::Path;

/// Writes a little, then fails.
struct Fails;

impl Serialize for Fails {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq([1.0, 2.0])?;
        Err(S::Error::custom("no more"))
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn save_and_open() {
    let folder = tempfile::tempdir().unwrap();
    let document = sample::<f32>(Dtype::F32);
    for codec in Codec::ALL {
        let path = folder.path().join(format!("model.{}", codec.ending().to_uppercase()));
        // The second time it replaces the first file.
        for _ in 0..2 {
            save(&path, &document).unwrap();
            assert_eq!(fs::read(&path).unwrap(), codec.encode(&document).unwrap());
        }
        let opened = Document::open(&path).unwrap();
        assert_eq!(opened.codec(), codec);
        opened.header().expect_kind(&["gmm"]).unwrap();
        assert_eq!(opened.decode::<Sample<f32>>().unwrap(), document);
    }
    assert_eq!(names(folder.path()), ["model.CBOR", "model.JSON"]);
}

#[test]
fn a_failed_save_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut unfit = sample::<f64>(Dtype::F64);
    unfit.weights[1] = f64::NAN;
    for codec in Codec::ALL {
        let path = folder.path().join(format!("model.{}", codec.ending()));
        save(&path, &sample::<f64>(Dtype::F64)).unwrap();
        let old = fs::read(&path).unwrap();
        let error = save(&path, &unfit).unwrap_err();
        assert!(matches!(error, PersistError::NotFinite { field, .. } if field == "weights[1]"));
        let error = save(&path, &Fails).unwrap_err();
        assert!(error.to_string().contains("no more"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), old);
    }
    assert_eq!(names(folder.path()), ["model.cbor", "model.json"]);
}

#[test]
fn a_name_that_cannot_be_taken_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("folder.json");
    fs::create_dir(&path).unwrap();
    let error = save(&path, &sample::<f64>(Dtype::F64)).unwrap_err();
    assert!(matches!(&error, PersistError::Io { path: named, .. } if *named == path), "{error:?}");
    assert_eq!(names(folder.path()), ["folder.json"]);
}

#[test]
fn errors_name_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("absent").join("model.json");
    let said = |error: PersistError| error.to_string();
    let expected = format!("{}: No such file or directory (os error 2)", path.display());
    if cfg!(unix) {
        assert_eq!(said(save(&path, &sample::<f64>(Dtype::F64)).unwrap_err()), expected);
        assert_eq!(said(load_bytes(&path).unwrap_err()), expected);
        assert_eq!(said(Document::open(&path).unwrap_err()), expected);
    }
    for name in ["model.bin", "model", "json", ".json"] {
        let expected = format!("{name}: a model file ends in .json or .cbor");
        assert_eq!(said(save(name, &sample::<f64>(Dtype::F64)).unwrap_err()), expected);
        assert_eq!(said(Document::open(name).unwrap_err()), expected);
    }
}

#[test]
fn a_huge_file_is_refused_unread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.cbor");
    // Sparse: it takes no space. Where the file system cannot do that there is nothing to test.
    if fs::File::create(&path).unwrap().set_len(MAX_BYTES + 1).is_ok() {
        let error = load_bytes(&path).unwrap_err();
        assert!(matches!(error, PersistError::TooLarge { limit: MAX_BYTES, .. }), "{error:?}");
    }
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn permissions_are_those_of_any_file_and_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (model, plain) = (folder.path().join("model.json"), folder.path().join("plain"));
        save(&model, &sample::<f64>(Dtype::F64)).unwrap();
        fs::write(&plain, "").unwrap();
        assert_eq!(mode(&model), mode(&plain));
        fs::set_permissions(&model, fs::Permissions::from_mode(0o640)).unwrap();
        save(&model, &sample::<f64>(Dtype::F64)).unwrap();
        assert_eq!(mode(&model), 0o640);
    }

    #[test]
    fn a_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (model, link) = (folder.path().join("model.json"), folder.path().join("link.json"));
        save(&model, &sample::<f32>(Dtype::F32)).unwrap();
        symlink(&model, &link).unwrap();
        save(&link, &sample::<f64>(Dtype::F64)).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(Document::open(&model).unwrap().header().dtype, Dtype::F64);
    }
}

#[test]
fn types_cross_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Document>();
    shared::<PersistError>();
    shared::<Codec>();
}
