//! Puts fragmented messages together. Sizes and order were judged before; whether text is UTF-8 is judged here, as it comes.

use bytes::{Bytes, BytesMut};

/// A whole message, as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whole {
    /// Text in UTF-8.
    Text(Bytes),
    /// Binary.
    Binary(Bytes),
}

/// Text that cannot become UTF-8, whatever follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadText;

/// A message that is open.
#[derive(Default)]
pub struct Fragments {
    open: Option<Open>,
}

struct Open {
    is_text: bool,
    bytes: BytesMut,
    /// So many of them are known to be UTF-8.
    good: usize,
}

impl Fragments {
    /// The first fragment of a message.
    ///
    /// # Errors
    /// [`BadText`], as soon as it shows.
    pub fn begin(&mut self, is_text: bool, bytes: &[u8]) -> Result<(), BadText> {
        self.open = Some(Open { is_text, bytes: BytesMut::new(), good: 0 });
        self.go_on(bytes)
    }

    /// A fragment in the middle. One that continues nothing is refused before it gets here.
    ///
    /// # Errors
    /// [`BadText`], as soon as it shows.
    pub fn go_on(&mut self, bytes: &[u8]) -> Result<(), BadText> {
        let Some(Open { is_text, bytes: message, good }) = &mut self.open else { return Ok(()) };
        message.extend_from_slice(bytes);
        if !*is_text {
            return Ok(());
        }
        match std::str::from_utf8(&message[*good..]) {
            Ok(_) => *good = message.len(),
            Err(error) if error.error_len().is_none() => *good += error.valid_up_to(),
            Err(_) => return Err(BadText),
        }
        Ok(())
    }

    /// The last fragment: the whole message.
    ///
    /// # Errors
    /// [`BadText`], also where a character is cut off.
    pub fn end(&mut self, bytes: &[u8]) -> Result<Option<Whole>, BadText> {
        self.go_on(bytes)?;
        let Some(Open { is_text, bytes, good }) = self.open.take() else { return Ok(None) };
        match is_text {
            true if good < bytes.len() => Err(BadText),
            true => Ok(Some(Whole::Text(bytes.freeze()))),
            false => Ok(Some(Whole::Binary(bytes.freeze()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_may_be_cut_anywhere_and_is_judged_as_it_comes() {
        let text = "aé€𝕳z".as_bytes();
        for cut in 0..=text.len() {
            for again in cut..=text.len() {
                let mut fragments = Fragments::default();
                fragments.begin(true, &text[..cut]).expect("so far");
                fragments.go_on(&text[cut..again]).expect("so far");
                let whole = fragments.end(&text[again..]).expect("UTF-8");
                assert_eq!(whole, Some(Whole::Text(Bytes::from_static(text))));
            }
        }
        let mut fragments = Fragments::default();
        assert_eq!(fragments.begin(true, b"ok \xff"), Err(BadText), "before the message is whole");
        fragments.begin(true, b"\xe2\x82").expect("may become a euro");
        assert_eq!(fragments.go_on(b"("), Err(BadText));
        fragments.begin(true, b"\xe2\x82").expect("may become a euro");
        assert_eq!(fragments.end(b""), Err(BadText), "cut off");
        fragments.begin(false, b"\xff").expect("binary may be anything");
        assert_eq!(fragments.end(b"\xfe"), Ok(Some(Whole::Binary(Bytes::from_static(b"\xff\xfe")))));
        assert_eq!(fragments.end(b""), Ok(None));
    }
}
