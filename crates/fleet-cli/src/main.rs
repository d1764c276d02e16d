//! The `fleet` command: manage, query and replay a device fleet from a terminal or a script.
//!
//! A thin mapping onto `fleet-sdk`: every command is one or more operations of the facade, and what it
//! prints is what they answered. Exit codes: 0 done, 1 refused, 2 usage or unparsable input, 3 the store failed.

#![forbid(unsafe_code)]

mod args;
mod command;
mod documents;
mod failure;
mod input;
mod language;
mod noun;
mod output;
mod progress;
mod schema;
mod session;
mod show;
mod store;
mod table;

use std::process::ExitCode;

/// What the import makes on one thread the store frees on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = args::Fleet::of_command_line();
    let json = arguments.global.json;
    match arguments.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print(json);
            ExitCode::from(failure.exit_code())
        }
    }
}
