//! ext4 file systems in image files, mounted through loop devices.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// `EXT4_IOC_SHUTDOWN`: `_IOR('X', 125, __u32)`.
const SHUTDOWN: libc::c_ulong = 0x8004_587d;
/// Drops what is not synced, the journal's part too.
const NO_LOG_FLUSH: u32 = 2;

/// A mounted image; unmounted with the value.
#[derive(Debug)]
pub struct Image {
    image: PathBuf,
    mounted: PathBuf,
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let done = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("`{program}`: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&done.stderr);
    Err(format!(
        "`{program} {}`: {}",
        arguments.join(" "),
        text.trim()
    ))
}

/// Why images cannot be mounted here, if so; found out once, by mounting one.
#[must_use]
pub fn unavailable() -> Option<&'static str> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let folder = std::env::temp_dir().join(format!("fleet-probe-{}", std::process::id()));
            let tried = Image::make(&folder, 8, 4_096).map(drop);
            // What is left of the probe does no harm.
            let _ = fs::remove_dir_all(&folder);
            tried
                .err()
                .map(|_| "needs root and loop devices to mount an ext4 image".to_owned())
        })
        .as_deref()
}

impl Image {
    /// Makes and mounts a file system of some megabytes inside `folder`, with blocks of 1,024, 2,048 or 4,096 bytes.
    ///
    /// # Errors
    /// What failed.
    pub fn make(folder: &Path, megabytes: u64, block: u32) -> Result<Self, String> {
        let made = Self {
            image: folder.join("disk.img"),
            mounted: folder.join("disk"),
        };
        let failed = |error: std::io::Error| error.to_string();
        fs::create_dir_all(&made.mounted).map_err(failed)?;
        let file = File::create(&made.image).map_err(failed)?;
        file.set_len(megabytes << 20).map_err(failed)?;
        let (block, image) = (block.to_string(), made.image.to_string_lossy());
        run("mkfs.ext4", &["-q", "-m", "0", "-b", &block, &image])?;
        made.mount()?;
        Ok(made)
    }

    /// Where it is mounted.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.mounted
    }

    fn mount(&self) -> Result<(), String> {
        let (image, mounted) = (self.image.to_string_lossy(), self.mounted.to_string_lossy());
        run("mount", &["-o", "loop", &image, &mounted])
    }

    /// Cuts the power: what was not synced is gone, all further access fails.
    ///
    /// # Errors
    /// What failed.
    pub fn cut(&self) -> Result<(), String> {
        let folder = File::open(&self.mounted).map_err(|error| error.to_string())?;
        let flag = NO_LOG_FLUSH;
        // SAFETY: an open folder of the file system, and a flag of the size that the request takes.
        let done = unsafe { libc::ioctl(folder.as_raw_fd(), SHUTDOWN, &raw const flag) };
        if done == 0 {
            return Ok(());
        }
        Err(std::io::Error::last_os_error().to_string())
    }

    /// Unmounts and mounts again, which replays the file system's journal.
    ///
    /// # Errors
    /// What failed.
    pub fn come_back(&self) -> Result<(), String> {
        self.unmount()?;
        self.mount()
    }

    fn unmount(&self) -> Result<(), String> {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            match run("umount", &[&self.mounted.to_string_lossy()]) {
                Err(_) if Instant::now() < until => std::thread::yield_now(),
                done => return done,
            }
        }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // A mount that cannot be undone is left to the machine.
        let _ = run("umount", &[&self.mounted.to_string_lossy()]);
    }
}
