//! What is set on every accepted connection. A peer that stops reading would otherwise hold its worker's memory, and an
//! open WebSocket its timers, for ever: no timeout of the HTTP server covers writes.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

/// Unacknowledged bytes end the connection after this.
const USER_TIMEOUT: Duration = Duration::from_secs(20);
/// What the kernel holds for one peer.
const SEND_BUFFER_BYTES: usize = 128 * 1024;
/// A silent peer is asked whether it still lives.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// Connections the kernel keeps while nobody accepts.
const BACKLOG: i32 = 1_024;

/// Listens on `address`.
///
/// # Errors
/// When the address is taken, or not this machine's.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Prepares an accepted connection. What the system does not offer is left as it is.
pub fn prepare(io: &TcpStream) {
    let socket = SockRef::from(io);
    let done = socket
        .set_tcp_nodelay(true)
        .and_then(|()| socket.set_send_buffer_size(SEND_BUFFER_BYTES))
        .and_then(|()| socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE)));
    #[cfg(target_os = "linux")]
    let done = done.and_then(|()| socket.set_tcp_user_timeout(Some(USER_TIMEOUT)));
    if let Err(error) = done {
        tracing::debug!(%error, "a connection keeps the system's socket options");
    }
}
