//! What the kernel knows of TCP connections: who is still connected, and how many bytes wait at either end. A client that does
//! not read learns this way alone that its connection was ended: the end stands behind what it has not read.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};

/// Where Linux tells.
const TABLE: &str = "/proc/net/tcp";
/// `TCP_ESTABLISHED`
const ESTABLISHED: u8 = 1;

/// One end of a connection: its own address, and the other's.
pub type End = (SocketAddrV4, SocketAddrV4);

/// How it is with one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndState {
    /// Neither side has ended it.
    pub is_established: bool,
    /// Bytes that were written here and not taken by the other side.
    pub unsent: u64,
    /// Bytes that came and were not read here.
    pub unread: u64,
}

/// How it is with every IPv4 connection of this machine.
///
/// # Errors
/// Where there is no such table.
pub fn ends() -> std::io::Result<HashMap<End, EndState>> {
    Ok(std::fs::read_to_string(TABLE)?.lines().skip(1).filter_map(parse).collect())
}

/// `  0: 0100007F:1F90 0100007F:C350 01 00000000:0000012C …`
fn parse(line: &str) -> Option<(End, EndState)> {
    let mut words = line.split_whitespace().skip(1);
    let (own, other) = (address(words.next()?)?, address(words.next()?)?);
    let state = u8::from_str_radix(words.next()?, 16).ok()?;
    let (unsent, unread) = words.next()?.split_once(':')?;
    let bytes = |hex| u64::from_str_radix(hex, 16).ok();
    Some(((own, other), EndState { is_established: state == ESTABLISHED, unsent: bytes(unsent)?, unread: bytes(unread)? }))
}

/// The address stands there as the kernel has it in memory: in network order, read as a number of this machine.
fn address(text: &str) -> Option<SocketAddrV4> {
    let (ip, port) = text.split_once(':')?;
    let ip = u32::from_str_radix(ip, 16).ok()?.to_ne_bytes();
    Some(SocketAddrV4::new(Ipv4Addr::from(ip), u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::time::{Duration, Instant};

    fn v4(address: SocketAddr) -> SocketAddrV4 {
        match address {
            SocketAddr::V4(address) => address,
            SocketAddr::V6(address) => panic!("{address}"),
        }
    }

    fn wait_for(end: End, is_so: impl Fn(Option<EndState>) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !is_so(ends().expect("Linux").get(&end).copied()) {
            assert!(Instant::now() < deadline, "{:?}", ends().expect("Linux").get(&end));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn what_is_not_read_and_an_end_that_cannot_arrive_are_seen() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("bound")).expect("connects");
        let (mut hub, _) = listener.accept().expect("accepts");
        let ours = (v4(client.local_addr().expect("bound")), v4(client.peer_addr().expect("connected")));
        hub.write_all(&[7; 300]).expect("room");
        wait_for(ours, |end| end == Some(EndState { is_established: true, unsent: 0, unread: 300 }));
        drop(hub);
        wait_for(ours, |end| end.is_none_or(|end| !end.is_established));
    }

    #[test]
    fn nonsense_is_no_connection() {
        assert_eq!(parse("  0: nonsense"), None);
        assert_eq!(parse(""), None);
    }
}
