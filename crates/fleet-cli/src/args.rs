//! The command line's grammar: global options and the list of commands.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::ffi::OsString;

use crate::command;
use crate::failure::Failure;
use crate::input::not_utf8;
use crate::noun;
use crate::store::StoreUrl;

const AFTER: &str = "\
Examples:
  fleet demo                                        the whole story, in a temporary folder
  fleet thing create press-7 --attr site=b2         register a thing in ./fleet.db
  fleet group create plant && fleet group add plant press-7
  fleet query \"SELECT * FROM devices WHERE tags.site = 'b2'\"
  fleet query --dialect aws 'thingName:press-*' --format ids
  fleet exec script.ndjson --seed 1                 drive it by a script

Exit codes: 0 done, 1 refused, 2 usage or unparsable input, 3 the store failed.";

/// Manage, query and replay a device fleet.
#[derive(Debug, Parser)]
#[command(name = "fleet", version, after_help = AFTER, arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Fleet {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The fleet's log: `memory:`, `sqlite:PATH`, `nats://…`, `postgres://…`
    #[arg(
        long,
        global = true,
        value_name = "URL",
        default_value = "sqlite:fleet.db",
        env = "FLEET_STORE"
    )]
    pub(crate) store: StoreUrl,
    /// Whether `--store` or its variable was given, for commands that need no store
    #[arg(skip)]
    pub(crate) store_given: bool,
    /// Answer in JSON, errors too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Ids from this seed and a logical clock from 2026-01-01T00:00:00Z: the same input gives the same output
    #[arg(long, global = true, value_name = "N", env = "FLEET_SEED")]
    pub(crate) seed: Option<u64>,
    /// The principal that events name
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        default_value = "user:cli",
        env = "FLEET_ACTOR"
    )]
    pub(crate) actor: String,
    /// The account of ARNs
    #[arg(
        long,
        global = true,
        value_name = "DIGITS",
        default_value = "123456789012",
        hide_short_help = true
    )]
    pub(crate) account: String,
    /// The region of ARNs
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        default_value = "us-east-1",
        hide_short_help = true
    )]
    pub(crate) region: String,
    /// The tenant whose log is opened
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        default_value = "default",
        hide_short_help = true
    )]
    pub(crate) tenant: String,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(command::demo::Demo),
    Thing(noun::thing::Thing),
    Group(noun::group::Group),
    Twin(noun::twin::Twin),
    Shadow(noun::shadow::Shadow),
    Type(noun::thing_type::ThingType),
    BillingGroup(noun::billing_group::BillingGroup),
    Cert(noun::cert::Cert),
    Device(noun::device::Device),
    Module(noun::module::Module),
    Tag(noun::tag::Tag),
    Query(command::query::Query),
    Check(command::check::Check),
    Explain(command::explain::Explain),
    Translate(command::translate::Translate),
    Match(command::r#match::Match),
    Watch(command::watch::Watch),
    Crypto(command::crypto::Crypto),
    Call(command::call::Call),
    Exec(command::exec::Exec),
    Events(command::events::Events),
    Import(command::import::Import),
    Export(command::export::Export),
    Verify(command::verify::Verify),
    Backup(command::backup::Backup),
    Restore(command::backup::Restore),
    Generate(command::generate::Generate),
    Completions(command::completions::Completions),
}

/// Ends the process where an argument is no text.
fn end_at_bytes() {
    let wrong = |argument: &OsString| std::str::from_utf8(argument.as_encoded_bytes()).err();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let as_json = arguments.iter().any(|argument| argument == "--json");
    let mut numbered = arguments.iter().enumerate();
    if let Some((number, error)) = numbered.find_map(|(number, one)| Some((number, wrong(one)?))) {
        let problem = not_utf8(&format!("argument {number} is "), error.valid_up_to());
        let failure = Failure::Usage(problem);
        failure.print(as_json);
        std::process::exit(i32::from(failure.exit_code()));
    }
}

impl Fleet {
    /// What the command line says; ends the process with help or a usage error where it says nothing runnable.
    pub(crate) fn of_command_line() -> Self {
        let matches = Self::command().try_get_matches().unwrap_or_else(|error| {
            if error.kind() == ErrorKind::InvalidUtf8 {
                end_at_bytes();
            }
            error.exit()
        });
        let store_given = matches
            .value_source("store")
            .is_some_and(|source| source != ValueSource::DefaultValue);
        let mut fleet = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        fleet.global.store_given = store_given;
        fleet
    }

    /// Runs the command.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let global = self.global;
        match self.command {
            Command::Call(call) => call.run(&global),
            Command::Exec(exec) => exec.run(&global),
            Command::Crypto(crypto) => crypto.run(&global),
            Command::Thing(thing) => noun::run(&global, thing.action),
            Command::Group(group) => noun::run(&global, group.action),
            Command::Twin(twin) => noun::run(&global, twin.action),
            Command::Shadow(shadow) => noun::run(&global, shadow.action),
            Command::Type(thing_type) => noun::run(&global, thing_type.action),
            Command::BillingGroup(group) => noun::run(&global, group.action),
            Command::Cert(cert) => {
                let action = cert.action.in_account(&global.account, &global.region);
                noun::run(&global, action)
            }
            Command::Device(device) => noun::run(&global, device.action),
            Command::Module(module) => noun::run(&global, module.action),
            Command::Tag(tag) => noun::run(&global, tag.action),
            Command::Demo(demo) => demo.run(&global),
            Command::Explain(explain) => explain.run(&global),
            Command::Restore(restore) => restore.run(&global),
            Command::Translate(translate) => translate.run(&global),
            Command::Import(import) => import.run(&global),
            Command::Export(export) => export.run(&global),
            Command::Verify(verify) => verify.run(&global),
            Command::Query(query) => query.run(&global),
            Command::Check(check) => check.run(&global),
            Command::Match(matching) => matching.run(&global),
            Command::Watch(watch) => watch.run(&global),
            Command::Events(events) => events.run(&global),
            Command::Backup(backup) => backup.run(&global),
            Command::Generate(generate) => generate.run(global.seed.unwrap_or(1)),
            Command::Completions(completions) => completions.run(),
        }
    }
}
