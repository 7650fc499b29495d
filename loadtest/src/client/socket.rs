//! A WebSocket to the hub: opening it with good words when that fails, frames in and out, and ways to cut it off.

use std::io;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use hub_core::wire::Codec;
use hub_core::wire::client::Request;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Uri, header::SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error as WsError, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// Read and write buffers: the library's default of 128 KiB would be most of what a run's memory shows.
const BUFFER_BYTES: usize = 4 * 1024;
/// The hub's own limit is 256 KiB; more than twice that is worth an error.
const MAX_MESSAGE_BYTES: usize = 600 * 1024;
/// How long a connection may take to open.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the hub is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
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
}

impl Socket {
    /// Connects and agrees on the codec.
    ///
    /// # Errors
    /// In words: nobody listens, the hub does not upgrade, or not to this codec.
    pub async fn open(endpoint: &Endpoint, codec: Codec) -> anyhow::Result<Self> {
        tokio::time::timeout(OPEN_TIMEOUT, Self::open_in_time(endpoint, codec))
            .await
            .with_context(|| format!("no connection to {} within {} s", endpoint.url, OPEN_TIMEOUT.as_secs()))?
    }

    async fn open_in_time(endpoint: &Endpoint, codec: Codec) -> anyhow::Result<Self> {
        let tcp = TcpStream::connect(&endpoint.authority)
            .await
            .with_context(|| format!("nobody answers at {}; is the hub running there?", endpoint.authority))?;
        tcp.set_nodelay(true)?;
        let mut request = endpoint.url.as_str().into_client_request()?;
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(codec.subprotocol()));
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let (inner, _) = client_async_with_config(request, tcp, Some(config)).await.map_err(|error| match error {
            WsError::Http(response) => {
                anyhow::anyhow!("{} answers {} instead of upgrading to a WebSocket", endpoint.url, response.status())
            }
            error => anyhow::anyhow!("{} does not upgrade to a WebSocket: {error}", endpoint.url),
        })?;
        Ok(Self { inner, codec })
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
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
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
        for request in requests {
            let bytes = request.encode(self.codec);
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

    #[tokio::test]
    async fn a_port_where_nobody_listens_is_told_in_words() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let authority = listener.local_addr().expect("bound");
        drop(listener);
        let endpoint = Endpoint::parse(&format!("ws://{authority}/ws")).expect("a URL");
        let error = format!("{:#}", Socket::open(&endpoint, Codec::Json).await.expect_err("nobody listens"));
        assert!(error.contains("is the hub running there?") && error.contains(&authority.to_string()), "{error}");
    }
}
