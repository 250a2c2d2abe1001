//! Standard output, whose reader may have gone: `crds | head` closes it early, and wants no more.

use std::io::{self, Write as _};

/// Standard output could not be written. An error that is made from it keeps it as its source (not `transparent`), so that
/// [`reader_gone`] finds it.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
pub struct OutError(#[from] io::Error);

impl OutError {
    /// Nobody reads it any more.
    pub fn reader_gone(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Writes a text, whole.
pub fn print(text: &str) -> Result<(), OutError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Is the cause of an error, or of what it was made from, that nobody reads our output any more?
pub fn reader_gone(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .filter_map(|error| error.downcast_ref::<OutError>())
        .any(OutError::reader_gone)
}
