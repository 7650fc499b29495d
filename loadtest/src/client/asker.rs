//! The least of a client: says hello, asks one thing after another, and waits for each answer. For whoever does not reply.

use std::time::Duration;

use hub_core::wire::client::Request;
use hub_core::wire::{ClientFrame, ClientInfo, Codec, ErrorCode, PROTOCOL_VERSION, ServerFrame};
use tokio::time::timeout;

use super::Greeting;
use super::route::Route;
use super::socket::{Incoming, OpenError, Socket};
use crate::oracle::code_name;

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// Why there is no answer, or not the one that was hoped for.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// There is no connection.
    #[error(transparent)]
    NotOpen(#[from] OpenError),
    /// A refusal.
    #[error("the hub refused: {} ({message})", code_name(*code))]
    Refused {
        /// Why.
        code: ErrorCode,
        /// In the hub's words.
        message: String,
        /// When to try again.
        retry_after: Option<Duration>,
    },
    /// The hub closed.
    #[error("the hub closed the connection, code {0:?}")]
    Closed(Option<u16>),
    /// The connection broke.
    #[error("the connection broke")]
    Broken,
    /// Nothing came.
    #[error("no answer within {} s", ANSWER_TIMEOUT.as_secs())]
    TimedOut,
    /// Something nobody can make sense of.
    #[error("the hub answered {0}")]
    Odd(String),
}

impl Unanswered {
    /// What to count it as.
    pub fn kind(&self) -> String {
        match self {
            Self::NotOpen(error) => error.kind(),
            Self::Refused { code, .. } => format!("refused {}", code_name(*code)),
            Self::Closed(Some(code)) => format!("closed {code}"),
            Self::Closed(None) => "closed without a code".into(),
            Self::Broken => "connection broke".into(),
            Self::TimedOut => "no answer".into(),
            Self::Odd(_) => "answer not understood".into(),
        }
    }
}

/// A client that asks one thing at a time.
#[derive(Debug)]
pub struct Asker {
    /// Its connection.
    pub socket: Socket,
    next_id: u64,
}

impl Asker {
    /// Connects.
    ///
    /// # Errors
    /// See [`Socket::open`].
    pub async fn open(route: &Route) -> Result<Self, OpenError> {
        Ok(Self { socket: Socket::open(route).await?, next_id: 0 })
    }

    /// Says hello.
    ///
    /// # Errors
    /// When the hub refuses, or is gone.
    pub async fn hello(&mut self, token: &str) -> Result<Greeting, Unanswered> {
        let client = Some(ClientInfo { name: "loadtest".into(), version: env!("CARGO_PKG_VERSION").into() });
        match self.ask(ClientFrame::Hello { protocol: PROTOCOL_VERSION, token: Some(token.to_owned()), client }).await? {
            ServerFrame::Welcome { node, heartbeat_ms, limits, .. } => Ok(Greeting { node, limits, heartbeat_ms }),
            other => Err(Unanswered::Odd(format!("hello with {other:?}"))),
        }
    }

    /// Asks and waits for the answer; what comes in between is of no interest.
    ///
    /// # Errors
    /// When the hub refuses, or is gone.
    pub async fn ask(&mut self, frame: ClientFrame) -> Result<ServerFrame, Unanswered> {
        let id = self.send(frame).await?;
        let answer = async {
            loop {
                let frame = self.hear().await?;
                if answered(&frame) == Some(id) {
                    return Ok::<_, Unanswered>(frame);
                }
            }
        };
        match timeout(ANSWER_TIMEOUT, answer).await.map_err(|_| Unanswered::TimedOut)?? {
            ServerFrame::Error { code, message, retry_after_ms, .. } => {
                Err(Unanswered::Refused { code, message, retry_after: retry_after_ms.map(Duration::from_millis) })
            }
            frame => Ok(frame),
        }
    }

    /// Puts a request on the wire, and tells its number.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, frame: ClientFrame) -> Result<u64, Unanswered> {
        self.next_id += 1;
        self.socket.send(&[Request { id: Some(self.next_id), frame }]).await.map_err(|_| Unanswered::Broken)?;
        Ok(self.next_id)
    }

    /// Waits for the next frame.
    ///
    /// # Errors
    /// When the connection is gone, or the frame cannot be read.
    pub async fn hear(&mut self) -> Result<ServerFrame, Unanswered> {
        let codec: Codec = self.socket.codec();
        match self.socket.next().await {
            Incoming::Text(text) => codec.decode(text.as_bytes()),
            Incoming::Binary(bytes) => codec.decode(&bytes),
            Incoming::Closed(code) => return Err(Unanswered::Closed(code)),
            Incoming::Broken => return Err(Unanswered::Broken),
        }
        .map_err(|error| Unanswered::Odd(format!("something unreadable: {error}")))
    }
}

/// The number of the request that a frame answers.
pub const fn answered(frame: &ServerFrame) -> Option<u64> {
    match frame {
        ServerFrame::Welcome { id, .. } | ServerFrame::Ack { id, .. } | ServerFrame::Pong { id, .. } => Some(*id),
        ServerFrame::Subscribed { id, .. } | ServerFrame::Error { id, .. } => *id,
        ServerFrame::Unsubscribed { .. }
        | ServerFrame::Event { .. }
        | ServerFrame::Signal { .. }
        | ServerFrame::Goodbye { .. } => None,
    }
}
