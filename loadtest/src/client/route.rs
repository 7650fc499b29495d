//! How connections get to the hub: which node, from which own address, in which codec. Opening them is `socket`'s matter.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use anyhow::{Context, bail, ensure};
use hub_core::wire::Codec;
use tokio_tungstenite::tungstenite::http::Uri;

/// The most addresses a range may name.
const MAX_SOURCES: usize = 1_024;

/// Where the hub is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// As it was given.
    pub url: String,
    /// `host:port`, for sockets and for the `Host` header.
    pub authority: String,
}

impl Endpoint {
    /// Reads `ws://host:port/ws`.
    ///
    /// # Errors
    /// When it is no such URL.
    pub fn parse(url: &str) -> anyhow::Result<Self> {
        let uri: Uri = url.parse().with_context(|| format!("--url {url}: not a URL"))?;
        match uri.scheme_str() {
            Some("ws") => {}
            Some("wss") => bail!("--url {url}: TLS is not spoken here; give the hub's own port as ws://"),
            Some(_) | None => bail!("--url {url}: must begin with ws://, such as ws://127.0.0.1:8080/ws"),
        }
        let host = uri.host().with_context(|| format!("--url {url}: names no host"))?;
        ensure!(uri.path() != "/", "--url {url}: has no path; the hub's socket is at /ws");
        Ok(Self { url: url.to_owned(), authority: format!("{host}:{}", uri.port_u16().unwrap_or(80)) })
    }

    /// True for an address of this machine's own.
    pub fn is_loopback(&self) -> bool {
        let host = self.authority.rsplit_once(':').map_or(self.authority.as_str(), |(host, _)| host);
        host == "localhost" || host == "[::1]" || host.starts_with("127.")
    }
}

/// Which codecs the clients of a run speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codecs {
    /// All the same.
    All(Codec),
    /// By turns, so that every topic is heard in both.
    Mixed,
}

impl Codecs {
    /// The name, as it stands on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All(Codec::Json) => "json",
            Self::All(Codec::MsgPack) => "msgpack",
            Self::Mixed => "mixed",
        }
    }

    const fn of(self, index: usize) -> Codec {
        match self {
            Self::All(codec) => codec,
            Self::Mixed => Codec::ALL[index % Codec::ALL.len()],
        }
    }
}

/// Own addresses that connections are made from, by turns. None: the system chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(Vec<IpAddr>);

impl Sources {
    /// Each of them.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.0
    }
}

impl FromStr for Sources {
    type Err = String;

    /// Reads `127.0.0.2,127.0.0.3` and `127.0.0.2-127.0.0.9`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut addresses = Vec::new();
        for part in text.split(',') {
            match part.split_once('-') {
                None => addresses.push(address(part)?),
                Some((first, last)) => addresses.extend(range(first, last)?),
            }
        }
        if addresses.len() > MAX_SOURCES {
            return Err(format!("names {} addresses; at most {MAX_SOURCES}", addresses.len()));
        }
        Ok(Self(addresses))
    }
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is no address; write 127.0.0.2,127.0.0.3 or 127.0.0.2-127.0.0.9"))
}

fn range(first: &str, last: &str) -> Result<impl Iterator<Item = IpAddr> + use<>, String> {
    let (IpAddr::V4(first), IpAddr::V4(last)) = (address(first)?, address(last)?) else {
        return Err("a range is of IPv4 addresses; name IPv6 ones singly".into());
    };
    let (first, last) = (first.to_bits(), last.to_bits());
    if first > last || (last - first) as usize >= MAX_SOURCES {
        return Err(format!("a range goes upwards, and over at most {MAX_SOURCES} addresses"));
    }
    Ok((first..=last).map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))))
}

/// What the connections of a run choose from.
#[derive(Clone, Debug)]
pub struct Routes {
    /// The hubs; at least one.
    pub endpoints: Vec<Endpoint>,
    /// How frames become bytes.
    pub codecs: Codecs,
    /// Where connections are made from.
    pub sources: Sources,
}

/// How one connection is made.
#[derive(Clone, Debug)]
pub struct Route {
    /// To whom.
    pub endpoint: Endpoint,
    /// In which codec.
    pub codec: Codec,
    /// From which own address; none: the system chooses.
    pub from: Option<IpAddr>,
    /// How many bytes the kernel may keep for a client that does not read; none: as the system has it.
    pub receive_buffer: Option<u32>,
}

impl Routes {
    /// The route of a client by its index, and by how often in a row it failed: then it tries the next hub.
    pub fn route(&self, index: usize, failures: usize) -> Route {
        let hubs = self.endpoints.len();
        let sources = self.sources.addresses();
        Route {
            endpoint: self.endpoints[(index + failures) % hubs].clone(),
            // Not in step with the hubs: both of two nodes hear both codecs.
            codec: self.codecs.of(index / hubs),
            from: sources.get(index % sources.len().max(1)).copied(),
            receive_buffer: None,
        }
    }

    /// One route to every hub, and one from every own address.
    pub fn samples(&self) -> impl Iterator<Item = Route> {
        (0..self.endpoints.len().max(self.sources.addresses().len())).map(|index| self.route(index, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_the_hub_is() {
        let here = Endpoint::parse("ws://127.0.0.1:8080/ws").expect("a hub");
        assert_eq!(here.authority, "127.0.0.1:8080");
        assert!(here.is_loopback());
        assert!(!Endpoint::parse("ws://hub.example:80/ws").expect("a hub").is_loopback());
        for (url, words) in [
            ("wss://127.0.0.1/ws", "TLS"),
            ("http://127.0.0.1:8080/ws", "must begin with ws://"),
            ("ws://127.0.0.1:8080", "no path"),
            ("nonsense", "must begin with ws://"),
        ] {
            let error = format!("{:#}", Endpoint::parse(url).expect_err("not a hub's socket"));
            assert!(error.contains(words), "{url}: {error}");
        }
    }

    #[test]
    fn own_addresses_are_listed_or_given_as_a_range() {
        let read = |text: &str| text.parse::<Sources>().expect(text).0.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(read("127.0.0.2,::1"), ["127.0.0.2", "::1"]);
        assert_eq!(read("127.0.0.254-127.0.1.1"), ["127.0.0.254", "127.0.0.255", "127.0.1.0", "127.0.1.1"]);
        for wrong in ["", "localhost", "127.0.0.3-127.0.0.2", "127.0.0.1-127.9.0.1", "::1-::2", "127.0.0.2,"] {
            wrong.parse::<Sources>().expect_err(wrong);
        }
    }

    #[test]
    fn clients_take_hubs_codecs_and_own_addresses_by_turns() {
        let endpoint = |port: u16| Endpoint::parse(&format!("ws://127.0.0.1:{port}/ws")).expect("a hub");
        let sources = "127.0.0.2-127.0.0.4".parse().expect("a range");
        let routes = Routes { endpoints: vec![endpoint(1), endpoint(2)], codecs: Codecs::Mixed, sources };
        let taken = (0..12).map(|index| routes.route(index, 0)).map(|r| (r.endpoint.authority, r.codec, r.from));
        let different: std::collections::HashSet<_> = taken.collect();
        assert_eq!(different.len(), 12, "each of two hubs hears both codecs from all three addresses");
        assert_eq!(routes.route(0, 1).endpoint, routes.route(1, 0).endpoint);
        assert_eq!(routes.samples().count(), 3);
    }
}
