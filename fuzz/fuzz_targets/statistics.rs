//! Statistics of a stranger: refused, or merged and made a model of without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use miscela::prelude::*;
use miscela::{Statistics, load_statistics, save_statistics};
use ndarray::{Array2, array};

fuzz_target!(|bytes: &[u8]| {
    // The first byte says which codec, and whose statistics those without a fingerprint are to be.
    let Some((first, bytes)) = bytes.split_first() else { return };
    let rows = array![[0.0, 1.0], [1.0, 0.5], [9.0, 8.0], [8.0, 9.5]];
    let centres = KMeans::from_centroids(array![[0.0, 1.0], [9.0, 8.0]], miscela::L2).expect("two centres");
    let mixture = GaussianMixture::params(2).max_n_iterations(1).fit(&DatasetBase::from(rows.view()));
    let mixture = mixture.expect("a fit of four rows");
    let own = [centres.summarize(&rows, None).expect("four rows"), mixture.summarize(&rows, None).expect("four rows")];
    let (ending, bytes) = match first % 3 {
        2 => ("cbor", bytes.to_vec()),
        one => ("json", stamped(bytes, own[usize::from(one)].fingerprint())),
    };
    miscela_fuzz::with_file(ending, &bytes, |path| {
        let Ok(statistics) = load_statistics(&path) else { return };
        for own in own {
            used(statistics.clone(), &own, &centres, &mixture);
        }
        save_statistics(&path, &statistics).ok();
    });
});

/// Nobody guesses 64 bits.
fn stamped(bytes: &[u8], fingerprint: u64) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.replace("\"fingerprint\": 0", &format!("\"fingerprint\": {fingerprint}")).into_bytes(),
        Err(_) => bytes.to_vec(),
    }
}

fn used(mut statistics: Statistics, own: &Statistics, centres: &KMeans<f64>, mixture: &GaussianMixture<f64>) {
    for _ in 0..2 {
        if let Ok(model) = centres.from_statistics(&statistics) {
            let _: &Array2<f64> = model.centroids();
        }
        mixture.from_statistics(&statistics).ok();
        statistics.merge(own).ok();
    }
    statistics.subtract(own).ok();
    mixture.from_statistics(&statistics).ok();
}
