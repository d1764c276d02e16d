//! `fleet demo`: what the fleet can do, told on a real store; every figure is read back from it.

mod chapters;
mod report;

use clap::Args;
use std::path::PathBuf;

use crate::args::Global;
use crate::failure::Failure;
use crate::output::Out;
use crate::session::Session;
use crate::store::StoreUrl;
use report::Report;

const AFTER: &str = "\
The folder is kept: the demo ends with commands to go on from there, and with how to remove it.

Examples:
  fleet demo
  fleet demo --devices 100000 --seed 7
  fleet demo --folder ./try-it";

/// Tell the whole story on an embedded store in a temporary folder
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Demo {
    /// How many devices, 10 to 10,000,000
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..=10_000_000))]
    devices: u64,
    /// Where to keep the store and the report; a new temporary folder by default
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

impl Demo {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let folder = self.folder()?;
        let store = folder.join("fleet.db");
        if store.exists() {
            return Err(Failure::usage(
                "cli.demo_folder",
                format!(
                    "`{}` holds a store already: name another folder",
                    folder.display()
                ),
            ));
        }
        let global = Global {
            store: StoreUrl::Sqlite(store),
            ..global.clone()
        };
        let mut report = Report::new(Out::new());
        report.title(&format!(
            "A fleet of {} devices, on an embedded store in {}",
            grouped(self.devices),
            folder.display()
        ))?;
        let session = Session::open(&global)?;
        chapters::tell(session, &global, self.devices, &mut report)?;
        report.finish(&folder, &global.store)
    }

    fn folder(&self) -> Result<PathBuf, Failure> {
        if let Some(folder) = &self.folder {
            std::fs::create_dir_all(folder)
                .map_err(|error| Failure::file(&folder.display().to_string(), &error))?;
            return Ok(folder.clone());
        }
        let made = tempfile::Builder::new().prefix("fleet-demo-").tempdir();
        let folder = made.map_err(|error| Failure::file("the temporary folder", &error))?;
        Ok(folder.keep())
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
