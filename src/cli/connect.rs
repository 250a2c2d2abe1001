//! `tiktok-ads-operator connect NAME`: prints the link by which a connection is authorised, and tells how far it has come.
//!
//! It needs no more than the kubeconfig of its user, who must be allowed to read the connection and the Secret
//! `NAME-tiktok-connect`.

mod progress;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use k8s_openapi::api::core::v1::Secret;
use kube::core::DynamicObject;
use kube::{Api, Client, CustomResourceExt};
use secrecy::{ExposeSecret, SecretString};

use self::progress::{Progress, Seen, Step};
use super::kubeconfig;
use super::out::{self, OutError};
use super::times::duration;
use crate::api::connection::TikTokConnection;
use crate::engine::kube_door::prepare;
use crate::http::backend::At;
use crate::platform::clean;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(2);
/// An operator that has just seen the connection needs a moment to make its link.
const LINK_WITHIN: Duration = Duration::from_secs(15);

/// Prints the link by which a TikTokConnection is authorised, then waits until it is connected.
#[derive(Args, Clone, Debug)]
pub struct ConnectArgs {
    /// Name of the TikTokConnection.
    pub name: String,
    /// Its namespace. Not said: that of the kubeconfig's context.
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// The kubeconfig's context to use.
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// How to print: text for people, or json, one object for each step and line.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// Also open the link in the browser. Whoever lists this machine's processes can see it meanwhile.
    #[arg(long)]
    pub open: bool,
    /// Print the link and end.
    #[arg(long)]
    pub no_wait: bool,
    /// How long to wait. A link that was used has to be finished within 15 minutes.
    #[arg(long, value_name = "TIME", default_value = "20m", value_parser = duration)]
    pub timeout: Duration,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Text,
    Json,
}

/// Why there is no link, or nothing can be seen.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(transparent)]
    NoCluster(#[from] kubeconfig::NoConfig),
    #[error("cannot make a client for the API server: {0}")]
    Client(kube::Error),
    #[error(
        "there is no TikTokConnection {name} in namespace {namespace}. To see which there are: kubectl get \
         tiktokconnections -n {namespace}"
    )]
    NoConnection { namespace: String, name: String },
    #[error("{name:?} cannot be a {what}'s name: use small letters, digits and hyphens")]
    NoName { what: &'static str, name: String },
    #[error(
        "the cluster has no TikTokConnections: the operator's CustomResourceDefinitions are not installed"
    )]
    NoKind,
    #[error(
        "you may not read {what} in namespace {namespace}. Whoever looks after the cluster can allow it:\n  kubectl create \
         role {name}-connect -n {namespace} --verb=get --resource=secrets --resource-name={name}-tiktok-connect\n  kubectl \
         create rolebinding {name}-connect -n {namespace} --role={name}-connect --user=YOU\nand, to read the connection, the \
         chart's ClusterRole that ends in -connector"
    )]
    Forbidden {
        what: String,
        namespace: String,
        name: String,
    },
    #[error(
        "the operator has made no link for {name}: {why}. To see more: kubectl describe tiktokconnection {name} -n \
         {namespace}"
    )]
    NoLink {
        namespace: String,
        name: String,
        why: String,
    },
    #[error(
        "the link in Secret {0}-tiktok-connect is not a web address: is the Secret the operator's own?"
    )]
    OddLink(String),
    #[error("the API server does not answer: {0}")]
    Unreachable(kube::Error),
    #[error("{0}")]
    Out(#[from] OutError),
}

/// The link as it lies in its Secret.
struct Link {
    url: SecretString,
    ticket: SecretString,
}

/// Where one connection and its link are read.
struct Cluster {
    namespace: String,
    name: String,
    connections: Api<DynamicObject>,
    secrets: Api<Secret>,
}

