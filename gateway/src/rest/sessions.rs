//! Signing in and out.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use hub_core::ports::SignIn;
use hub_core::wire::Me;
use hub_core::wire::fields::{self, Fields};
use serde_json::json;

use super::body::Body;
use super::shapes;
use crate::auth::{Carrier, Credentials, Signed, Token, client_address, foreign_page, has_own_origin};
use crate::doors::Doors;
use crate::metrics;
use crate::problem::Refused;
use crate::settings::CookieKind;

const MAX_SLUG_BYTES: usize = 64;
const MAX_EMAIL_BYTES: usize = 254;
const MAX_PASSWORD_BYTES: usize = 1_024;
const SECONDS_OF_LIFE: i64 = 7 * 24 * 60 * 60;

/// What a sign-in is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    /// For browsers: a cookie no script can read.
    Cookie,
    /// For programs: the token in the body, and never a cookie.
    Token,
}

/// Signs in
///
/// With `grant: "cookie"` (the default) the answer sets an HttpOnly cookie; with `grant: "token"` it carries a token for
/// `Authorization: Bearer`. Five failures a minute and account, twenty a minute and address.
#[utoipa::path(post, path = "/sessions", operation_id = "sign_in", tag = "sessions", request_body = shapes::SignIn, security(()),
    responses((status = 200, description = "Signed in", body = shapes::SignedIn)))]
pub async fn sign_in(doors: web::Data<Doors>, request: HttpRequest, body: Body) -> Result<HttpResponse, Refused> {
    let (credentials, grant) = body.read(read_sign_in).await?;
    let from_a_page = request.headers().contains_key(header::ORIGIN);
    if grant == Grant::Cookie && from_a_page && !has_own_origin(&request, &doors.settings.origins) {
        return Err(foreign_page().into());
    }
    let address = client_address(&request, &doors.settings);
    let opened = doors.authenticator.sign_in(credentials, address).await;
    metrics::signed_in(&opened);
    let opened = opened?;
    if let Some(token) = Token::parse(&opened.token) {
        doors.rates.learn(token.hash(), &Ok(opened.sign_in.clone()));
    }
    let (user, expires_at) = (me_of(&opened.sign_in), opened.sign_in.expires_at);
    Ok(match grant {
        Grant::Token => HttpResponse::Ok().json(json!({"token": opened.token, "expires_at": expires_at, "user": user})),
        Grant::Cookie => HttpResponse::Ok()
            .cookie(cookie(doors.settings.cookie, opened.token, SECONDS_OF_LIFE))
            .json(json!({"expires_at": expires_at, "user": user})),
    })
}

/// Signs out
///
/// Ends the sign-in this request came with; its sockets are closed with 4401 within two seconds.
#[utoipa::path(delete, path = "/sessions/current", operation_id = "sign_out", tag = "sessions",
    responses((status = 204, description = "Signed out")))]
pub async fn sign_out(doors: web::Data<Doors>, signed: Signed) -> Result<HttpResponse, Refused> {
    doors.authenticator.sign_out(&signed.sign_in).await?;
    doors.sockets.close_session(signed.sign_in.session);
    let mut answer = HttpResponse::NoContent();
    if signed.carrier == Carrier::Cookie {
        answer.cookie(cookie(doors.settings.cookie, String::new(), 0));
    }
    Ok(answer.finish())
}

pub(super) fn read_sign_in(f: &mut Fields<'_>) -> Option<(Credentials, Grant)> {
    let workspace = f.required("workspace", fields::filled_text(MAX_SLUG_BYTES));
    let email = f.required("email", fields::filled_text(MAX_EMAIL_BYTES));
    let password = f.required("password", fields::text(MAX_PASSWORD_BYTES));
    let grant = f.optional("grant", |value| match value.as_str() {
        Some("cookie") => Ok(Grant::Cookie),
        Some("token") => Ok(Grant::Token),
        Some(_) | None => Err("must be cookie or token"),
    });
    let credentials =
        Credentials { workspace: workspace?.trim().to_lowercase(), email: email?.trim().to_lowercase(), password: password? };
    Some((credentials, grant.unwrap_or(Grant::Cookie)))
}

fn cookie(kind: CookieKind, value: String, seconds: i64) -> Cookie<'static> {
    Cookie::build(kind.name(), value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(kind == CookieKind::Secure)
        .max_age(Duration::seconds(seconds))
        .finish()
}

/// The signed-in person, as told to that person.
pub fn me_of(sign_in: &SignIn) -> Me {
    Me { id: sign_in.user, name: sign_in.name.clone(), email: sign_in.email.clone(), role: sign_in.role }
}
