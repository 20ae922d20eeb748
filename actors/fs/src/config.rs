//! The settings of this service, as `cluster-config` declares them.

pub use cluster_config::fs::{Fs as Settings, Mode, Root};
