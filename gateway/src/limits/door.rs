//! The door of the API, before anybody is known: strangers are counted by their address.

use std::net::IpAddr;

use actix_web::HttpMessage;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use hub_core::wire::Problem;

use crate::auth::{Token, carried, client_address};
use crate::doors::Doors;

/// Marks a request whose sender was found to be signed in.
pub struct Known;

/// A request on its way through the door.
pub enum Entry {
    /// Nothing more is to be counted.
    Counted,
    /// It carries a token: whether it is good is known when the request has been answered.
    Claims(IpAddr),
}

/// Judges a request by where it comes from. Pages and health are for everybody: they are answered from memory. Sockets are
/// counted at their handshake.
///
/// # Errors
/// `rate_limited`, with the time to wait.
pub fn enter(request: &ServiceRequest, doors: &Doors) -> Result<Entry, Problem> {
    if !request.path().starts_with("/api/") {
        return Ok(Entry::Counted);
    }
    let address = client_address(request.request(), &doors.settings);
    match carried(request.request(), &doors.settings).and_then(|(_, token)| Token::parse(&token)) {
        Some(token) => doors.rates.claims_to_be_known(address, &token.hash()).map(|()| Entry::Claims(address)),
        None => doors.rates.stranger(address).map(|()| Entry::Counted),
    }
}

impl Entry {
    /// The request was answered: if nobody was found to be signed in, it was a stranger's.
    pub fn leave<B>(self, answer: &ServiceResponse<B>, doors: &Doors) {
        match self {
            Self::Claims(address) if answer.request().extensions().get::<Known>().is_none() => {
                // It has its answer; whoever goes on like this is refused at the next request.
                drop(doors.rates.stranger(address));
            }
            Self::Claims(_) | Self::Counted => {}
        }
    }
}
