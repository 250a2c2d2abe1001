//! Installing the chart and running the operator as its Deployment says.

use std::ops::Deref;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::control_plane::free_ports;
use crate::kubectl::Kubectl;
use crate::programs::repository;
use crate::{ControlPlane, Error, Process, Result, http, wait_until};

/// A release of the chart, to be installed with [`ControlPlane::install`].
#[derive(Debug, Clone)]
pub struct Chart {
    release: String,
    namespace: String,
    args: Vec<String>,
    watched: usize,
}

impl Chart {
    /// A release of its own in `namespace`, without the CRDs (the shared control plane has them), cluster-wide until
    /// [`Chart::watch`] names a namespace.
    pub fn new(namespace: &str) -> Self {
        Self {
            // Release names are part of the names of cluster-wide objects: they differ as namespaces do.
            release: format!("operator-{namespace}"),
            namespace: namespace.to_owned(),
            args: Vec::new(),
            watched: 0,
        }
        .set("crds.install=false")
    }

    /// The release that a user gets with `helm install tiktok-ads-operator`: CRDs and all.
    pub fn cluster_wide() -> Self {
        Self {
            release: "tiktok-ads-operator".to_owned(),
            namespace: "tiktok-ads-system".to_owned(),
            args: Vec::new(),
            watched: 0,
        }
    }

    /// Another release name.
    #[must_use]
    pub fn release(mut self, name: &str) -> Self {
        name.clone_into(&mut self.release);
        self
    }

    /// Adds a namespace to `watchNamespaces`: the operator has rights there and nowhere else.
    #[must_use]
    pub fn watch(mut self, namespace: &str) -> Self {
        let index = self.watched;
        self.watched += 1;
        self.set(&format!("watchNamespaces[{index}]={namespace}"))
    }

    /// Where the operator finds TikTok: a sandbox.
    #[must_use]
    pub fn platform_url(self, url: &str) -> Self {
        self.set(&format!("platform.url={url}"))
    }

    /// One value of the chart, as for `helm --set`.
    #[must_use]
    pub fn set(mut self, assignment: &str) -> Self {
        self.args
            .extend(["--set".to_owned(), assignment.to_owned()]);
        self
    }

    fn helm(&self, cluster: &ControlPlane, verb: &str) -> Result<String> {
        let folder = repository().join("charts/tiktok-ads-operator");
        let folder = folder.to_string_lossy();
        let mut args = vec![verb, &self.release, &folder, "--namespace", &self.namespace];
        if verb != "template" {
            args.push("--create-namespace");
        }
        args.extend(self.args.iter().map(String::as_str));
        cluster.helm(&args)?.ok()
    }
}

impl ControlPlane {
    /// `helm template`: what would be installed, as YAML.
    ///
    /// # Errors
    /// When helm refuses the values.
    pub fn render(&self, chart: &Chart) -> Result<String> {
        chart.helm(self, "template")
    }

    /// `helm install`, then a kubeconfig with a token of the operator's ServiceAccount.
    ///
    /// # Errors
    /// When helm or the apiserver refuses.
    pub fn install(&self, chart: Chart) -> Result<Install<'_>> {
        chart.helm(self, "install")?;
        Install::find(self, chart)
    }
}

/// An installed release.
#[derive(Debug)]
pub struct Install<'cluster> {
    cluster: &'cluster ControlPlane,
    chart: Chart,
    identity: Kubectl,
    deployment: Value,
}

impl<'cluster> Install<'cluster> {
    fn find(cluster: &'cluster ControlPlane, chart: Chart) -> Result<Self> {
        let selector = format!("app.kubernetes.io/instance={}", chart.release);
        let list = cluster.json(&["get", "deployment", "-n", &chart.namespace, "-l", &selector])?;
        let [deployment] = list["items"].as_array().map_or(&[][..], Vec::as_slice) else {
            return Err(Error::Unusable(format!(
                "release {} should have one Deployment, and has: {list}",
                chart.release
            )));
        };
        let account = text(&deployment["spec"]["template"]["spec"]["serviceAccountName"])?;
        let identity = cluster.as_service_account(&chart.namespace, account)?;
        let deployment = deployment.clone();
        Ok(Self {
            cluster,
            chart,
            identity,
            deployment,
        })
    }

    /// Release name.
    pub fn release(&self) -> &str {
        &self.chart.release
    }

    /// Namespace of the release: that of Deployment, ServiceAccount and Lease.
    pub fn namespace(&self) -> &str {
        &self.chart.namespace
    }

    /// kubectl under the operator's ServiceAccount.
    pub fn identity(&self) -> &Kubectl {
        &self.identity
    }

    /// The Deployment as the apiserver stored it.
    pub fn deployment(&self) -> &Value {
        &self.deployment
    }

    /// `helm upgrade` with further values, as for `helm --set`. Operators that run already go on as they were started.
    ///
    /// # Errors
    /// When helm or the apiserver refuses.
    pub fn upgrade(self, assignments: &[&str]) -> Result<Self> {
        let mut chart = self.chart;
        for assignment in assignments {
            chart = chart.set(assignment);
        }
        chart.helm(self.cluster, "upgrade")?;
        Self::find(self.cluster, chart)
    }

    /// `helm uninstall`. Operators that run go on until they are killed, as a pod would for its grace period.
    ///
    /// # Errors
    /// When helm fails or does not return within a minute.
    pub fn uninstall(&self) -> Result<String> {
        self.cluster
            .helm(&[
                "uninstall",
                self.release(),
                "--namespace",
                self.namespace(),
                "--timeout=60s",
            ])?
            .ok()
    }

