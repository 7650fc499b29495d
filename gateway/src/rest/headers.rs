//! The headers that carry meaning: `Idempotency-Key`, `If-Match`, `If-None-Match` and `ETag`.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use hub_core::ids::CommandKey;
use hub_core::ports::SignIn;
use hub_core::wire::{MAX_INTEGER, Problem};
use uuid::Uuid;

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const IF_MATCH: &str = "If-Match";
/// Longest key, in characters.
const MAX_KEY_CHARS: usize = 255;

/// The key of a request that must have one.
///
/// # Errors
/// `invalid`, naming the header.
pub fn required_key(request: &HttpRequest, by: &SignIn) -> Result<CommandKey, Problem> {
    optional_key(request, by)?
        .ok_or_else(|| Problem::invalid_field(IDEMPOTENCY_KEY, "is required: any text of your own, new for each intent"))
}

/// The key of a request that may have one.
///
/// # Errors
/// `invalid`, naming the header.
pub fn optional_key(request: &HttpRequest, by: &SignIn) -> Result<Option<CommandKey>, Problem> {
    let Some(text) = single(request.headers(), HeaderName::from_static("idempotency-key"), IDEMPOTENCY_KEY)? else {
        return Ok(None);
    };
    let text = std::str::from_utf8(text).map_err(|_| Problem::invalid_field(IDEMPOTENCY_KEY, "must be text in UTF-8"))?;
    if text.is_empty() || text.chars().count() > MAX_KEY_CHARS {
        return Err(Problem::invalid_field(IDEMPOTENCY_KEY, "must have 1 to 255 characters"));
    }
    Ok(Some(CommandKey::from_text(by.workspace, by.user, text)))
}

/// The key of an intent nobody will repeat.
pub fn fresh_key() -> CommandKey {
    CommandKey::new(Uuid::new_v4())
}

/// A position, and whether it came in `If-Match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The last `seq` the asker saw.
    pub based_on: Option<u64>,
    /// Then `stale` answers 412.
    pub from_header: bool,
}

impl Position {
    /// The position of a request: the body's `based_on`, or `If-Match`.
    ///
    /// # Errors
    /// `invalid` when the header is no ETag of this hub, or when both are there and differ.
    pub fn of(request: &HttpRequest, in_body: Option<u64>) -> Result<Self, Problem> {
        let Some(text) = single(request.headers(), header::IF_MATCH, IF_MATCH)? else {
            return Ok(Self { based_on: in_body, from_header: false });
        };
        let seq = parse_etag(text).ok_or_else(|| Problem::invalid_field(IF_MATCH, "must be one ETag, such as \"7\""))?;
        if in_body.is_some_and(|based_on| based_on != seq) {
            return Err(Problem::invalid_field("based_on", "differs from If-Match"));
        }
        Ok(Self { based_on: Some(seq), from_header: true })
    }
}

/// The ETag of a ticket: its `seq` in the asker's numbering.
pub fn etag(seq: u64) -> (header::HeaderName, String) {
    (header::ETAG, format!("\"{seq}\""))
}

/// True when the asker has this version already.
pub fn is_known(request: &HttpRequest, seq: u64) -> bool {
    let known = |value: &header::HeaderValue| value.as_bytes().split(|b| *b == b',').any(|tag| parse_etag(tag) == Some(seq));
    request.headers().get_all(header::IF_NONE_MATCH).any(known)
}

/// Proxies that compress make ETags weak: `W/"7"` is still version 7.
pub(super) fn parse_etag(tag: &[u8]) -> Option<u64> {
    let tag = std::str::from_utf8(tag).ok()?.trim();
    let digits = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?;
    let is_plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_plain.then(|| digits.parse().ok())?.filter(|seq| *seq <= MAX_INTEGER)
}

fn single<'a>(headers: &'a HeaderMap, name: HeaderName, told: &str) -> Result<Option<&'a [u8]>, Problem> {
    let mut values = headers.get_all(name);
    let first = values.next().map(header::HeaderValue::as_bytes);
    if values.next().is_some() { Err(Problem::invalid_field(told, "stands twice")) } else { Ok(first) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn an_etag_is_a_seq_in_quotes() {
        for (tag, seq) in [("\"7\"", Some(7)), ("W/\"7\"", Some(7)), (" \"0\" ", Some(0))] {
            assert_eq!(parse_etag(tag.as_bytes()), seq, "{tag}");
        }
        for tag in [
            "7",
            "\"\"",
            "\"x\"",
            "*",
            "\"+7\"",
            "\"-1\"",
            "\"7",
            "\"7\", \"8\"",
            "\"9007199254740992\"",
            "\"99999999999999999999\"",
        ] {
            assert_eq!(parse_etag(tag.as_bytes()), None, "{tag}");
        }
    }

    #[test]
    fn a_position_comes_from_the_header_or_from_the_body_and_they_must_agree() {
        let with = |tag: &str| TestRequest::default().insert_header((header::IF_MATCH, tag)).to_http_request();
        let without = TestRequest::default().to_http_request();
        assert_eq!(Position::of(&without, Some(3)), Ok(Position { based_on: Some(3), from_header: false }));
        assert_eq!(Position::of(&with("\"3\""), None), Ok(Position { based_on: Some(3), from_header: true }));
        assert_eq!(Position::of(&with("\"3\""), Some(3)), Ok(Position { based_on: Some(3), from_header: true }));
        assert!(Position::of(&with("\"3\""), Some(4)).is_err());
        assert!(Position::of(&with("*"), None).is_err());
    }
}
