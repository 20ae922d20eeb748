//! The rules as scripts, with real actors: start, break something, watch what the
//! tree does about it. Waiting is for events and answers; where time counts, it is
//! tokio's paused clock.

mod kit;

mod dynamic;
mod ends;
mod escalation;
mod faults;
mod leftovers;
mod load;
mod order;
mod requests;
mod slots;
mod strategies;
mod tasks;
mod views;
mod waits;
