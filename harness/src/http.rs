//! One plain HTTP/1.1 request to a loopback port: health, metrics, the sandbox's control API.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::{Error, Result};

/// Status code and body of an answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// The body as text.
    pub body: String,
}

/// `GET url`.
///
/// # Errors
/// When nobody answers or the answer is not HTTP.
pub fn get(url: &str) -> Result<Answer> {
    request("GET", url, "")
}

/// Sends `body` as JSON. `url` is `http://HOST:PORT/path?query`. HTTP/1.0, so that the answer ends with the connection.
///
/// # Errors
/// When nobody answers within 10 s or the answer is not HTTP.
pub fn request(method: &str, url: &str, body: &str) -> Result<Answer> {
    let failed = || format!("{method} {url}");
    let rest = url
        .strip_prefix("http://")
        .ok_or_else(|| Error::Unusable(format!("{url} does not begin with http://")))?;
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let mut stream = TcpStream::connect(host).map_err(Error::io(failed()))?;
    let limit = Some(Duration::from_secs(10));
    stream
        .set_read_timeout(limit)
        .map_err(Error::io(failed()))?;
    stream
        .set_write_timeout(limit)
        .map_err(Error::io(failed()))?;
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream
        .write_all(head.as_bytes())
        .map_err(Error::io(failed()))?;
    stream
        .write_all(body.as_bytes())
        .map_err(Error::io(failed()))?;
    let mut bytes = Vec::new();
    stream
        .read_to_end(&mut bytes)
        .map_err(Error::io(failed()))?;
    let text = String::from_utf8_lossy(&bytes);
    let parsed = text.split_once("\r\n\r\n").and_then(|(head, body)| {
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Answer {
            status,
            body: body.to_owned(),
        })
    });
    parsed.ok_or_else(|| Error::Unusable(format!("{method} {url}: the answer is not HTTP")))
}
