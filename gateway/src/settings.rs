//! What the doors are told about the world by whoever starts them: addresses, cookies, bounds. No secrets.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use hub_core::wire::{Limits, MAX_BODY_BYTES, MAX_CLIENT_MESSAGE_BYTES, MAX_DEPTH};

use crate::metrics::MetricsToken;
use crate::origin::Origins;

/// Everything the doors can be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What this node calls itself in `welcome`.
    pub node: String,
    /// Pages that may use a cookie: exact `scheme://host[:port]`.
    pub origins: Origins,
    /// Which cookie a browser gets.
    pub cookie: CookieKind,
    /// The folder of the built web pages, read once at the start.
    pub web_dir: Option<PathBuf>,
    /// Peers whose `X-Forwarded-For` is believed. Nobody else's is.
    pub trusted_proxies: Vec<IpAddr>,
    /// Worker threads of the HTTP server.
    pub workers: usize,
    /// Connections this node has at once; one more is told to come again.
    pub max_connections: usize,
    /// Connections of one address; a trusted proxy has as many as the node. 0: as many as the node.
    pub connections_per_address: usize,
    /// How often somebody may knock.
    pub rates: RateLimits,
    /// Failed sign-ins.
    pub login: LoginLimits,
    /// One socket.
    pub sockets: SocketLimits,
    /// Who may read `/metrics`; none: nobody, and nothing is collected.
    pub metrics_token: Option<MetricsToken>,
}

/// How the cookie is named and guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieKind {
    /// `__Host-tandem`, `Secure`: behind TLS.
    Secure,
    /// `tandem`: plain HTTP on a loopback address.
    Plain,
}

impl CookieKind {
    /// The cookie's name. `__Host-` binds it to exactly this host, and browsers take it with `Secure` only.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secure => "__Host-tandem",
            Self::Plain => "tandem",
        }
    }
}

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run.
    pub per_second: NonZeroU32,
    /// At once.
    pub burst: NonZeroU32,
}

/// How often somebody may knock; none: as often as they like.
#[derive(Clone, Copy, Debug, Default)]
pub struct RateLimits {
    /// What one person does through all doors: requests, and frames of all sockets.
    pub per_user: Option<Rate>,
    /// Requests, and handshakes before their `hello`, with one token: one sign-in.
    pub per_token: Option<Rate>,
    /// Requests and handshakes of one address by those whom nobody knows; an IPv6 network of 64 bits counts as one address.
    pub per_address: Option<Rate>,
    /// Handshakes of the whole node.
    pub handshakes: Option<Rate>,
}

/// Failed sign-ins that are let through before the next attempt has to wait.
#[derive(Clone, Copy, Debug)]
pub struct LoginLimits {
    /// Per account and minute.
    pub per_account: NonZeroU32,
    /// Per address and minute; an IPv6 network of 64 bits counts as one address.
    pub per_address: NonZeroU32,
}

/// Bounds of one WebSocket.
#[derive(Clone, Copy, Debug)]
pub struct SocketLimits {
    /// How often the hub pings; two misses close.
    pub heartbeat: Duration,
    /// How long a socket may stay without a `hello`.
    pub hello_within: Duration,
    /// Sockets of one user on this node.
    pub per_user: usize,
    /// Frames a second, in the long run.
    pub frames_per_second: NonZeroU32,
    /// Frames at once.
    pub frames_burst: NonZeroU32,
    /// Topics watched at once.
    pub subscriptions: usize,
    /// Commands under way at once. Few: what many sockets may pour in at once is what a hub under load has to read before it can
    /// refuse any of it, and for as long as that takes everybody waits.
    pub commands_in_flight: usize,
}

impl Default for LoginLimits {
    fn default() -> Self {
        const FIVE: NonZeroU32 = NonZeroU32::new(5).expect("five is not zero");
        const TWENTY: NonZeroU32 = NonZeroU32::new(20).expect("twenty is not zero");
        Self { per_account: FIVE, per_address: TWENTY }
    }
}

impl Default for SocketLimits {
    fn default() -> Self {
        const TWENTY: NonZeroU32 = NonZeroU32::new(20).expect("twenty is not zero");
        const SIXTY: NonZeroU32 = NonZeroU32::new(60).expect("sixty is not zero");
        Self {
            heartbeat: Duration::from_secs(20),
            hello_within: Duration::from_secs(5),
            per_user: 10,
            frames_per_second: TWENTY,
            frames_burst: SIXTY,
            subscriptions: 100,
            commands_in_flight: 4,
        }
    }
}

impl SocketLimits {
    /// What `welcome` tells clients.
    pub const fn told(&self) -> Limits {
        Limits {
            message_bytes: MAX_CLIENT_MESSAGE_BYTES as u64,
            body_bytes: MAX_BODY_BYTES as u64,
            depth: MAX_DEPTH as u64,
            subscriptions: self.subscriptions as u64,
            commands_in_flight: self.commands_in_flight as u64,
        }
    }
}
