//! The client's half of the opening handshake (RFC 6455, section 4.2.1), judged in the form of the contract.

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{StatusCode, Version};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hub_core::wire::{ErrorCode, Problem};

use crate::Refused;

/// The version of the protocol that RFC 6455 describes, and the only one.
const VERSION: &str = "13";
/// What a key is made of, before base64.
const KEY_BYTES: usize = 16;

/// The answer to a request that cannot become a WebSocket: 400 `bad_frame`, or 426 with the version that is spoken here.
pub fn refusal(request: &HttpRequest) -> Option<HttpResponse> {
    let key = || single(request, header::SEC_WEBSOCKET_KEY).and_then(|key| STANDARD.decode(key).ok());
    if request.version() != Version::HTTP_11 {
        return Some(bad("A handshake is made in HTTP/1.1.", StatusCode::BAD_REQUEST));
    }
    if !lists(request, header::UPGRADE, "websocket") || !lists(request, header::CONNECTION, "upgrade") {
        return Some(bad("A handshake says Upgrade: websocket and Connection: Upgrade.", StatusCode::BAD_REQUEST));
    }
    if single(request, header::SEC_WEBSOCKET_VERSION) != Some(VERSION) {
        let mut answer = bad("This hub speaks version 13 of the protocol.", StatusCode::UPGRADE_REQUIRED);
        answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        answer.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
        return Some(answer);
    }
    if key().is_none_or(|key| key.len() != KEY_BYTES) {
        return Some(bad("A handshake has one Sec-WebSocket-Key: 16 bytes in base64.", StatusCode::BAD_REQUEST));
    }
    None
}

fn bad(words: &str, status: StatusCode) -> HttpResponse {
    Refused::with_status(Problem::new(ErrorCode::BadFrame, words), status).error_response()
}

/// True when a header of comma-separated names has this one.
fn lists(request: &HttpRequest, header: HeaderName, name: &str) -> bool {
    let mut values = request.headers().get_all(header).filter_map(|value| value.to_str().ok());
    values.any(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(name)))
}

/// The value of a header that stands exactly once.
fn single(request: &HttpRequest, header: HeaderName) -> Option<&str> {
    let mut values = request.headers().get_all(header);
    let first = values.next()?;
    if values.next().is_some() { None } else { first.to_str().ok() }
}
