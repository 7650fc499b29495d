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
h1,h2,h3{line-height:1.2}a{color:#2e4bce}h2{border-top:1px solid #d5d9e2;padding-top:1.2rem;margin-top:2rem;font-size:1.15rem}\
code{font:14px/1.45 ui-monospace,monospace}\
table{border-collapse:collapse;width:100%;table-layout:fixed}td:nth-child(1){width:22%}td:nth-child(2){width:12%}td:nth-child(3){width:26%}\
td{overflow-wrap:break-word;text-align:left;padding:.25rem .8rem .25rem 0;vertical-align:top;border-bottom:1px solid #e8eaf0}\
.method{font-weight:700;color:#2e4bce}\
@media(prefers-color-scheme:dark){body{color:#e6e9f0;background:#14171f}h2{border-color:#333a4a}td{border-color:#2a303d}.method,a{color:#9db0ff}}";

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
        "<!doctype html><html lang=en><meta charset=utf-8><title>Tandem API</title>\
         <meta name=viewport content=\"width=device-width\"><style>{STYLE}</style><h1>Tandem API</h1>"
    );
    let about = prose(&document["info"]["description"]).replace("\n\n", "</p><p>");
    let _ = write!(html, "<p>{about}</p><p>As OpenAPI 3.1: <a href=\"{BASE}/openapi.json\">{BASE}/openapi.json</a></p>");
    for (path, item) in entries(&document["paths"]) {
        for (method, operation) in entries(item) {
            draw_operation(&mut html, path, method, operation);
        }
    }
    html.push_str("<h2>Shapes</h2>");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        let _ = write!(html, "<h3 id=\"{0}\"><code>{0}</code></h3><p>{1}</p>", escape(name), prose(&schema["description"]));
        draw_shape(&mut html, schema);
    }
    html
}

fn draw_operation(html: &mut String, path: &str, method: &str, operation: &Value) {
    let _ = write!(html, "<h2><code><span class=method>{}</span> {BASE}{}</code></h2>", method.to_uppercase(), escape(path));
    let _ =
        write!(html, "<p><strong>{}.</strong> {}</p><table>", prose(&operation["summary"]), prose(&operation["description"]));
    for parameter in list(&operation["parameters"]) {
        let place = escape(text(&parameter["in"]));
        draw_row(html, text(&parameter["name"]), parameter["required"] == true, &place, &parameter["description"]);
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        let _ = write!(html, "<tr><td>body<td>required<td>{}<td>", kind(body));
    }
    // Every operation can be refused, with the same shape: said once, at the top.
    for (status, response) in entries(&operation["responses"]).filter(|(status, _)| *status != "default") {
        let shape = entries(&response["content"]).map(|(_, content)| kind(&content["schema"])).next().unwrap_or_default();
        let _ = write!(html, "<tr><td>answer<td>{}<td>{shape}<td>{}", escape(status), prose(&response["description"]));
    }
    html.push_str("</table>");
}

fn draw_shape(html: &mut String, schema: &Value) {
    let required = list(&schema["required"]);
    html.push_str("<table>");
    for (name, property) in entries(&schema["properties"]) {
        let is_required = required.iter().any(|required| required == name);
        draw_row(html, name, is_required, &kind(property), &property["description"]);
    }
    html.push_str("</table>");
    if schema["properties"].is_null() {
        let _ = write!(html, "<p>{}</p>", kind(schema));
    }
}

fn draw_row(html: &mut String, name: &str, is_required: bool, kind: &str, description: &Value) {
    let required = if is_required { "required" } else { "" };
    let _ = write!(html, "<tr><td><code>{}</code><td>{required}<td>{kind}<td>{}", escape(name), prose(description));
}

/// What a schema is, in a few words; shapes are links.
fn kind(schema: &Value) -> String {
    if let Some(name) = text(&schema["$ref"]).strip_prefix("#/components/schemas/") {
        return format!("<a href=\"#{0}\">{0}</a>", escape(name));
    }
    for choice in ["anyOf", "oneOf"] {
        if schema[choice].is_array() {
            return list(&schema[choice]).iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    if schema["enum"].is_array() {
        let values = list(&schema["enum"]).iter().map(|value| format!("<code>{}</code>", escape(text(value))));
        return values.collect::<Vec<_>>().join(" ");
    }
    let name = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" or "),
        one => text(one).to_owned(),
    };
    let of = if schema["items"].is_null() { String::new() } else { format!(" of {}", kind(&schema["items"])) };
    let format = schema["format"].as_str().map(|format| format!(" ({})", escape(format))).unwrap_or_default();
    format!("{}{of}{format}", escape(&name))
}

/// Escaped, with what stands in backticks as code.
fn prose(value: &Value) -> String {
    let escaped = escape(text(value));
    let parts = escaped.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
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
        for shape in PAGE.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(PAGE.contains(&format!("id=\"{shape}\"")), "{shape} leads nowhere");
        }
        assert!(!PAGE.contains("<script") && !PAGE.contains("style="));
    }
}
