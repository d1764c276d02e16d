//! The suite's place for the embedded adapter.

use super::{Harness, How, Place};
use crate::port::{EventStore, StoreError, SystemClock};
use crate::sqlite::{Signalling, SqliteOptions, SqliteStore};
use fleet_model::kernel::TenantId;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// Makes places for [`SqliteStore`] in a folder of their own.
pub struct SqliteHarness {
    folder: PathBuf,
    options: SqliteOptions,
    child: Option<fn(&Path) -> Command>,
    count: AtomicU64,
}

impl SqliteHarness {
    /// Places are made inside `folder`. `child` gives a command whose process opens the file that it is given and
    /// calls [`serve`](super::serve); without it, kills are skipped.
    #[must_use]
    pub fn new(folder: &Path, child: Option<fn(&Path) -> Command>) -> Self {
        Self {
            folder: folder.to_owned(),
            options: SqliteOptions::default(),
            child,
            count: AtomicU64::new(0),
        }
    }

    /// Opens stores with these options.
    #[must_use]
    pub fn options(mut self, options: SqliteOptions) -> Self {
        self.options = options;
        self
    }

    /// A place in the folder.
    ///
    /// # Errors
    /// The file system's.
    pub fn new_place(&self) -> Result<SqlitePlace, String> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        SqlitePlace::make(
            self.folder.join(format!("place-{number}")),
            self.options.clone(),
            self.child,
        )
        .map_err(|error| error.to_string())
    }
}

impl Harness for SqliteHarness {
    fn name(&self) -> String {
        format!("sqlite (SQLite {})", rusqlite::version())
    }

    fn place(&self) -> Result<Box<dyn Place>, String> {
        Ok(Box::new(self.new_place()?))
    }
}

/// A folder with one store; it is removed with the value.
pub struct SqlitePlace {
    folder: PathBuf,
    options: SqliteOptions,
    child: Option<fn(&Path) -> Command>,
    open: Mutex<Weak<SqliteStore>>,
    copies: AtomicU64,
}

impl SqlitePlace {
    fn make(
        folder: PathBuf,
        options: SqliteOptions,
        child: Option<fn(&Path) -> Command>,
    ) -> std::io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            options,
            child,
            open: Mutex::default(),
            copies: AtomicU64::new(0),
        })
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join("fleet.db")
    }
}

impl Drop for SqlitePlace {
    fn drop(&mut self) {
        // What cannot be removed stays in the temporary folder of the run.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Place for SqlitePlace {
    fn open(&self, tenant: &TenantId, how: How) -> Result<Arc<dyn EventStore>, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = open.upgrade()
            && first.tenant() != tenant
        {
            return Ok(Arc::new(first.for_tenant(tenant.clone())?));
        }
        let mut options = self.options.clone();
        if let Some(class) = how.durability {
            options = options.durability(class);
        }
        if how.without_signals {
            options = options
                .signalling(Signalling::PollOnly)
                .poll_interval(Duration::from_millis(5));
        }
        if how.chained {
            options = options.chained();
        }
        let clock = Arc::new(SystemClock);
        let store = SqliteStore::open(self.path(), tenant.clone(), clock, &options)?;
        let store = Arc::new(store);
        *open = Arc::downgrade(&store);
        Ok(store)
    }

    fn keeps(&self) -> bool {
        true
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.path()]
    }

    fn ahead(&self) -> Option<PathBuf> {
        let path = self.folder.join("fleet.db-wal");
        path.exists().then_some(path)
    }

    fn copy(&self) -> Option<Box<dyn Place>> {
        let number = self.copies.fetch_add(1, Ordering::Relaxed);
        let mut folder = self.folder.as_os_str().to_owned();
        folder.push(format!("-copy-{number}"));
        let copy = Self::make(folder.into(), self.options.clone(), None).ok()?;
        for name in ["fleet.db", "fleet.db-wal", "fleet.db-witness"] {
            let from = self.folder.join(name);
            if from.exists() {
                fs::copy(from, copy.folder.join(name)).ok()?;
            }
        }
        Some(Box::new(copy))
    }

    fn child(&self) -> Option<Command> {
        self.child.map(|child| child(&self.path()))
    }

    fn restore(
        &self,
        tenant: &TenantId,
        backup: &[u8],
    ) -> Option<Result<Arc<dyn EventStore>, StoreError>> {
        let restored = SqliteStore::restore(
            self.path(),
            tenant.clone(),
            Arc::new(SystemClock),
            &self.options,
            Cursor::new(backup),
        );
        Some(restored.map(|(store, _)| Arc::new(store) as Arc<dyn EventStore>))
    }

    fn make_newer(&self) -> Option<PathBuf> {
        let path = self.path();
        let mut bytes = fs::read(&path).ok()?;
        // The user version of a SQLite file.
        *bytes.get_mut(63)? = 99;
        fs::write(&path, bytes).ok()?;
        Some(path)
    }
}