    /// Runs the operator as a pod of the Deployment would run: its arguments and environment, under its ServiceAccount.
    ///
    /// # Errors
    /// See [`Install::run_with`].
    pub fn run(&self, binary: &Path) -> Result<Operator> {
        self.run_with(binary, &[], &[])
    }

    /// The same with further arguments and environment variables. Each call is one more replica: the ports of the
    /// Deployment are replaced by free ones, which is the only difference.
    ///
    /// # Errors
    /// See [`Install::run_at`].
    pub fn run_with(&self, binary: &Path, args: &[&str], env: &[(&str, &str)]) -> Result<Operator> {
        let [health, public, _] = free_ports()?;
        self.run_at(binary, Ports { health, public }, args, env)
    }

    /// The same with ports of the caller's choice, for a replica that comes back where it was.
    ///
    /// # Errors
    /// When the Deployment has no arguments to run with or the binary cannot be started. A binary that ends at once is
    /// noticed by [`Operator::wait_ready`].
    pub fn run_at(
        &self,
        binary: &Path,
        ports: Ports,
        args: &[&str],
        env: &[(&str, &str)],
    ) -> Result<Operator> {
        let number = self.cluster.number();
        let container = &self.deployment["spec"]["template"]["spec"]["containers"][0];
        let health = format!("127.0.0.1:{}", ports.health);
        let public = format!("127.0.0.1:{}", ports.public);
        let mut rendered = strings(&container["args"])?;
        if !replace(&mut rendered, "--health-addr=", &health) {
            return Err(Error::Unusable(
                "the Deployment sets no --health-addr".to_owned(),
            ));
        }
        // Only a release with a public URL has pages and webhooks.
        let pages = replace(&mut rendered, "--public-addr=", &public);
        let mut command = Command::new(binary);
        command.args(rendered).args(args);
        // Nothing of the shell's environment gets in, least of all another KUBECONFIG.
        command
            .env_clear()
            .env("KUBECONFIG", self.identity.kubeconfig());
        for name in ["PATH", "RUST_LOG", "RUST_BACKTRACE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let pod = format!("{}-{number}", text(&self.deployment["metadata"]["name"])?);
        for variable in container["env"].as_array().into_iter().flatten() {
            let name = text(&variable["name"])?;
            let value = match variable["valueFrom"]["fieldRef"]["fieldPath"].as_str() {
                None => text(&variable["value"])?,
                Some("metadata.name") => &pod,
                Some("metadata.namespace") => &self.chart.namespace,
                Some("status.podIP") => "127.0.0.1",
                Some(other) => {
                    return Err(Error::Unusable(format!(
                        "the harness has no {other} for variable {name}"
                    )));
                }
            };
            command.env(name, value);
        }
        command.envs(env.iter().copied());
        let log = self.cluster.folder().join(format!("{pod}.log"));
        let process = Process::spawn(&pod, command, &log)?;
        Ok(Operator {
            process,
            url: format!("http://{health}"),
            public: pages.then(|| format!("http://{public}")),
        })
    }
}

/// Where one replica listens on the loopback interface.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// `/livez`, `/readyz` and `/metrics`.
    pub health: u16,
    /// Pages and webhooks, if the release has a public URL.
    pub public: u16,
}

/// A running `tiktok-ads-operator run`. Dereferences to its [`Process`].
#[derive(Debug)]
pub struct Operator {
    process: Process,
    url: String,
    public: Option<String>,
}

impl Deref for Operator {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl Operator {
    /// `http://127.0.0.1:PORT` with `/livez`, `/readyz` and `/metrics`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `http://127.0.0.1:PORT` with its pages and webhooks; `None` if the release has no public URL.
    pub fn public_url(&self) -> Option<&str> {
        self.public.as_deref()
    }

    /// Waits until `/readyz` answers 200.
    ///
    /// # Errors
    /// [`Error::Deadline`] with its last answer, or [`Error::Ended`] with its last lines.
    pub fn wait_ready(&self, limit: Duration) -> Result<()> {
        wait_until("the operator to be ready", limit, || {
            self.process.alive()?;
            Ok(match http::get(&format!("{}/readyz", self.url)) {
                Ok(answer) if answer.status == 200 => Ok(()),
                Ok(answer) => Err(format!("{} {}", answer.status, answer.body)),
                Err(error) => Err(error.to_string()),
            })
        })
    }

    /// The text of `/metrics`.
    ///
    /// # Errors
    /// When it does not answer with 200.
    pub fn metrics(&self) -> Result<String> {
        let answer = http::get(&format!("{}/metrics", self.url))?;
        if answer.status == 200 {
            Ok(answer.body)
        } else {
            Err(Error::Unusable(format!(
                "/metrics answers {}",
                answer.status
            )))
        }
    }
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| {
        Error::Unusable(format!(
            "a text was expected in the Deployment, not {value}"
        ))
    })
}

fn strings(value: &Value) -> Result<Vec<String>> {
    let items = value.as_array().filter(|items| !items.is_empty());
    items
        .ok_or_else(|| Error::Unusable("the Deployment has no arguments".to_owned()))?
        .iter()
        .map(|item| text(item).map(str::to_owned))
        .collect()
}

/// Replaces the value of a flag, written as `--flag=`. False if it is not there.
fn replace(args: &mut [String], flag: &str, value: &str) -> bool {
    let found = args.iter_mut().find(|arg| arg.starts_with(flag));
    found.map(|arg| *arg = format!("{flag}{value}")).is_some()
}
