//! HTTP requests that somebody else wrote down: to listed hosts only, within bounds, with whether each may have arrived.
//!
//! ```text
//! let policy = Policy::parse(["api.example.org", "*.example.net:8443", "localhost:5678", "10.0.0.0/8"])?;
//! let client = Client::new(policy, Options::default());
//! let answer = client.send(Request::get("https://api.example.org/v1/state")).await;
//! ```
//!
//! What is checked is what is connected to: a name is looked up once, its addresses are judged, and the connection goes to
//! one of those that passed; no library between could look it up again (decision 0022). The same is done at every redirect.
//! An address that is not public is refused unless the list has it. Proxies of the environment are not used.
//!
//! Every request has a connection of its own and one deadline for all of it; dropping its future closes the connection. An
//! error says of what kind it is and whether the server may have had the request ([`Sent`]), which whoever would try again
//! has to know. Nothing is tried twice here.

mod address;
mod answer;
mod client;
mod connection;
mod entry;
mod error;
mod exchange;
mod lookup;
mod places;
mod policy;
mod progress;
mod redirect;
mod request;
mod target;
mod tls;

pub use answer::{Content, Response};
pub use client::{Client, Options};
pub use error::{Error, Kind, Sent};
pub use lookup::{Lookup, System};
pub use policy::{BadEntries, Policy};
pub use request::{Body, Expect, Request};
