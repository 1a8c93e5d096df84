//! What the targets share: a file to read from, and what is done with whatever was read.

use miscela::prelude::*;
use miscela::{AnyModel, Codec, Float};
use miscela_table::{Blocks, ReadOptions};
use ndarray::{Array1, Array2};
use std::path::PathBuf;
use std::sync::Once;

static TOLERANT: Once = Once::new();

/// Calls `read` with a file of these bytes, whose name ends so.
pub fn with_file(ending: &str, bytes: &[u8], read: impl FnOnce(PathBuf)) {
    let path = std::env::temp_dir().join(format!("miscela-fuzz-{}.{ending}", std::process::id()));
    std::fs::write(&path, bytes).expect("the folder for temporary files can be written");
    read(path);
}

/// A model is refused, or labels rows and comes back as it was.
pub fn model(bytes: &[u8], codec: Codec) {
    let Ok(model) = AnyModel::from_bytes(bytes.to_vec(), codec) else { return };
    match &model {
        AnyModel::KMeansF32(model) => label(model, model.n_features()),
        AnyModel::KMeansF64(model) => label(model, model.n_features()),
        AnyModel::GmmF32(model) => label(model, model.n_features()),
        AnyModel::GmmF64(model) => label(model, model.n_features()),
        AnyModel::BayesianF32(model) => label(model, model.n_features()),
        AnyModel::BayesianF64(model) => label(model, model.n_features()),
        AnyModel::BisectingF32(model) => label(model, model.n_features()),
        AnyModel::BisectingF64(model) => label(model, model.n_features()),
        _ => {}
    }
    with_file(codec.ending(), b"", |path| {
        model.save(&path).expect("what was read can be written");
        assert_eq!(AnyModel::load(&path).expect("what was written can be read"), model);
    });
}

fn label<F: Float, M: PredictInplace<Array2<F>, Array1<usize>>>(model: &M, n_features: usize) {
    let rows = Array2::from_elem((3, n_features), F::one());
    let labels: Array1<usize> = model.predict(&rows);
    assert_eq!(labels.len(), 3);
}

/// A table is read at once and in chunks, with the same rows or an error both times.
///
/// Panics of the decoders of Parquet and Arrow are caught and are errors, so that none may end the process before it is caught; those
/// that are not caught end it all the same.
pub fn table(ending: &str, bytes: &[u8]) {
    TOLERANT.call_once(|| std::panic::set_hook(Box::new(|panic| eprintln!("{panic}"))));
    with_file(ending, bytes, |path| {
        let options = ReadOptions { missing: true, ..ReadOptions::default() };
        let whole = miscela_table::read_with(&path, &options);
        let Ok(blocks) = Blocks::open(&path, &options) else {
            return assert!(whole.is_err(), "chunks of this table are refused");
        };
        let blocks = blocks.with_chunk_rows(7).with_threads(1);
        let mut n_rows = 0;
        let chunks = match miscela::Source::<f64>::chunks(&blocks) {
            Ok(chunks) => chunks,
            Err(_) => return assert!(whole.is_err()),
        };
        for chunk in chunks {
            match chunk {
                Ok(chunk) => n_rows += chunk.rows.nrows(),
                Err(_) => return assert!(whole.is_err(), "the whole table can be read"),
            }
        }
        if let Ok(whole) = whole {
            assert_eq!(n_rows, whole.n_rows());
        }
    });
}
