#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::call::Call;
use super::super::filter::Filter;
use super::super::kind::{Kind, Tree};
use super::*;

const LONG: Duration = Duration::from_secs(20);

/// A server that answers each connection's first request with `answer` as it is and then closes (or, with `hold`,
/// waits). Returns its base URL and what it was sent.
async fn server(answer: &'static str, hold: bool) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut request = String::new();
                let mut buffer = [0; 4096];
                while !is_complete(&request) {
                    match stream.read(&mut buffer).await {
                        Ok(read) if read > 0 => {
                            request.push_str(&String::from_utf8_lossy(&buffer[..read]))
                        }
                        _ => break,
                    }
                }
                log.lock().expect("the log").push(request);
                _ = stream.write_all(answer.as_bytes()).await;
                if hold {
                    tokio::time::sleep(LONG).await;
                }
            });
        }
    });
    (base, seen)
}

fn is_complete(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("content-length: ")
            .map(str::to_owned)
    });
    body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

fn listing() -> WireRequest {
    let filter = Filter {
        name: Some("a b+ä&".into()),
        ..Filter::default()
    };
    let call = Call::List {
        advertiser: "7".into(),
        kind: Kind::Campaign,
        tree: Tree::Manual,
        filter,
        page: 1,
        page_size: 10,
    };
    call.request(Some(&"t0ken".into()))
}

fn post() -> WireRequest {
    WireRequest {
        method: Method::Post,
        path: "/open_api/v1.3/campaign/update/",
        query: Vec::new(),
        body: Some(json!({"advertiser_id": "7"})),
        token: None,
    }
}

async fn send(base: &str, request: WireRequest) -> Result<WireReply, TransportError> {
    HttpDoor::new(base)
        .expect("a door")
        .send(request, 7, Duration::from_secs(5))
        .await
}

#[tokio::test]
async fn a_request_and_its_reply() {
    let answer = "HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nX-TT-LOGID: 2026ABC\r\nContent-Length: 10\r\n\r\n{\"code\":0}";
    let (base, seen) = server(answer, false).await;
    let reply = send(&base, listing()).await.expect("a reply");
    assert_eq!(
        (reply.status, reply.body.as_slice()),
        (200, b"{\"code\":0}".as_slice())
    );
    assert_eq!(reply.date, "2026-11-23T12:00:00Z".parse().ok());
    assert_eq!(
        (reply.log_id.as_deref(), reply.retry_after),
        (Some("2026ABC"), None)
    );

    send(&base, post()).await.expect("a reply");
    let seen = seen.lock().expect("the log");
    let head = "GET /open_api/v1.3/campaign/get/?advertiser_id=7&filtering=%7B%22campaign_name%22%3A%22a+b%2B%C3%A4%26%22%7D&page=1&page_size=10 HTTP/1.1\r\n";
    assert!(seen[0].starts_with(head), "{}", seen[0]);
    let lower = seen[0].to_lowercase();
    let agent = format!(
        "user-agent: tiktok-ads-operator/{} (fence=7)\r\n",
        env!("CARGO_PKG_VERSION")
    );
    assert!(
        lower.contains("access-token: t0ken\r\n") && lower.contains(&agent),
        "{lower}"
    );
    assert!(
        !lower.contains("accept-encoding")
            && !lower.contains("cookie")
            && !lower.contains("referer")
    );
    assert!(seen[1].starts_with("POST /open_api/v1.3/campaign/update/ HTTP/1.1\r\n"));
    assert!(seen[1].ends_with("\r\n\r\n{\"advertiser_id\":\"7\"}"));
    let lower = seen[1].to_lowercase();
    assert!(
        lower.contains("content-type: application/json\r\n") && !lower.contains("access-token")
    );
}

#[tokio::test]
async fn a_redirect_is_a_reply_and_is_not_followed() {
    let answer = "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let (base, seen) = server(answer, false).await;
    assert_eq!(
        send(&base, listing()).await.map(|reply| reply.status),
        Ok(307)
    );
    assert_eq!(seen.lock().expect("the log").len(), 1);
}

