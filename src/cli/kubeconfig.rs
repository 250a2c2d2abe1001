//! The kubeconfig of whoever calls, and in words what is wrong with it.

use std::error::Error as _;
use std::io::ErrorKind;

use kube::Config;
use kube::config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError};

/// Why no API server is known. The text says what is wrong and, if it is plain, what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoConfig(String);

/// The API server that the kubeconfig's context leads to. Without a named context it may also be that of the pod this
/// runs in.
pub async fn config(context: Option<&str>) -> Result<Config, NoConfig> {
    match context {
        Some(name) => {
            let options = KubeConfigOptions {
                context: Some(name.to_owned()),
                ..KubeConfigOptions::default()
            };
            Config::from_kubeconfig(&options)
                .await
                .map_err(|error| NoConfig(words(&error, &contexts())))
        }
        None => Config::infer().await.map_err(|error| inferred(&error)),
    }
}

/// Outside of a pod what is wrong with the kubeconfig is what matters.
fn inferred(error: &InferConfigError) -> NoConfig {
    let kubeconfig = error
        .source()
        .and_then(|source| source.downcast_ref::<KubeconfigError>());
    NoConfig(match kubeconfig {
        Some(error) => words(error, &contexts()),
        None => error.to_string(),
    })
}

fn contexts() -> Vec<String> {
    let read = Kubeconfig::read().unwrap_or_default();
    read.contexts.into_iter().map(|one| one.name).collect()
}

fn words(error: &KubeconfigError, contexts: &[String]) -> String {
    let has = if contexts.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has: {}", contexts.join(", "))
    };
    match error {
        KubeconfigError::ReadConfig(source, path) => {
            let why = match source.kind() {
                ErrorKind::NotFound => "no such file".to_owned(),
                ErrorKind::PermissionDenied => "you may not read it".to_owned(),
                _ => source.to_string(),
            };
            format!("cannot read the kubeconfig {}: {why}", path.display())
        }
        KubeconfigError::LoadContext(name) => {
            format!("the kubeconfig has no context {name}; {has}")
        }
        KubeconfigError::CurrentContextNotSet => format!(
            "the kubeconfig has no current context; {has}. Choose one: kubectl config use-context NAME"
        ),
        KubeconfigError::LoadClusterOfContext(name) => {
            format!("the kubeconfig's context names a cluster {name} that is not in it")
        }
        other => format!("the kubeconfig cannot be used: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_kubeconfig_is_said_without_the_librarys_words() {
        let missing = KubeconfigError::ReadConfig(
            std::io::Error::from(ErrorKind::NotFound),
            "/nonexist".into(),
        );
        assert_eq!(
            words(&missing, &[]),
            "cannot read the kubeconfig /nonexist: no such file"
        );
        let two = ["a".to_owned(), "b".to_owned()];
        assert_eq!(
            words(&KubeconfigError::LoadContext("nope".into()), &two),
            "the kubeconfig has no context nope; it has: a, b"
        );
        let none = words(&KubeconfigError::CurrentContextNotSet, &[]);
        assert!(none.contains("no current context; it has none"), "{none}");
    }
}
