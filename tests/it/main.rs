//! The whole process as its callers see it, one file per promise.

mod spine;
