//! `HOST:PORT`: where a plugin may connect to.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde::{Deserialize, de::Deserializer};

use super::either::{self, Either};

/// Hosts and ports that a plugin may connect to or send to: `"db.example.com:5432"`, `"192.0.2.7:53"`,
/// `"10.0.0.0/8:8000-8010"`, `"[2001:db8::/32]:*"`, or a table
/// `{ to = "db.internal:5432", private = true }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which hosts.
    pub hosts: Hosts,
    /// Which ports.
    pub ports: Ports,
    /// Whether loopback and private addresses belong to it, too, where [`Hosts`] does not name them: those that the name
    /// resolves to, or those within a wider network.
    pub private: bool,
}

/// Which hosts a grant is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// The host of exactly this name, in lower case and without a dot at its end.
    Name(String),
    /// The addresses of a network; one address is a network, too.
    Net(IpNet),
}

/// Ports from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The first, at least 1.
    pub first: u16,
    /// The last, not below the first.
    pub last: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Table {
    to: String,
    #[serde(default)]
    private: bool,
}

impl Either for Target {
    type Table = Table;
    const EXPECTING: &str = r#"HOST:PORT or { to = "HOST:PORT", private = true }"#;

    fn of_table(table: Table) -> Result<Self, String> {
        Ok(Self {
            private: table.private,
            ..table.to.parse()?
        })
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        either::deserialize(deserializer)
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "write HOST:PORT, such as \"db.example.com:5432\", \"10.0.0.0/8:8000-8010\" or \"[2001:db8::1]:*\"";
        let Some((hosts, ports)) = text.rsplit_once(':') else {
            return Err(format!("{text:?} has no port; {form}"));
        };
        let hosts = match hosts.strip_prefix('[').map(|inner| inner.strip_suffix(']')) {
            Some(Some(inner)) => Hosts::Net(net(inner)?),
            Some(None) => return Err(format!("{text:?} has no closing bracket; {form}")),
            None if hosts.contains(':') => {
                return Err(format!("{text:?}: IPv6 stands in brackets; {form}"));
            }
            None => hosts.parse()?,
        };
        Ok(Self {
            hosts,
            ports: ports.parse()?,
            private: false,
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.hosts, self.ports)
    }
}

impl FromStr for Hosts {
    type Err = String;

    /// A name, an IPv4 address or an IPv4 network.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') || text.parse::<IpAddr>().is_ok() {
            return net(text).map(Self::Net);
        }
        name(text).map(Self::Name)
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Net(net) => {
                let single = net.prefix_len() == net.max_prefix_len();
                match (net, single) {
                    (IpNet::V4(net), true) => write!(f, "{}", net.addr()),
                    (IpNet::V4(net), false) => write!(f, "{net}"),
                    (IpNet::V6(net), true) => write!(f, "[{}]", net.addr()),
                    (IpNet::V6(net), false) => write!(f, "[{net}]"),
                }
            }
        }
    }
}

fn net(text: &str) -> Result<IpNet, String> {
    let net = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address.to_canonical()),
        Err(_) => text.parse::<IpNet>().map_err(|_| {
            format!("{text:?} is neither an address nor a network; write \"192.0.2.7\" or \"10.0.0.0/8\"")
        })?,
    };
    if let IpNet::V6(six) = net
        && six.addr().to_ipv4_mapped().is_some()
    {
        return Err(format!("{text:?} is an IPv4 network; write it as one"));
    }
    if net.trunc() != net {
        return Err(format!(
            "{text:?} has bits beyond its length; write \"{}\"",
            net.trunc()
        ));
    }
    Ok(net)
}

/// A host's name as it is compared: in lower case, without a dot at its end. What a resolver might take for an address
/// in a form of old times is none.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if name.contains('*') {
        return Err(format!(
            "{text:?}: a name stands for itself alone; write each name"
        ));
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    if name.len() > 253 || !name.split('.').all(is_label) {
        return Err(format!(
            "{text:?} is no host name; write letters, digits, \"-\" and \"_\" between dots, other letters as \"xn--\""
        ));
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|b| b.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if is_number {
        return Err(format!(
            "{text:?} looks like an address but is none; write it as \"192.0.2.7\""
        ));
    }
    Ok(name)
}

impl Ports {
    /// Whether it is one of them.
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

impl FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self {
                first: 1,
                last: u16::MAX,
            });
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(format!(
                "{text:?} is no port; write \"5432\", \"8000-8010\" or \"*\""
            )),
        }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (1, u16::MAX) => f.write_str("*"),
            (first, last) if first == last => write!(f, "{first}"),
            (first, last) => write!(f, "{first}-{last}"),
        }
    }
}
