//! Reading bodies: so many bytes, so long, and so much memory for all of them together.
//!
//! Memory is bounded by bytes, not by requests: who sends slowly holds no more than what has arrived, and cannot keep
//! others from being read. Nor can who sends much: the first bytes of each body come out of a part of their own, in which
//! there is room for every connection.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use futures::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What all bodies of one kind that are being read or worked on may hold together.
#[derive(Clone, Debug)]
pub struct Memory {
    /// For the first [`SMALL`] bytes of each.
    small: Arc<Semaphore>,
    /// For what is beyond.
    large: Arc<Semaphore>,
}

/// Bytes that one permit stands for.
const UNIT: usize = 1024;

/// So much of a body does not compete with large ones: a form, or a message of TikTok's as they usually are.
pub const SMALL: usize = 8 << 10;

/// A body in memory. Its share of the memory is given back when it is dropped.
#[derive(Debug)]
pub struct Held {
    pub bytes: Vec<u8>,
    _small: Share,
    _large: Share,
}

/// A part of the memory that grows.
#[derive(Debug, Default)]
struct Share(Option<OwnedSemaphorePermit>);

impl Share {
    fn grow(&mut self, of: &Arc<Semaphore>, bytes: usize) -> Result<(), Unread> {
        let units = bytes.div_ceil(UNIT);
        let have = self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if units <= have {
            return Ok(());
        }
        let more = u32::try_from(units - have).map_err(|_| Unread::TooLarge)?;
        let more = of.clone().try_acquire_many_owned(more);
        let more = more.map_err(|_| Unread::Full)?;
        match &mut self.0 {
            Some(share) => share.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    TooLarge,
    TooSlow,
    /// Too many are being read at this moment.
    Full,
    /// The client broke off, or what it sent is not HTTP.
    Broken,
}

impl Unread {
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Full => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::TooLarge => "the body is too large",
            Self::TooSlow => "the body came too slowly",
            Self::Full => "too many requests at once: send it again later",
            Self::Broken => "the body could not be read",
        }
    }
}

impl Memory {
    /// The first [`SMALL`] bytes of `bodies` bodies, and `bytes` more for all together.
    pub fn new(bodies: usize, bytes: usize) -> Self {
        Self {
            small: Arc::new(Semaphore::new(bodies.saturating_mul(SMALL / UNIT))),
            large: Arc::new(Semaphore::new(bytes / UNIT)),
        }
    }

    /// Reads a body of at most `most` bytes within `time`.
    pub async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        most: usize,
        time: Duration,
    ) -> Result<Held, Unread> {
        // A body that says beforehand that it is too large is not read at all.
        let said = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.parse::<u64>().ok());
        if said.is_some_and(|said| said > most as u64) {
            return Err(Unread::TooLarge);
        }
        let read = tokio::time::timeout(time, self.fill(body, most)).await;
        read.unwrap_or(Err(Unread::TooSlow))
    }

    async fn fill(&self, body: Body, most: usize) -> Result<Held, Unread> {
        let mut bytes = Vec::new();
        let (mut small, mut large) = (Share::default(), Share::default());
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Unread::Broken)?;
            let length = bytes.len() + chunk.len();
            if length > most {
                return Err(Unread::TooLarge);
            }
            small.grow(&self.small, length.min(SMALL))?;
            large.grow(&self.large, length.saturating_sub(SMALL))?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(Held {
            bytes,
            _small: small,
            _large: large,
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use futures::stream;

    use super::*;

    const TIME: Duration = Duration::from_secs(10);

    fn chunks(sizes: &[usize]) -> Body {
        let chunks: Vec<Result<Bytes, std::io::Error>> = sizes
            .iter()
            .map(|size| Ok(Bytes::from(vec![7; *size])))
            .collect();
        Body::from_stream(stream::iter(chunks))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_read_up_to_its_limit() {
        let memory = Memory::new(1, 0);
        let none = HeaderMap::new();
        let read = memory
            .read(&none, chunks(&[100, 900, 24]), 1024, TIME)
            .await;
        assert_eq!(read.unwrap().bytes.len(), 1024);
        let read = memory.read(&none, chunks(&[1000, 25]), 1024, TIME).await;
        assert_eq!(read.unwrap_err(), Unread::TooLarge);
        let said = HeaderMap::from_iter([(header::CONTENT_LENGTH, "1025".parse().unwrap())]);
        let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let read = memory.read(&said, never, 1024, TIME).await;
        assert_eq!(read.unwrap_err(), Unread::TooLarge);
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_too_slowly_is_not_waited_for() {
        let slow = stream::unfold(0, |n| async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), n + 1))
        });
        let begun = tokio::time::Instant::now();
        let (memory, none) = (Memory::new(1, 0), HeaderMap::new());
        let read = memory.read(&none, Body::from_stream(slow), 1024, TIME);
        assert_eq!(read.await.unwrap_err(), Unread::TooSlow);
        assert_eq!(begun.elapsed(), TIME);
    }

    #[tokio::test(start_paused = true)]
    async fn all_bodies_share_one_memory_and_give_it_back() {
        let memory = Memory::new(2, 4 * UNIT);
        let none = HeaderMap::new();
        let large = |units: usize| chunks(&[SMALL, units * UNIT]);
        let first = memory.read(&none, large(3), 1 << 20, TIME);
        let first = first.await.unwrap();
        let second = memory.read(&none, large(2), 1 << 20, TIME);
        assert_eq!(second.await.unwrap_err(), Unread::Full);
        let third = memory.read(&none, large(1), 1 << 20, TIME).await;
        assert!(third.is_ok());
        let more = memory.read(&none, chunks(&[1]), 1 << 20, TIME).await;
        assert_eq!(more.unwrap_err(), Unread::Full, "two have their small part");
        drop((first, third));
        let fourth = memory.read(&none, large(4), 1 << 20, TIME).await;
        // However much that one holds.
        let small = memory.read(&none, chunks(&[SMALL]), 1 << 20, TIME).await;
        assert!(fourth.is_ok() && small.is_ok());
        drop((fourth, small));
        let broken = stream::iter([Err::<Bytes, _>(std::io::Error::other("gone"))]);
        let read = memory.read(&none, Body::from_stream(broken), 1024, TIME);
        assert_eq!(read.await.unwrap_err(), Unread::Broken);
    }
}
