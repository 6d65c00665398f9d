//! Which addresses of strangers are called: those of the public net, over HTTPS, and nothing of ours.
//!
//! Invariant: the address that is judged is the one that is connected to. A name is resolved once for a connection, by
//! [`Guarded`], and the connection goes to what that has let through: a name that resolves differently a moment later
//! changes nothing. A name with one forbidden address is refused as a whole. Redirections are not followed at all.

use edge::World;
use futures::future::BoxFuture;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

const ADDRESS_MAX: usize = 2_000;

/// Which receivers may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Net {
    /// Those of the public net.
    Public,
    /// This machine too, without TLS: the local cloud and tests.
    Local,
}

/// Why an address is none for an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAReceiver {
    #[error("want an address like https://shop.example/hooks, of 2000 characters at the most")]
    Unreadable,
    #[error("want https")]
    NotHttps,
    #[error("an address has no user, no password and no `#`")]
    Adorned,
    #[error("want port 443, or one from 1024 on")]
    Port,
    #[error("want a host of the public net")]
    NotPublic,
}

impl NotAReceiver {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Unreadable | Self::Adorned => "format",
            Self::NotHttps => "https",
            Self::Port => "port",
            Self::NotPublic => "not_public",
        }
    }
}

/// The host has an address that is not called.
#[derive(Debug, thiserror::Error)]
#[error("{0} is no address of the public net")]
pub(crate) struct Forbidden(IpAddr);

impl Net {
    /// As the template says; whatever is not said is public.
    pub(crate) fn of(world: &World) -> Self {
        match world.variable("WEBHOOK_RECEIVERS") {
            Ok("local") => Self::Local,
            Ok(_) | Err(_) => Self::Public,
        }
    }

    /// Reads an address in the one spelling that is kept: `https://0x7f.1/` is `https://127.0.0.1/`.
    pub(crate) fn read(self, text: &str) -> Result<Url, NotAReceiver> {
        let url = Some(text).filter(|text| text.len() <= ADDRESS_MAX).and_then(|text| Url::parse(text).ok());
        let url = url.filter(Url::has_host).ok_or(NotAReceiver::Unreadable)?;
        let host = host(&url).ok_or(NotAReceiver::Unreadable)?;
        let here = self == Self::Local && self.is_here(&host);
        if url.scheme() != "https" && !(here && url.scheme() == "http") {
            return Err(NotAReceiver::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(NotAReceiver::Adorned);
        }
        match url.port_or_known_default() {
            Some(443 | 1024..) => {}
            Some(_) if here => {}
            Some(_) | None => return Err(NotAReceiver::Port),
        }
        match host {
            _ if here => Ok(url),
            Host::Address(ip) if is_public(ip) => Ok(url),
            Host::Name(name) if is_public_name(&name) => Ok(url),
            Host::Address(_) | Host::Name(_) => Err(NotAReceiver::NotPublic),
        }
    }

    fn is_here(self, host: &Host) -> bool {
        match host {
            Host::Address(ip) => ip.is_loopback(),
            Host::Name(name) => name == "localhost",
        }
    }

    fn allows(self, ip: IpAddr) -> bool {
        is_public(ip) || (self == Self::Local && ip.is_loopback())
    }
}

enum Host {
    Address(IpAddr),
    Name(String),
}

fn host(url: &Url) -> Option<Host> {
    let host = url.host_str()?.trim_end_matches('.');
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Some(match bare.parse() {
        Ok(ip) => Host::Address(ip),
        Err(_) => Host::Name(bare.to_ascii_lowercase()),
    })
}

/// Names that mean something else in every house.
fn is_public_name(name: &str) -> bool {
    let house = ["localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa"];
    let last = name.rsplit('.').next().unwrap_or_default();
    name.contains('.') && !house.contains(&last)
}

/// Whether an address is one of the public net: neither a machine's own, nor a house's, nor one that is given to
/// nobody.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

/// First address and bits of each net that is not public, as IANA's register of special purposes has them.
const NOT_PUBLIC_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let within = |(net, bits): &(Ipv4Addr, u32)| {
        let shift = 32_u32.saturating_sub(*bits);
        ip.to_bits() >> shift == net.to_bits() >> shift
    };
    !NOT_PUBLIC_V4.iter().any(within)
}

/// Nets within 2000::/3 that are not public: Teredo and other protocols' (2001::/23), documentation, 6to4.
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Public are addresses within 2000::/3 alone. So those that stand for one of IPv4 (`::ffff:…`, `64:ff9b::…`) are not,
/// nor loopback, local, private and multicast ones.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let within = |(net, bits): &(Ipv6Addr, u32)| {
        let shift = 128_u32.saturating_sub(*bits);
        ip.to_bits() >> shift == net.to_bits() >> shift
    };
    within(&(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)) && !NOT_PUBLIC_V6.iter().any(within)
}

/// How a name becomes addresses.
pub(crate) type LookUp =
    Arc<dyn Fn(String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> + Send + Sync>;

/// As the system does it.
pub(crate) fn by_the_system() -> LookUp {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// Resolves a name for a connection, to addresses that may be called.
pub(crate) struct Guarded {
    pub(crate) net: Net,
    pub(crate) look_up: LookUp,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (net, found) = (self.net, (self.look_up)(name.as_str().to_owned()));
        Box::pin(async move {
            let found = found.await?;
            match found.iter().find(|ip| !net.allows(**ip)) {
                Some(ip) => Err(Forbidden(*ip).into()),
                None => Ok(Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests;
