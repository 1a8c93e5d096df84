//! Laws, edges and reference results, one module a topic.

mod agglomeration;
mod algorithms;
mod aligned;
mod bisecting;
mod bounded_sizes;
mod collapse;
mod edges;
mod elsewhere;
mod elsewhere_missing;
mod empty_clusters;
mod laws_batches;
mod laws_bits;
mod laws_distances;
mod laws_kmeans;
mod laws_mixture;
mod laws_statistics;
mod line;
mod linfa_drop_in;
mod measures;
mod missing;
mod numbers_of_clusters;
mod outliers;
mod portable;
mod reference_bayesian;
mod reference_kmeans;
mod reference_mixture;
mod rules;
mod search;
mod search_mixture;
mod selection;
mod standardized;
mod streams_kmeans;
mod streams_mixture;
mod thesis;
mod trimming;
mod uses_mixture;

#[test]
fn every_file_is_a_module() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.strip_suffix(".rs").filter(|module| *module != "all");
        assert!(module.is_none_or(|module| include_str!("all.rs").contains(&format!("mod {module};"))), "{name}");
    }
}
