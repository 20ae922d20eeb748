//! The whole process as its callers see it, one file per promise.

mod admin;
mod audit;
mod backends;
mod cli;
mod concurrency;
mod doors;
mod identity;
mod jsonrpc;
mod life;
mod methods;
mod prompts;
mod quota;
mod shell;
mod spine;
mod started;
