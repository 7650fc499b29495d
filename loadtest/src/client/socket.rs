//! A WebSocket to the hub: opening it with good words when that fails, frames in and out, and ways to cut it off.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hub_core::wire::Codec;
use hub_core::wire::client::Request;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::{RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error as WsError, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::route::Route;

/// Read and write buffers: the library's default of 128 KiB would be most of what a run's memory shows.
const BUFFER_BYTES: usize = 4 * 1024;
/// The hub's own limit is 256 KiB; more than twice that is worth an error.
const MAX_MESSAGE_BYTES: usize = 600 * 1024;
/// How long a connection may take to open.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a connection did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The own address cannot be used.
    #[error("cannot connect from {from}: is it an address of this machine?")]
    From {
        /// Which.
        from: IpAddr,
        /// What the system says.
        source: io::Error,
    },
    /// There is no connection.
    #[error("nobody answers at {authority}; is the hub running there?")]
    Unreachable {
        /// `host:port`
        authority: String,
        /// What the system says.
        source: io::Error,
    },
    /// An answer, but not the upgrade.
    #[error("{url} answers {status} instead of upgrading to a WebSocket")]
    Refused {
        /// Of the hub.
        url: String,
        /// Of HTTP.
        status: u16,
        /// How long it asks to stay away.
        retry_after: Option<Duration>,
    },
    /// What came was no answer.
    #[error("{url} does not upgrade to a WebSocket: {words}")]
    NoUpgrade {
        /// Of the hub.
        url: String,
        /// What it was.
        words: String,
    },
    /// Nothing came.
    #[error("no connection to {url} within {} s", OPEN_TIMEOUT.as_secs())]
    TimedOut {
        /// Of the hub.
        url: String,
    },
}

impl OpenError {
    /// How long the hub asks to stay away.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            Self::From { .. } | Self::Unreachable { .. } | Self::NoUpgrade { .. } | Self::TimedOut { .. } => None,
        }
    }

    /// What to count it as.
    pub fn kind(&self) -> String {
        match self {
            Self::From { source, .. } | Self::Unreachable { source, .. } => match source.kind() {
                io::ErrorKind::ConnectionRefused => "connection refused".into(),
                io::ErrorKind::ConnectionReset => "connection reset".into(),
                io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable => "no own port or address left".into(),
                kind => kind.to_string(),
            },
            Self::Refused { status, .. } => format!("http {status}"),
            Self::NoUpgrade { .. } => "broken off while upgrading".into(),
            Self::TimedOut { .. } => "timed out".into(),
        }
    }
}

/// What came.
#[derive(Debug)]
pub enum Incoming {
    /// One frame of the hub.
    Text(Utf8Bytes),
    /// One frame of the hub.
    Binary(Bytes),
    /// The hub closed, with this code when it told one.
    Closed(Option<u16>),
    /// The connection broke.
    Broken,
}

/// An open WebSocket with a codec.
#[derive(Debug)]
pub struct Socket {
    inner: WebSocketStream<TcpStream>,
    codec: Codec,
    pings: u64,
}

impl Socket {
    /// Connects and agrees on the codec.
    ///
    /// # Errors
    /// In words: nobody listens, the hub does not upgrade, or not to this codec.
    pub async fn open(route: &Route) -> Result<Self, OpenError> {
        let timed_out = || OpenError::TimedOut { url: route.endpoint.url.clone() };
        tokio::time::timeout(OPEN_TIMEOUT, Self::open_in_time(route)).await.map_err(|_| timed_out())?
    }

    async fn open_in_time(route: &Route) -> Result<Self, OpenError> {
        let Route { endpoint, codec, .. } = route;
        let tcp = connect(route).await?;
        let no_upgrade = |words: String| OpenError::NoUpgrade { url: endpoint.url.clone(), words };
        let mut request = endpoint.url.as_str().into_client_request().map_err(|error| no_upgrade(error.to_string()))?;
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(codec.subprotocol()));
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let (inner, _) = client_async_with_config(request, tcp, Some(config)).await.map_err(|error| match error {
            WsError::Http(response) => OpenError::Refused {
                url: endpoint.url.clone(),
                status: response.status().as_u16(),
                retry_after: retry_after(response.headers().get(RETRY_AFTER)),
            },
            error => no_upgrade(error.to_string()),
        })?;
        Ok(Self { inner, codec: *codec, pings: 0 })
    }

    /// The hub's pings so far; each was answered.
    pub const fn pings(&self) -> u64 {
        self.pings
    }

    /// The connection below.
    pub fn tcp(&self) -> &TcpStream {
        self.inner.get_ref()
    }

    /// The codec agreed on.
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// Waits for the next frame. May be dropped and called again.
    pub async fn next(&mut self) -> Incoming {
        loop {
            return match self.inner.next().await {
                Some(Ok(Message::Text(text))) => Incoming::Text(text),
                Some(Ok(Message::Binary(bytes))) => Incoming::Binary(bytes),
                Some(Ok(Message::Ping(_))) => {
                    // The library answers it.
                    self.pings += 1;
                    continue;
                }
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(frame))) => Incoming::Closed(frame.map(|frame| frame.code.into())),
                Some(Err(_)) => Incoming::Broken,
                None => Incoming::Closed(None),
            };
        }
    }

    /// Writes requests, all in one go.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn send(&mut self, requests: &[Request]) -> Result<(), WsError> {
        self.send_all(requests.iter().map(|request| request.encode(self.codec)).collect()).await
    }

    /// Writes frames in the protocol's own words, all in one go.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn send_values(&mut self, frames: &[Value]) -> Result<(), WsError> {
        self.send_all(frames.iter().map(|frame| self.codec.encode(frame)).collect()).await
    }

    async fn send_all(&mut self, messages: Vec<Vec<u8>>) -> Result<(), WsError> {
        for bytes in messages {
            let message = match self.codec {
                Codec::Json => Message::text(String::from_utf8(bytes).expect("JSON is UTF-8")),
                Codec::MsgPack => Message::binary(bytes),
            };
            self.inner.feed(message).await?;
        }
        self.inner.flush().await
    }

    /// Writes the first half of a request's frame: what a cut in the middle of a command leaves.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn send_half(&mut self, request: &Request) -> io::Result<()> {
        let frame = masked_frame(&request.encode(self.codec), self.codec);
        self.inner.get_mut().write_all(&frame[..frame.len() / 2]).await
    }

    /// Ends the connection so that the other side sees a reset.
    pub fn reset(self) {
        // An option that cannot be set leaves an ordinary close, which is a cut as well.
        let _ = self.inner.get_ref().set_zero_linger();
    }

    /// Ends the connection without a close frame: the other side sees the end of the stream.
    pub async fn hang_up(mut self) {
        // The other side may be gone already.
        let _ = self.inner.get_mut().shutdown().await;
    }

    /// Ends the connection politely.
    pub async fn close(mut self) {
        // The other side may be gone already.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.inner.close(None)).await;
    }
}

