//! `GET /ws`: who may upgrade, and in which codec.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, Resource, web};
use hub_core::wire::{Codec, ErrorCode, Problem};

use super::{handshake, session};
use crate::auth::{Carrier, Token, carried, client_address};
use crate::limits::Connection;
use crate::rest::other_methods;
use crate::{Doors, Refused};

/// The route of the socket.
pub fn resource() -> Resource {
    web::resource("/ws").route(web::get().to(upgrade)).default_service(other_methods(&[Method::GET]))
}

async fn upgrade(request: HttpRequest, body: web::Payload, doors: web::Data<Doors>) -> Result<HttpResponse, actix_web::Error> {
    let carried = carried(&request, &doors.settings);
    let token = carried.as_ref().and_then(|(_, token)| Token::parse(token)).map(|token| token.hash());
    // Whatever becomes of it, it counts, until somebody we know says hello.
    let claim = doors.rates.handshake(client_address(&request, &doors.settings), token).map_err(Refused::from)?;
    if let Some(refusal) = handshake::refusal(&request) {
        return Ok(refusal);
    }
    check_origin(&request, carried.as_ref().map(|(carrier, _)| *carrier), &doors)?;
    let codec = common_codec(&request).ok_or_else(|| {
        let names = Codec::ALL.map(Codec::subprotocol).join(" or ");
        Refused::from(Problem::new(ErrorCode::BadFrame, format!("Offer the subprotocol {names}.")))
    })?;
    let token = carried.map(|(_, token)| token);
    let answer = session::start(&request, body, doors.get_ref().clone(), codec, token, claim)?;
    if let Some(connection) = request.conn_data::<Connection>() {
        connection.becomes_socket();
    }
    Ok(answer)
}

/// A browser sends its cookie whoever wrote the page, so the page must be ours; and a page that is not ours gets nowhere,
/// cookie or not.
fn check_origin(request: &HttpRequest, carrier: Option<Carrier>, doors: &Doors) -> Result<(), Refused> {
    let origin = request.headers().get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("null"));
    let allowed = match (origin, carrier) {
        (Some(origin), _) => doors.settings.origins.allows(origin),
        (None, Some(Carrier::Cookie)) => false,
        (None, Some(Carrier::Bearer) | None) => true,
    };
    if allowed { Ok(()) } else { Err(Problem::new(ErrorCode::Forbidden, "This page may not open a socket here.").into()) }
}

/// The first subprotocol the client offers that the hub speaks.
fn common_codec(request: &HttpRequest) -> Option<Codec> {
    let offers = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let mut names = offers.filter_map(|offer| offer.to_str().ok()).flat_map(|offer| offer.split(','));
    names.find_map(|name| Codec::of_subprotocol(name.trim()))
}
