//! What may be called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The hosts that processes may call.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// All of them; nothing is called where it is empty.
    pub allow: Vec<Allowed>,
}

/// A host that may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Its name or address; `*.example.com` stands for every name below.
    host: String,
    /// Its port; any where `None`.
    port: Option<u16>,
    /// It may be called at a private address and without encryption.
    inside: bool,
}

impl Allowed {
    /// Reads `erp.example.com`, `*.example.com`, `erp.example.com:8443`; with `inside`, of one's own network.
    pub fn parse(text: &str, inside: bool) -> Option<Allowed> {
        let text = text.trim().to_ascii_lowercase();
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port.parse().ok()?)),
            _ => (text.as_str(), None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | ':' | '*' | '_');
        let star = host.strip_prefix("*.").unwrap_or(host);
        (!host.is_empty() && host.chars().all(fits) && !star.contains('*')).then(|| Allowed {
            host: host.to_owned(),
            port,
            inside,
        })
    }

    fn fits(&self, host: &str, port: u16) -> bool {
        let named = match self.host.strip_prefix("*.") {
            Some(above) => host.strip_suffix(above).is_some_and(|below| below.ends_with('.') && below.len() > 1),
            None => self.host == host,
        };
        named && self.port.is_none_or(|own| own == port)
    }
}

impl Policy {
    /// Whether a host may be called, and if so whether as one of one's own network.
    pub(super) fn allows(&self, host: &str, port: u16) -> Option<bool> {
        let mut found = self.allow.iter().filter(|one| one.fits(host, port)).peekable();
        found.peek()?;
        Some(found.any(|one| one.inside))
    }
}

/// Whether an address is of the public internet: not of this machine, a private network, a link, a cloud's
/// metadata, a translation of any of these, or reserved.
pub(super) fn public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => public_v4(v4),
        IpAddr::V6(v6) => public_v6(v6),
    }
}

fn public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19)))
}

fn public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        public_v4(Ipv4Addr::new(a, b, c, d))
    };
    // Only 2000::/3 is given out; 64:ff9b::/96 and 2002::/16 lead to an IPv4 address.
    match (a, b) {
        (0x64, 0xff9b) => (c, d, e, f) == (0, 0, 0, 0) && embedded(g, h),
        (0x2002, _) => embedded(b, c),
        (0x2001, 0..=0x01ff) | (0x2001, 0xdb8) | (0x3fff, _) => false,
        _ => (0x2000..0x4000).contains(&a),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for inside in [
            "127.0.0.1",
            "127.8.8.8",
            "10.0.0.1",
            "172.16.3.4",
            "192.168.1.1",
            "169.254.169.254",
            "100.100.100.200",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "192.0.0.192",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "::127.0.0.1",
        ] {
            assert!(!public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808", "100.128.0.1", "172.32.0.1"] {
            assert!(public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn a_host_is_allowed_by_its_whole_name() {
        let policy = Policy {
            allow: vec![
                Allowed::parse("erp.example.com", false).unwrap(),
                Allowed::parse("*.partner.example", false).unwrap(),
                Allowed::parse("127.0.0.1:9000", true).unwrap(),
            ],
        };
        assert_eq!(policy.allows("erp.example.com", 443), Some(false));
        assert_eq!(policy.allows("a.b.partner.example", 443), Some(false));
        assert_eq!(policy.allows("127.0.0.1", 9000), Some(true));
        for (host, port) in [
            ("evil-erp.example.com", 443),
            ("erp.example.com.evil", 443),
            ("partner.example", 443),
            ("xpartner.example", 443),
            ("127.0.0.1", 9001),
        ] {
            assert_eq!(policy.allows(host, port), None, "{host}");
        }
        assert_eq!(Allowed::parse("ex*mple.com", false), None);
        assert_eq!(Allowed::parse("", false), None);
    }
}
