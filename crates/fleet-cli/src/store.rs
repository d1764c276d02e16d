//! Store URLs: which log a command works on.

use fleet_model::kernel::TenantId;
use fleet_sdk::source::Clock as _;
use fleet_store::memory::MemoryStore;
use fleet_store::port::{BackupSummary, Clock, Corruption, EventStore, StoreError};
use fleet_store::sqlite::{SqliteFollower, SqliteOptions, SqliteStore};
use std::fmt;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use crate::args::Global;
use crate::failure::{Failure, Problem};
use crate::session::SessionClock;

/// Where the fleet's log lives.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum StoreUrl {
    /// `memory:`: gone when the command ends.
    Memory,
    /// `sqlite:PATH`: the embedded store in one file.
    Sqlite(PathBuf),
    /// A server whose adapter is a crate of its own.
    Server {
        scheme: &'static str,
        adapter: &'static str,
    },
}

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = "known forms: `memory:`, `sqlite:PATH`, `nats://…`, `postgres://…`";
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(format!(
                "`{text}` has no scheme; {known}; did you mean `sqlite:{text}`?"
            ));
        };
        match scheme {
            "memory" if rest.is_empty() => Ok(Self::Memory),
            "memory" => Err(format!(
                "`memory:` takes nothing after the colon, found `{rest}`"
            )),
            "sqlite" => {
                // `sqlite:///abs` and `sqlite://rel` are written by people who know URLs.
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if path.is_empty() {
                    Err("`sqlite:` needs a path, as in `sqlite:fleet.db`".to_owned())
                } else {
                    Ok(Self::Sqlite(PathBuf::from(path)))
                }
            }
            "nats" => Ok(Self::Server {
                scheme: "nats",
                adapter: "fleet-store-nats",
            }),
            "postgres" | "postgresql" => Ok(Self::Server {
                scheme: "postgres",
                adapter: "fleet-store-postgres",
            }),
            other => Err(format!("unknown store scheme `{other}`; {known}")),
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Server { scheme, .. } => write!(f, "{scheme}:"),
        }
    }
}

impl StoreUrl {
    /// Where the index of a store is saved: a folder beside its file.
    pub(crate) fn index_folder(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite(path) => {
                let mut folder = path.clone().into_os_string();
                folder.push(".index");
                Some(folder.into())
            }
            Self::Memory | Self::Server { .. } => None,
        }
    }

    /// Refuses a store that is not there, for commands that only read.
    ///
    /// Opening would make an empty one, and a mistyped path would look like an empty fleet.
    pub(crate) fn must_exist(&self) -> Result<(), Failure> {
        match self {
            Self::Sqlite(path) if !path.exists() => Err(absent(path)),
            _ => Ok(()),
        }
    }
}

/// Refuses a path at which no store can be, before anything is made beside it.
fn can_be_at(path: &Path) -> Result<(), Failure> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let problem = if path.is_dir() {
        let inside = path.join("fleet.db");
        Problem::new("cli.file", format!("`{}` is a folder", path.display())).help(format!(
            "name a file: `--store sqlite:{}`",
            inside.display()
        ))
    } else if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        Problem::new(
            "cli.file",
            format!("there is no folder `{}`", folder.display()),
        )
        .help("make it, or name another file with `--store sqlite:PATH`")
    } else {
        return Ok(());
    };
    Err(Failure::Store(problem))
}

/// The failure of a store that is not there.
pub(crate) fn absent(path: &Path) -> Failure {
    Failure::Store(
        Problem::new("cli.store_absent", format!("there is no store at `{}`", path.display()))
            .help("`fleet thing create NAME` or `fleet import FILE` makes one; `--store sqlite:PATH` names another"),
    )
}

/// The failure of a store whose adapter is not in this binary.
pub(crate) fn not_built_in(scheme: &str, adapter: &str) -> Failure {
    Failure::Store(
        Problem::new(
            "cli.store_not_built_in",
            format!("this `fleet` has no adapter for `{scheme}:` stores"),
        )
        .help(format!(
            "the adapter is the crate `{adapter}`; embed `fleet-sdk` over it, or use `sqlite:PATH` here"
        )),
    )
}

/// Opens the store of the global options; a file that is not there is made.
pub(crate) fn open(global: &Global, clock: &SessionClock) -> Result<Arc<dyn EventStore>, Failure> {
    let tenant: TenantId = tenant(global)?;
    let recorded: Arc<dyn Clock> = Arc::new({
        let clock = clock.clone();
        move || clock.now()
    });
    match &global.store {
        StoreUrl::Memory => Ok(Arc::new(MemoryStore::new(tenant, recorded))),
        StoreUrl::Sqlite(path) => {
            can_be_at(path)?;
            let options = SqliteOptions::default();
            Ok(Arc::new(
                SqliteStore::open(path, tenant, recorded, &options).map_err(failed)?,
            ))
        }
        StoreUrl::Server { scheme, adapter } => Err(not_built_in(scheme, adapter)),
    }
}

/// Opens the store of the global options to read from it only, also while another process writes it.
pub(crate) fn follow(global: &Global) -> Result<Arc<dyn EventStore>, Failure> {
    global.store.must_exist()?;
    match &global.store {
        StoreUrl::Sqlite(path) => {
            can_be_at(path)?;
            let follower = SqliteFollower::open(path, tenant(global)?, &SqliteOptions::default());
            Ok(Arc::new(follower.map_err(failed)?))
        }
        _ => open(global, &SessionClock::of(global.seed)),
    }
}

/// Makes a store in a file from a backup.
pub(crate) fn restore(
    path: &Path,
    global: &Global,
    source: impl Read + Seek,
) -> Result<BackupSummary, Failure> {
    can_be_at(path)?;
    let clock = SessionClock::of(global.seed);
    let recorded: Arc<dyn Clock> = Arc::new(move || clock.now());
    let options = SqliteOptions::default();
    let restored = SqliteStore::restore(path, tenant(global)?, recorded, &options, source);
    restored.map(|(_, summary)| summary).map_err(|error| {
        let of_backup = matches!(&error, StoreError::Corrupt(Corruption::Malformed { place, .. }) if place == "backup");
        match failed(error) {
            Failure::Store(problem) if of_backup => Failure::Store(
                problem.help("the file is damaged or no backup; nothing was restored: take another one"),
            ),
            other => other,
        }
    })
}

fn tenant(global: &Global) -> Result<TenantId, Failure> {
    global
        .tenant
        .parse()
        .map_err(|error: fleet_model::kernel::NameError| {
            Failure::usage("cli.tenant", error.to_string())
        })
}

/// The failure of a store's error.
pub(crate) fn failed(error: StoreError) -> Failure {
    Failure::Store(Problem::new(error.code(), error.to_string()))
}
