//! The public listener: its limits, its routes, and how it ends.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::backend::Backend;
use super::body::{Memory, SMALL, Unread};
use super::health::HttpError;
use super::security::Headers;
use super::{connect, webhooks};

/// What the public listener has to know.
#[derive(Clone, Debug)]
pub struct PublicSettings {
    /// Scheme, host and port under which browsers and TikTok reach it, without a slash at the end.
    pub origin: String,
    /// Origins that TikTok's page to authorise lives at: a form's answer may lead there.
    pub authorise_origins: Vec<String>,
    pub limits: Limits,
}

impl PublicSettings {
    /// Are the pages reached by https?
    pub(super) fn secure(&self) -> bool {
        self.origin.starts_with("https://")
    }
}

/// How much anybody may ask of the public listener.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest body of a webhook, in bytes.
    pub webhook: usize,
    /// The largest body of a form, in bytes.
    pub form: usize,
    /// All bodies of webhooks together, in bytes, without the first 8 KiB of each. Forms have no part in it.
    pub memory: usize,
    /// Signatures that are checked at a time, each on one of the threads that everything runs on. Further ones wait.
    pub verifications: usize,
    /// How long the head of a request may take, and how long a body may.
    pub read_for: Duration,
    /// Connections at a time. Further ones wait in the system's queue.
    pub connections: usize,
    /// Steps of connecting at a time: each may ask the API server, whoever is behind it. Further ones wait.
    pub steps: usize,
    /// How long one connection may live. It carries one request: a kept one could end at the very moment at which a proxy
    /// sends the next on it.
    pub connection_for: Duration,
    /// How long the leader may take with a request that is passed on.
    pub pass_on_for: Duration,
    /// The same for a step that calls TikTok.
    pub pass_on_step_for: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            webhook: 1 << 20,
            form: SMALL,
            memory: 24 << 20,
            verifications: half_of_the_threads(),
            read_for: Duration::from_secs(10),
            connections: 1024,
            steps: 16,
            connection_for: Duration::from_secs(120),
            pass_on_for: Duration::from_secs(10),
            pass_on_step_for: Duration::from_secs(75),
        }
    }
}

/// A flood of messages leaves the other half to the rest.
fn half_of_the_threads() -> usize {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    (threads / 2).max(1)
}

/// The largest head of a request, in bytes, and its number of headers. The address with a code in it is below 4 KiB.
const LARGEST_HEAD: usize = 16 << 10;
const MOST_HEADERS: usize = 64;

/// After the stop: how long requests that have begun, and steps of connecting, are waited for. An exchange of a code may
/// take the whole deadline of a call to TikTok.
const LAST_WORK: Duration = Duration::from_secs(25);

/// What the routes share.
pub(super) struct Public<B> {
    pub backend: Arc<B>,
    pub settings: PublicSettings,
    pub forms: Memory,
    pub messages: Memory,
    verifications: Arc<Semaphore>,
    steps: Arc<Semaphore>,
    /// Alive as long as work may begin: see [`Public::to_the_end`].
    alive: mpsc::WeakSender<()>,
}

