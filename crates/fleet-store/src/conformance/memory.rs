//! The suite's place for the in-memory adapter.

use super::{Harness, How, Place};
use crate::memory::MemoryStore;
use crate::port::{BackupSummary, Durability, EventStore, StoreError, SystemClock};
use fleet_model::kernel::TenantId;
use std::io::Cursor;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Makes places for [`MemoryStore`].
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryHarness;

impl Harness for MemoryHarness {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn place(&self) -> Result<Box<dyn Place>, String> {
        Ok(Box::new(MemoryPlace::default()))
    }
}

/// Remembers the open store, so that a second opening finds the same log.
#[derive(Default)]
struct MemoryPlace(Mutex<Option<(MemoryStore, Weak<MemoryStore>)>>);

impl Place for MemoryPlace {
    fn open(&self, tenant: &TenantId, how: How) -> Result<Arc<dyn EventStore>, StoreError> {
        if how.without_signals {
            return Err(StoreError::Unsupported {
                what: "suppressed signals",
            });
        }
        if how
            .durability
            .is_some_and(|class| class != Durability::Volatile)
        {
            return Err(StoreError::Unsupported {
                what: "another class than volatile",
            });
        }
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((first, open)) = held.as_ref()
            && open.upgrade().is_some()
        {
            return Ok(Arc::new(first.for_tenant(tenant.clone())));
        }
        let clock = Arc::new(SystemClock);
        let store = if how.chained {
            MemoryStore::chained(tenant.clone(), clock)
        } else {
            MemoryStore::new(tenant.clone(), clock)
        };
        let handle = Arc::new(store.clone());
        *held = Some((store, Arc::downgrade(&handle)));
        Ok(handle)
    }

    fn restore(
        &self,
        tenant: &TenantId,
        backup: &[u8],
    ) -> Option<Result<Arc<dyn EventStore>, StoreError>> {
        let restored =
            MemoryStore::restore(tenant.clone(), Arc::new(SystemClock), Cursor::new(backup));
        let handle =
            |(store, _): (MemoryStore, BackupSummary)| Arc::new(store) as Arc<dyn EventStore>;
        Some(restored.map(handle))
    }
}
