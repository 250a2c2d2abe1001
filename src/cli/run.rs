//! `tiktok-ads-operator run`: the operator itself (temporary wiring).
use crate::engine::doors::{Name, SystemClock};
use crate::engine::kube_door::{DoorSettings, KubeCluster, prepare};
use crate::engine::lease::Fence;
use crate::engine::metrics::Metrics;
use crate::engine::run::Engine;
use crate::engine::settings::Settings;
use crate::engine::stores::strip;
use crate::engine::watch::{Waiting, watch};
use crate::platform::{HttpDoor, Tier};
use clap::Args;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch as tokio_watch};

#[derive(Args, Debug)]
pub struct RunArgs {
    #[arg(long, default_value = "https://business-api.tiktok.com")]
    platform_url: String,
    #[arg(long, default_value = "default/tiktok-ads-operator")]
    install: String,
    #[arg(long)]
    lease_namespace: String,
    #[arg(long = "watch-namespace")]
    watch_namespaces: Vec<String>,
    #[arg(long, default_value = "Basic")]
    tier: Tier,
    #[arg(long, default_value = "127.0.0.1:8080")]
    health_addr: String,
    #[arg(long, default_value = "60s")]
    sweep_interval: String,
    #[arg(long, default_value = "text")]
    log_format: String,
}

pub async fn run(args: RunArgs) -> Result<(), Box<dyn std::error::Error>> {
    let mut config = kube::Config::infer().await?;
    prepare(&mut config);
    let client = kube::Client::try_from(config)?;
    let (sender, deltas) = mpsc::channel(1024);
    let waiting = Arc::new(Waiting::on([
        "campaigns",
        "tiktokconnections",
        "namespaces",
    ]));
    let door = DoorSettings {
        lease: Name::new(args.lease_namespace.clone(), "tiktok-ads-operator"),
        instance: std::env::var("POD_NAME").unwrap_or_else(|_| "local".into()),
        deployment: std::env::var("DEPLOYMENT_NAME")
            .ok()
            .map(|n| Name::new(args.lease_namespace.clone(), n)),
        namespaces: args.watch_namespaces.clone(),
        binding: std::env::var("DEPLOYMENT_NAME").ok(),
        deadline: Duration::from_secs(10),
        lease_deadline: Duration::from_secs(5),
    };
    let cluster = Arc::new(KubeCluster::new(client.clone(), door, sender.clone()));
    let platform = HttpDoor::new(&args.platform_url)?;
    let secs: u64 = args.sweep_interval.trim_end_matches('s').parse()?;
    let settings = Settings {
        install: args.install,
        tier: args.tier,
        sweep_every: Duration::from_secs(secs),
        ..Settings::default()
    };
    let fence = Arc::new(Fence::forever());
    let engine = Arc::new(Engine::new(
        cluster.clone(),
        platform,
        SystemClock,
        settings,
        Metrics::default(),
        fence,
    ));
    let (_lead, leading) = tokio_watch::channel(true);
    let (_stop, stop) = tokio_watch::channel(false);
    let w = waiting.clone();
    tokio::spawn(async move {
        watch(client, &args.watch_namespaces, sender, strip, strip, &w).await;
    });
    let w = waiting.clone();
    let c = cluster.clone();
    tokio::spawn(async move {
        c.namespaces(&w).await;
    });
    let metrics = engine.clone();
    let app = axum::Router::new()
        .route("/livez", axum::routing::get(|| async { "ok" }))
        .route("/readyz", axum::routing::get(|| async { "ok" }))
        .route(
            "/metrics",
            axum::routing::get(move || {
                let m = metrics.clone();
                async move { m.metrics_text() }
            }),
        );
    let listener = tokio::net::TcpListener::bind(&args.health_addr).await?;
    tokio::spawn(async move {
        let _ = axum::serve(listener, app).await;
    });
    engine.run(deltas, leading, stop).await;
    Ok(())
}