impl<B> Public<B> {
    /// Does a step to its end, whatever becomes of the client that asked for it: a code that was exchanged has to be
    /// stored. `None`: the server is stopping, or the step panicked.
    pub(super) async fn to_the_end<R: Send + 'static>(
        &self,
        step: impl Future<Output = R> + Send + 'static,
    ) -> Option<R> {
        let alive = self.alive.upgrade()?;
        let task = tokio::spawn(async move {
            let done = step.await;
            drop(alive);
            done
        });
        task.await.ok()
    }

    /// The same for a message whose signature has to be checked.
    pub(super) async fn verification<R: Send + 'static>(
        &self,
        step: impl Future<Output = R> + Send + 'static,
    ) -> Option<R> {
        let place = self.verifications.clone().acquire_owned().await.ok()?;
        let whole = async move {
            let done = step.await;
            drop(place);
            done
        };
        self.to_the_end(whole).await
    }

    /// The same for a step of connecting, of which only so many are under way at a time.
    pub(super) async fn step<R: Send + 'static>(
        &self,
        step: impl Future<Output = R> + Send + 'static,
    ) -> Option<R> {
        let place = self.steps.clone().acquire_owned().await.ok()?;
        let whole = async move {
            let done = step.await;
            drop(place);
            done
        };
        self.to_the_end(whole).await
    }

    pub(super) fn unread(&self, unread: Unread) -> Response {
        let mut response = (unread.status(), format!("{}\n", unread.words())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        if unread == Unread::Full {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

/// A public server that listens but does not answer yet.
pub struct PublicServer {
    listener: TcpListener,
    address: SocketAddr,
}

impl PublicServer {
    /// Listens. Port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn bind(address: SocketAddr) -> Result<Self, HttpError> {
        let listen = |source| HttpError::ListenPublic { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is true (or its sender gone). Requests and steps of connecting that have begun are finished,
    /// within 25 s.
    pub async fn serve<B: Backend>(
        self,
        backend: Arc<B>,
        settings: PublicSettings,
        stop: watch::Receiver<bool>,
    ) {
        let limits = settings.limits.clone();
        let (alive, mut all_done) = mpsc::channel::<()>(1);
        let router = router(Arc::new(Public {
            backend,
            forms: Memory::new(limits.connections, limits.form.saturating_sub(SMALL)),
            messages: Memory::new(limits.connections, limits.memory),
            verifications: Arc::new(Semaphore::new(limits.verifications)),
            steps: Arc::new(Semaphore::new(limits.steps)),
            settings,
            alive: alive.downgrade(),
        }));
        let places = Arc::new(Semaphore::new(limits.connections));
        let mut connections = JoinSet::new();
        let mut stopped = stop.clone();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = stopped.wait_for(|stop| *stop) => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => continue,
                accepted = accept(&self.listener, &places) => accepted,
            };
            if let Some((stream, place)) = accepted {
                let work = connection(stream, router.clone(), limits.clone(), stop.clone());
                connections.spawn(async move {
                    work.await;
                    drop(place);
                });
            }
        }
        drop((self.listener, alive));
        let rest = async {
            while connections.join_next().await.is_some() {}
            let _ = all_done.recv().await;
        };
        if tokio::time::timeout(LAST_WORK, rest).await.is_err() {
            tracing::warn!("requests to the public address were cut off by the stop");
        }
    }
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, Place)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            // Of a client that has gone already, or the process has no file descriptors left: then not at once again.
            tracing::debug!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// One connection, to its end.
async fn connection(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .header_read_timeout(limits.read_for)
        .max_headers(MOST_HEADERS)
        .max_header_size(LARGEST_HEAD)
        .max_buf_size(2 * LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut serving = pin!(serving);
    tokio::select! {
        // A client that broke off, or sent what is not HTTP.
        _ = serving.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => {}
        () = tokio::time::sleep(limits.connection_for) => {}
    }
    serving.as_mut().graceful_shutdown();
    // Who does not read its answer is not waited for any longer than a step may take.
    let _ = tokio::time::timeout(limits.pass_on_step_for, serving).await;
}

fn router<B: Backend>(public: Arc<Public<B>>) -> Router {
    let headers = Headers::new(&public.settings.authorise_origins);
    Router::new()
        .route(
            "/connect/{namespace}/{name}",
            only(get(connect::page::<B>).post(connect::begin::<B>)),
        )
        .route(
            "/connect/{namespace}/{name}/advertiser",
            only(post(connect::pick::<B>)),
        )
        // Not HEAD: it would use the code up.
        .route(
            "/oauth/callback",
            only(get(connect::callback::<B>).head(not_by_this_method)),
        )
        .route(
            "/webhooks/tiktok/{namespace}/{name}",
            only(post(webhooks::signed::<B>)),
        )
        .route(
            "/webhooks/tiktok/{namespace}/{name}/{token}",
            only(post(webhooks::with_token::<B>)),
        )
        .fallback(async || (StatusCode::NOT_FOUND, "there is nothing here\n"))
        .with_state(public)
        .layer(map_response_with_state(headers, dress))
}

async fn dress(State(headers): State<Headers>, response: Response) -> Response {
    headers.dress(response)
}

/// Other methods get one plain line.
fn only<B: Backend>(methods: MethodRouter<Arc<Public<B>>>) -> MethodRouter<Arc<Public<B>>> {
    methods.fallback(not_by_this_method)
}

async fn not_by_this_method() -> (StatusCode, &'static str) {
    (StatusCode::METHOD_NOT_ALLOWED, "not by this method\n")
}

#[cfg(test)]
#[path = "public_tests.rs"]
mod tests;
