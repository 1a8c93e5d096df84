//! Laws, edges and reference results, one module a topic.

mod agglomeration;
mod algorithms;
mod edges;
mod laws_batches;
mod laws_bits;
mod laws_distances;
mod laws_kmeans;
mod laws_mixture;
mod laws_statistics;
mod linfa_drop_in;
mod missing;
mod outliers;
mod reference_kmeans;
mod reference_mixture;
mod rules;
mod thesis;
mod uses_mixture;
