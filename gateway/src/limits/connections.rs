//! How many connections there may be, on this node and from one address, and how long one may do nothing. Who is one too many
//! is told so at once and let go.
//!
//! The HTTP server times the first head of a connection and the pause between two requests, but neither a second head that
//! never ends nor a body nobody reads: those are cut from outside.

use std::collections::HashMap;
use std::net::{IpAddr, Shutdown};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ::metrics::counter;
use actix_web::rt::net::TcpStream;
use hub_core::wire::Problem;
use parking_lot::Mutex;
use socket2::SockRef;

use super::network;
use crate::problem::PROBLEM_JSON;
use crate::settings::Settings;
use crate::ws::KillSwitch;

/// When one too many may come again.
const RETRY_S: u64 = 5;
/// A connection that carries no socket may be so long without a request that was answered: more than the HTTP server's pause.
const QUIET_FOR: Duration = Duration::from_secs(120);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The connections of one node. Cheap to clone; every clone is the same registry.
#[derive(Clone)]
pub struct Connections {
    inner: Arc<Inner>,
}

struct Inner {
    max: usize,
    per_address: usize,
    /// Everybody comes from there: they are not counted as one.
    proxies: Vec<IpAddr>,
    began: Instant,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    next: u64,
    lines: HashMap<u64, Arc<Line>>,
    per_address: HashMap<IpAddr, usize>,
}

/// What is known of one connection, for whoever may have to cut it.
struct Line {
    kill: KillSwitch,
    /// It has become a WebSocket, which has its own rules.
    is_socket: AtomicBool,
    /// When it was accepted, or last answered: milliseconds since the hub began.
    quiet_since_ms: AtomicU64,
}

/// One accepted connection: counted for as long as this is held.
pub struct Connection {
    connections: Connections,
    /// None for one too many, which is only held until it is gone.
    admitted: Option<(u64, Arc<Line>, Option<IpAddr>)>,
}

impl Connections {
    /// Nobody is here yet. A limit of 0 is none.
    pub fn new(settings: &Settings) -> Self {
        Self::of(settings.max_connections, settings.connections_per_address, settings.trusted_proxies.clone())
    }

