//! A WebSocket client that does exactly what a test says, byte by byte: no library smooths anything over.

use std::net::SocketAddr;
use std::time::Duration;

use hub_core::wire::Codec;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// An open socket.
pub struct Socket {
    stream: TcpStream,
    codec: Codec,
    next_id: u64,
    /// Frames that came while the test waited for another.
    kept: Vec<Value>,
}

/// What ended a socket.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// A close frame with this code.
    Closed(u16),
    /// The connection broke.
    Broken,
}

impl Socket {
    /// Shakes hands; the HTTP status when the hub refuses.
    pub async fn open(address: SocketAddr, codec: Codec, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let protocol = ("Sec-WebSocket-Protocol", codec.subprotocol());
        let mut all = vec![protocol];
        all.extend(headers);
        Self::open_raw(address, codec, &all).await
    }

    /// The same, offering only what `headers` say.
    pub async fn open_raw(address: SocketAddr, codec: Codec, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let mut stream = TcpStream::connect(address).await.expect("the hub listens");
        let mut head = format!(
            "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await.expect("the hub reads");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(timeout(PATIENCE, stream.read_u8()).await.expect("an answer").expect("a head"));
        }
        let status = std::str::from_utf8(&answer[9..12]).expect("text").parse().expect("a status");
        if status == 101 { Ok(Self { stream, codec, next_id: 1, kept: Vec::new() }) } else { Err(status) }
    }

    /// Opens and says hello with a token.
    pub async fn greet(address: SocketAddr, codec: Codec, token: &str) -> Self {
        let mut socket = Self::open(address, codec, &[]).await.expect("an upgrade");
        let welcome = socket.ask(json!({"type": "hello", "protocol": 1, "token": token})).await;
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        socket
    }

    /// Sends a frame with a number of its own and waits for the one answer; everything else is kept.
    pub async fn ask(&mut self, frame: Value) -> Value {
        let id = self.send(frame).await;
        self.answer(id).await
    }

    /// Sends a frame and answers its number.
    pub async fn send(&mut self, mut frame: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        frame["id"] = id.into();
        let bytes = self.codec.encode(&frame);
        self.send_bytes(&bytes).await;
        id
    }

    /// Sends a frame without a number: nobody answers it.
    pub async fn tell(&mut self, frame: Value) {
        let bytes = self.codec.encode(&frame);
        self.send_bytes(&bytes).await;
    }

    /// Sends bytes as one whole message of the codec's kind.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        let opcode = match self.codec {
            Codec::Json => TEXT,
            Codec::MsgPack => BINARY,
        };
        self.send_frame(0x80 | opcode, bytes).await;
    }

    /// Sends one frame, masked as clients must; `first` is its first byte.
    pub async fn send_frame(&mut self, first: u8, body: &[u8]) {
        let mut bytes = vec![first];
        match body.len() {
            0..126 => bytes.push(0x80 | u8::try_from(body.len()).expect("small")),
            126..65_536 => {
                bytes.push(0x80 | 126);
                bytes.extend(u16::try_from(body.len()).expect("small").to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend((body.len() as u64).to_be_bytes());
            }
        }
        let mask = [1, 2, 3, 4];
        bytes.extend(mask);
        bytes.extend(body.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
        self.send_raw(&bytes).await;
    }

    /// Sends bytes as they are. A hub that has closed already may not read them.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        let _ = self.try_send_raw(bytes).await;
    }

    /// The same; says when the hub no longer takes any.
    pub async fn try_send_raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The answer to a request.
    pub async fn answer(&mut self, id: u64) -> Value {
        self.find(|frame| frame["id"] == id).await
    }

    /// The next frame that fits, kept ones first, in the order in which they came.
    pub async fn find(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.kept.iter().position(&fits) {
            return self.kept.remove(at);
        }
        loop {
            let frame = self.next().await.unwrap_or_else(|ended| panic!("{ended:?} while waiting; kept: {:?}", self.kept));
            if fits(&frame) {
                return frame;
            }
            self.kept.push(frame);
        }
    }

    /// The next event of a topic.
    pub async fn event(&mut self) -> Value {
        self.find(|frame| frame["type"] == "event").await
    }

    /// Everything that was kept, and nothing more.
    pub fn take_kept(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.kept)
    }

    /// Makes sure that the connection lives: a ping is answered.
    pub async fn is_alive(&mut self) {
        let pong = self.ask(json!({"type": "ping"})).await;
        assert_eq!(pong["type"], "pong");
    }

    /// The next message, decoded.
    pub async fn next(&mut self) -> Result<Value, Ended> {
        loop {
            let (opcode, body) = timeout(PATIENCE, self.next_frame()).await.expect("something within 20 s")?;
            match opcode {
                PING => self.send_frame(0x80 | PONG, &body).await,
                PONG => {}
                CLOSE => return Err(Ended::Closed(u16::from_be_bytes([body[0], body[1]]))),
                TEXT | BINARY => return Ok(self.codec.decode(&body).expect("a frame of the hub")),
                other => panic!("opcode {other}"),
            }
        }
    }

    /// Reads until the socket ends; answers the frames that came before.
    pub async fn read_to_end(&mut self) -> (Vec<Value>, Ended) {
        let mut frames = self.take_kept();
        loop {
            match self.next().await {
                Ok(frame) => frames.push(frame),
                Err(ended) => return (frames, ended),
            }
        }
    }

    /// The next frame as it is: opcode and body.
    pub async fn next_frame(&mut self) -> Result<(u8, Vec<u8>), Ended> {
        let mut head = [0; 2];
        self.read(&mut head).await?;
        let length = match head[1] {
            126 => {
                let mut bytes = [0; 2];
                self.read(&mut bytes).await?;
                u64::from(u16::from_be_bytes(bytes))
            }
            127 => {
                let mut bytes = [0; 8];
                self.read(&mut bytes).await?;
                u64::from_be_bytes(bytes)
            }
            short => u64::from(short),
        };
        let mut body = vec![0; usize::try_from(length).expect("fits")];
        self.read(&mut body).await?;
        Ok((head[0] & 0x0f, body))
    }

    async fn read(&mut self, bytes: &mut [u8]) -> Result<(), Ended> {
        self.stream.read_exact(bytes).await.map(|_| ()).map_err(|_| Ended::Broken)
    }
}
