//! `fleet generate`: realistic twins for trying things out.

use clap::Args;

use crate::failure::Failure;
use crate::output::Out;
use crate::progress;

const AFTER: &str = "\
The twins are a function of the seed: skewed tags, missing values, half a percent of strings on a numeric
path, rare keys, arrays, nesting; about 670 bytes each.

Examples:
  fleet generate --devices 1000 --seed 1 > twins.ndjson
  fleet generate --devices 100000 --seed 7 | fleet import -
  fleet query --twins twins.ndjson --format count \"SELECT * FROM devices WHERE tags.region = 'eu-west'\"";

/// Write made-up but realistic twins, one a line
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Generate {
    /// How many devices, 1 to 100,000,000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    devices: u64,
}

impl Generate {
    /// `seed`: the same seed gives the same bytes on every machine.
    pub(crate) fn run(&self, seed: u64) -> Result<(), Failure> {
        let mut out = Out::new();
        let bar = progress::bar("generating", Some(self.devices));
        let mut text = String::new();
        for number in 0..self.devices {
            text.clear();
            fleet_generate::write_twin(seed, number, &mut text);
            out.line(&text)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        out.flush()
    }
}