    fn of(max: usize, per_address: usize, proxies: Vec<IpAddr>) -> Self {
        let unless_none = |limit: usize| if limit == 0 { usize::MAX } else { limit };
        let (max, per_address) = (unless_none(max), unless_none(per_address));
        let inner = Inner { max, per_address, proxies, began: Instant::now(), open: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Takes a connection in, or says at once that it is one too many.
    pub fn accept(&self, io: &TcpStream, kill: KillSwitch) -> Connection {
        let address = io.peer_addr().ok().map(|peer| network(peer.ip()));
        let connection = self.admit(address, kill);
        if connection.is_too_many() {
            counter!("tandem_rate_limited_total", "limit" => "connections").increment(1);
            let socket = SockRef::from(io);
            // An empty send buffer has room for it. The reading side stays open until the client has gone or its time is over:
            // closing over words that nobody read would take the answer back.
            drop(socket.send(full().as_bytes()));
            drop(socket.shutdown(Shutdown::Write));
        }
        connection
    }

    fn admit(&self, address: Option<IpAddr>, kill: KillSwitch) -> Connection {
        let counted = address.filter(|address| !self.inner.proxies.contains(address));
        let mut open = self.inner.open.lock();
        let of_address = counted.map_or(0, |address| open.per_address.get(&address).copied().unwrap_or(0));
        if open.lines.len() >= self.inner.max || of_address >= self.inner.per_address {
            return Connection { connections: self.clone(), admitted: None };
        }
        if let Some(address) = counted {
            *open.per_address.entry(address).or_default() += 1;
        }
        let line = Arc::new(Line { kill, is_socket: AtomicBool::new(false), quiet_since_ms: AtomicU64::new(self.now_ms()) });
        open.next += 1;
        let id = open.next;
        open.lines.insert(id, Arc::clone(&line));
        Connection { connections: self.clone(), admitted: Some((id, line, counted)) }
    }

    /// Cuts connections that have done nothing for too long, for ever: ends when it is dropped.
    pub async fn watch(self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.cut_quiet_ones(self.now_ms());
        }
    }

    fn cut_quiet_ones(&self, now_ms: u64) {
        let lines: Vec<_> = self.inner.open.lock().lines.values().cloned().collect();
        for line in lines {
            let quiet_ms = now_ms.saturating_sub(line.quiet_since_ms.load(Ordering::Relaxed));
            if !line.is_socket.load(Ordering::Relaxed) && u128::from(quiet_ms) > QUIET_FOR.as_millis() {
                line.kill.cut();
            }
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.inner.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Connection {
    /// One too many: whatever it asks is refused.
    pub const fn is_too_many(&self) -> bool {
        self.admitted.is_none()
    }

    /// The refusal for whatever one too many asks.
    pub fn refusal() -> Problem {
        Problem::busy(RETRY_S * 1_000)
    }

    /// A request was answered.
    pub fn answered(&self) {
        if let Some((_, line, _)) = &self.admitted {
            line.quiet_since_ms.store(self.connections.now_ms(), Ordering::Relaxed);
        }
    }

    /// From now on it is a WebSocket.
    pub fn becomes_socket(&self) {
        if let Some((_, line, _)) = &self.admitted {
            line.is_socket.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some((id, _, address)) = &self.admitted else { return };
        let mut open = self.connections.inner.open.lock();
        open.lines.remove(id);
        if let Some(address) = address
            && let Some(count) = open.per_address.get_mut(address)
        {
            *count -= 1;
            if *count == 0 {
                open.per_address.remove(address);
            }
        }
    }
}

/// What one too many is told, without asking what it wanted.
fn full() -> String {
    let body = serde_json::json!({
        "type": "about:blank", "title": "Service Unavailable", "status": 503, "code": "busy",
        "detail": "Too many connections.", "retry_after_ms": RETRY_S * 1_000,
    });
    let body = body.to_string();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: {RETRY_S}\r\nConnection: close\r\n\
         Content-Type: {PROBLEM_JSON}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(max: usize, per_address: usize, proxies: &[&str]) -> Connections {
        let proxies = proxies.iter().map(|proxy| proxy.parse().expect("an address")).collect();
        Connections::of(max, per_address, proxies)
    }

    fn from(connections: &Connections, address: &str) -> Connection {
        connections.admit(Some(network(address.parse().expect("an address"))), KillSwitch::of(None))
    }

    #[test]
    fn a_node_and_an_address_have_so_many_and_no_more() {
        let connections = connections(4, 2, &[]);
        let (one, two) = (from(&connections, "10.0.0.1"), from(&connections, "::ffff:10.0.0.1"));
        assert!(!one.is_too_many() && !two.is_too_many());
        assert!(from(&connections, "10.0.0.1").is_too_many(), "this address has its two");
        let (three, four) = (from(&connections, "10.0.0.2"), from(&connections, "2001:db8::1"));
        assert!(!three.is_too_many() && !four.is_too_many());
        assert!(from(&connections, "10.0.0.3").is_too_many(), "the node has its four");
        drop(one);
        let again = from(&connections, "10.0.0.1");
        assert!(!again.is_too_many(), "who leaves makes room");
        drop((again, two, three, four));
        let open = connections.inner.open.lock();
        assert!(open.lines.is_empty() && open.per_address.is_empty(), "nobody is remembered");
    }

    #[test]
    fn behind_a_proxy_everybody_has_one_address_and_that_is_no_reason() {
        let connections = connections(0, 1, &["10.0.0.9"]);
        let held: Vec<_> = (0..50).map(|_| from(&connections, "10.0.0.9")).collect();
        assert!(held.iter().all(|connection| !connection.is_too_many()));
    }

    #[actix_web::test]
    async fn a_connection_that_is_quiet_for_too_long_is_cut_unless_it_is_a_socket() {
        let connections = connections(9, 9, &[]);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut held = Vec::new();
        for _ in 0..3 {
            let client = TcpStream::connect(address).await.expect("listens");
            let (io, _) = listener.accept().await.expect("a client");
            let connection = connections.accept(&io, KillSwitch::of_connection(&io));
            held.push((client, io, connection));
        }
        held[1].2.becomes_socket();
        let long_after = connections.now_ms() + 121_000;
        if let Some((_, line, _)) = &held[2].2.admitted {
            line.quiet_since_ms.store(long_after - 1_000, Ordering::Relaxed);
        }
        connections.cut_quiet_ones(long_after);
        let is_cut = |client: &TcpStream| matches!(client.try_read(&mut [0]), Ok(0));
        held[0].0.readable().await.expect("its end can be read");
        let cut: Vec<bool> = held.iter().map(|(client, ..)| is_cut(client)).collect();
        assert_eq!(cut, [true, false, false]);
    }

    #[test]
    fn the_refusal_is_whole() {
        let text = full();
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains(&format!("Content-Length: {}", body.len())) && head.contains("Retry-After: 5"));
        assert!(serde_json::from_str::<serde_json::Value>(body).expect("JSON")["code"] == "busy");
    }
}
