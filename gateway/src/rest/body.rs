//! Reading a JSON body strictly: the right media type, a bounded size, no key twice, nothing after the end.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::rt::time::timeout;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use hub_core::wire::fields::{FieldErrors, Fields};
use hub_core::wire::value::decode_strict;
use hub_core::wire::{Codec, ErrorCode, Problem};
use serde_json::{Map, Value};

use crate::problem::Refused;

/// Largest body, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;
/// A body that takes longer than this to arrive is given up.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

/// A body that nobody has read yet. Extracting it never fails, so that who asks is judged first.
pub struct Body {
    payload: web::Payload,
    is_json: bool,
    announced: Option<u64>,
}

impl FromRequest for Body {
    type Error = Refused;
    type Future = Ready<Result<Self, Refused>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let headers = request.headers();
        let is_plain = headers.get(header::CONTENT_ENCODING).is_none_or(|encoding| encoding == "identity");
        let announced = headers.get(header::CONTENT_LENGTH).and_then(|n| n.to_str().ok()?.parse().ok());
        let is_json = is_plain && request.content_type().eq_ignore_ascii_case("application/json");
        let payload = web::Payload::from_request(request, payload).into_inner();
        ready(payload.map(|payload| Self { payload, is_json, announced }).map_err(|_| bad("it broke off".into())))
    }
}

impl Body {
    /// Reads the body as a map of fields and hands it to `read`, which must ask for every field it takes: others are refused.
    ///
    /// # Errors
    /// 415, 413 `too_large`, 408 and 400 `bad_frame`, 422 `invalid` with every field that is wrong.
    pub async fn read<T>(self, read: impl FnOnce(&mut Fields<'_>) -> Option<T>) -> Result<T, Refused> {
        let map = self.map().await?;
        let mut fields = Fields::new(&map);
        let result = read(&mut fields);
        fields.refuse_unknown();
        fields.finish(result).map_err(|errors: FieldErrors| Problem::invalid(errors).into())
    }

    async fn map(self) -> Result<Map<String, Value>, Refused> {
        if !self.is_json {
            let words = "Send application/json, not compressed.";
            return Err(Refused::with_status(Problem::new(ErrorCode::BadFrame, words), StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        if self.announced.is_some_and(|bytes| bytes > MAX_BYTES as u64) {
            return Err(too_large());
        }
        let bytes = match timeout(ARRIVES_WITHIN, self.payload.to_bytes_limited(MAX_BYTES)).await {
            Ok(Ok(Ok(bytes))) => bytes,
            Ok(Ok(Err(_))) => return Err(bad("it broke off".into())),
            Ok(Err(_)) => return Err(too_large()),
            Err(_) => {
                let slow = Problem::new(ErrorCode::BadFrame, "The body took too long to arrive.");
                return Err(Refused::with_status(slow, StatusCode::REQUEST_TIMEOUT));
            }
        };
        match decode_strict(Codec::Json, &bytes).map_err(bad)? {
            Value::Object(map) => Ok(map),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(bad("it is not a map".into()))
            }
        }
    }
}

fn bad(why: String) -> Refused {
    Problem::new(ErrorCode::BadFrame, format!("The body cannot be read: {why}.")).into()
}

fn too_large() -> Refused {
    Problem::new(ErrorCode::TooLarge, format!("The body is larger than {MAX_BYTES} bytes.")).into()
}
