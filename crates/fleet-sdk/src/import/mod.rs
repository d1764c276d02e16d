//! The bulk door: documents in, devices with their twins out.

mod line;
mod run;

use crate::refusal::Refusal;
use crate::{CallError, Caller, Fleet, Service};
use run::Run;

/// What an import does with a device that exists.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Existing {
    /// One that the same line made is counted as present; any other is refused.
    #[default]
    Keep,
    /// Its tags, desired and reported sections become those of the line.
    Replace,
}

/// How an import is run.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ImportOptions {
    /// What happens to devices that exist.
    pub existing: Existing,
    /// Only say what would happen: every line is judged as if those before it had been recorded, which are held in memory for that.
    pub dry_run: bool,
    /// Lines that share a durable point, 1 to 10000.
    pub batch: usize,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            existing: Existing::Keep,
            dry_run: false,
            batch: 1_000,
        }
    }
}

/// How far an import came.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ImportReport {
    /// Lines read, blank ones not counted.
    pub lines: u64,
    /// Bytes of those lines.
    pub bytes: u64,
    /// Devices made.
    pub created: u64,
    /// Devices whose twin was replaced.
    pub replaced: u64,
    /// Devices that were there already, as the line says.
    pub present: u64,
    /// Lines that were refused.
    pub refused: u64,
}

/// Hears of an import while it runs. Every method has a default that ignores it.
pub trait ImportWatch: Send {
    /// A batch is durable (or, in a dry run, judged).
    fn progress(&mut self, _so_far: &ImportReport) {}
    /// A line, counted from 1 with blank ones, was refused.
    fn refused(&mut self, _line: u64, _error: &CallError) {}
    /// What becomes of the device of a line; in a dry run, what would.
    fn done(&mut self, _line: u64, _device: &str, _fate: Fate) {}
}

/// Nobody listens.
impl ImportWatch for () {}

/// What became of a line's device.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Fate {
    /// It was made.
    Created,
    /// Its twin was replaced.
    Replaced,
    /// It was there already, as the line says.
    Present,
}

impl Fleet {
    /// Makes devices from newline-delimited documents, each in either service's shape.
    ///
    /// Lines share durable points; what is acknowledged survives, and running the same lines again
    /// goes on where the first run ended, without duplicates: event ids derive from the lines. A line
    /// that is refused is told to `watch`, and the import goes on.
    ///
    /// # Errors
    /// The store's errors and those of reading `lines` (`import.unreadable`); what was acknowledged stays.
    pub async fn import(
        &self,
        lines: impl IntoIterator<Item = std::io::Result<String>, IntoIter: Send> + Send,
        caller: &Caller,
        options: ImportOptions,
        watch: &mut dyn ImportWatch,
    ) -> Result<ImportReport, CallError> {
        let refused = |refusal: Refusal| refusal.into_error(Service::IotHub);
        let mut run = Run::new(self.begin(caller), options, watch).map_err(refused)?;
        run.lines(lines.into_iter()).await.map_err(refused)?;
        Ok(run.report())
    }
}

/// The codes of imports.
pub const CODES: &[(&str, &str)] = &[
    (
        "import.malformed",
        "a line is no document of a device in either service's shape",
    ),
    ("import.unreadable", "the input cannot be read to its end"),
];