impl Cluster {
    async fn new(args: &ConnectArgs) -> Result<Self, ConnectError> {
        // No object can have such a name: nothing is asked.
        let no_name = |what, name: &str| ConnectError::NoName {
            what,
            name: name.to_owned(),
        };
        if At::new("any", &args.name).is_none() {
            return Err(no_name("TikTokConnection", &args.name));
        }
        let mut config = kubeconfig::config(args.context.as_deref()).await?;
        prepare(&mut config);
        let namespace = args
            .namespace
            .clone()
            .unwrap_or_else(|| config.default_namespace.clone());
        if At::new(&namespace, &args.name).is_none() {
            return Err(no_name("namespace", &namespace));
        }
        let client = Client::try_from(config).map_err(ConnectError::Client)?;
        let kind = TikTokConnection::api_resource();
        Ok(Self {
            connections: Api::namespaced_with(client.clone(), &namespace, &kind),
            secrets: Api::namespaced(client, &namespace),
            name: args.name.clone(),
            namespace,
        })
    }

    fn forbidden(&self, what: String) -> ConnectError {
        ConnectError::Forbidden {
            what,
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }

    async fn connection(&self) -> Result<serde_json::Value, ConnectError> {
        match self.connections.get(&self.name).await {
            Ok(found) => Ok(found.data),
            Err(kube::Error::Api(status)) if status.code == 403 => {
                Err(self.forbidden(format!("TikTokConnection {}", self.name)))
            }
            // A 404 without a name is about the kind itself.
            Err(kube::Error::Api(status)) if status.code == 404 => {
                let named = status.details.as_ref().is_some_and(|d| d.name == self.name);
                Err(if named {
                    ConnectError::NoConnection {
                        namespace: self.namespace.clone(),
                        name: self.name.clone(),
                    }
                } else {
                    ConnectError::NoKind
                })
            }
            Err(error) => Err(ConnectError::Unreachable(error)),
        }
    }

    /// `None`: there is none yet.
    async fn link(&self) -> Result<Option<Link>, ConnectError> {
        let secret = format!("{}-tiktok-connect", self.name);
        let found = match self.secrets.get_opt(&secret).await {
            Ok(found) => found,
            Err(kube::Error::Api(status)) if status.code == 403 => {
                return Err(self.forbidden(format!("Secret {secret}")));
            }
            Err(error) => return Err(ConnectError::Unreachable(error)),
        };
        let data = found.and_then(|secret| secret.data).unwrap_or_default();
        let text = |key: &str| {
            let bytes = data.get(key)?.0.clone();
            let text = String::from_utf8(bytes).ok()?;
            Some(SecretString::from(text.trim().to_owned()))
                .filter(|t| !t.expose_secret().is_empty())
        };
        let (Some(url), Some(ticket)) = (text("url"), text("ticket")) else {
            return Ok(None);
        };
        // It is shown in a terminal and given to a browser: nothing but a web address.
        let parsed = url::Url::parse(url.expose_secret()).ok();
        match parsed.filter(|url| matches!(url.scheme(), "http" | "https")) {
            Some(parsed) => Ok(Some(Link {
                url: SecretString::from(parsed.to_string()),
                ticket,
            })),
            None => Err(ConnectError::OddLink(self.name.clone())),
        }
    }

    /// The link, waited for a little.
    async fn wait_for_link(&self) -> Result<Link, ConnectError> {
        let begun = Instant::now();
        loop {
            if let Some(link) = self.link().await? {
                return Ok(link);
            }
            if begun.elapsed() >= LINK_WITHIN {
                return Err(self.no_link(&self.connection().await?));
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    fn no_link(&self, object: &serde_json::Value) -> ConnectError {
        let status = &object["status"];
        let generation = status["observedGeneration"].as_i64().unwrap_or(-1);
        let message = Seen::of(object, false).message;
        let why = if generation < 0 {
            "no operator has looked at the connection yet. Is one running, and does it watch this namespace?".to_owned()
        } else if !status["connectUrl"].is_string() {
            "it has no public URL. Set publicUrl in the chart's values (--public-url), or give the connection a token that you \
             already have (spec.tokenSecretRef)"
                .to_owned()
        } else if message.is_empty() {
            "it does not say why".to_owned()
        } else {
            message
        };
        ConnectError::NoLink {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            why,
        }
    }

    async fn look(&self, ticket: &SecretString) -> Result<Seen, ConnectError> {
        let object = self.connection().await?;
        let link = self.link().await?;
        let used = link.is_some_and(|link| link.ticket.expose_secret() != ticket.expose_secret());
        Ok(Seen::of(&object, used))
    }
}

/// Prints, waits, and ends with success once the connection is active.
pub async fn run(args: &ConnectArgs) -> Result<ExitCode, ConnectError> {
    match follow(args).await {
        // Programs read standard output, and nothing there but JSON.
        Err(error) if args.output == Output::Json && !out::reader_gone(&error) => {
            let message = error.to_string();
            print(args, &Step::Error { message })?;
            Ok(ExitCode::FAILURE)
        }
        done => done,
    }
}

async fn follow(args: &ConnectArgs) -> Result<ExitCode, ConnectError> {
    let cluster = Cluster::new(args).await?;
    let first = Seen::of(&cluster.connection().await?, false);
    let link = cluster.wait_for_link().await?;
    print_link(args, &cluster, &first, link.url.expose_secret())?;
    if args.open {
        open(link.url.expose_secret());
    }
    if args.no_wait {
        return Ok(ExitCode::SUCCESS);
    }
    let begun = Instant::now();
    let mut progress = Progress::new(first);
    let mut failing = false;
    loop {
        tokio::time::sleep(EVERY).await;
        match cluster.look(&link.ticket).await {
            Ok(seen) => {
                failing = false;
                for step in progress.look(seen) {
                    print(args, &step)?;
                    if let Some(good) = step.is_end() {
                        return Ok(if good {
                            ExitCode::SUCCESS
                        } else {
                            ExitCode::FAILURE
                        });
                    }
                }
            }
            // The API server may be away for a moment, as in an upgrade.
            Err(error @ ConnectError::Unreachable(_)) => {
                if !failing {
                    eprintln!("{error}; still waiting");
                }
                failing = true;
            }
            Err(error) => return Err(error),
        }
        if begun.elapsed() >= args.timeout {
            let step = progress.given_up();
            print(args, &step)?;
            return Ok(if step.is_end() == Some(true) {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
    }
}

fn print_link(
    args: &ConnectArgs,
    cluster: &Cluster,
    first: &Seen,
    url: &str,
) -> Result<(), OutError> {
    if args.output == Output::Json {
        let mut line = serde_json::json!({"step": "Link", "url": url});
        if first.is_connected() {
            line["connected"] = serde_json::json!({
                "advertiserId": first.advertiser_id, "advertiserName": first.advertiser_name});
        }
        return out::print(&format!("{line}\n"));
    }
    let mut text = String::new();
    if first.is_connected() {
        text.push_str(&clean(
            &format!(
                "{} is connected already: ad account {}. The link below authorises it anew, as for further permissions or by \
                 another user; Ctrl-C if that was not meant.",
                cluster.name,
                first.account()
            ),
            1000,
        ));
        text.push_str("\n\n");
    }
    text.push_str(&format!(
        "Open this link in the browser in which you are signed in to TikTok. It is good for one use:\n\n  {url}\n\n"
    ));
    if !args.no_wait {
        text.push_str(&format!(
            "Waiting for {} in namespace {}. Ctrl-C stops the wait, and nothing else.\n",
            cluster.name, cluster.namespace
        ));
    }
    out::print(&text)
}

fn print(args: &ConnectArgs, step: &Step) -> Result<(), OutError> {
    out::print(&match args.output {
        // Names of ad accounts are anybody's text: nothing of it may steer the terminal.
        Output::Text => format!("{}\n", clean(&step.words(), 1000)),
        Output::Json => format!("{}\n", serde_json::to_string(step).unwrap_or_default()),
    })
}

/// A browser that cannot be started is no reason to end: the link is there to be copied.
fn open(url: &str) {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let started = std::process::Command::new(program)
        .arg(url)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    if let Err(error) = started {
        eprintln!("no browser could be started ({program}: {error}): copy the link");
    }
}
