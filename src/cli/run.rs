//! `tiktok-ads-operator run`: the operator itself. Puts the parts together and takes them apart again.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use kube::Client;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch as tokio_watch};
use tokio::task::{JoinHandle, JoinSet};

use super::forward::Forward;
use super::front::Front;
use super::kubeconfig;
use super::public::PublicArgs;
use super::times::{Times, duration};
use crate::engine::doors::{Name, SystemClock};
use crate::engine::kube_door::{DoorSettings, KubeCluster, prepare};
use crate::engine::lease::{Ended, Fence, LeaseSettings, lead};
use crate::engine::metrics::Metrics;
use crate::engine::run::Engine;
use crate::engine::settings::{HearingSettings, Settings};
use crate::engine::watch::{Waiting, watch, watched};
use crate::http::public::PublicServer;
use crate::http::{Handles, HttpError, Server};
use crate::platform::{BaseUrlError, HttpDoor, Tier};

/// The name of everything of ours that has no other.
const NAME: &str = "tiktok-ads-operator";

/// Changes that were seen and not yet taken over by the engine; a full channel slows the watches down.
const DELTAS: usize = 1024;

/// Runs the operator. It finds the API server by KUBECONFIG or by the pod's own ServiceAccount.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// TikTok's API, or a sandbox (tiktok-ads-operator sandbox): scheme and host.
    #[arg(
        long,
        value_name = "URL",
        env = "PLATFORM_URL",
        default_value = "https://business-api.tiktok.com"
    )]
    pub platform_url: String,
    /// The rate limits TikTok grants to the app: Basic, Advanced, Premium or Ultimate.
    #[arg(long, env = "PLATFORM_TIER", default_value = "Basic")]
    pub tier: Tier,
    /// The name under which objects are recorded as this operator's. It has to stay the same after a restore into a new
    /// cluster, and differ between two operators that use one ad account. Not said: lease namespace, slash, name of the
    /// Deployment.
    #[arg(long, value_name = "NAME", env = "INSTALL_NAME")]
    pub install: Option<String>,
    /// Namespace of the Lease that decides which replica acts, and of the operator's Deployment.
    #[arg(
        long,
        value_name = "NAMESPACE",
        env = "POD_NAMESPACE",
        default_value = "default"
    )]
    pub lease_namespace: String,
    /// Name of that Lease. Not said: the Deployment's.
    #[arg(long, value_name = "NAME", env = "LEASE_NAME")]
    pub lease_name: Option<String>,
    /// A namespace to watch; may be repeated. Not said: the whole cluster.
    #[arg(
        long = "watch-namespace",
        value_name = "NAMESPACE",
        env = "WATCH_NAMESPACES",
        value_delimiter = ','
    )]
    pub watch_namespaces: Vec<String>,
    /// With --watch-namespace: the RoleBinding in each namespace that gives the operator its rights. It is kept with a
    /// finalizer while such a namespace is being deleted. Not said: it has the Deployment's name. Empty: there is none, the
    /// rights come from elsewhere.
    #[arg(long, value_name = "NAME", env = "BINDING_NAME")]
    pub binding_name: Option<String>,
    /// The operator's own Deployment: events that no other place takes are made on it.
    #[arg(long, value_name = "NAME", env = "DEPLOYMENT_NAME")]
    pub deployment_name: Option<String>,
    /// Name of this replica in events and in the Lease.
    #[arg(long, value_name = "NAME", env = "POD_NAME", default_value = "local")]
    pub pod_name: String,
    /// Where /livez, /readyz and /metrics answer. Port 0 takes a free one, which the log names.
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "HEALTH_ADDR",
        default_value = "127.0.0.1:8080"
    )]
    pub health_addr: SocketAddr,
    /// How long the Lease counts after a renewal.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration, hide_short_help = true)]
    pub lease_duration: Duration,
    /// Between two renewals of the Lease.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration, hide_short_help = true)]
    pub lease_renew: Duration,
    #[command(flatten)]
    pub public: PublicArgs,
    #[command(flatten)]
    pub times: Times,
}

