//! From a name to addresses. The machine's resolver in life; in tests one that lies.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use crate::policy::is_localhost;

/// More of a name's addresses are not tried.
const ADDRESSES_MAX: usize = 16;

/// Who knows the addresses of names. Asked once for each connection; what it says is judged afterwards.
pub trait Lookup: Send + Sync {
    /// The addresses of `name`, best first.
    fn lookup(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The machine's own resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Lookup for System {
    fn lookup(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        if is_localhost(name) {
            // No resolver is asked what this machine is called.
            return ready(Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])).boxed();
        }
        let name = name.to_owned();
        async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let mut addresses: Vec<IpAddr> = Vec::new();
            for address in found.map(|address| address.ip()).take(ADDRESSES_MAX) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            Ok(addresses)
        }
        .boxed()
    }
}
