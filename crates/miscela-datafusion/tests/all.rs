//! Tables against arrays in memory: the same models, wherever the rows are.

mod cluster;
mod embedded;
mod functions;
mod support;
