//! Health and metrics. Knows the engine by two handles only.
//!
//! * `/livez`: 200 while the process answers.
//! * `/readyz`: 200 when nothing is waited for any more; else 503 with one line for each thing that is.
//! * `/metrics`: OpenMetrics text.

use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

/// What the server asks the rest of the operator.
#[derive(Clone)]
pub struct Handles {
    /// What the start still waits for, by name. Empty: ready.
    pub waiting: Arc<dyn Fn() -> Vec<String> + Send + Sync>,
    /// All metrics as OpenMetrics text, its end mark included.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

/// The content type that the text of `prometheus-client` has.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Why the server could not run.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address} for health and metrics: {source}. Choose another with --health-addr"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The public address cannot be listened on.
    #[error(
        "cannot listen on {address} for pages and webhooks: {source}. Choose another with --public-addr"
    )]
    ListenPublic {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A server that listens but does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Listens. Port 0 takes a free one.
    pub async fn bind(address: SocketAddr) -> Result<Self, HttpError> {
        let listen = |source| HttpError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop`; requests that have begun are finished.
    pub async fn serve(self, handles: Handles, stop: impl Future<Output = ()> + Send + 'static) {
        let serve = axum::serve(self.listener, router(handles)).with_graceful_shutdown(stop);
        if let Err(error) = serve.into_future().await {
            tracing::error!(%error, "the server for health and metrics ended");
        }
    }
}

fn router(handles: Handles) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(handles)
}

async fn readyz(State(handles): State<Handles>) -> impl IntoResponse {
    let waiting = (handles.waiting)();
    if waiting.is_empty() {
        return (StatusCode::OK, "ok\n".to_string());
    }
    let lines: String = waiting
        .iter()
        .map(|name| format!("waiting for {name}\n"))
        .collect();
    (StatusCode::SERVICE_UNAVAILABLE, lines)
}

async fn metrics(State(handles): State<Handles>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], (handles.metrics)())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn ask(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        reply
    }

    #[tokio::test]
    async fn health_and_metrics_are_answered_until_the_stop() {
        let waiting = Arc::new(Mutex::new(vec!["campaigns".to_string()]));
        let handles = Handles {
            waiting: Arc::new({
                let waiting = waiting.clone();
                move || waiting.lock().unwrap().clone()
            }),
            metrics: Arc::new(|| "turns_total 1\n# EOF\n".into()),
        };
        let server = Server::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = server.address();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::spawn(server.serve(handles, async {
            let _ = stopped.await;
        }));
        assert!(ask(address, "/livez").await.starts_with("HTTP/1.1 200"));
        let reply = ask(address, "/readyz").await;
        assert!(
            reply.starts_with("HTTP/1.1 503") && reply.ends_with("waiting for campaigns\n"),
            "{reply}"
        );
        waiting.lock().unwrap().clear();
        assert!(ask(address, "/readyz").await.starts_with("HTTP/1.1 200"));
        let reply = ask(address, "/metrics").await;
        assert!(
            reply.contains("content-type: application/openmetrics-text; version=1.0.0"),
            "{reply}"
        );
        assert!(reply.ends_with("# EOF\n"), "{reply}");
        assert!(ask(address, "/secrets").await.starts_with("HTTP/1.1 404"));
        stop.send(()).unwrap();
        task.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        assert!(matches!(
            Server::bind(taken.local_addr().unwrap()).await,
            Err(HttpError::Listen { .. })
        ));
    }
}
