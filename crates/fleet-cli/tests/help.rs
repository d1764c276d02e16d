//! Help that teaches: every command has a description and an example, and its text is pinned.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests stop at the first surprise"
)]

mod common;

use common::{Place, pinned, testdata};
use std::collections::BTreeSet;

/// The commands below `path`, as its `--help` lists them.
fn commands(place: &Place, path: &[String]) -> Vec<String> {
    let help = place
        .run(path.iter().map(String::as_str).chain(["--help"]))
        .ok()
        .stdout;
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.trim().is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_teaches() {
    let place = Place::new();
    let names = commands(&place, &[]);
    assert!(names.len() >= 20, "{names:?}");
    let mut all = String::new();
    for name in &names {
        let path = vec![name.clone()];
        let help = place.run([name.as_str(), "--help"]).ok().stdout;
        assert!(
            help.contains("Examples:\n  fleet "),
            "`fleet {name} --help` shows no example"
        );
        let own = help.split("Global options:").next().unwrap();
        all.push_str(&format!("## fleet {name}\n\n{}\n\n", own.trim_end()));
        for verb in commands(&place, &path) {
            let help = place
                .run([name.as_str(), verb.as_str(), "--help"])
                .ok()
                .stdout;
            let about = help.lines().next().unwrap();
            assert!(
                !about.starts_with("Usage"),
                "`fleet {name} {verb}` says nothing of itself"
            );
        }
    }
    pinned(&testdata("help.txt"), &all);
}

/// `docs/cli.md` has a section with an example for every command, and every `fleet …` in it is a command.
#[test]
fn the_manual_is_complete() {
    let manual =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md")).unwrap();
    let place = Place::new();
    let names: BTreeSet<String> = commands(&place, &[]).into_iter().collect();
    let shown: BTreeSet<String> = manual
        .lines()
        .filter_map(|line| line.strip_prefix("### `fleet "))
        .map(|rest| rest.trim_end_matches('`').to_owned())
        .collect();
    assert_eq!(
        names, shown,
        "sections of docs/cli.md and commands of `fleet`"
    );
    for section in manual.split("\n### `fleet ").skip(1) {
        let name = section.split('`').next().unwrap();
        assert!(
            section.contains(&format!("fleet {name}")) && section.contains("```"),
            "no example of `fleet {name}`"
        );
    }
    let mut checked = BTreeSet::new();
    for line in manual
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("fleet "))
    {
        let words: Vec<&str> = line
            .split_whitespace()
            .filter(|word| !word.starts_with('-'))
            .collect();
        let name = words.first().copied().unwrap_or_default();
        if name.contains(':') {
            continue;
        }
        assert!(names.contains(name), "docs/cli.md names `fleet {name}`");
        let verbs = commands(&place, &[name.to_owned()]);
        if !verbs.is_empty() {
            let verb = words.get(1).copied().unwrap_or_default();
            assert!(
                verbs.iter().any(|known| known == verb),
                "docs/cli.md names `fleet {name} {verb}`"
            );
        }
        checked.insert(name.to_owned());
    }
    assert_eq!(checked, names, "every command has an example line");
}

#[test]
fn usage_errors_exit_2_and_name_the_mistake() {
    let place = Place::new();
    for (args, text) in [
        (&["thing", "creat", "x"][..], "creat"),
        (&["thing", "create"][..], "<NAME>"),
        (
            &["thing", "create", "x", "--attr", "novalue"][..],
            "NAME=VALUE",
        ),
        (
            &["--store", "fleet.db", "thing", "list"][..],
            "did you mean `sqlite:fleet.db`",
        ),
        (
            &["--store", "redis://x", "thing", "list"][..],
            "unknown store scheme `redis`",
        ),
        (&["generate"][..], "--devices"),
        (&["generate", "--devices", "0"][..], "1..="),
        (&["twin", "update", "x"][..], "--tag"),
        (&["query"][..], "QUERY"),
        (&["query", "--dialect", "sql", "x"][..], "iothub-modules"),
    ] {
        let run = place.run(args);
        assert_eq!(run.code, 2, "{args:?}: {run:?}");
        assert!(run.stderr.contains(text), "{args:?}: {}", run.stderr);
        assert!(run.stdout.is_empty());
    }
    assert_eq!(place.run::<&str>([]).code, 2);
    assert_eq!(
        std::fs::read_dir(place.path(".")).unwrap().count(),
        0,
        "a usage error makes no file"
    );
}

#[test]
fn completions_name_the_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.run(["completions", shell]).ok().stdout;
        assert!(
            script.contains("billing-group") && script.contains("generate"),
            "{shell}"
        );
    }
}

/// A reader that goes away ends the command without a word.
#[test]
fn a_closed_pipe_is_no_panic() {
    use std::io::Read as _;
    let place = Place::new();
    let mut child = place
        .command()
        .args(["generate", "--devices", "100000"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut some = [0; 100];
    stdout.read_exact(&mut some).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn stores_that_are_not_there_or_not_built_in_exit_3() {
    let place = Place::new();
    let run = place.run(["thing", "list"]);
    assert_eq!(run.code, 3);
    assert!(
        run.stderr
            .starts_with("error[cli.store_absent]: there is no store at `fleet.db`"),
        "{}",
        run.stderr
    );
    for (url, adapter) in [
        ("nats://127.0.0.1", "fleet-store-nats"),
        ("postgres://h/db", "fleet-store-postgres"),
    ] {
        let run = place.run(["--store", url, "thing", "list"]);
        assert_eq!(run.code, 3);
        assert!(
            run.stderr.contains("cli.store_not_built_in") && run.stderr.contains(adapter),
            "{}",
            run.stderr
        );
    }
    let run = place.run(["--json", "thing", "list"]);
    let error: serde_json::Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(error["error"]["code"], "cli.store_absent");
    assert_eq!(
        std::fs::read_dir(place.path(".")).unwrap().count(),
        0,
        "reading makes no store"
    );
}

/// Every code in the sources stands in the manual's table, and no other.
#[test]
fn the_codes_of_the_command_are_documented() {
    fn collect(folder: &std::path::Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let quoted = text.split('"');
            let is_code = |text: &&str| {
                let name = text
                    .strip_prefix("cli.")
                    .or_else(|| text.strip_prefix("exec."));
                name.is_some_and(|name| {
                    !name.is_empty()
                        && name
                            .bytes()
                            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
                })
            };
            found.extend(quoted.filter(is_code).map(str::to_owned));
        }
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut used = BTreeSet::new();
    collect(&root.join("src"), &mut used);
    let manual = std::fs::read_to_string(root.join("../../docs/cli.md")).unwrap();
    let listed: BTreeSet<String> = manual
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.starts_with("cli.") || name.starts_with("exec."))
        .map(str::to_owned)
        .collect();
    assert_eq!(used, listed);
}
