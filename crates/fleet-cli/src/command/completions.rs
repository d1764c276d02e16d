//! `fleet completions`: what a shell needs to complete `fleet` commands.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output::Out;

const AFTER: &str = "\
Examples:
  fleet completions bash > ~/.local/share/bash-completion/completions/fleet
  fleet completions zsh  > ~/.zfunc/_fleet
  fleet completions fish > ~/.config/fish/completions/fleet.fish";

/// Print the completion script of a shell
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Completions {
    /// Whose script
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(
            self.shell,
            &mut crate::args::Fleet::command(),
            "fleet",
            &mut script,
        );
        let mut out = Out::new();
        out.line(String::from_utf8_lossy(&script).trim_end())?;
        out.flush()
    }
}
