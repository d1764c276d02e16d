//! A fleet behind standard input and output: `OPERATION JSON` per line, an answer per line.
//!
//! ```sh
//! echo 'CreateThing {"thingName":"press-7"}' | cargo run -p fleet-examples --example lines
//! ```

use fleet_model::kernel::Actor;
use fleet_sdk::{Caller, Fleet};
use serde_json::{Value, json};
use std::error::Error;
use std::io::{BufRead as _, Write as _};

/// The answer to a line.
fn answer(fleet: &Fleet, caller: &Caller, line: &str) -> Value {
    let (operation, params) = line.trim().split_once(' ').unwrap_or((line.trim(), "{}"));
    let params = match serde_json::from_str(params) {
        Ok(params) => params,
        Err(error) => {
            return json!({"error": {"code": "lines.not_json", "message": error.to_string()}});
        }
    };
    let outcome = pollster::block_on(fleet.call_json(operation, params, caller));
    match outcome.result {
        Ok(answer) => json!({ "ok": answer }),
        Err(error) => json!({ "error": error }),
    }
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let fleet = fleet_examples::fleet_in_memory()?;
    let caller = Caller::new("user:terminal".parse::<Actor>()?);
    let mut stdout = std::io::stdout().lock();
    let mut asked = 0_usize;
    for line in std::io::stdin().lock().lines() {
        writeln!(stdout, "{}", answer(&fleet, &caller, &line?))?;
        stdout.flush()?;
        asked += 1;
    }
    if asked == 0 {
        // Nobody asks: show it.
        for line in [
            r#"CreateThing {"thingName":"press-7"}"#,
            r#"UpdateTwin {"deviceId":"press-7","body":{"tags":{"site":"b2"}}}"#,
            r#"QueryTwins {"query":"SELECT * FROM devices WHERE tags.site = 'b2'"}"#,
            "MakeCoffee",
        ] {
            writeln!(stdout, "> {line}\n{}", answer(&fleet, &caller, line))?;
        }
    }
    Ok(())
}
