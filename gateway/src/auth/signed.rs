//! The signed-in person as a parameter of a handler: whoever is not signed in never gets there, and neither does a page of
//! somebody else's that borrows a browser's cookie.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::{Method, header};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use hub_core::ports::SignIn;
use hub_core::rules::intent::Asker;
use hub_core::wire::{ErrorCode, Problem};

use super::authenticator::signed_out;
use super::credentials::{Carrier, carried};
use super::token::Token;
use crate::doors::Doors;
use crate::limits::Claim;
use crate::origin::Origins;
use crate::problem::Refused;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The valid sign-in.
    pub sign_in: SignIn,
    /// How its token came.
    pub carrier: Carrier,
}

impl Signed {
    /// As the one who wants something of a ticket.
    pub fn asker(&self) -> Asker {
        asker(&self.sign_in)
    }
}

/// A sign-in as the one who wants something of a ticket.
pub fn asker(sign_in: &SignIn) -> Asker {
    Asker { user: sign_in.user, name: sign_in.name.clone(), role: sign_in.role }
}

impl FromRequest for Signed {
    type Error = Refused;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refused>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { sign_in_of(&request).await })
    }
}

async fn sign_in_of(request: &HttpRequest) -> Result<Signed, Refused> {
    let doors = request.app_data::<web::Data<Doors>>().expect("every app is built with its doors");
    let (carrier, token) = carried(request, &doors.settings).ok_or_else(signed_out)?;
    let token = Token::parse(&token).ok_or_else(signed_out)?;
    let claim = request.extensions_mut().remove::<Claim>();
    let found = doors.authenticator.known(&token).await;
    doors.rates.learn(token.hash(), &found);
    if let Some(claim) = claim {
        claim.settle(&token.hash(), &found)?;
    }
    let sign_in = found?;
    doors.rates.person(sign_in.workspace, sign_in.user)?;
    if carrier == Carrier::Cookie && !is_safe(request.method()) && !has_own_origin(request, &doors.settings.origins) {
        return Err(foreign_page().into());
    }
    Ok(Signed { sign_in, carrier })
}

const fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// True when the browser says that one of our own pages asks.
pub fn has_own_origin(request: &HttpRequest, origins: &Origins) -> bool {
    let mut headers = request.headers().get_all(header::ORIGIN);
    let (first, second) = (headers.next(), headers.next());
    second.is_none() && first.and_then(|origin| origin.to_str().ok()).is_some_and(|origin| origins.allows(origin))
}

/// The refusal for everybody else's pages.
pub fn foreign_page() -> Problem {
    Problem::new(ErrorCode::Forbidden, "Changes with a cookie need the Origin of one of the hub's own pages.")
}
