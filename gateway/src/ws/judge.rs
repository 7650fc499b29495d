//! Judges a client's frames as RFC 6455 wants it, byte by byte as they come: headers before their bodies, so that what is too
//! large is refused before it is read; and what a close frame says. Whether text is UTF-8 is judged where messages are whole.
//!
//! Pure: knows no stream and no clock. The frame parser behind it buffers an announced frame whole before it looks at its
//! length, mixes up several breaches with text that is no UTF-8, and takes lengths written in more bytes than they need.

/// Why a client's bytes are not read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offence {
    /// A message over the limit was announced.
    TooLarge,
    /// A breach of RFC 6455.
    Protocol,
    /// The reason of a close frame is no UTF-8.
    BadText,
}

/// Where reading ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// So many bytes of what was fed belong to frames that may be read.
    pub good: usize,
    /// What is wrong with the next one; none after a close frame, which is the last.
    pub offence: Option<Offence>,
}

/// Two bytes, eight of length, four of mask.
const LONGEST_HEADER: usize = 14;
/// Longest body of a control frame.
const MAX_CONTROL: u64 = 125;

/// Walks over frames: judges headers, skips bodies, sums the fragments of a message.
pub struct Judge {
    max_message: u64,
    place: Place,
    /// What the message that is open weighs so far.
    open: Option<u64>,
}

/// Where in a frame the next byte belongs.
enum Place {
    Header {
        bytes: [u8; LONGEST_HEADER],
        known: usize,
    },
    Body {
        left: u64,
    },
    /// The body of a close frame is kept: its code and its words are judged.
    Close {
        mask: [u8; 4],
        body: Vec<u8>,
        left: u64,
    },
}

const START: Place = Place::Header { bytes: [0; LONGEST_HEADER], known: 0 };

impl Judge {
    /// Nothing came in yet; messages may have `max_message` bytes, fragments together.
    pub const fn new(max_message: usize) -> Self {
        Self { max_message: max_message as u64, place: START, open: None }
    }

    /// Judges what came next. After an error nothing more is to be fed.
    ///
    /// # Errors
    /// Where reading ends, and why. The good bytes end with a whole frame, unless a frame began in what was fed before.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), End> {
        // Where the frame begins that `bytes[at]` belongs to; it may have begun before.
        let (mut at, mut frame) = (0, 0);
        while at < bytes.len() {
            match &mut self.place {
                Place::Header { bytes: header, known } => {
                    header[*known] = bytes[at];
                    *known += 1;
                    at += 1;
                    let header = Header::read(&header[..*known]);
                    let judged = header.and_then(|header| header.map_or(Ok(()), |header| self.enter(&header)));
                    if let Err(offence) = judged {
                        return Err(End { good: frame, offence: Some(offence) });
                    }
                }
                Place::Body { left } => {
                    let skipped = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len() - at);
                    *left -= skipped as u64;
                    at += skipped;
                }
                Place::Close { mask, body, left } => {
                    body.push(bytes[at] ^ mask[body.len() % 4]);
                    *left -= 1;
                    at += 1;
                }
            }
            match &self.place {
                Place::Body { left: 0 } => {
                    self.place = START;
                    frame = at;
                }
                Place::Close { body, left: 0, .. } => {
                    let offence = judge_close(body).err();
                    let good = if offence.is_some() { frame } else { at };
                    return Err(End { good, offence });
                }
                Place::Header { .. } | Place::Body { .. } | Place::Close { .. } => {}
            }
        }
        Ok(())
    }

    /// Judges a frame as soon as its length is known, and enters it when its mask is.
    fn enter(&mut self, header: &Header) -> Result<(), Offence> {
        let Header { kind, is_last, length, mask } = *header;
        let message = match (kind, self.open) {
            (Kind::Close | Kind::OtherControl, open) => open,
            (Kind::Continuation, None) | (Kind::First, Some(_)) => return Err(Offence::Protocol),
            (Kind::First, None) => Some(length),
            (Kind::Continuation, Some(open)) => Some(open.saturating_add(length)),
        };
        if message.is_some_and(|bytes| bytes > self.max_message) {
            return Err(Offence::TooLarge);
        }
        let Some(mask) = mask else { return Ok(()) };
        self.place = match kind {
            Kind::Close => Place::Close { mask, body: Vec::new(), left: length },
            Kind::First | Kind::Continuation | Kind::OtherControl => Place::Body { left: length },
        };
        self.open = match kind {
            Kind::First | Kind::Continuation if is_last => None,
            Kind::First | Kind::Continuation | Kind::Close | Kind::OtherControl => message,
        };
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    First,
    Continuation,
    Close,
    /// Ping or pong.
    OtherControl,
}

