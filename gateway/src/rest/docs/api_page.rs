//! The REST API as a page, drawn from the OpenAPI document.

use std::fmt::Write;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::html::{escape, prose, slug};
use super::whole;
use crate::rest::openapi;
use crate::rest::routes::BASE;

/// The page.
pub static PAGE: LazyLock<String> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(openapi::text()).expect("our own document is JSON");
    whole("REST", &contents(&document), &draw(&document))
});

fn contents(document: &Value) -> String {
    let mut html = String::from("<ul>");
    for (path, method, operation) in operations(document) {
        let _ = write!(html, "<li><a href=\"#{}\"><code>{} {}</code></a>", id(operation), method.to_uppercase(), escape(path));
    }
    html.push_str("<li><a href=\"#shapes\">Shapes</a></ul>");
    html
}

fn draw(document: &Value) -> String {
    let about = prose(text(&document["info"]["description"])).replace("\n\n", "</p><p>");
    let mut html = format!(
        "<h1>Tandem by REST</h1><p>{about}</p><p>Any operation can be refused, always in the shape \
         <a href=\"#Problem\">Problem</a>. Live events, and every change as well, are spoken on the \
         <a href=\"/api/docs/protocol\">WebSocket</a>.</p>"
    );
    for (path, method, operation) in operations(document) {
        draw_operation(&mut html, path, method, operation);
    }
    html.push_str("<h2 id=\"shapes\">Shapes</h2>");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        let _ = write!(html, "<h3 id=\"{0}\">{0}</h3><p>{1}</p>", escape(name), prose(text(&schema["description"])));
        draw_shape(&mut html, schema);
    }
    html
}

fn draw_operation(html: &mut String, path: &str, method: &str, operation: &Value) {
    let _ = write!(
        html,
        "<h2 id=\"{}\"><code><span class=\"method {method}\">{}</span> {BASE}{}</code></h2>",
        id(operation),
        method.to_uppercase(),
        escape(path)
    );
    let (summary, description) = (prose(text(&operation["summary"])), prose(text(&operation["description"])));
    let _ = write!(html, "<p><strong>{summary}.</strong> {description}</p>");
    let mut rows = String::new();
    for parameter in list(&operation["parameters"]) {
        let place = escape(text(&parameter["in"]));
        let about = text(&parameter["description"]);
        draw_row(&mut rows, &code(text(&parameter["name"])), parameter["required"] == true, &place, about);
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        draw_row(&mut rows, "body", true, &kind(body), "");
    }
    // Every operation can be refused, with the same shape: said once, at the top.
    for (status, response) in entries(&operation["responses"]).filter(|(status, _)| *status != "default") {
        let shape = entries(&response["content"]).map(|(_, content)| kind(&content["schema"])).next().unwrap_or_default();
        draw_row(&mut rows, &format!("answer {}", code(status)), false, &shape, text(&response["description"]));
    }
    table(html, &rows);
}

fn draw_shape(html: &mut String, schema: &Value) {
    let required = list(&schema["required"]);
    let mut rows = String::new();
    for (name, property) in entries(&schema["properties"]) {
        let is_required = required.iter().any(|required| required == name);
        draw_row(&mut rows, &code(name), is_required, &kind(property), text(&property["description"]));
    }
    table(html, &rows);
    if schema["properties"].is_null() {
        let _ = write!(html, "<p>{}</p>", kind(schema));
    }
}

/// Wide tables scroll by themselves; the page never does.
fn table(html: &mut String, rows: &str) {
    if !rows.is_empty() {
        let _ = write!(html, "<div class=table tabindex=0><table>{rows}</table></div>");
    }
}

fn draw_row(html: &mut String, name: &str, is_required: bool, kind: &str, description: &str) {
    let required = if is_required { "<span class=required>required</span>" } else { "" };
    let _ = write!(html, "<tr><td>{name} {required}<td>{kind}<td>{}", prose(description));
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// What a schema is, in a few words; shapes are links.
fn kind(schema: &Value) -> String {
    if let Some(name) = text(&schema["$ref"]).strip_prefix("#/components/schemas/") {
        return format!("<a href=\"#{0}\">{0}</a>", escape(name));
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        if schema[choice].is_array() {
            return list(&schema[choice]).iter().map(kind).filter(|kind| !kind.is_empty()).collect::<Vec<_>>().join(" or ");
        }
    }
    if schema["enum"].is_array() {
        return list(&schema["enum"]).iter().map(|value| code(text(value))).collect::<Vec<_>>().join(" ");
    }
    let name = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" or "),
        one => text(one).to_owned(),
    };
    let of = if schema["items"].is_null() { String::new() } else { format!(" of {}", kind(&schema["items"])) };
    let format = schema["format"].as_str().map(|format| format!(" ({})", escape(format))).unwrap_or_default();
    format!("{}{of}{format}", escape(&name))
}

fn id(operation: &Value) -> String {
    slug(text(&operation["operationId"]))
}

fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
    let of = |(path, item)| {
        entries(item)
            .filter(|(method, _)| METHODS.contains(&method.as_str()))
            .map(move |(method, operation): (&String, &Value)| (String::as_str(path), method.as_str(), operation))
    };
    entries(&document["paths"]).flat_map(of)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_every_route() {
        for (method, path) in crate::rest::routes::described() {
            let shown = format!("{method}</span> {BASE}{}</code>", escape(path));
            assert!(PAGE.contains(&shown), "{shown}");
        }
    }
}
