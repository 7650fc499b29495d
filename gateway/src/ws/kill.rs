//! Cutting a socket from outside its session: a session whose client does not read is frozen and cannot close itself.

use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use socket2::{SockRef, Socket};

use crate::metrics;

/// How long the last frames of a session get to leave this process.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A second handle to a connection's socket.
#[derive(Clone)]
pub struct KillSwitch {
    socket: Option<Arc<Socket>>,
}

impl KillSwitch {
    /// The switch of a connection that was just accepted.
    pub fn of_connection(io: &TcpStream) -> Self {
        match SockRef::from(io).try_clone() {
            Ok(socket) => Self { socket: Some(Arc::new(socket)) },
            Err(error) => {
                tracing::warn!(%error, "a connection has no kill switch: too many open files?");
                Self { socket: None }
            }
        }
    }

    /// The switch of a connection, where one was remembered.
    pub fn of(socket: Option<&Self>) -> Self {
        socket.cloned().unwrap_or(Self { socket: None })
    }

    /// Ends the sending side, once what was said last has had time to leave: a server closes first (RFC 6455, section 7.1.1),
    /// and the HTTP server behind a socket would wait for its client to do so. Called also where a thread is coming down.
    pub fn finish_soon(&self) {
        let Some(socket) = self.socket.clone() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::time::sleep(LAST_WORDS).await;
                // A socket that is gone already is as finished as it can be.
                drop(socket.shutdown(Shutdown::Write));
            });
        }
    }

    /// Shuts the socket down both ways. Done twice, or too late, it does nothing.
    pub fn cut(&self) {
        if let Some(socket) = &self.socket {
            metrics::cut();
            // A socket that is gone already is as cut as it can be.
            drop(socket.shutdown(Shutdown::Both));
        }
    }
}
