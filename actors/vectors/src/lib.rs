//! Nearest neighbours.
mod error;
mod graph;
mod near;
mod quantise;
