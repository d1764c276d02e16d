//! The fields that a text may name, for `check` and `translate`: from a file, from documents, from the fleet itself.

use clap::Args;
use fleet_query::Collection;
use fleet_query::schema::Schema;
use serde_json::Value;

use crate::args::Global;
use crate::documents::{self, BadLines};
use crate::failure::Failure;
use crate::session::Session;

/// Where the known fields come from.
#[derive(Args, Debug)]
pub(crate) struct Known {
    /// Known fields and their kinds: a JSON file like {"tags.floor": "number", "attributes.site": ["text", "null"]};
    /// without it, and with `--store` given, those of the fleet
    #[arg(long, value_name = "FILE", conflicts_with = "twins")]
    schema: Option<String>,
    /// Documents, one a line, that show which fields there are and which kinds they hold
    #[arg(long, value_name = "FILE")]
    twins: Option<String>,
}

impl Known {
    /// The fields of a collection's documents; none where nothing was given.
    pub(crate) fn schema(
        &self,
        global: &Global,
        collection: Collection,
        bad: &mut BadLines,
    ) -> Result<Schema, Failure> {
        if let Some(file) = &self.schema {
            return of_file(file);
        }
        if let Some(file) = &self.twins {
            let mut known = Vec::new();
            documents::each(
                file,
                bad,
                |_| collection,
                |document| {
                    known.push(document);
                    Ok(())
                },
            )?;
            return Ok(Schema::of_documents(&known));
        }
        if global.store_given {
            return of_store(global, collection);
        }
        Ok(Schema::new())
    }
}

fn of_file(file: &str) -> Result<Schema, Failure> {
    let text = crate::input::read_text(file)?;
    let value: Value = serde_json::from_str(&text).map_err(|error| {
        Failure::usage(
            "cli.not_json",
            format!("`{file}` is not a JSON document: {error}"),
        )
    })?;
    Schema::from_json(&value)
        .map_err(|error| Failure::usage(error.code(), format!("`{file}`: {error}")))
}

/// What the fleet holds.
fn of_store(global: &Global, collection: Collection) -> Result<Schema, Failure> {
    global.store.must_exist()?;
    let session = Session::open(global)?;
    Ok(pollster::block_on(session.fleet().schema(collection))?)
}
