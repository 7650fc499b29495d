//! As much HTTP as reading a log takes: GET with a token, one answer, one connection.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The largest answer that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 64 * 1024 * 1024;

/// GETs `path` at `authority` (`host:port`) and reads the JSON of the answer.
///
/// # Errors
/// In words, when there is no answer, one that is not 200, or one that is no JSON.
pub async fn get(authority: &str, path: &str, token: &str) -> anyhow::Result<Value> {
    let what = || format!("GET http://{authority}{path}");
    let answer = tokio::time::timeout(TIMEOUT, exchange(authority, path, token)).await;
    let bytes = answer.with_context(|| format!("{}: no answer within {} s", what(), TIMEOUT.as_secs()))?.with_context(what)?;
    let body = body_of(&bytes).with_context(what)?;
    serde_json::from_slice(&body).with_context(|| format!("{}: the answer is no JSON", what()))
}

async fn exchange(authority: &str, path: &str, token: &str) -> anyhow::Result<Vec<u8>> {
    let mut tcp = TcpStream::connect(authority).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    );
    tcp.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    tcp.take(MAX_ANSWER_BYTES).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// The body of a 200.
fn body_of(answer: &[u8]) -> anyhow::Result<Vec<u8>> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").context("the answer is no HTTP")?;
    let head = std::str::from_utf8(&answer[..end])?.to_ascii_lowercase();
    let body = &answer[end + 4..];
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        bail!("the answer is {status}: {}", String::from_utf8_lossy(&body[..body.len().min(300)]));
    }
    let is_chunked = head.lines().any(|line| line.starts_with("transfer-encoding:") && line.contains("chunked"));
    if is_chunked { unchunk(body) } else { Ok(body.to_vec()) }
}

fn unchunk(mut rest: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").context("a chunk without a length")?;
        let length = std::str::from_utf8(&rest[..line])?.split(';').next().unwrap_or_default();
        let length = usize::from_str_radix(length.trim(), 16).context("a chunk without a length")?;
        if length == 0 {
            return Ok(body);
        }
        let start = line + 2;
        body.extend(rest.get(start..start + length).context("the answer ends in the middle of a chunk")?);
        rest = rest.get(start + length + 2..).context("the answer ends in the middle of a chunk")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_and_a_chunked_answer_are_read() {
        let plain = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n";
        assert_eq!(body_of(plain).expect("plain"), b"{}");
        assert_eq!(body_of(chunked).expect("chunked"), b"{\"a\":1}");
    }

    #[test]
    fn a_refusal_is_told_with_its_words() {
        let error = body_of(b"HTTP/1.1 404 Not Found\r\n\r\n{\"code\":\"not_found\"}").expect_err("refused").to_string();
        assert!(error.contains("404") && error.contains("not_found"), "{error}");
        for broken in [&b"nonsense"[..], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"] {
            body_of(broken).expect_err("broken");
        }
    }
}
