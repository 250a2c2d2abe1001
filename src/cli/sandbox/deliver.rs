//! Sends what the sandbox has for webhook receivers, as TikTok would: a POST, no redirects, little patience.

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use crate::sandbox::{Delivered, Delivery, http::Shared};

/// How many are sent at once.
const AT_ONCE: usize = 32;
/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Shortest pause between two looks at a clock that says "now".
const SHORTEST: Duration = Duration::from_millis(5);

/// The client for deliveries.
///
/// # Errors
/// TLS cannot be set up.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        // Receivers are on this machine or in the cluster.
        .no_proxy()
        .timeout(PATIENCE)
        .user_agent("TikTok-Webhooks-Sandbox")
        .build()
}

/// Sends for ever.
pub async fn deliver(shared: Shared, client: reqwest::Client) -> Infallible {
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let free = slots.available_permits();
        let (due, wait) = shared.due_deliveries(free);
        let full = due.len() == free;
        for delivery in due {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                break;
            };
            let (shared, client) = (shared.clone(), client.clone());
            tokio::spawn(async move {
                let (id, attempt) = (delivery.id, delivery.attempt);
                let result = post(&client, delivery).await;
                drop(slot);
                shared.delivery_result(id, attempt, result);
            });
        }
        match wait.filter(|_| !full) {
            Some(wait) => tokio::select! {
                () = shared.changed() => {}
                () = tokio::time::sleep(wait.max(SHORTEST)) => {}
            },
            // Each of those under way reports, which wakes us.
            None => shared.changed().await,
        }
    }
}

async fn post(client: &reqwest::Client, delivery: Delivery) -> Delivered {
    let mut request = client.post(&delivery.url).body(delivery.body);
    for (name, value) in delivery.headers {
        request = request.header(name, value);
    }
    match request.send().await {
        Ok(response) => Delivered::Answered(response.status().as_u16()),
        Err(error) => Delivered::Failed(words(&error)),
    }
}

/// The innermost reason: the outer ones say only that sending failed. Without the URL, which may hold a path token.
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", PATIENCE.as_secs());
    }
    let mut inner = std::error::Error::source(error);
    let mut reason = "the request could not be made".to_owned();
    while let Some(error) = inner {
        reason = error.to_string();
        inner = error.source();
    }
    reason
}
