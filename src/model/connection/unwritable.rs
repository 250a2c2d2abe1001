//! What is said while the API server does not let the operator write its own Secrets.

use super::super::reason::Reason;
use super::super::report::Ready;
use super::{ConnectionFacts, Step, Unwritable, token_secret_name};

/// Adds it to what is said anyway, and the next try to when the connection is planned again. It is no reason to stop: the token
/// that there is goes on serving.
pub(super) fn told(f: &ConnectionFacts, mut step: Step) -> Step {
    let Some(first) = f.unwritable.first() else {
        return step;
    };
    let again = f.unwritable.iter().map(|u| u.again).min();
    step.wake = step.wake.into_iter().chain(again).min();
    let text = text(f, first);
    step.ready = match step.ready {
        Ready::Stalled(Reason::SecretNotWritable, said) => {
            Ready::Stalled(Reason::SecretNotWritable, said)
        }
        Ready::Stalled(reason, said) => Ready::Stalled(reason, format!("{said}; and {text}")),
        Ready::Yes(..) | Ready::Progress(..) => Ready::Stalled(Reason::SecretNotWritable, text),
    };
    step
}

/// What is not possible, why, and what to do.
pub(super) fn text(f: &ConnectionFacts, one: &Unwritable) -> String {
    let Unwritable {
        secret,
        why,
        in_memory,
        ..
    } = one;
    let lacks = match (secret == &token_secret_name(f.object), in_memory) {
        (false, _) => "so there is no link to authorise with",
        (true, false) => "so no token can be renewed or taken over",
        (true, true) => {
            "so a new access token is in use that is in the operator's memory only, and is lost when the operator ends"
        }
    };
    format!(
        "the Secret {secret} cannot be written ({}), {lacks}; let the operator write it (docs/connect.md, \"A Secret that cannot be written\"), and this goes away by itself",
        why.trim_end_matches('.')
    )
}
