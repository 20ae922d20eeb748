//! Tests of the whole service, through its entries and on real files: what a caller can observe.

mod catalogue;
mod changing;
mod deleting;
mod escapes;
mod faults;
mod looking;
mod properties;
mod races;
mod reading;
mod roots;
mod searching;
mod watching;
mod world;

pub(crate) use world::{World, kind_of, root};
