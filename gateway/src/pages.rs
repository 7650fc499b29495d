//! The built web pages, read into memory once: what was not there at the start cannot be asked for, whatever the path says.

use std::collections::HashMap;
use std::path::Path;
use std::{fs, io};

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hub_core::wire::Problem;
use sha2::{Digest, Sha256};

use crate::problem::{Refused, no_such_method};

/// More than this is no web build of ours.
const MAX_TOTAL_BYTES: u64 = 64 * 1024 * 1024;
/// The policy of pages that come without one of their own.
const STRICT: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);
const NOT_BUILT: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Tandem</title>\
    <h1>Tandem is running</h1><p>The hub answers, but its web pages were not built. In a checkout, <code>make run</code> builds and serves them.\
    <p>The API is here all the same: <a href=\"/api/docs\">/api/docs</a>.";

/// All files of the web build, by path.
pub struct Pages {
    files: HashMap<String, File>,
    policy: HeaderValue,
}

struct File {
    bytes: Bytes,
    media_type: &'static str,
    /// Weak: a compressed answer is still this version.
    etag: String,
}

impl Pages {
    /// Reads the folder. A missing or unreadable one is a hub without pages, not a hub that does not start.
    pub fn load(folder: Option<&Path>) -> Self {
        let mut pages = Self { files: HashMap::new(), policy: STRICT };
        let Some(folder) = folder else { return pages };
        let mut left = MAX_TOTAL_BYTES;
        if let Err(error) = pages.read_folder(folder, "", &mut left) {
            tracing::warn!(folder = %folder.display(), %error, "the web pages cannot be read");
            pages.files.clear();
        }
        if let Some(policy) = pages.files.remove("/csp.txt") {
            let text = String::from_utf8_lossy(&policy.bytes).split_whitespace().collect::<Vec<_>>().join(" ");
            match HeaderValue::try_from(text) {
                Ok(policy) if !policy.is_empty() => pages.policy = policy,
                Ok(_) | Err(_) => tracing::warn!("csp.txt is no header; the pages get the strict default"),
            }
        }
        pages
    }

    fn read_folder(&mut self, folder: &Path, at: &str, left: &mut u64) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = format!("{at}/{name}");
            // Links are left alone: they may lead out of the folder.
            if kind.is_dir() {
                self.read_folder(&entry.path(), &path, left)?;
            } else if kind.is_file() {
                let size = entry.metadata()?.len();
                *left = left.checked_sub(size).ok_or_else(|| io::Error::other("the folder holds more than 64 MiB"))?;
                let bytes = Bytes::from(fs::read(entry.path())?);
                let etag = format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(&bytes)[..12]));
                self.files.insert(path, File { bytes, media_type: media_type(&name), etag });
            }
        }
        Ok(())
    }

    /// The file that answers a path: itself, or the page whose own routes the path belongs to.
    fn find(&self, path: &str) -> Option<&File> {
        if let Some(file) = self.files.get(path) {
            return Some(file);
        }
        let is_file_name = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
        if is_file_name || path.starts_with("/assets/") || path.starts_with("/api/") {
            return None;
        }
        let is_portal = path == "/help" || path.starts_with("/help/");
        self.files.get(if is_portal { "/help.html" } else { "/index.html" })
    }
}

/// Answers whatever no other door answered.
///
/// # Errors
/// `not_found`.
pub async fn page(request: HttpRequest, pages: web::Data<Pages>) -> Result<HttpResponse, Refused> {
    let path = request.path();
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(no_such_method("GET, HEAD"));
    }
    if pages.files.is_empty() && matches!(path, "/" | "/help") {
        return Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8")).body(NOT_BUILT));
    }
    let file = pages.find(path).ok_or_else(Problem::not_found)?;
    // Names under /assets carry a hash of their content: they never change.
    let caching = if path.starts_with("/assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let is_known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == file.etag.as_bytes());
    let mut answer = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header((header::CACHE_CONTROL, caching)).insert_header((header::ETAG, file.etag.as_str()));
    if file.media_type.starts_with("text/html") {
        answer.insert_header((header::CONTENT_SECURITY_POLICY, pages.policy.clone()));
    }
    if is_known {
        return Ok(answer.finish());
    }
    Ok(answer.insert_header((header::CONTENT_TYPE, file.media_type)).body(file.bytes.clone()))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(names: &[&str]) -> Pages {
        let file = |name: &&str| {
            let bytes = Bytes::copy_from_slice(name.as_bytes());
            ((*name).to_owned(), File { bytes, media_type: media_type(name), etag: String::new() })
        };
        Pages { files: names.iter().map(file).collect(), policy: STRICT }
    }

    #[test]
    fn a_path_finds_its_file_or_the_page_it_is_a_route_of_and_nothing_outside() {
        let pages = pages(&["/index.html", "/help.html", "/assets/a-1.js", "/sw.js"]);
        let found = |path| pages.find(path).map(|file| std::str::from_utf8(&file.bytes).expect("names"));
        for (path, file) in [
            ("/", Some("/index.html")),
            ("/tickets/7", Some("/index.html")),
            ("/help", Some("/help.html")),
            ("/help/tickets/7", Some("/help.html")),
            ("/helpers", Some("/index.html")),
            ("/assets/a-1.js", Some("/assets/a-1.js")),
            ("/sw.js", Some("/sw.js")),
            ("/assets/none.js", None),
            ("/assets/none", None),
            ("/favicon.ico", None),
            ("/../etc/passwd.txt", None),
            ("/assets/../../secret.key", None),
            ("/api/v2/tickets", None),
        ] {
            assert_eq!(found(path), file, "{path}");
        }
    }
}