/// Why the operator ended, other than being asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Settings that contradict each other.
    #[error("{0}")]
    Settings(String),
    /// The platform's address is wrong.
    #[error("--platform-url: {0}")]
    PlatformUrl(#[from] BaseUrlError),
    /// No kubeconfig and not in a pod.
    #[error(
        "cannot find the API server: {0}. Set KUBECONFIG, or run in a pod with a ServiceAccount"
    )]
    NoCluster(#[from] kubeconfig::NoConfig),
    /// The client for the API server cannot be made.
    #[error("cannot make a client for the API server: {0}")]
    Client(#[from] kube::Error),
    /// Health and metrics, or pages and webhooks, cannot be served.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// SIGTERM cannot be received.
    #[error("cannot receive signals: {0}")]
    Signals(#[from] std::io::Error),
    /// Another replica may act now. The caller starts this one anew.
    #[error(
        "the lease is lost: another replica may act now. Starting again makes this one a candidate"
    )]
    LeaseLost,
    /// A part that must not end has ended.
    #[error("a part of the operator ended unexpectedly ({0}); this is a bug")]
    PartEnded(&'static str),
}

impl RunArgs {
    fn deployment(&self) -> &str {
        self.deployment_name
            .as_deref()
            .filter(|name| !name.is_empty())
            .unwrap_or(NAME)
    }

    /// All settings of the engine, and the checks that they need.
    fn whole_settings(&self) -> Result<Settings, RunError> {
        let public = &self.public;
        Ok(Settings {
            public: public
                .engine(&self.platform_url)
                .map_err(RunError::Settings)?,
            // Once in the life of the process.
            oauth: Box::leak(Box::new(public.dialect().map_err(RunError::Settings)?)),
            ..self.settings()
        })
    }

    /// Each namespace once: two watches of one would contradict each other.
    fn namespaces(&self) -> Vec<String> {
        let names: BTreeSet<&str> = self
            .watch_namespaces
            .iter()
            .map(|name| name.trim())
            .filter(|name| !name.is_empty())
            .collect();
        names.into_iter().map(String::from).collect()
    }

    fn settings(&self) -> Settings {
        let install = self.install.clone().filter(|name| !name.is_empty());
        let mut settings = Settings {
            install: install
                .unwrap_or_else(|| format!("{}/{}", self.lease_namespace, self.deployment())),
            tier: self.tier,
            namespaces: self.namespaces(),
            hearing: HearingSettings {
                subscriptions_limit: usize::try_from(self.public.subscriptions_limit)
                    .unwrap_or(usize::MAX),
                ..HearingSettings::default()
            },
            ..Settings::default()
        };
        self.times.set(&mut settings);
        settings
    }

    fn door(&self) -> DoorSettings {
        DoorSettings {
            lease: Name::new(
                &self.lease_namespace,
                self.lease_name.as_deref().unwrap_or(self.deployment()),
            ),
            instance: self.pod_name.clone(),
            deployment: self
                .deployment_name
                .as_ref()
                .map(|name| Name::new(&self.lease_namespace, name)),
            namespaces: self.namespaces(),
            binding: self
                .binding_name
                .clone()
                .or_else(|| Some(self.deployment().to_string()))
                .filter(|name| !name.is_empty()),
            deadline: Duration::from_secs(10),
            lease_deadline: Duration::from_secs(5),
        }
    }

    /// `address`: where other replicas reach this one.
    fn lease(&self, address: Option<String>) -> LeaseSettings {
        LeaseSettings {
            address,
            duration: self.lease_duration,
            renew_every: self.lease_renew,
            ..LeaseSettings::default()
        }
    }

    /// Settings that each make sense, but not together.
    fn check(&self) -> Result<(), RunError> {
        let times = &self.times;
        let wrong = |text: &str| Err(RunError::Settings(text.to_string()));
        if self.lease_duration.subsec_nanos() != 0 {
            return wrong("--lease-duration must be whole seconds");
        }
        // A write starts only if its deadline fits into the lease; right before a renewal is done, the least is left.
        if self.lease_duration < self.lease_renew + times.call_deadline + Duration::from_secs(2) {
            return wrong(
                "--lease-duration must be at least 2 s longer than --lease-renew and --call-deadline together",
            );
        }
        if times.write_deadline < times.call_deadline + Duration::from_secs(1) {
            return wrong(
                "--write-deadline must be at least 1 s longer than --call-deadline: no create could ever be sent",
            );
        }
        if times.backoff_longest < times.backoff_first {
            return wrong("--backoff-longest must not be shorter than --backoff-first");
        }
        self.public.check().map_err(RunError::Settings)
    }
}

/// Runs until SIGTERM or Ctrl-C, or until the lease is lost.
pub async fn run(args: RunArgs) -> Result<(), RunError> {
    args.check()?;
    let platform = HttpDoor::new(&args.platform_url)?;
    let mut config = kubeconfig::config(None).await?;
    prepare(&mut config);
    let client = Client::try_from(config)?;
    let server = Server::bind(args.health_addr).await?;
    tracing::info!(address = %server.address(), "health and metrics");
    let public = match args.public.origin().map_err(RunError::Settings)? {
        Some(origin) => {
            let server = PublicServer::bind(args.public.public_addr).await?;
            tracing::info!(address = %server.address(), url = origin, "pages and webhooks");
            Some((server, args.public.settings(origin, &args.platform_url)))
        }
        None => {
            tracing::info!(
                "no --public-url: no pages to connect by and no webhooks, TikTok is polled"
            );
            None
        }
    };
    let reached_at = public
        .as_ref()
        .and_then(|(server, _)| args.public.address(server.address()));
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );

    let (sender, deltas) = mpsc::channel(DELTAS);
    let namespaces = args.namespaces();
    let waiting = Arc::new(Waiting::on(watched().chain(["namespaces".into()])));
    let cluster = Arc::new(KubeCluster::new(
        client.clone(),
        args.door(),
        sender.clone(),
    ));
    let fence = Arc::new(Fence::default());
    let engine = Engine::new(
        cluster.clone(),
        platform,
        SystemClock,
        args.whole_settings()?,
        Metrics::default(),
        fence.clone(),
    );
    let engine = Arc::new(engine);
    let (changes, leading) = tokio_watch::channel(false);
    let (stop, stopping) = tokio_watch::channel(false);
    let (idle, mut is_idle) = tokio_watch::channel(false);

    let mut parts: JoinSet<&'static str> = JoinSet::new();
    parts.spawn({
        let (cluster, waiting) = (cluster.clone(), waiting.clone());
        async move {
            cluster.namespaces(&waiting).await;
            "namespaces"
        }
    });
    parts.spawn({
        let waiting = waiting.clone();
        async move {
            // An object in a namespace that is ending must not be planned before that is known.
            waiting.until(|left| !left.contains("namespaces")).await;
            watch(client, &namespaces, sender, &waiting).await;
            "watch"
        }
    });
    parts.spawn({
        let handles = Handles {
            waiting: Arc::new({
                let waiting = waiting.clone();
                move || waiting.left()
            }),
            metrics: Arc::new({
                let engine = engine.clone();
                move || engine.metrics_text()
            }),
        };
        async move {
            server.serve(handles, std::future::pending()).await;
            "health and metrics"
        }
    });
    let mut front = match public {
        Some((server, settings)) => {
            let backend = Front {
                engine: engine.clone(),
                clock: SystemClock,
                fence: fence.clone(),
                forward: Forward::new().map_err(RunError::Settings)?,
            };
            let serving = server.serve(Arc::new(backend), settings, stopping.clone());
            Some(tokio::spawn(serving))
        }
        None => None,
    };
    let leader = tokio::spawn({
        let (settings, waiting) = (args.lease(reached_at), waiting.clone());
        // New with every start, also of the same pod.
        let identity = format!("{}_{:016x}", args.pod_name, fastrand::u64(..));
        async move {
            // Who does not know the objects yet would only keep the lease from others.
            tokio::select! {
                () = waiting.until(BTreeSet::is_empty) => {}
                _ = is_idle.wait_for(|idle| *idle) => return Ended::Stopped,
            }
            let stop = async {
                let _ = is_idle.wait_for(|idle| *idle).await;
            };
            lead(
                &cluster,
                &SystemClock,
                &identity,
                &settings,
                &fence,
                &changes,
                stop,
            )
            .await
        }
    });

    let mut work = std::pin::pin!(engine.run(deltas, leading, stopping));
    let result = tokio::select! {
        () = &mut work => Ok(()),
        ended = parts.join_next() => {
            let part = ended.and_then(Result::ok).unwrap_or("panicked");
            Err(RunError::PartEnded(part))
        }
        () = ended(&mut front) => Err(RunError::PartEnded("pages and webhooks")),
        _ = terminate.recv() => {
            tracing::info!("SIGTERM: stopping");
            stop.send_replace(true);
            work.await;
            Ok(())
        }
        _ = interrupt.recv() => {
            tracing::info!("Ctrl-C: stopping");
            stop.send_replace(true);
            work.await;
            Ok(())
        }
    };
    // Steps of connecting that have begun are still finished: a code that was exchanged has to be stored.
    stop.send_replace(true);
    if front.is_some() {
        ended(&mut front).await;
    }
    // Nothing needs the lease any more; give it back. After an unexpected end it runs out by itself, since a call may
    // still be under way.
    result?;
    idle.send_replace(true);
    match leader.await {
        Ok(Ended::Stopped) => Ok(()),
        Ok(Ended::Lost) => Err(RunError::LeaseLost),
        Err(_) => Err(RunError::PartEnded("lease")),
    }
}

