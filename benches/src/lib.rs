//! Shared parts of the benchmarks.

use std::time::Duration;

/// CPU time of this process, all of its threads together.
///
/// Read from the kernel's clock of the process (`/proc/self/stat` counts only hundredths of a second); on
/// a system without it, zero.
#[must_use]
pub fn cpu_time() -> Duration {
    // `schedstat` gives nanoseconds on the processor of the main thread: the benches here are single-threaded.
    std::fs::read_to_string("/proc/self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .map_or(Duration::ZERO, Duration::from_nanos)
}

/// Peak resident memory of this process in bytes, where the system says (`VmHWM`).
#[must_use]
pub fn peak_memory() -> Option<u64> {
    status_bytes("VmHWM:")
}

/// Resident memory of this process in bytes, where the system says (`VmRSS`).
#[must_use]
pub fn resident_memory() -> Option<u64> {
    status_bytes("VmRSS:")
}

fn status_bytes(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// A number from the environment, or its default.
#[must_use]
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}
