//! A connection in the protocol's own words: frames as JSON values, one ask at a time. For whoever wants to see every field that a
//! hub sends, known to this program's types or not.

use std::time::Duration;

use anyhow::{Context, bail};
use hub_core::wire::PROTOCOL_VERSION;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::route::Route;
use super::socket::{Incoming, Socket};

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A welcomed connection.
#[derive(Debug)]
pub struct Line {
    socket: Socket,
    next_id: u64,
}

impl Line {
    /// Connects and says hello.
    ///
    /// # Errors
    /// In words, when the hub is not there or refuses.
    pub async fn open(route: &Route, token: &str) -> anyhow::Result<Self> {
        let mut line = Self { socket: Socket::open(route).await?, next_id: 0 };
        line.ask(json!({"type": "hello", "protocol": PROTOCOL_VERSION, "token": token})).await?;
        Ok(line)
    }

    /// Asks and waits for the answer; what comes in between is of no interest.
    ///
    /// # Errors
    /// In words, when the hub refuses or is gone.
    pub async fn ask(&mut self, mut frame: Value) -> anyhow::Result<Value> {
        self.next_id += 1;
        frame["id"] = self.next_id.into();
        self.socket.send_values(std::slice::from_ref(&frame)).await?;
        let answer = timeout(ANSWER_TIMEOUT, self.hear_answer()).await.context("no answer in time")??;
        if answer["type"] == "error" {
            bail!("the hub refused {}: {} ({})", frame["type"], answer["code"], answer["message"]);
        }
        Ok(answer)
    }

    async fn hear_answer(&mut self) -> anyhow::Result<Value> {
        loop {
            let frame: Value = match self.socket.next().await {
                Incoming::Text(text) => self.socket.codec().decode(text.as_bytes()),
                Incoming::Binary(bytes) => self.socket.codec().decode(&bytes),
                Incoming::Closed(code) => bail!("the hub closed the connection, code {code:?}"),
                Incoming::Broken => bail!("the connection broke"),
            }
            .map_err(anyhow::Error::msg)?;
            if frame["id"] == self.next_id {
                return Ok(frame);
            }
        }
    }

    /// Ends the connection politely.
    pub async fn close(self) {
        self.socket.close().await;
    }
}
