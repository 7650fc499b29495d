//! The door of the API, before anybody is known: strangers are counted by their address.

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use hub_core::wire::Problem;

use crate::auth::{Token, carried, client_address};
use crate::doors::Doors;

/// Judges a request by where it comes from. Pages and health are for everybody: they are answered from memory. Sockets are
/// counted at their handshake. One that carries a token gets a [`Claim`](super::Claim) with it, for whoever reads the token.
///
/// # Errors
/// `rate_limited`, with the time to wait.
pub fn enter(request: &ServiceRequest, doors: &Doors) -> Result<(), Problem> {
    if !request.path().starts_with("/api/") {
        return Ok(());
    }
    let address = client_address(request.request(), &doors.settings);
    let Some(token) = carried(request.request(), &doors.settings).and_then(|(_, token)| Token::parse(&token)) else {
        return doors.rates.stranger(address);
    };
    let claim = doors.rates.claim(address, Some(token.hash()))?;
    request.extensions_mut().insert(claim);
    Ok(())
}
