//! Which addresses a grant is about, and those that nobody means by a name or a wide network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::config::Hosts;

/// Addresses with a meaning of their own.
struct Special {
    net: IpNet,
    /// Whether `private = true` is enough; else only a grant of the address itself, or of a network within.
    is_private: bool,
}

const fn four(a: u8, b: u8, c: u8, d: u8, length: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

const fn six(a: u16, b: u16, c: u16, h: u16, length: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(
        Ipv6Addr::new(a, b, c, 0, 0, 0, 0, h),
        length,
    ))
}

const fn private(net: IpNet) -> Special {
    Special {
        net,
        is_private: true,
    }
}

const fn reserved(net: IpNet) -> Special {
    Special {
        net,
        is_private: false,
    }
}

/// The narrower before the wider.
const SPECIAL: &[Special] = &[
    // Where clouds keep the credentials of a machine, beside 169.254.0.0/16.
    reserved(six(0xfd00, 0xec2, 0, 0x254, 128)),
    reserved(four(100, 100, 100, 200, 32)),
    reserved(four(168, 63, 129, 16, 32)),
    reserved(four(192, 0, 0, 0, 24)),
    // Link-local.
    reserved(four(169, 254, 0, 0, 16)),
    reserved(six(0xfe80, 0, 0, 0, 10)),
    // This host, multicast, broadcast and what has no meaning yet.
    reserved(four(0, 0, 0, 0, 8)),
    reserved(four(224, 0, 0, 0, 4)),
    reserved(four(240, 0, 0, 0, 4)),
    reserved(six(0, 0, 0, 0, 128)),
    reserved(six(0xff00, 0, 0, 0, 8)),
    // Loopback.
    private(four(127, 0, 0, 0, 8)),
    private(six(0, 0, 0, 1, 128)),
    // Private networks.
    private(four(10, 0, 0, 0, 8)),
    private(four(100, 64, 0, 0, 10)),
    private(four(172, 16, 0, 0, 12)),
    private(four(192, 168, 0, 0, 16)),
    private(four(198, 18, 0, 0, 15)),
    private(six(0x64, 0xff9b, 1, 0, 48)),
    private(six(0xfc00, 0, 0, 0, 7)),
    private(six(0xfec0, 0, 0, 0, 10)),
];

/// The one special network that an address belongs to, if any. An IPv6 address that a gateway makes an IPv4 address of is as
/// special as that one.
fn special(address: IpAddr) -> Option<&'static Special> {
    let find = |address: IpAddr| {
        SPECIAL
            .iter()
            .find(|special| special.net.contains(&address))
    };
    find(address).or_else(|| find(within(address)?.into()))
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, NAT64 and 6to4.
fn within(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else {
        return None;
    };
    let join = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(join(high, low))
        }
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

/// Whether a name may lead to this address.
pub(super) fn is_for_names(address: IpAddr, private: bool) -> bool {
    special(address.to_canonical()).is_none_or(|special| private && special.is_private)
}

/// Whether `private = true` would let a name lead there.
pub(super) fn is_private(address: IpAddr) -> bool {
    special(address.to_canonical()).is_some_and(|special| special.is_private)
}

/// Whether a network that is granted covers this address. A network that is wider than a special one within it does not
/// mean that one.
pub(super) fn covers(net: &IpNet, private: bool, address: IpAddr) -> bool {
    let address = address.to_canonical();
    net.contains(&address)
        && (is_for_names(address, private)
            || net.prefix_len() == net.max_prefix_len()
            || special(address).is_some_and(|special| special.net.contains(net)))
}

/// Whether hosts that are granted are, without a lookup, this address.
pub(super) fn hosts_cover(hosts: &Hosts, private: bool, address: IpAddr) -> bool {
    matches!(hosts, Hosts::Net(net) if covers(net, private, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn names_lead_to_public_addresses_only() {
        for public in ["192.0.2.1", "8.8.8.8", "2001:db8::1", "2606:4700::1111"] {
            assert!(is_for_names(address(public), false), "{public}");
        }
        for private in [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "fd12::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2002:a00:1::5",
        ] {
            assert!(!is_for_names(address(private), false), "{private}");
            assert!(is_for_names(address(private), true), "{private}");
        }
        for never in [
            "169.254.169.254",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "100.100.100.200",
            "168.63.129.16",
            "fe80::1",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
            "192.0.0.192",
        ] {
            assert!(!is_for_names(address(never), true), "{never}");
        }
    }

    #[test]
    fn networks_mean_special_addresses_only_from_within() {
        for (net, private, of, wanted) in [
            ("0.0.0.0/0", false, "8.8.8.8", true),
            ("0.0.0.0/0", false, "127.0.0.1", false),
            ("0.0.0.0/0", true, "127.0.0.1", true),
            ("0.0.0.0/0", true, "169.254.169.254", false),
            ("10.0.0.0/8", false, "10.1.1.1", true),
            ("10.1.0.0/16", false, "10.1.1.1", true),
            ("10.1.0.0/16", false, "::ffff:10.1.1.1", true),
            ("10.1.0.0/16", false, "10.2.1.1", false),
            ("169.254.169.254/32", false, "169.254.169.254", true),
            ("169.254.0.0/16", false, "169.254.169.254", true),
            ("fd00::/8", false, "fd00::1", true),
            ("fd00::/8", true, "fd00:ec2::254", false),
            ("fd00:ec2::254/128", false, "fd00:ec2::254", true),
            ("::/0", false, "::1", false),
            ("::/0", false, "64:ff9b::7f00:1", false),
        ] {
            let net: IpNet = net.parse().expect("a network");
            assert_eq!(
                covers(&net, private, address(of)),
                wanted,
                "{net} {private} {of}"
            );
        }
    }
}
