//! Connections: Secrets, the token's life, the check with TikTok, connecting by browser, and disconnecting.
//!
//! A connection's own turn ([`turn`]) is the only one that renews, takes over or drops a token, so no two of these ever run
//! at once. Others leave what they have in the Secret and ask for a turn.

mod candidate;
mod check;
mod connect;
mod facts;
mod farewell;
mod imports;
mod neighbours;
mod report;
mod rotation;
mod secrets;
mod ticket;
mod turn;
mod unwritten;

pub(in crate::engine) use check::kills_token;
pub use connect::{Authorised, Begun, ConnectError, PageView, Reached};
pub use facts::ConnectionMemo;
pub(in crate::engine) use secrets::{
    ACCESS_TOKEN, APP_ID, APP_SECRET, Data, Own, fingerprint, plain, read_token, time_of, value,
};