#[derive(Clone, Copy)]
struct Header {
    kind: Kind,
    is_last: bool,
    length: u64,
    /// None while its bytes are still to come.
    mask: Option<[u8; 4]>,
}

impl Header {
    /// The header, once its length is known; judged as soon as what is wrong can be seen (section 5.2).
    fn read(bytes: &[u8]) -> Result<Option<Self>, Offence> {
        let [first, rest @ ..] = bytes else { return Ok(None) };
        let is_last = first & 0x80 != 0;
        let kind = match first & 0x0f {
            0 => Kind::Continuation,
            1 | 2 => Kind::First,
            8 => Kind::Close,
            9 | 10 => Kind::OtherControl,
            _ => return Err(Offence::Protocol),
        };
        let is_control = matches!(kind, Kind::Close | Kind::OtherControl);
        if first & 0x70 != 0 || (is_control && !is_last) {
            return Err(Offence::Protocol);
        }
        let [second, rest @ ..] = rest else { return Ok(None) };
        let short = u64::from(second & 0x7f);
        if second & 0x80 == 0 || (is_control && short > MAX_CONTROL) {
            return Err(Offence::Protocol);
        }
        let (extended, shortest) = match short {
            126 => (2, 126),
            127 => (8, 1 << 16),
            _ => (0, 0),
        };
        let Some((extended, rest)) = rest.split_at_checked(extended) else { return Ok(None) };
        let length = match extended {
            [] => short,
            _ => extended.iter().fold(0, |length, byte| (length << 8) | u64::from(*byte)),
        };
        // The shortest form must be used, and the highest bit never.
        if length < shortest || length >> 63 != 0 {
            return Err(Offence::Protocol);
        }
        Ok(Some(Self { kind, is_last, length, mask: rest.try_into().ok() }))
    }
}

