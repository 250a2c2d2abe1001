//! From bytes to an answer or an error.

use super::call::Call;
use super::error::PlatformError;
use super::reply::Answer;
use super::wire::WireReply;

/// Reads the reply to `call`.
pub fn read(_call: &Call, _reply: WireReply) -> Result<Answer, PlatformError> {
    todo!()
}
