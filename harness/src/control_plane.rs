//! etcd, kube-apiserver and kube-controller-manager on free ports of the loopback interface.

use std::net::TcpListener;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine as _;
use serde_json::json;

use crate::audit::{self, Audit};
use crate::kubectl::Kubectl;
use crate::process::Process;
use crate::programs::Programs;
use crate::scratch::Scratch;
use crate::{Error, Result, keys, wait_until};

/// How long the apiserver may take to be ready; 4 s on an idle machine, but machines are not idle while tests run.
const READY: Duration = Duration::from_secs(120);

/// Controllers that the product needs: namespaces that terminate, owner references that collect, roles that aggregate.
/// There is none for Deployments, and no kubelet: a harness runs the operator itself.
const CONTROLLERS: &str = "namespace-controller,garbage-collector-controller,serviceaccount-controller,clusterrole-aggregation-controller";

/// A running control plane. Dereferences to [`Kubectl`] as administrator (`system:masters`).
///
/// Dropping it stops all three, and removes their data.
#[derive(Debug)]
pub struct ControlPlane {
    // Fields are dropped in this order: the apiserver before etcd, without which it would hold its port for a minute and
    // a half; and the folder last.
    _controller_manager: Process,
    _apiserver: Process,
    _etcd: Process,
    admin: Kubectl,
    url: String,
    audit: Audit,
    programs: Programs,
    scratch: Scratch,
}

impl Deref for ControlPlane {
    type Target = Kubectl;

    fn deref(&self) -> &Kubectl {
        &self.admin
    }
}

impl ControlPlane {
    /// Starts one, and returns when it is ready. Builds the programs first if need be.
    ///
    /// # Errors
    /// When a program cannot be built or does not come up; the error has the end of its log.
    pub fn start() -> Result<Self> {
        let programs = Programs::find()?;
        // Between choosing a free port and its use another process may take it: then a server ends, and we choose again.
        let mut attempts = 0;
        loop {
            attempts += 1;
            match Self::start_once(&programs) {
                Err(error @ Error::Ended { .. }) if attempts < 3 => {
                    eprintln!("harness: starting the control plane again: {error}");
                }
                result => return result,
            }
        }
    }

    fn start_once(programs: &Programs) -> Result<Self> {
        let scratch = Scratch::new("tiktok-ads-control-plane")?;
        let folder = scratch.path().to_owned();
        let [client, peer, secure] = free_ports()?;
        let token = random_token()?;
        let files = Files::write(&folder, secure, &token)?;

        let etcd = start_etcd(programs, &folder, client, peer)?;
        let apiserver = start_apiserver(programs, &folder, &files, client, secure)?;
        let admin = Kubectl::new(
            programs.clone(),
            files.kubeconfig.clone(),
            folder.join("home"),
        );
        wait_until("kube-apiserver to be ready", READY, || {
            etcd.alive()?;
            apiserver.alive()?;
            if !folder.join("certificates/apiserver.crt").exists() {
                return Ok(Err("it has made no certificate yet".to_owned()));
            }
            let answer = admin.run(&["get", "--raw", "/readyz", "--request-timeout=5s"])?;
            if answer.success && answer.stdout.trim() == "ok" {
                Ok(Ok(()))
            } else {
                Ok(Err(answer.stderr))
            }
        })?;
        let controller_manager = start_controller_manager(programs, &folder, &files)?;
        // The first ServiceAccount shows that its controllers work, and that pods of the chart could have a token.
        wait_until("the default ServiceAccount", READY, || {
            controller_manager.alive()?;
            let answer = admin.run(&["get", "serviceaccount", "default", "-n", "default"])?;
            Ok(if answer.success {
                Ok(())
            } else {
                Err(answer.stderr)
            })
        })?;
        Ok(Self {
            _controller_manager: controller_manager,
            _apiserver: apiserver,
            _etcd: etcd,
            audit: Audit::new(files.audit, admin.clone()),
            admin,
            url: format!("https://127.0.0.1:{secure}"),
            programs: programs.clone(),
            scratch,
        })
    }

    /// The audit log.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A folder for logs and files of those who use this control plane; removed with it.
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Makes a namespace whose name begins with `prefix` and is used by nobody else, and returns the name.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn namespace(&self, prefix: &str) -> Result<String> {
        let name = format!("{prefix}-{}", self.number());
        self.run(&["create", "namespace", &name])?.ok()?;
        Ok(name)
    }

    /// kubectl and helm as a ServiceAccount, which must exist: its kubeconfig holds the apiserver's certificate, a token
    /// that the apiserver issued, and nothing else.
    ///
    /// # Errors
    /// When no token is issued.
    pub fn as_service_account(&self, namespace: &str, name: &str) -> Result<Kubectl> {
        let token = self
            .run(&["create", "token", name, "-n", namespace, "--duration=720h"])?
            .ok()?;
        let path = self.folder().join(format!(
            "kubeconfig-{namespace}-{name}-{}.json",
            self.number()
        ));
        let authority = self.folder().join("certificates/apiserver.crt");
        write_kubeconfig(&path, &self.url, &authority, token.trim(), namespace)?;
        Ok(Kubectl::new(
            self.programs.clone(),
            path,
            self.folder().join("home"),
        ))
    }

