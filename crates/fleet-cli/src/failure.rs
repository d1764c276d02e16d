//! How a command ends when it does not end well, and what a person reads then.

use fleet_sdk::CallError;
use serde_json::{Map, Value, json};
use std::io::{self, Write as _};

/// What went wrong, in the words that a person and a script read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problem {
    /// The stable dotted code.
    pub(crate) code: String,
    /// One line, lower case, no final period.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
    /// The error's remaining members where it came from an operation (`name`, `status`, `retryable`, `details`).
    pub(crate) more: Map<String, Value>,
    /// A rendering that points into the user's text and replaces the plain one.
    pub(crate) rendered: Option<String>,
}

impl Problem {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            ..Self::default()
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What a person reads: our own words, also where the service's stand in `message`.
    fn said(&self) -> &str {
        let reason = self.more.get("details").and_then(|all| all.get("reason"));
        reason.and_then(Value::as_str).unwrap_or(&self.message)
    }

    /// The error as the `error` member of a JSON line.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("code".into(), json!(self.code));
        for member in ["name", "status"] {
            if let Some(value) = self.more.get(member) {
                object.insert(member.into(), value.clone());
            }
        }
        object.insert("message".into(), json!(self.message));
        for (member, value) in &self.more {
            object.entry(member.clone()).or_insert(value.clone());
        }
        if let Some(help) = &self.help {
            object.insert("help".into(), json!(help));
        }
        Value::Object(object)
    }
}

/// Why a command stops.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The operation was refused: exit code 1.
    Refused(Problem),
    /// Usage, or input that does not parse: exit code 2.
    Usage(Problem),
    /// The store failed: exit code 3.
    Store(Problem),
    /// Whoever read our output has gone: nothing is left to say, exit code 0.
    ReaderGone,
}

impl Failure {
    pub(crate) fn usage(code: &str, message: impl Into<String>) -> Self {
        Self::Usage(Problem::new(code, message))
    }

    /// A file or stream of the user that cannot be read or written: exit code 2.
    pub(crate) fn file(path: &str, error: &io::Error) -> Self {
        Self::Usage(
            Problem::new("cli.file", format!("`{path}`: {error}"))
                .help("check the path and its permissions; `-` means standard input"),
        )
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Store(_) => 3,
            Self::ReaderGone => 0,
        }
    }

    /// The message alone.
    pub(crate) fn message(&self) -> String {
        self.problem()
            .map(|problem| problem.message.clone())
            .unwrap_or_default()
    }

    fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) | Self::Usage(problem) | Self::Store(problem) => Some(problem),
            Self::ReaderGone => None,
        }
    }

    /// Prints the failure on standard error: for a person, or as one JSON line.
    pub(crate) fn print(&self, as_json: bool) {
        let Some(problem) = self.problem() else {
            return;
        };
        let mut text = String::new();
        let help = problem.help.as_deref().or_else(|| advice(&problem.code));
        if as_json {
            let mut error = problem.to_json();
            if let (Some(error), Some(help)) = (error.as_object_mut(), help) {
                error.insert("help".into(), json!(help));
            }
            text.push_str(&json!({ "error": error }).to_string());
            text.push('\n');
        } else if let Some(rendered) = &problem.rendered {
            text.push_str(rendered.trim_end());
            text.push('\n');
        } else {
            let said = crate::output::printable(problem.said());
            text.push_str(&format!("error[{}]: {said}\n", problem.code));
            if let Some(help) = help {
                text.push_str(&format!("  help: {help}\n"));
            }
        }
        // Nobody is left to tell when standard error is closed too.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

impl From<io::Error> for Failure {
    /// An error of our own standard output.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::ReaderGone
        } else {
            Self::Usage(Problem::new(
                "cli.output",
                format!("cannot write the output: {error}"),
            ))
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let failed_store = is_store_failure(&error.code);
        let problem = problem_of(&error);
        if failed_store {
            Self::Store(problem)
        } else {
            Self::Refused(problem)
        }
    }
}

/// The error of an operation in the shape that the CLI prints.
pub(crate) fn problem_of(error: &CallError) -> Problem {
    let mut more = match serde_json::to_value(error) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    more.remove("code");
    more.remove("message");
    Problem {
        code: error.code.to_string(),
        message: error.message.to_string(),
        help: None,
        more,
        rendered: None,
    }
}

/// Whether a code says that the log itself is in trouble, as opposed to one command.
pub(crate) fn is_store_failure(code: &str) -> bool {
    matches!(
        code,
        "store.corrupt"
            | "store.full"
            | "store.unavailable"
            | "store.unknown"
            | "store.misconfigured"
            | "store.unknown_schema"
    )
}

/// What a person may do about a refused command, where the message alone does not say.
fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "thing.not_found" => "`fleet thing list` shows what is registered",
        "group.not_found" => "`fleet group list` shows the groups",
        "thing_type.not_found" => "`fleet type list` shows the types",
        "billing_group.not_found" => "`fleet billing-group list` shows the billing groups",
        "certificate.not_found" => "`fleet cert list` shows the certificates",
        "twin.not_found" => "`fleet thing create NAME` registers it first",
        "store.conflict" => "somebody else wrote at the same moment; run the command again",
        "store.unavailable" => {
            "another process may have the store open; else check its path and permissions (`--store` names another)"
        }
        "store.corrupt" => {
            "keep a copy; `fleet restore --store sqlite:NEW BACKUP` makes a new store, `--store` names another"
        }
        "store.full" => "free space on the disk; nothing of this command was stored",
        _ => return None,
    })
}
