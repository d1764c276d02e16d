//! Catch-up and live events in one stream.

use super::{Filter, StoreError};
use fleet_model::kernel::{Position, Recorded};
use futures_core::Stream;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What to subscribe to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Subscribe {
    /// Events above this position.
    pub after: Position,
    /// Which events.
    pub filter: Filter,
    /// The most events read ahead of the consumer, 1 and up.
    pub window: usize,
}

impl Subscribe {
    /// Every event after a position, 256 read ahead.
    #[must_use]
    pub fn after(position: Position) -> Self {
        Self {
            after: position,
            filter: Filter::default(),
            window: 256,
        }
    }

    /// Only these events.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }
}

/// Events after a position, without loss, duplicate or reordering; never ends by itself.
///
/// A consumer that stores its position in the same transaction as its state is effectively once. The
/// subscription reads from its own position when it is polled, so a slow or stalled consumer costs
/// appends nothing, and no more than the window is kept. After an error it ends; the error says from
/// where to go on.
pub struct Subscription {
    inner: Pin<Box<dyn Stream<Item = Result<Recorded, StoreError>> + Send>>,
}

impl Subscription {
    /// A subscription that gives what `stream` gives; for adapters.
    #[must_use]
    pub fn new(stream: impl Stream<Item = Result<Recorded, StoreError>> + Send + 'static) -> Self {
        Self {
            inner: Box::pin(stream),
        }
    }

    /// The next event; `None` after an error.
    pub async fn next(&mut self) -> Option<Result<Recorded, StoreError>> {
        std::future::poll_fn(|context| self.inner.as_mut().poll_next(context)).await
    }

    /// The next event if it can be had without waiting.
    pub fn try_next(&mut self) -> Option<Result<Recorded, StoreError>> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        match self.inner.as_mut().poll_next(&mut context) {
            Poll::Ready(item) => item,
            Poll::Pending => None,
        }
    }
}

impl Stream for Subscription {
    type Item = Result<Recorded, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.inner.as_mut().poll_next(context)
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}
