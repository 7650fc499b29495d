//! The API to read in a browser, at `/api/docs`: one page drawn from the OpenAPI document, without a script.

use std::fmt::Write;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::openapi;
use super::routes::BASE;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;color:#1d2330;background:#fff}\
h1,h2{line-height:1.2}h2{border-top:1px solid #d5d9e2;padding-top:1.2rem;margin-top:2rem;font-size:1.15rem}\
code,pre{font:14px/1.45 ui-monospace,monospace}pre{background:#f4f5f8;padding:.8rem;overflow:auto;border-radius:6px}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .8rem .25rem 0;vertical-align:top;border-bottom:1px solid #e8eaf0}\
.method{font-weight:700;color:#2e4bce}summary{cursor:pointer}\
@media(prefers-color-scheme:dark){body{color:#e6e9f0;background:#14171f}pre{background:#1e222d}h2{border-color:#333a4a}td,th{border-color:#2a303d}.method{color:#9db0ff}}";

static PAGE: LazyLock<String> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(openapi::text()).expect("our own document is JSON");
    draw(&document)
});

static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
});

/// The page.
pub async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .body(PAGE.as_str())
}

fn draw(document: &Value) -> String {
    let mut html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Tandem API</title><meta name=viewport content=\"width=device-width\"><style>{STYLE}</style>"
    );
    let _ =
        write!(html, "<h1>Tandem API</h1><p>{}</p>", escape(text(&document["info"]["description"])).replace("\n\n", "</p><p>"));
    let _ = write!(html, "<p>As OpenAPI 3.1: <a href=\"{BASE}/openapi.json\">{BASE}/openapi.json</a></p>");
    for (path, item) in entries(&document["paths"]) {
        for (method, operation) in entries(item) {
            draw_operation(&mut html, path, method, operation);
        }
    }
    html.push_str("<h2>Shapes</h2>");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        let _ = write!(
            html,
            "<details id=\"{0}\"><summary><code>{0}</code></summary><pre>{1}</pre></details>",
            escape(name),
            pretty(schema)
        );
    }
    html
}

fn draw_operation(html: &mut String, path: &str, method: &str, operation: &Value) {
    let _ = write!(html, "<h2><code><span class=method>{}</span> {BASE}{}</code></h2>", method.to_uppercase(), escape(path));
    let _ = write!(
        html,
        "<p><strong>{}.</strong> {}</p>",
        escape(text(&operation["summary"])),
        escape(text(&operation["description"]))
    );
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        html.push_str("<table>");
        for p in parameters {
            let required = if p["required"] == true { ", required" } else { "" };
            let _ = write!(
                html,
                "<tr><td><code>{}</code><td>{}{required}<td>{}",
                escape(text(&p["name"])),
                escape(text(&p["in"])),
                escape(text(&p["description"]))
            );
        }
        html.push_str("</table>");
    }
    if let Some(schema) = operation["requestBody"]["content"]["application/json"].get("schema") {
        let _ = write!(html, "<details><summary>Body</summary><pre>{}</pre></details>", pretty(schema));
    }
    for (status, response) in entries(&operation["responses"]) {
        let _ = write!(html, "<p><code>{}</code> {}</p>", escape(status), escape(text(&response["description"])));
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn pretty(value: &Value) -> String {
    escape(&serde_json::to_string_pretty(value).unwrap_or_default())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_every_route_and_runs_nothing() {
        for (_, path) in super::super::routes::described() {
            assert!(PAGE.contains(&escape(path)), "{path}");
        }
        assert!(!PAGE.contains("<script") && !PAGE.contains("style="));
    }
}