    /// A number that this process gives out once.
    pub(crate) fn number(&self) -> u32 {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        COUNT.fetch_add(1, Ordering::Relaxed)
    }
}

/// Files that the servers read.
struct Files {
    kubeconfig: PathBuf,
    tokens: PathBuf,
    key: PathBuf,
    policy: PathBuf,
    audit: PathBuf,
    certificates: PathBuf,
}

impl Files {
    fn write(folder: &Path, secure: u16, token: &str) -> Result<Self> {
        let files = Self {
            kubeconfig: folder.join("kubeconfig.json"),
            tokens: folder.join("tokens.csv"),
            key: folder.join("service-account.pem"),
            policy: folder.join("audit-policy.yaml"),
            audit: folder.join("audit.log"),
            certificates: folder.join("certificates"),
        };
        write(
            &files.tokens,
            &format!("{token},admin,1,\"system:masters\"\n"),
        )?;
        write(&files.key, &keys::rsa_pem()?)?;
        write(&files.policy, audit::POLICY)?;
        write(&files.audit, "")?;
        std::fs::create_dir(folder.join("home"))
            .map_err(Error::io("making a home folder for kubectl"))?;
        let url = format!("https://127.0.0.1:{secure}");
        let authority = files.certificates.join("apiserver.crt");
        write_kubeconfig(&files.kubeconfig, &url, &authority, token, "default")?;
        Ok(files)
    }
}

fn start_etcd(programs: &Programs, folder: &Path, client: u16, peer: u16) -> Result<Process> {
    let (client, peer) = (
        format!("http://127.0.0.1:{client}"),
        format!("http://127.0.0.1:{peer}"),
    );
    let mut command = Command::new(programs.path("etcd"));
    command
        .arg(format!("--data-dir={}", folder.join("etcd").display()))
        .arg(format!("--listen-client-urls={client}"))
        .arg(format!("--advertise-client-urls={client}"))
        .arg(format!("--listen-peer-urls={peer}"))
        .arg(format!("--initial-advertise-peer-urls={peer}"))
        .arg(format!("--initial-cluster=default={peer}"))
        // The data is thrown away: nothing is lost when the machine crashes.
        .args(["--log-level=warn", "--unsafe-no-fsync"]);
    Process::spawn("etcd", command, &folder.join("etcd.log"))
}

fn start_apiserver(
    programs: &Programs,
    folder: &Path,
    files: &Files,
    etcd: u16,
    secure: u16,
) -> Result<Process> {
    let mut command = Command::new(programs.path("kube-apiserver"));
    command
        .arg(format!("--etcd-servers=http://127.0.0.1:{etcd}"))
        .arg(format!("--secure-port={secure}"))
        .arg(format!("--cert-dir={}", files.certificates.display()))
        .arg(format!(
            "--service-account-key-file={}",
            files.key.display()
        ))
        .arg(format!(
            "--service-account-signing-key-file={}",
            files.key.display()
        ))
        .arg(format!("--token-auth-file={}", files.tokens.display()))
        .arg(format!("--audit-policy-file={}", files.policy.display()))
        .arg(format!("--audit-log-path={}", files.audit.display()))
        // Megabytes. The default of 100 would move lines that have not been counted yet to another file.
        .arg("--audit-log-maxsize=100000")
        .args([
            "--bind-address=127.0.0.1",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            "--allow-privileged",
            "--service-account-issuer=https://kubernetes.default.svc",
        ]);
    Process::spawn(
        "kube-apiserver",
        command,
        &folder.join("kube-apiserver.log"),
    )
}

fn start_controller_manager(programs: &Programs, folder: &Path, files: &Files) -> Result<Process> {
    let mut command = Command::new(programs.path("kube-controller-manager"));
    command
        .arg(format!("--kubeconfig={}", files.kubeconfig.display()))
        .arg(format!(
            "--service-account-private-key-file={}",
            files.key.display()
        ))
        .arg(format!("--controllers={CONTROLLERS}"))
        .args(["--leader-elect=false", "--secure-port=0"]);
    Process::spawn(
        "kube-controller-manager",
        command,
        &folder.join("kube-controller-manager.log"),
    )
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(Error::io(format!("writing {}", path.display())))
}

/// Writes a kubeconfig of one cluster, one user and one namespace (JSON is YAML).
fn write_kubeconfig(
    path: &Path,
    url: &str,
    authority: &Path,
    token: &str,
    namespace: &str,
) -> Result<()> {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": {"server": url, "certificate-authority": authority}}],
        "users": [{"name": "local", "user": {"token": token}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "local", "namespace": namespace}}],
        "current-context": "local",
    });
    write(path, &format!("{config:#}\n"))
}

/// Three ports that nobody listens on at this moment, held together while they are chosen so that they differ.
///
/// # Errors
/// When the system has none.
pub fn free_ports() -> Result<[u16; 3]> {
    let failed = || Error::io("looking for a free port");
    let bind = || TcpListener::bind("127.0.0.1:0").map_err(failed());
    let listeners = [bind()?, bind()?, bind()?];
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr().map_err(failed())?.port();
    }
    Ok(ports)
}

/// A port that nobody listens on at this moment.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> Result<u16> {
    free_ports().map(|[port, ..]| port)
}

fn random_token() -> Result<String> {
    let mut bytes = [0_u8; 24];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| Error::Unusable("no randomness for a token".to_owned()))?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}