#[tokio::test]
async fn a_wait_is_read_as_seconds_or_date() {
    for (answer, wait) in [
        (
            "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
            Some(7),
        ),
        (
            "HTTP/1.1 429 Slow\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nRetry-After: Mon, 23 Nov 2026 12:01:30 GMT\r\nContent-Length: 0\r\n\r\n",
            Some(90),
        ),
        (
            "HTTP/1.1 429 Slow\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nRetry-After: Mon, 23 Nov 2026 11:00:00 GMT\r\nContent-Length: 0\r\n\r\n",
            Some(0),
        ),
        (
            "HTTP/1.1 429 Slow\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n",
            None,
        ),
    ] {
        let (base, _) = server(answer, false).await;
        let reply = send(&base, listing()).await.expect("a reply");
        assert_eq!(reply.retry_after, wait.map(Duration::from_secs), "{answer}");
    }
}

#[tokio::test]
async fn a_refused_connection_was_surely_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    assert!(matches!(
        send(&base, post()).await,
        Err(TransportError::NotSent(_))
    ));
    assert!(matches!(
        send("http://no-such-host.invalid", post()).await,
        Err(TransportError::NotSent(_))
    ));
    let plain = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("https://{}", plain.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            _ = stream.write_all(b"this is not TLS").await;
        }
    });
    assert!(matches!(
        send(&base, post()).await,
        Err(TransportError::NotSent(_))
    ));
}

#[tokio::test]
async fn what_is_cut_late_or_short_is_unclear_and_sent_once() {
    for (answer, hold) in [
        ("", false),
        ("HTTP/1.1 200 OK\r\nContent-Le", false),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"code\":0}",
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"cod",
            false,
        ),
        ("nonsense\r\n\r\n", false),
        ("", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", true),
    ] {
        let (base, seen) = server(answer, hold).await;
        let door = HttpDoor::new(&base).expect("a door");
        let outcome = door.send(post(), 1, Duration::from_millis(300)).await;
        assert!(
            matches!(outcome, Err(TransportError::Unclear(_))),
            "{answer:?} {hold}: {outcome:?}"
        );
        assert_eq!(seen.lock().expect("the log").len(), 1, "{answer:?} {hold}");
    }
}

#[tokio::test]
async fn a_reply_without_end_is_given_up() {
    let (base, _) = server(
        "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n0123456789a",
        false,
    )
    .await;
    let door = HttpDoor {
        largest_body: 10,
        ..HttpDoor::new(&base).expect("a door")
    };
    assert!(matches!(
        door.send(post(), 1, LONG).await,
        Err(TransportError::Unclear(_))
    ));
}

#[tokio::test]
async fn r25_errors_hold_neither_query_nor_token() {
    let secret = "canary-secret";
    let call = Call::GrantedAdvertisers {
        app_id: "7".into(),
        secret: secret.into(),
    };
    let (cut, _) = server("", false).await;
    for base in [
        cut.as_str(),
        "http://127.0.0.1:1",
        "http://no-such-host.invalid",
    ] {
        let error = send(base, call.request(Some(&"canary-token".into())))
            .await
            .expect_err("an error");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
    let broken = call.request(Some(&"canary-token\n".into()));
    let error = send("http://127.0.0.1:1", broken)
        .await
        .expect_err("an error");
    assert!(
        matches!(&error, TransportError::NotSent(text) if text.contains("check its Secret")),
        "{error}"
    );
    assert!(!error.to_string().contains("canary"));
}

#[test]
fn the_base_url_is_a_host_and_nothing_else() {
    for good in [
        "https://business-api.tiktok.com",
        "https://business-api.tiktok.com/",
        "http://127.0.0.1:1",
        "http://[::1]:8080",
    ] {
        assert!(HttpDoor::new(good).is_ok(), "{good}");
    }
    for bad in [
        "business-api.tiktok.com",
        "ftp://business-api.tiktok.com",
        "https://business-api.tiktok.com/open_api/v1.3/",
        "https://user@business-api.tiktok.com",
        "https://business-api.tiktok.com?x=1",
        "https://business-api.tiktok.com#x",
        "",
    ] {
        assert!(HttpDoor::new(bad).is_err(), "{bad}");
    }
}
