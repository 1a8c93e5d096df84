//! Conversions from the fitted models of linfa-clustering.
