//! Subscriptions over a log that is read in pages.

use crate::port::{LogPage, LogRead, StoreError, Subscribe, Subscription};
use fleet_model::kernel::{Position, Recorded};
use futures_core::Stream;
use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// A log that a subscription reads.
pub(crate) trait Source: Send + Sync + 'static {
    fn page(&self, read: &LogRead) -> Result<LogPage, StoreError>;
    fn signals(&self) -> &Signals;
}

/// Wake-up signals: hints only, a subscription always reads from its own position.
#[derive(Default)]
pub(crate) struct Signals(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    wakers: BTreeMap<u64, Waker>,
    next: u64,
    closed: bool,
}

impl Signals {
    fn with<T>(&self, then: impl FnOnce(&mut Waiting) -> T) -> T {
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Wakes every subscription that waits.
    pub(crate) fn wake(&self) {
        let wakers = self.with(|waiting| std::mem::take(&mut waiting.wakers));
        wakers.into_values().for_each(Waker::wake);
    }

    /// Ends with the next wake-up.
    #[cfg(feature = "sqlite")]
    pub(crate) async fn woken(&self) {
        let mut number = None;
        std::future::poll_fn(|context| {
            self.with(|waiting| match number {
                Some(number) if !waiting.wakers.contains_key(&number) => Poll::Ready(()),
                _ => {
                    let number = *number.get_or_insert_with(|| {
                        waiting.next += 1;
                        waiting.next
                    });
                    waiting.wakers.insert(number, context.waker().clone());
                    Poll::Pending
                }
            })
        })
        .await;
    }

    /// Ends every subscription.
    #[cfg(feature = "sqlite")]
    pub(crate) fn close(&self) {
        self.with(|waiting| waiting.closed = true);
        self.wake();
    }
}

/// A subscription to `source`.
pub(crate) fn subscribe(source: Arc<dyn Source>, subscribe: Subscribe) -> Subscription {
    let number = source.signals().with(|waiting| {
        waiting.next += 1;
        waiting.next
    });
    Subscription::new(Live {
        source,
        number,
        read: LogRead {
            after: subscribe.after,
            limit: subscribe.window.max(1),
            filter: subscribe.filter,
            at_least: None,
        },
        ahead: VecDeque::new(),
        ended: false,
    })
}

struct Live {
    source: Arc<dyn Source>,
    number: u64,
    read: LogRead,
    ahead: VecDeque<Recorded>,
    ended: bool,
}

impl Live {
    fn end(&mut self, error: StoreError) -> Poll<Option<Result<Recorded, StoreError>>> {
        self.ended = true;
        Poll::Ready(Some(Err(error)))
    }
}

impl Stream for Live {
    type Item = Result<Recorded, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(event) = this.ahead.pop_front() {
            return Poll::Ready(Some(Ok(event)));
        }
        if this.ended {
            return Poll::Ready(None);
        }
        // First the waker, then the look: what is stored after the look wakes this task.
        let closed = this.source.signals().with(|waiting| {
            waiting.wakers.insert(this.number, context.waker().clone());
            waiting.closed
        });
        let page = match this.source.page(&this.read) {
            Ok(page) => page,
            Err(error) => return this.end(error),
        };
        let before = this.read.after;
        this.read.after = page.scanned_to.max(before);
        this.ahead.extend(page.events);
        if let Some(event) = this.ahead.pop_front() {
            return Poll::Ready(Some(Ok(event)));
        }
        if this.read.after > before {
            // Nothing matched so far: let others run, then look on.
            context.waker().wake_by_ref();
        } else if closed {
            let last: Position = this.read.after;
            return this.end(StoreError::SubscriptionEnded { last });
        }
        Poll::Pending
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let number = self.number;
        self.source
            .signals()
            .with(|waiting| waiting.wakers.remove(&number));
    }
}
