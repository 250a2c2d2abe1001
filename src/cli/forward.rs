//! The client that carries a standby's requests to the leader.
//!
//! No redirects, retries, proxies or cookies of its own: what the leader answers is given back as it is. What is carried
//! may hold tickets and codes, so no error shows the address's path or query.

use std::time::Duration;

use reqwest::{Client, Method};
use secrecy::ExposeSecret;

use crate::http::backend::{Passed, PassedReply};

/// No page of ours is near this size, in bytes.
const LARGEST: usize = 4 << 20;

/// A leader that takes longer to connect to is gone.
const CONNECT: Duration = Duration::from_secs(2);

/// The client.
#[derive(Clone, Debug)]
pub struct Forward {
    client: Client,
}

impl Forward {
    /// # Errors
    /// When the client cannot be built, in words.
    pub fn new() -> Result<Self, String> {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT)
            // The next request may be for another leader, and this one may have ended.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| format!("the client for the leader cannot be built: {error}"))?;
        Ok(Self { client })
    }

    /// One request to the leader at `http://IP:PORT`, and its whole answer.
    ///
    /// # Errors
    /// In words, without path and query.
    pub async fn send(&self, leader: &str, request: Passed) -> Result<PassedReply, String> {
        let method = match request.method {
            "GET" => Method::GET,
            "POST" => Method::POST,
            other => return Err(format!("{other} is not passed on")),
        };
        let whole = request.path_and_query.expose_secret();
        if !whole.starts_with('/') {
            return Err("the path does not begin with a slash".to_owned());
        }
        let mut sent = self
            .client
            .request(method, format!("{leader}{whole}"))
            .timeout(request.deadline)
            .body(request.body);
        for (name, value) in request.headers {
            sent = sent.header(name, value);
        }
        let mut reply = sent.send().await.map_err(words)?;
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(words)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(format!("the answer is larger than {LARGEST} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        let headers = reply.headers().iter();
        Ok(PassedReply {
            status: reply.status().as_u16(),
            headers: headers
                .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body,
        })
    }
}

/// The error with its causes, without the address.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn passed(deadline: Duration) -> Passed {
        Passed {
            method: "POST",
            path_and_query: "/oauth/callback?auth_code=canary%2F&state=x".into(),
            headers: vec![("cookie".into(), b"a=b".to_vec())],
            body: b"body".to_vec(),
            deadline,
        }
    }

    fn client() -> Forward {
        // Fails only if another test has done it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Forward::new().unwrap()
    }

    /// Answers one request with `answer`; gives back what it was.
    async fn leader(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            while !bytes.ends_with(b"body") {
                let mut some = [0; 4096];
                let read = stream.read(&mut some).await.unwrap();
                bytes.extend_from_slice(&some[..read]);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            if answer.is_empty() {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            String::from_utf8_lossy(&bytes).into_owned()
        });
        (address, task)
    }

    #[tokio::test]
    async fn a_request_travels_as_it_is_and_a_redirect_comes_back() {
        let answer = "HTTP/1.1 303 See Other\r\nLocation: http://127.0.0.1:1/\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\
                      Content-Length: 2\r\n\r\nok";
        let (address, task) = leader(answer).await;
        let reply = client()
            .send(&address, passed(Duration::from_secs(5)))
            .await;
        let reply = reply.unwrap();
        assert_eq!((reply.status, &*reply.body), (303, &b"ok"[..]));
        let cookies = reply
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie");
        assert_eq!(cookies.count(), 2);
        let request = task.await.unwrap();
        assert!(
            request.starts_with("POST /oauth/callback?auth_code=canary%2F&state=x HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(request.contains("cookie: a=b\r\n"), "{request}");
    }

    #[tokio::test]
    async fn a_leader_that_is_gone_or_silent_is_given_up_without_a_word_of_the_query() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", taken.local_addr().unwrap());
        drop(taken);
        let gone = client()
            .send(&address, passed(Duration::from_secs(5)))
            .await;
        let (address, _task) = leader("").await;
        let silent = client()
            .send(&address, passed(Duration::from_millis(200)))
            .await;
        let (address, _task) = leader("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nx").await;
        let short = client()
            .send(&address, passed(Duration::from_secs(5)))
            .await;
        for error in [gone, silent, short] {
            let Err(words) = error else {
                panic!("an error");
            };
            assert!(
                !words.contains("canary") && !words.contains("oauth"),
                "{words}"
            );
        }
    }
}
