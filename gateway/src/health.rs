//! Alive and ready, in one word each. Public: they tell nothing else.

use actix_web::http::{Method, header};
use actix_web::{HttpResponse, web};

use crate::doors::Doors;
use crate::rest::{get, other_methods};

/// Registers `/healthz` and `/readyz`.
pub fn configure(config: &mut web::ServiceConfig) {
    let only_get = || other_methods(&[Method::GET]);
    config
        .service(web::resource("/healthz").route(get().to(alive)).default_service(only_get()))
        .service(web::resource("/readyz").route(get().to(ready)).default_service(only_get()));
}

async fn alive() -> HttpResponse {
    word(HttpResponse::Ok(), "alive\n".into())
}

async fn ready(doors: web::Data<Doors>) -> HttpResponse {
    match doors.readiness.reason() {
        None => word(HttpResponse::Ok(), "ready\n".into()),
        Some(why) => word(HttpResponse::ServiceUnavailable(), format!("not ready: {}\n", why.word())),
    }
}

fn word(mut answer: actix_web::HttpResponseBuilder, text: String) -> HttpResponse {
    answer
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text)
}
