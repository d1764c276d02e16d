//! Shared parts of the benchmarks.

use std::time::Duration;

/// The CPU time that this thread has taken, from the kernel's clock of the thread (`/proc` tells it tick by tick only).
#[must_use]
pub fn cpu_time() -> Duration {
    let taken = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(taken.tv_sec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(taken.tv_nsec).unwrap_or(0))
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