async fn connect(route: &Route) -> Result<TcpStream, OpenError> {
    let unreachable = |source| OpenError::Unreachable { authority: route.endpoint.authority.clone(), source };
    let tcp = match route.from {
        None if route.receive_buffer.is_none() => TcpStream::connect(&route.endpoint.authority).await.map_err(unreachable)?,
        from => {
            let mut addresses = lookup_host(&route.endpoint.authority).await.map_err(unreachable)?;
            let fits = |address: &SocketAddr| from.is_none_or(|from| from.is_ipv4() == address.is_ipv4());
            let nowhere = || io::Error::new(io::ErrorKind::AddrNotAvailable, "it has no address of the same family");
            let address = addresses.find(fits).ok_or_else(nowhere).map_err(unreachable)?;
            prepare(address, route)?.connect(address).await.map_err(unreachable)?
        }
    };
    tcp.set_nodelay(true).map_err(unreachable)?;
    Ok(tcp)
}

/// A socket that is bound and sized before it connects: afterwards is too late for both.
fn prepare(to: SocketAddr, route: &Route) -> Result<TcpSocket, OpenError> {
    let unreachable = |source| OpenError::Unreachable { authority: route.endpoint.authority.clone(), source };
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(unreachable)?;
    if let Some(bytes) = route.receive_buffer {
        socket.set_recv_buffer_size(bytes).map_err(unreachable)?;
    }
    if let Some(from) = route.from {
        socket.bind(SocketAddr::new(from, 0)).map_err(|source| OpenError::From { from, source })?;
    }
    Ok(socket)
}

/// Seconds; the other form, a date, nobody sends with a refusal.
fn retry_after(header: Option<&HeaderValue>) -> Option<Duration> {
    header?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// A frame as RFC 6455 has it, masked with zeros.
fn masked_frame(payload: &[u8], codec: Codec) -> Vec<u8> {
    let opcode = match codec {
        Codec::Json => 0x81,
        Codec::MsgPack => 0x82,
    };
    let mut frame = vec![opcode];
    match u16::try_from(payload.len()) {
        Ok(len) if len < 126 => frame.push(0x80 | payload.len() as u8),
        Ok(len) => {
            frame.push(0x80 | 126);
            frame.extend(len.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::route::{Codecs, Endpoint, Routes, Sources};

    #[tokio::test]
    async fn a_port_where_nobody_listens_is_told_in_words() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let authority = listener.local_addr().expect("bound");
        drop(listener);
        let endpoint = Endpoint::parse(&format!("ws://{authority}/ws")).expect("a URL");
        let routes = Routes { endpoints: vec![endpoint], codecs: Codecs::Mixed, sources: Sources::default() };
        let error = Socket::open(&routes.route(0, 0)).await.expect_err("nobody listens");
        assert_eq!(error.kind(), "connection refused");
        let error = error.to_string();
        assert!(error.contains("is the hub running there?") && error.contains(&authority.to_string()), "{error}");
    }

    #[tokio::test]
    async fn a_connection_comes_from_the_address_that_was_asked_for() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = Endpoint::parse(&format!("ws://{}/ws", listener.local_addr().expect("bound"))).expect("a URL");
        let route = |from: &str, receive_buffer| Route {
            endpoint: endpoint.clone(),
            codec: Codec::Json,
            from: Some(from.parse().expect("an address")),
            receive_buffer,
        };
        for (from, receive_buffer) in [("127.0.0.7", None), ("127.0.0.8", Some(4_096))] {
            let tcp = connect(&route(from, receive_buffer)).await.expect("connects");
            let (_, peer) = listener.accept().await.expect("accepts");
            assert_eq!((peer.ip().to_string().as_str(), peer), (from, tcp.local_addr().expect("bound")));
        }
        let error = connect(&route("192.0.2.1", None)).await.expect_err("an address of nobody").to_string();
        assert!(error.contains("cannot connect from 192.0.2.1"), "{error}");
        connect(&route("::1", None)).await.expect_err("another family");
    }

    #[test]
    fn a_refusal_tells_how_long_to_stay_away() {
        assert_eq!(retry_after(Some(&HeaderValue::from_static("3"))), Some(Duration::from_secs(3)));
        assert_eq!(retry_after(Some(&HeaderValue::from_static("Sat, 21 Nov 2026"))), None);
        let error = OpenError::Refused { url: String::new(), status: 503, retry_after: retry_after(None) };
        assert_eq!((error.kind().as_str(), error.retry_after()), ("http 503", None));
    }
}
