//! The conformance suite's harness with every fault.

use crate::disk::{Image, unavailable};
use crate::layer::FaultLayer;
use fleet_store::conformance::{
    Harness, Place, Power, Rigged, SmallDisk, SqliteHarness, SqlitePlace,
};
use fleet_store::port::Durability;
use fleet_store::sqlite::SqliteOptions;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

type Child = fn(&Path) -> Command;

/// The embedded adapter, with failing files, a small disk and power cuts.
pub struct FaultHarness {
    folder: PathBuf,
    plain: SqliteHarness,
    child: Child,
    lazy_child: Child,
    block: u32,
    count: AtomicU64,
}

impl FaultHarness {
    /// Works inside `folder`. `child` gives a command that serves the store at a path; `lazy_child` the
    /// same with class `Process`.
    #[must_use]
    pub fn new(folder: &Path, child: Child, lazy_child: Child) -> Self {
        Self {
            folder: folder.to_owned(),
            plain: SqliteHarness::new(&folder.join("plain"), Some(child)),
            child,
            lazy_child,
            block: 4_096,
            count: AtomicU64::new(0),
        }
    }

    /// With blocks of so many bytes on the small disk, 4,096 if it is not told.
    #[must_use]
    pub fn block(self, bytes: u32) -> Self {
        Self {
            block: bytes,
            ..self
        }
    }

    fn fresh(&self, what: &str) -> PathBuf {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        self.folder.join(format!("{what}-{number}"))
    }

    fn machine(&self, options: SqliteOptions, child: Child) -> Result<Box<dyn Power>, String> {
        if let Some(reason) = unavailable() {
            return Err(reason.to_owned());
        }
        let folder = self.fresh("power");
        let image = Image::make(&folder, 48, 4_096)?;
        let harness = SqliteHarness::new(image.folder(), Some(child)).options(options);
        Ok(Box::new(Machine {
            place: harness.new_place()?,
            image,
            folder,
        }))
    }
}

impl Harness for FaultHarness {
    fn name(&self) -> String {
        format!("{}, with faults", self.plain.name())
    }

    fn place(&self) -> Result<Box<dyn Place>, String> {
        self.plain.place()
    }

    fn injector(&self) -> Result<Rigged, String> {
        let layer = FaultLayer::register()?;
        let options = SqliteOptions::default().vfs(layer.name());
        let harness = SqliteHarness::new(&self.fresh("layer"), None).options(options);
        Ok((Box::new(harness.new_place()?), Arc::new(layer)))
    }

    fn small_disk(&self) -> Result<Box<dyn SmallDisk>, String> {
        if let Some(reason) = unavailable() {
            return Err(reason.to_owned());
        }
        let folder = self.fresh("small");
        let image = Image::make(&folder, 20, self.block)?;
        let ballast = ["ballast-1", "ballast-2"].map(|name| image.folder().join(name));
        for file in &ballast {
            fs::write(file, vec![b'x'; 4 << 20]).map_err(|error| error.to_string())?;
        }
        let harness = SqliteHarness::new(image.folder(), None);
        Ok(Box::new(Small {
            place: harness.new_place()?,
            ballast,
            _image: image,
            folder,
        }))
    }

    fn power(&self) -> Result<Box<dyn Power>, String> {
        self.machine(SqliteOptions::default(), self.child)
    }

    fn power_without_syncs(&self) -> Result<Box<dyn Power>, String> {
        let lazy = SqliteOptions::default().durability(Durability::Process);
        self.machine(lazy, self.lazy_child)
    }
}

struct Small {
    place: SqlitePlace,
    ballast: [PathBuf; 2],
    _image: Image,
    folder: PathBuf,
}

struct Machine {
    place: SqlitePlace,
    image: Image,
    folder: PathBuf,
}

impl SmallDisk for Small {
    fn place(&self) -> &dyn Place {
        &self.place
    }

    fn free(&self) -> Result<(), String> {
        let left = self.ballast.iter().find(|file| file.exists());
        let left = left.ok_or("nothing is left to be freed")?;
        fs::remove_file(left).map_err(|error| error.to_string())
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // The image is unmounted after this; its folder is in the temporary folder of the run.
        let _ = fs::remove_file(self.folder.join("disk.img"));
    }
}

impl Power for Machine {
    fn place(&self) -> &dyn Place {
        &self.place
    }

    fn cut(&mut self) -> Result<(), String> {
        self.image.cut()
    }

    fn come_back(&mut self) -> Result<(), String> {
        self.image.come_back()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // As above.
        let _ = fs::remove_file(self.folder.join("disk.img"));
    }
}
