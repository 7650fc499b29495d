//! What every request passes and every answer carries, whoever gives it: limits, headers that keep browsers strict, and an id
//! to find it in the log by.

use std::time::Instant;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError, web};
use hub_core::wire::{ErrorCode, Problem};
use tracing::Instrument;
use uuid::Uuid;

use crate::doors::Doors;
use crate::limits::{Connection, enter};
use crate::metrics;
use crate::problem::Refused;

/// Longest address, in bytes.
const MAX_URI_BYTES: usize = 8 * 1024;
/// Longest id that is taken over from a caller.
const MAX_REQUEST_ID: usize = 64;
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    /// For refusals, which are made where no request is at hand.
    static REQUEST_ID: String;
}

/// For everything that is no page of ours.
const NOTHING: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");

/// Wraps every door.
///
/// # Errors
/// Those of the door itself.
pub async fn guard<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let id = request_id(request.headers());
    let began = Instant::now();
    let is_api = request.path().starts_with("/api/");
    // No path: it may hold a secret one day, and ids of tenants now.
    let span = tracing::info_span!("request", id = %id, method = %request.method());
    let doors = request.app_data::<web::Data<Doors>>().expect("every app is built with its doors").clone();
    let mut answer = match admit(&request, &doors) {
        Err(refused) => {
            let refused = REQUEST_ID.sync_scope(id.clone(), || refused.error_response());
            request.into_response(refused).map_into_right_body()
        }
        Ok(()) => REQUEST_ID.scope(id.clone(), next.call(request).instrument(span)).await?.map_into_left_body(),
    };
    metrics::answered(&answer, began);
    if let Some(connection) = answer.request().conn_data::<Connection>() {
        connection.answered();
    }
    add(answer.headers_mut(), &id, is_api);
    Ok(answer)
}

/// May it come in at all? Whatever is refused here has cost next to nothing.
fn admit(request: &ServiceRequest, doors: &Doors) -> Result<(), Refused> {
    if request.conn_data::<Connection>().is_some_and(Connection::is_too_many) {
        return Err(Connection::refusal().into());
    }
    if request.uri().to_string().len() > MAX_URI_BYTES {
        let problem = Problem::new(ErrorCode::TooLarge, format!("The address is longer than {MAX_URI_BYTES} bytes."));
        return Err(Refused::with_status(problem, StatusCode::URI_TOO_LONG));
    }
    Ok(enter(request, doors)?)
}

/// The caller's own, so that its log and ours meet, where it is fit for a log; else one of ours.
fn request_id(headers: &HeaderMap) -> String {
    let is_fit = |id: &&str| {
        (1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let theirs = headers.get(X_REQUEST_ID).and_then(|id| id.to_str().ok()).filter(is_fit);
    theirs.map_or_else(|| Uuid::now_v7().simple().to_string(), str::to_owned)
}

/// The id of the request that is being answered; none outside of one.
pub fn current_request_id() -> Option<String> {
    REQUEST_ID.try_with(Clone::clone).ok()
}

fn add(headers: &mut HeaderMap, id: &str, is_api: bool) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not no-referrer: browsers would then send Origin: null with our own forms.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, NOTHING);
    }
    if is_api {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
