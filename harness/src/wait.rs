//! Waiting with a deadline.

use std::time::{Duration, Instant};

use crate::{Error, Result};

/// How often a condition is looked at.
const EVERY: Duration = Duration::from_millis(50);

/// Calls `probe` until it returns a value, at most for `limit`.
///
/// `probe` returns `Ok(Ok(value))` when the wait is over, `Ok(Err(seen))` with a description of what is there instead (the
/// last of these ends up in the error), and `Err` when going on makes no sense.
///
/// # Errors
/// [`Error::Deadline`] after `limit`, or what `probe` failed with.
pub fn wait_until<T>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> Result<std::result::Result<T, String>>,
) -> Result<T> {
    let begun = Instant::now();
    loop {
        let seen = match probe()? {
            Ok(value) => return Ok(value),
            Err(seen) => seen,
        };
        if begun.elapsed() >= limit {
            let last = if seen.is_empty() {
                String::new()
            } else {
                format!("; last seen: {seen}")
            };
            return Err(Error::Deadline {
                what: what.to_owned(),
                after: limit,
                last,
            });
        }
        std::thread::sleep(EVERY);
    }
}