/// The end of a task, once. Never, if there is none.
async fn ended(task: &mut Option<JoinHandle<()>>) {
    match task {
        Some(running) => {
            let _ = running.await;
            *task = None;
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        args: RunArgs,
    }

    fn args(flags: &str) -> RunArgs {
        Only::parse_from(format!("x {flags}").split_whitespace()).args
    }

    #[test]
    fn everything_of_a_release_has_the_deployments_name() {
        let args = args(
            "--lease-namespace ops --deployment-name ads --watch-namespace b,a --watch-namespace a",
        );
        let door = args.door();
        assert_eq!(door.lease, Name::new("ops", "ads"));
        assert_eq!(door.binding.as_deref(), Some("ads"));
        assert_eq!(door.namespaces, ["a", "b"]);
        assert_eq!(args.settings().install, "ops/ads");
    }

    #[test]
    fn an_empty_list_of_namespaces_is_the_whole_cluster() {
        let mut args = args("--lease-namespace ops");
        args.watch_namespaces = vec![String::new()];
        assert!(args.door().namespaces.is_empty());
        assert_eq!(args.door().lease, Name::new("ops", "tiktok-ads-operator"));
    }

    #[test]
    fn times_that_do_not_fit_are_refused_at_the_start() {
        assert!(args("").check().is_ok());
        assert!(args("--lease-duration 20s").check().is_err());
        assert!(args("--lease-duration 30500ms").check().is_err());
        assert!(
            args("--lease-duration 6s --lease-renew 1s --call-deadline 3s")
                .check()
                .is_ok()
        );
        assert!(args("--write-deadline 10s").check().is_err());
        assert!(args("--write-deadline 15s").check().is_err());
        assert!(args("--write-deadline 16s").check().is_ok());
        assert!(args("--backoff-first 10m").check().is_err());
        assert!(args("--public-url http://ads.example.com").check().is_err());
    }
}
