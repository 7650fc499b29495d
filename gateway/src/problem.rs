//! A refusal as an HTTP answer: `application/problem+json` (RFC 9457). The one place that knows which code is which status.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use hub_core::ports::StoreError;
use hub_core::wire::{ErrorCode, Problem};
use serde_json::{Map, Value};

use crate::outside;

/// The media type of every refusal.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A refusal on its way out of a door.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    problem: Problem,
    status: StatusCode,
}

impl Refused {
    /// The refusal under a status of HTTP's own, such as 405 or 415.
    pub const fn with_status(problem: Problem, status: StatusCode) -> Self {
        Self { problem, status }
    }

    /// What it says.
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }

    /// `stale` is a failed precondition when the position came in `If-Match`.
    #[must_use]
    pub fn under_if_match(mut self, used: bool) -> Self {
        if used && self.problem.code == ErrorCode::Stale {
            self.status = StatusCode::PRECONDITION_FAILED;
        }
        self
    }

    fn body(&self) -> Map<String, Value> {
        let mut body = self.problem.detail.clone();
        body.insert("type".into(), "about:blank".into());
        body.insert("title".into(), self.status.canonical_reason().unwrap_or("Refused").into());
        body.insert("status".into(), self.status.as_u16().into());
        body.insert("code".into(), serde_json::to_value(self.problem.code).unwrap_or_default());
        body.insert("detail".into(), self.problem.message.as_str().into());
        if let Some(ms) = self.problem.retry_after_ms {
            body.insert("retry_after_ms".into(), ms.into());
        }
        if let Some(id) = outside::current_request_id() {
            body.insert("request_id".into(), id.into());
        }
        body
    }
}

/// The status of each code.
pub const fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadFrame | ErrorCode::UnknownType | ErrorCode::UnsupportedVersion => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::LimitReached => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Stale | ErrorCode::Claimed | ErrorCode::IllegalTransition => StatusCode::CONFLICT,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Busy | ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        let status = status_of(problem.code);
        Self { problem, status }
    }
}

/// A read that failed. Its words go to the log, once, here.
impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        unreadable(&error).into()
    }
}

/// What a client is told when something could not be read.
pub fn unreadable(error: &StoreError) -> Problem {
    match error {
        StoreError::Full => Problem::busy(1_000),
        StoreError::Unavailable(_) => {
            tracing::warn!(%error, "a read failed");
            Problem::unavailable()
        }
        StoreError::Unreadable(_) => {
            tracing::error!(%error, "a read failed");
            Problem::unavailable()
        }
    }
}

/// The answer to a method that an address does not have: 405, with those it has, separated by commas.
pub fn no_such_method(allow: &str) -> HttpResponse {
    let problem = Problem::new(ErrorCode::NotFound, "This address does not answer that method.");
    let mut answer = Refused::with_status(problem, StatusCode::METHOD_NOT_ALLOWED).error_response();
    if let Ok(allow) = header::HeaderValue::from_str(allow) {
        answer.headers_mut().insert(header::ALLOW, allow);
    }
    answer
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.problem.message)
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        actors::metrics::refused("http", self.problem.code);
        let mut answer = HttpResponse::build(self.status);
        if let Some(ms) = self.problem.retry_after_ms {
            answer.insert_header((header::RETRY_AFTER, ms.div_ceil(1_000).max(1).to_string()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            answer.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"tandem\""));
        }
        answer.insert_header((header::CONTENT_TYPE, PROBLEM_JSON));
        answer.body(Value::Object(self.body()).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_status_of_the_contract() {
        let told: Vec<u16> = ErrorCode::ALL.into_iter().map(|code| status_of(code).as_u16()).collect();
        assert_eq!(told, [400, 400, 422, 401, 403, 404, 409, 409, 409, 403, 429, 413, 503, 503, 400]);
    }

    #[test]
    fn facts_stand_beside_the_code_and_detail_is_text() {
        let refused = Refused::from(Problem::invalid_field("title", "is missing"));
        let body = Value::Object(refused.body());
        assert_eq!(body["code"], "invalid");
        assert_eq!(body["status"], 422);
        assert_eq!(body["fields"]["title"], "is missing");
        assert!(body["detail"].is_string());
    }

    #[test]
    fn stale_is_412_only_when_the_position_came_in_the_header() {
        let stale = || Refused::from(Problem::new(ErrorCode::Stale, "Something came in between."));
        assert_eq!(stale().under_if_match(true).status_code(), StatusCode::PRECONDITION_FAILED);
        assert_eq!(stale().under_if_match(false).status_code(), StatusCode::CONFLICT);
        let claimed = Refused::from(Problem::new(ErrorCode::Claimed, "Held."));
        assert_eq!(claimed.under_if_match(true).status_code(), StatusCode::CONFLICT);
    }

    #[test]
    fn a_full_store_is_busy_and_says_when_to_come_again_and_one_that_is_away_is_unavailable() {
        let full = Refused::from(StoreError::Full);
        assert_eq!((full.problem().code, full.problem().retry_after_ms), (ErrorCode::Busy, Some(1_000)));
        let away = Refused::from(StoreError::Unavailable("away".into()));
        assert_eq!(away.problem().code, ErrorCode::Unavailable);
    }

    #[test]
    fn who_has_to_wait_is_told_whole_seconds_and_never_zero() {
        for (ms, header_says) in [(1, "1"), (1_000, "1"), (1_001, "2")] {
            let answer = Refused::from(Problem::busy(ms)).error_response();
            assert_eq!(answer.headers().get(header::RETRY_AFTER).expect("told").to_str().expect("text"), header_says);
        }
    }
}
