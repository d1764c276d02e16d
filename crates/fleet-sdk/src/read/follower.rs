//! A read model that catches up with the log when it is asked.

use fleet_model::kernel::{DecodeError, ErrorCode as _, Position, Recorded};
use futures_util::lock::Mutex;
use std::sync::{PoisonError, RwLock};

use crate::log::Log;
use crate::refusal::Refusal;

/// A fold of recorded events.
pub(crate) trait Model: Default + Send + Sync {
    /// The categories of streams whose events it folds.
    const CATEGORIES: &'static [&'static str];

    /// Folds one event of those categories.
    fn fold(&mut self, recorded: &Recorded) -> Result<(), DecodeError>;
}

/// A model with the position that it has reached.
#[derive(Debug, Default)]
pub(crate) struct Follower<M> {
    gate: Mutex<()>,
    held: RwLock<Held<M>>,
}

#[derive(Debug, Default)]
struct Held<M> {
    model: M,
    position: Position,
}

const PAGE: usize = 1_000;

impl<M: Model> Follower<M> {
    /// Catches up, then reads the model.
    pub(crate) async fn read<T>(
        &self,
        log: &Log,
        read: impl FnOnce(&M) -> T + Send,
    ) -> Result<T, Refusal> {
        self.catch_up(log).await?;
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        Ok(read(&held.model))
    }

    /// Changes what two fleets hold for each other, as a fault would spoil it.
    #[cfg(test)]
    pub(crate) fn swap(&self, other: &Self) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let mut theirs = other.held.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut held.model, &mut theirs.model);
    }

    fn position(&self) -> Position {
        self.held
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .position
    }

    async fn catch_up(&self, log: &Log) -> Result<(), Refusal> {
        let head = log.head().await?;
        if self.position() >= head {
            return Ok(());
        }
        let _one = self.gate.lock().await;
        loop {
            let position = self.position();
            if position >= head {
                return Ok(());
            }
            let page = log.page(position, PAGE, M::CATEGORIES).await?;
            let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
            for recorded in &page.events {
                held.apply(recorded)?;
            }
            let before = position;
            held.position = held.position.max(page.scanned_to);
            if held.position == before {
                return Ok(());
            }
        }
    }
}

impl<M: Model> Held<M> {
    fn apply(&mut self, recorded: &Recorded) -> Result<(), Refusal> {
        if recorded.position <= self.position {
            return Ok(());
        }
        self.model.fold(recorded).map_err(|error| {
            Refusal::new(
                error.code(),
                format!("at position {}: {error}", recorded.position),
            )
        })?;
        self.position = recorded.position;
        Ok(())
    }
}
