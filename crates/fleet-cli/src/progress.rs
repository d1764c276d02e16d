//! Progress bars: on standard error, and only when that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::time::Duration;

/// A bar over the bytes of a file.
pub(crate) fn bytes(what: &'static str, total: Option<u64>) -> ProgressBar {
    let bar = bar(what, total);
    if total.is_some()
        && let Ok(style) = ProgressStyle::with_template(
            "{msg:>12} [{bar:32}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        )
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

/// A bar over `total` steps, or a spinner where the total is not known.
///
/// It draws nothing when standard error is not a terminal.
pub(crate) fn bar(what: &'static str, total: Option<u64>) -> ProgressBar {
    let visible = std::io::stderr().is_terminal();
    let bar = match total {
        Some(total) => ProgressBar::new(total),
        None => ProgressBar::new_spinner(),
    };
    bar.set_draw_target(if visible {
        ProgressDrawTarget::stderr_with_hz(10)
    } else {
        ProgressDrawTarget::hidden()
    });
    let template = if total.is_some() {
        "{msg:>12} [{bar:32}] {human_pos}/{human_len} {per_sec} {eta}"
    } else {
        "{msg:>12} {spinner} {human_pos} {per_sec}"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(what);
    if visible {
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    bar
}
