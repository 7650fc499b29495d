//! The one table of REST routes: what is in it is registered, and nothing else is. The OpenAPI document is held against it.

use std::collections::BTreeMap;

use actix_web::http::Method;
use actix_web::{HttpResponse, Route, guard, web};
use hub_core::wire::Problem;

use super::{collaboration, comments, docs, drafts, events, list, me, notifications, openapi, sessions, tickets};
use crate::problem::{Refused, no_such_method};

/// Where the API begins.
pub const BASE: &str = "/api/v1";

/// One row: a way to ask, where, and who answers.
struct Row {
    method: Method,
    path: &'static str,
    route: Route,
}

fn table() -> Vec<Row> {
    let row = |method, path, route| Row { method, path, route };
    vec![
        row(Method::POST, "/sessions", web::post().to(sessions::sign_in)),
        row(Method::DELETE, "/sessions/current", web::delete().to(sessions::sign_out)),
        row(Method::GET, "/me", get().to(me::me)),
        row(Method::GET, "/me/notifications", get().to(notifications::read)),
        row(Method::GET, "/workspace", get().to(me::workspace)),
        row(Method::GET, "/tickets", get().to(list::list)),
        row(Method::POST, "/tickets", web::post().to(tickets::create)),
        row(Method::GET, "/tickets/counters", get().to(list::counters)),
        row(Method::GET, "/tickets/{id}", get().to(tickets::read)),
        row(Method::PATCH, "/tickets/{id}", web::patch().to(tickets::change)),
        row(Method::POST, "/tickets/{id}/comments", web::post().to(comments::post)),
        row(Method::GET, "/tickets/{id}/drafts", get().to(drafts::list)),
        row(Method::GET, "/tickets/{id}/drafts/{audience}", get().to(drafts::read)),
        row(Method::PUT, "/tickets/{id}/drafts/{audience}", web::put().to(drafts::save)),
        row(Method::DELETE, "/tickets/{id}/drafts/{audience}", web::delete().to(drafts::discard)),
        row(Method::GET, "/tickets/{id}/events", get().to(events::read)),
        row(Method::POST, "/tickets/{id}/handoff", web::post().to(collaboration::hand_over)),
        row(Method::POST, "/tickets/{id}/handoff/acknowledgement", web::post().to(collaboration::acknowledge)),
        row(Method::POST, "/tickets/{id}/tags", web::post().to(collaboration::change_tags)),
        row(Method::PUT, "/tickets/{id}/watch", web::put().to(collaboration::watch)),
        row(Method::PUT, "/tickets/{id}/claim", web::put().to(collaboration::take_claim)),
        row(Method::DELETE, "/tickets/{id}/claim", web::delete().to(collaboration::release_claim)),
        row(Method::DELETE, "/tickets/{id}/held/{key}", web::delete().to(collaboration::cancel_held)),
        row(Method::PUT, "/tickets/{id}/read", web::put().to(notifications::mark_read)),
        row(Method::GET, "/openapi.json", get().to(openapi::document)),
    ]
}

/// Registers the table below [`BASE`], and the pages that tell of it. Whatever else is asked below `/api` is not found.
pub fn configure(config: &mut web::ServiceConfig) {
    let mut by_path: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for row in table() {
        by_path.entry(row.path).or_default().push(row);
    }
    let api = by_path.into_iter().fold(web::scope("/v1"), |scope, (path, rows)| scope.service(resource(path, rows)));
    let api = api.default_service(web::route().to(missing));
    let scope = docs::resources().into_iter().fold(web::scope("/api").service(api), actix_web::Scope::service);
    config.service(scope.default_service(web::route().to(missing)));
}

/// The table as data: every method and path below [`BASE`].
pub fn described() -> Vec<(Method, &'static str)> {
    table().into_iter().map(|row| (row.method, row.path)).collect()
}

fn resource(path: &str, rows: Vec<Row>) -> actix_web::Resource {
    let methods: Vec<Method> = rows.iter().map(|row| row.method.clone()).collect();
    let resource = rows.into_iter().fold(web::resource(path), |resource, row| resource.route(row.route));
    resource.default_service(other_methods(&methods))
}

/// Who answers GET answers HEAD too.
pub fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// The answer to methods a path does not have: 405, with those it has.
pub fn other_methods(methods: &[Method]) -> Route {
    let with_head = methods.contains(&Method::GET).then_some(Method::HEAD);
    let allow: Vec<_> = methods.iter().chain(&with_head).map(Method::as_str).collect();
    let allow = allow.join(", ");
    web::route().to(move || {
        let answer = no_such_method(&allow);
        async move { answer }
    })
}

/// The answer to addresses that do not exist.
pub async fn missing() -> Result<HttpResponse, Refused> {
    Err(Problem::not_found().into())
}
