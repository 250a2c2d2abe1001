//! A real local control plane for tests, the demo and benchmarks.
//!
//! etcd, kube-apiserver and kube-controller-manager run as children of this process, on free loopback ports, with their
//! data in a folder of their own. Nothing of it outlives the process, however that ends (see [`process`] and [`scratch`]).
//!
//! A test begins like this:
//!
//! ```no_run
//! let cluster = tiktok_ads_harness::shared(); // one control plane for the whole test binary
//! let namespace = cluster.namespace("campaigns")?; // one namespace per test
//! let install = cluster.install(tiktok_ads_harness::Chart::new(&namespace).watch(&namespace))?;
//! let operator = install.run(std::path::Path::new("target/debug/tiktok-ads-operator"))?; // under its ServiceAccount
//! cluster.apply(&namespace, "apiVersion: v1\nkind: Secret\n…")?;
//! let before = cluster.audit().mark()?;
//! operator.kill()?; // SIGKILL
//! assert_eq!(cluster.audit().since(before)?.agent("tiktok-ads-operator").writes().count(), 0);
//! # Ok::<(), tiktok_ads_harness::Error>(())
//! ```
//!
//! Everything here blocks. From asynchronous code, call it in `tokio::task::spawn_blocking`.

pub mod audit;
pub mod control_plane;
mod error;
pub mod http;
pub mod install;
mod keys;
pub mod kubectl;
pub mod objects;
pub mod process;
pub mod programs;
pub mod sandbox;
pub mod scratch;
pub mod wait;

use std::sync::OnceLock;
use std::time::Duration;

pub use control_plane::ControlPlane;
pub use error::{Error, Result};
pub use install::{Chart, Install, Operator, Ports};
pub use kubectl::Output;
pub use process::Process;
pub use sandbox::Sandbox;
pub use wait::wait_until;

/// The plural names of all kinds of the chart.
pub const KINDS: &str = "campaigns,adgroups,ads,tiktokconnections";

/// The control plane of this process: started by whoever asks first, gone when the process ends.
///
/// The chart's CRDs, its cluster-wide rights and its admission policy are installed in it as release
/// `tiktok-ads-operator` in namespace `tiktok-ads-system`; no operator runs there, and a test that wants one installs a
/// release of its own ([`ControlPlane::install`]) for the namespaces it watches.
///
/// # Panics
/// When it cannot be started: no test can do anything then, and each of them says why.
pub fn shared() -> &'static ControlPlane {
    static SHARED: OnceLock<std::result::Result<ControlPlane, String>> = OnceLock::new();
    let started = SHARED.get_or_init(|| {
        let cluster = ControlPlane::start().map_err(|error| error.to_string())?;
        cluster
            .install(Chart::cluster_wide())
            .map_err(|error| error.to_string())?;
        // The server answers for a new kind a moment after it has it.
        wait_until("the kinds to be served", Duration::from_secs(60), || {
            let answer = cluster.run(&["get", KINDS, "-A"])?;
            Ok(if answer.success {
                Ok(())
            } else {
                Err(answer.stderr)
            })
        })
        .map_err(|error| error.to_string())?;
        Ok(cluster)
    });
    match started {
        Ok(cluster) => cluster,
        Err(why) => panic!("the control plane for the tests did not come up: {why}"),
    }
}
