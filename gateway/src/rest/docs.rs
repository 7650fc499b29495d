//! The pages for those who write clients, to be read in a browser without a script and without a network: the REST API at
//! `/api/docs`, the protocol reference at `/api/docs/protocol`; and to be taken along: the reference as text, and the stranger's
//! client. The pages share one look, which stands here; what they say is drawn in `api_page` and `protocol_page`.

mod api_page;
mod html;
mod protocol_page;

use std::sync::LazyLock;

use actix_web::http::{Method, header};
use actix_web::{HttpResponse, Resource, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::routes::{get, other_methods};

const STYLE: &str = include_str!("docs/style.css");
const REFERENCE: &str = include_str!("../../../docs/protocol.md");
const CLIENT: &str = include_str!("../../../docs/examples/client.py");

/// Nothing runs, nothing is fetched, and the one style is known by its hash.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
});

/// What is served below `/api/docs`.
pub fn resources() -> [Resource; 4] {
    let only_get = |path: &str, route| web::resource(path).route(route).default_service(other_methods(&[Method::GET]));
    [
        only_get("/docs", get().to(|| async { page(&api_page::PAGE) })),
        only_get("/docs/protocol", get().to(|| async { page(&protocol_page::PAGE) })),
        only_get("/docs/protocol.md", get().to(|| async { file("text/markdown; charset=utf-8", REFERENCE) })),
        only_get("/docs/client.py", get().to(client)),
    ]
}

fn page(page: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .body(page)
}

fn file(media_type: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, media_type)).body(text)
}

async fn client() -> HttpResponse {
    let mut answer = file("text/x-python; charset=utf-8", CLIENT);
    let as_file = header::HeaderValue::from_static("attachment; filename=\"client.py\"");
    answer.headers_mut().insert(header::CONTENT_DISPOSITION, as_file);
    answer
}

/// A whole page: its title, its contents on the side, and what it says.
fn whole(title: &str, contents: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{title} · Tandem</title>\
         <meta name=viewport content=\"width=device-width,initial-scale=1\"><meta name=color-scheme content=\"light dark\">\
         <style>{STYLE}</style><header><strong>Tandem</strong><nav aria-label=Pages><a href=\"/api/docs\">REST</a>\
         <a href=\"/api/docs/protocol\">WebSocket</a><a href=\"/api/v1/openapi.json\">openapi.json</a>\
         <a href=\"/api/docs/protocol.md\">protocol.md</a><a href=\"/api/docs/client.py\" download>client.py</a></nav></header>\
         <div class=columns><details class=contents open><summary>Contents</summary><nav aria-label=Contents>{contents}</nav>\
         </details><main>{body}</main></div>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_run_nothing_fetch_nothing_and_lead_nowhere_that_is_not() {
        for page in [&*api_page::PAGE, &*protocol_page::PAGE] {
            for forbidden in ["<script", " style=", " onclick", "src=", "http-equiv", "@import", "url("] {
                assert!(!page.contains(forbidden), "{forbidden}");
            }
            let links: Vec<&str> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            for link in links {
                match link.strip_prefix('#') {
                    Some(id) => assert!(page.contains(&format!("id=\"{id}\"")), "{link} leads nowhere"),
                    None => assert!(link.starts_with("/api/"), "{link} leaves the hub"),
                }
            }
            let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            let unique: std::collections::BTreeSet<&&str> = ids.iter().collect();
            assert_eq!(unique.len(), ids.len(), "an id stands twice");
        }
    }
}
