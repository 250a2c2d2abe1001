//! The sandbox on a socket: real delays, connections that are really cut.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, State, connect_info::Connected},
    http::{Request as HttpRequest, Response as HttpResponse, StatusCode},
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::{Delivered, Delivery, Outcome, Request, Response, Sandbox, state};

/// Largest body the sandbox reads.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// How often a changed state is written to its file.
const SAVE_EVERY: Duration = Duration::from_millis(200);

/// A sandbox that several connections share.
#[derive(Clone)]
pub struct Shared {
    core: Arc<Mutex<Sandbox>>,
    dirty: Arc<AtomicBool>,
    /// Held while the state is written: two writers at once would write into one temporary file.
    writing: Arc<Mutex<()>>,
    /// Something may be due for delivery.
    changed: Arc<Notify>,
}

impl Shared {
    /// Wraps a sandbox.
    pub fn new(sandbox: Sandbox) -> Self {
        Self {
            core: Arc::new(Mutex::new(sandbox)),
            dirty: Arc::new(AtomicBool::new(false)),
            writing: Arc::default(),
            changed: Arc::default(),
        }
    }

    /// Writes the state as it is when its turn comes, so that an older one never replaces a newer one. Blocks.
    fn save(&self, file: &Path) -> Result<(), state::StateError> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let sandbox = self.lock().clone();
        state::save(file, &sandbox)
    }

    /// The sandbox itself, for tests in the same process. Do not hold it across an await.
    pub fn lock(&self) -> MutexGuard<'_, Sandbox> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is to be sent now, at most so many, and says how long to wait for more (none: until something
    /// happens).
    pub fn due_deliveries(&self, most: usize) -> (Vec<Delivery>, Option<Duration>) {
        let now = system_now();
        let (due, next) = {
            let mut sandbox = self.lock();
            let due = sandbox.due_deliveries(now, most);
            (due, sandbox.next_delivery_at())
        };
        if !due.is_empty() {
            self.dirty.store(true, Ordering::Release);
        }
        let wait = next.map(|next| Duration::from_millis((next - now).max(0).unsigned_abs()));
        (due, wait)
    }

    /// Says what came of a delivery.
    pub fn delivery_result(&self, id: u64, attempt: u32, result: Delivered) {
        self.lock()
            .delivery_result(system_now(), id, attempt, result);
        self.dirty.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Done after the next request or result, or at once if there was one since the last call. For one waiter.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// The system's time in milliseconds since 1970.
pub fn system_now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|elapsed| i64::try_from(elapsed.as_millis()).ok())
        .unwrap_or(0)
}

/// Serves until `stop` is done. With a file, the state is written there shortly after each change and at the end.
///
/// # Errors
/// The listener fails, or the state cannot be written at the end.
pub async fn serve(
    listener: TcpListener,
    shared: Shared,
    file: Option<PathBuf>,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let app = Router::new().fallback(answer).with_state(shared.clone());
    let service = app.into_make_service_with_connect_info::<Cutter>();
    // No graceful end: a client that keeps its connection open must not keep the sandbox up.
    tokio::select! {
        served = axum::serve(CuttableListener(listener), service).into_future() => served?,
        never = keep(shared.clone(), file.clone()) => match never {},
        () = stop => {}
    }
    if let Some(file) = file {
        // On this thread: it is the last thing done, and a write that is under way has to end first.
        shared.save(&file)?;
    }
    Ok(())
}

/// Why serving ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The socket failed.
    #[error("the sandbox's listener failed: {0}")]
    Listener(#[from] io::Error),
    /// The state could not be written.
    #[error(transparent)]
    State(#[from] state::StateError),
}

/// Writes the state after changes. A write that fails is said on stderr and tried again with the next change.
async fn keep(shared: Shared, file: Option<PathBuf>) -> Infallible {
    let mut ticks = tokio::time::interval(SAVE_EVERY);
    loop {
        ticks.tick().await;
        let Some(file) = file.clone() else { continue };
        if !shared.dirty.swap(false, Ordering::AcqRel) {
            continue;
        }
        let shared = shared.clone();
        let saved = tokio::task::spawn_blocking(move || shared.save(&file)).await;
        match saved {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("{error}"),
            Err(error) => eprintln!("writing the state failed: {error}"),
        }
    }
}

async fn answer(
    State(shared): State<Shared>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: HttpRequest<Body>,
) -> HttpResponse<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return status_only(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let request = Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.as_str().to_owned(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect(),
        body: body.to_vec(),
    };
    let answer = shared.lock().handle(system_now(), &request);
    shared.dirty.store(true, Ordering::Release);
    shared.changed.notify_one();
    if !answer.delay.is_zero() {
        tokio::time::sleep(answer.delay).await;
    }
    match answer.outcome {
        Outcome::Reply(response) => to_http(response),
        Outcome::Cut => {
            cutter.0.store(true, Ordering::Release);
            status_only(StatusCode::OK)
        }
    }
}

fn to_http(response: Response) -> HttpResponse<Body> {
    let mut builder = HttpResponse::builder().status(response.status);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    builder
        .body(Body::from(response.body))
        .unwrap_or_else(|_| status_only(StatusCode::INTERNAL_SERVER_ERROR))
}

fn status_only(status: StatusCode) -> HttpResponse<Body> {
    let mut response = HttpResponse::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Once set, the connection refuses to send another byte: the client sees it closed without an answer.
#[derive(Clone, Debug, Default)]
struct Cutter(Arc<AtomicBool>);

impl Connected<IncomingStream<'_, CuttableListener>> for Cutter {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().cutter.clone()
    }
}

struct CuttableListener(TcpListener);

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Small answers on loopback: without this each waits for the peer's delayed acknowledgement.
        let _best_effort = stream.set_nodelay(true);
        (
            CuttableStream {
                stream,
                cutter: Cutter::default(),
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

struct CuttableStream {
    stream: TcpStream,
    cutter: Cutter,
}

impl CuttableStream {
    fn check(&self) -> io::Result<()> {
        if self.cutter.0.load(Ordering::Acquire) {
            Err(io::Error::new(io::ErrorKind::BrokenPipe, "cut by a fault"))
        } else {
            Ok(())
        }
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
