//! Which addresses are on the public internet, and why the others are not (IANA's registries of special addresses).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Anybody's server.
    Public,
    /// A machine nearby, which may trust whoever can connect to it.
    Nearby(&'static str),
    /// The service that gives a cloud's machines their keys: a wide list does not let anybody there.
    Metadata,
    /// Nothing that a request could be meant for.
    Nowhere(&'static str),
}

/// Where clouds have it: Amazon, Google, Microsoft, Oracle and others; Alibaba; Oracle; Azure's agent; Amazon and Google
/// by IPv6.
const METADATA: &[IpAddr] = &[
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// Judges the address that a connection would go to.
pub(crate) fn reach(address: IpAddr) -> Reach {
    // The kernel connects ::ffff:10.0.0.5 to 10.0.0.5.
    let address = address.to_canonical();
    if METADATA.contains(&address) {
        return Reach::Metadata;
    }
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        // Linux connects 0.0.0.0 to itself.
        [0, ..] => Reach::Nowhere("an address of no machine"),
        [127, ..] => Reach::Nearby("this machine"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Reach::Nearby("a private network"),
        [100, 64..=127, ..] => Reach::Nearby("a provider's own network"),
        [169, 254, ..] => Reach::Nearby("the same link"),
        [192, 0, 0, _] | [198, 18..=19, ..] | [192, 88, 99, _] => Reach::Nearby("a special network"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Reach::Nowhere("for documentation"),
        [224..=239, ..] => Reach::Nowhere("multicast"),
        [240..=255, ..] => Reach::Nowhere("reserved"),
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        reach(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
    };
    match (segments[0], segments[1]) {
        (0, 0) if address.is_unspecified() => Reach::Nowhere("an address of no machine"),
        (0, 0) if address.is_loopback() => Reach::Nearby("this machine"),
        // NAT64: a network without IPv4 reaches all of it this way, and a gateway nearby may reach too much.
        (0x64, 0xff9b) if segments[2..6] == [0; 4] => match embedded(segments[6], segments[7]) {
            Reach::Public => Reach::Public,
            Reach::Metadata => Reach::Metadata,
            _ => Reach::Nowhere("an IPv4 address in IPv6 clothes"),
        },
        // 6to4 and Teredo: a relay would unpack the IPv4 address in it.
        (0x2002, _) | (0x2001, 0) => Reach::Nowhere("an IPv4 address in IPv6 clothes"),
        (0x2001, 0xdb8) | (0x3fff, 0..=0x0fff) => Reach::Nowhere("for documentation"),
        (0x2001, 0x0001..=0x01ff) => Reach::Nowhere("a special network"),
        (0x2000..=0x3fff, _) => Reach::Public,
        (0xfc00..=0xfdff, _) => Reach::Nearby("a private network"),
        (0xfe80..=0xfebf, _) => Reach::Nearby("the same link"),
        (0xff00..=0xffff, _) => Reach::Nowhere("multicast"),
        _ => Reach::Nowhere("reserved"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: &str, addresses: &[&str]) {
        for text in addresses {
            let address: IpAddr = text.parse().expect(text);
            let found = match reach(address) {
                Reach::Public => "public",
                Reach::Nearby(_) => "nearby",
                Reach::Metadata => "metadata",
                Reach::Nowhere(_) => "nowhere",
            };
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn public() {
        check(
            "public",
            &["1.1.1.1", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1"],
        );
        check(
            "public",
            &["192.0.1.1", "223.255.255.255", "169.253.1.1", "198.17.0.1", "198.20.0.1", "9.9.9.9"],
        );
        check("public", &["2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888", "2001:200::1"]);
        check("public", &["::ffff:1.1.1.1", "64:ff9b::1.1.1.1"]);
    }

    #[test]
    fn nearby() {
        check("nearby", &["127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255"]);
        check("nearby", &["192.168.0.1", "169.254.1.1", "100.64.0.1", "100.127.255.255", "198.18.0.1"]);
        check("nearby", &["192.0.0.8", "192.88.99.1", "::1", "fc00::1", "fdff::1", "fe80::1"]);
        check("nearby", &["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:c0a8:1"]);
    }

    #[test]
    fn metadata() {
        check("metadata", &["169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16"]);
        check("metadata", &["fd00:ec2::254", "fd20:ce::254", "::ffff:169.254.169.254"]);
        check("metadata", &["64:ff9b::169.254.169.254"]);
    }

    #[test]
    fn nowhere() {
        check("nowhere", &["0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"]);
        check("nowhere", &["192.0.2.1", "198.51.100.1", "203.0.113.1", "::", "ff02::1", "2001:db8::1"]);
        check(
            "nowhere",
            &["2002:7f00:1::", "2002:808:808::", "2001::1", "64:ff9b::127.0.0.1", "64:ff9b:1::1"],
        );
        check("nowhere", &["::127.0.0.1", "::2", "fec0::1", "5f00::1", "3fff::1", "4000::1", "100::1"]);
    }
}
