//! Prints `COUNT` twins of seed 42, one a line: `cargo run -p fleet-generate --example twins -- 1000`.
use std::io::{BufWriter, Write};

fn main() -> std::io::Result<()> {
    let count = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(10);
    let mut out = BufWriter::new(std::io::stdout().lock());
    for n in 0..count {
        writeln!(out, "{}", fleet_generate::twin(42, n))?;
    }
    out.flush()
}