/// Section 7.4: nothing, or a code that may be sent, and words in UTF-8.
fn judge_close(body: &[u8]) -> Result<(), Offence> {
    let (code, words) = match body {
        [] => return Ok(()),
        [_] => return Err(Offence::Protocol),
        [high, low, words @ ..] => (u16::from_be_bytes([*high, *low]), words),
    };
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Offence::Protocol);
    }
    std::str::from_utf8(words).map(|_| ()).map_err(|_| Offence::BadText)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 65_536;

    /// A client's frame, its body all zeros under a mask of zeros.
    fn frame(first: u8, announced: u64, sent: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match announced {
            0..126 => bytes.push(0x80 | announced as u8),
            126..65_536 => {
                bytes.push(0x80 | 126);
                bytes.extend((announced as u16).to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend(announced.to_be_bytes());
            }
        }
        bytes.extend([0; 4]);
        bytes.extend(vec![0; sent]);
        bytes
    }

    fn close(body: &[u8]) -> Vec<u8> {
        let mask = [9, 8, 7, 6];
        let masked = body.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]);
        [0x88, 0x80 | body.len() as u8].into_iter().chain(mask).chain(masked).collect()
    }

    /// Fed whole and byte by byte: the verdict, and how many bytes were good.
    #[track_caller]
    fn verdict(bytes: &[u8]) -> Result<(), End> {
        let whole = Judge::new(MAX).feed(bytes);
        let mut judge = Judge::new(MAX);
        let single = bytes.iter().try_for_each(|byte| judge.feed(&[*byte]));
        assert_eq!(whole.map_err(|end| end.offence), single.map_err(|end| end.offence), "however it is split");
        whole
    }

    fn offence(bytes: &[u8]) -> Option<Offence> {
        verdict(bytes).err().and_then(|end| end.offence)
    }

    #[test]
    fn a_frame_is_judged_by_its_header_alone() {
        assert_eq!(verdict(&frame(0x82, 65_536, 65_536)), Ok(()));
        for announced in [65_537, 400 << 20, 1 << 40, u64::MAX >> 1] {
            assert_eq!(offence(&frame(0x82, announced, 0)), Some(Offence::TooLarge), "{announced}");
        }
    }

    #[test]
    fn breaches_are_seen_in_the_first_byte_that_shows_them() {
        for first in [0xc2, 0xa2, 0x92, 0x83, 0x87, 0x8b, 0x8f, 0x09, 0x08, 0x0a] {
            assert_eq!(offence(&[first]), Some(Offence::Protocol), "{first:x}");
        }
        for bytes in [
            &[0x82, 0x00][..],
            &[0x89, 0xfe],
            &[0x88, 0xff],
            &[0x82, 0xfe, 0, 125],
            &[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
        ] {
            assert_eq!(offence(bytes), Some(Offence::Protocol), "{bytes:x?}");
            assert_eq!(verdict(&bytes[..bytes.len() - 1]), Ok(()), "{bytes:x?}");
        }
        assert_eq!(offence(&frame(0x82, u64::MAX, 0)), Some(Offence::Protocol));
        assert_eq!(offence(&frame(0x80, 1, 1)), Some(Offence::Protocol), "continues nothing");
        assert_eq!(offence(&[frame(0x02, 1, 1), frame(0x82, 1, 1)].concat()), Some(Offence::Protocol), "is interleaved");
    }

    #[test]
    fn fragments_are_summed_and_a_ping_between_them_is_not() {
        let parts = |last: u64| {
            [frame(0x02, 40_000, 40_000), frame(0x89, 5, 5), frame(0x80, last, usize::try_from(last).expect("small"))].concat()
        };
        assert_eq!(verdict(&parts(25_536)), Ok(()));
        assert_eq!(offence(&parts(25_537)), Some(Offence::TooLarge));
        assert_eq!(verdict(&[frame(0x82, 60_000, 60_000), frame(0x82, 60_000, 60_000)].concat()), Ok(()));
    }

    #[test]
    fn what_came_before_an_offence_is_good_and_nothing_after_it() {
        let good = [frame(0x82, 3, 3), frame(0x89, 0, 0)].concat();
        let all = [good.clone(), frame(0x82, 1 << 40, 10)].concat();
        assert_eq!(verdict(&all), Err(End { good: good.len(), offence: Some(Offence::TooLarge) }));
        let mut judge = Judge::new(MAX);
        assert_eq!(judge.feed(&all[..good.len() + 5]), Ok(()), "not known yet");
        assert_eq!(judge.feed(&all[good.len() + 5..]), Err(End { good: 0, offence: Some(Offence::TooLarge) }));
    }

    #[test]
    fn a_close_frame_is_the_last_and_says_what_it_may() {
        let last = close(b"\x03\xe8bye");
        let more = [last.clone(), frame(0x82, 1 << 40, 0)].concat();
        assert_eq!(verdict(&more), Err(End { good: last.len(), offence: None }));
        assert_eq!(verdict(&close(b"")), Err(End { good: 6, offence: None }));
        for code in [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999_u16] {
            assert_eq!(offence(&close(&code.to_be_bytes())), None, "{code}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535_u16] {
            assert_eq!(offence(&close(&code.to_be_bytes())), Some(Offence::Protocol), "{code}");
        }
        assert_eq!(offence(&close(b"\x03")), Some(Offence::Protocol));
        assert_eq!(offence(&close(b"\x03\xe8\xff")), Some(Offence::BadText));
    }
}
