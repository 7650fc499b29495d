//! Where a page ended, as opaque text: the time of change and the id of its last ticket, in base64url.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hub_core::ids::TicketId;
use hub_core::ports::ListCursor;
use hub_core::time::UnixMs;
use uuid::Uuid;

use super::query::is_usual;

const BYTES: usize = 8 + 16;

/// As text for clients.
pub fn write(cursor: ListCursor) -> String {
    let mut bytes = [0_u8; BYTES];
    bytes[..8].copy_from_slice(&cursor.updated_at.0.to_be_bytes());
    bytes[8..].copy_from_slice(cursor.ticket.uuid().as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a client's text.
///
/// # Errors
/// Words for people, when no hub wrote it.
pub fn read(text: &str) -> Result<ListCursor, String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| <[u8; BYTES]>::try_from(bytes).ok());
    let cursor = bytes.map(|bytes| {
        let (at, ticket) = bytes.split_at(8);
        ListCursor {
            updated_at: UnixMs(i64::from_be_bytes(at.try_into().expect("eight bytes were split off"))),
            ticket: TicketId::new(Uuid::from_slice(ticket).expect("sixteen bytes are left")),
        }
    });
    cursor.filter(|cursor| is_usual(cursor.updated_at)).ok_or_else(|| "is no cursor of this list".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_nothing_else_is() {
        let cursor = ListCursor { updated_at: UnixMs(1_763_731_234_567), ticket: TicketId::new(Uuid::from_u128(77)) };
        assert_eq!(read(&write(cursor)), Ok(cursor));
        let early = write(ListCursor { updated_at: UnixMs(-1), ..cursor });
        for text in ["", "x", &write(cursor)[1..], &format!("{}A", write(cursor)), &early, "é"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
