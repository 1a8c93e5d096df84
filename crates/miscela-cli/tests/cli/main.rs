//! Runs the real command on small data.

mod bad_input;
mod batches;
mod bayesian;
mod bisecting;
mod book;
mod exchange;
#[cfg(unix)]
mod faults;
mod fit;
mod formats;
mod metrics;
mod missing;
mod models;
mod outliers;
mod play;
mod plots;
mod progress;
mod report;
mod run;
mod search;
mod select;
mod sizes;
mod standardize;
mod streams;
