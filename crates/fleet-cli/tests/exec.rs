//! `fleet exec`: the golden script, the scripts of every noun, and lines that are no commands.

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
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

fn exec(store: &str, script: &std::path::Path) -> common::Run {
    let place = Place::new();
    place
        .run([
            "exec",
            "--store",
            store,
            "--seed",
            "42",
            script.to_str().unwrap(),
        ])
        .ok()
}

/// Every script of `tests/scripts/` twice, in memory and in a file: one output, which is pinned.
#[test]
fn scripts_give_the_pinned_output_on_every_store() {
    let mut scripts: Vec<_> = std::fs::read_dir(testdata("scripts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "ndjson")
        })
        .collect();
    scripts.sort();
    assert!(scripts.len() >= 11);
    for script in scripts {
        let first = exec("sqlite:one.db", &script);
        let second = exec("sqlite:two.db", &script);
        assert_eq!(first.stdout, second.stdout, "{}", script.display());
        assert_eq!(
            first.stdout,
            exec("memory:", &script).stdout,
            "{}",
            script.display()
        );
        pinned(&script.with_extension("golden"), &first.stdout);
    }
}

/// Every operation of `--list` stands in a script, done at least once and refused at least once.
#[test]
fn every_operation_is_done_and_refused_in_a_script() {
    let mut seen: BTreeSet<(String, bool)> = BTreeSet::new();
    let scripts = std::fs::read_dir(testdata("scripts")).unwrap();
    for script in scripts.map(|entry| entry.unwrap().path()) {
        if script.extension().is_none_or(|found| found != "ndjson") {
            continue;
        }
        let questions = std::fs::read_to_string(&script).unwrap();
        let answers = std::fs::read_to_string(script.with_extension("golden")).unwrap();
        for (question, answer) in questions.lines().zip(answers.lines()) {
            let Ok(Value::Object(question)) = serde_json::from_str(question) else {
                continue;
            };
            let answer: Value = serde_json::from_str(answer).unwrap();
            let Some(op) = question.get("op").and_then(Value::as_str) else {
                continue;
            };
            if let Ok(info) = fleet_sdk::Fleet::operation(op, None) {
                let name = format!("{} {}", info.service, info.name);
                seen.insert((name, answer.get("ok").is_some()));
            }
        }
    }
    let mut missing = Vec::new();
    for info in fleet_sdk::Fleet::operations() {
        let name = format!("{} {}", info.service, info.name);
        for (done, what) in [(true, "done"), (false, "refused")] {
            if !seen.contains(&(name.clone(), done)) {
                missing.push(format!("{name} is never {what}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The golden script is what the first issue asks of it: 40 operations and more, refused ones among them.
#[test]
fn the_golden_script_is_long_and_has_refusals() {
    let run = exec("memory:", &testdata("scripts/golden.ndjson"));
    let lines = run.json_lines();
    assert!(lines.len() >= 40, "{}", lines.len());
    let refused = lines
        .iter()
        .filter(|line| line.get("error").is_some())
        .count();
    assert!(refused >= 8, "{refused}");
    let ids: BTreeSet<&str> = lines
        .iter()
        .filter_map(|line| line["events"].as_array())
        .flatten()
        .map(|event| event["id"].as_str().unwrap())
        .collect();
    let events = lines
        .iter()
        .filter_map(|line| line["events"].as_array())
        .flatten()
        .count();
    assert_eq!(ids.len(), events, "event ids are unique");
    let position = |event: &Value| event["position"].as_u64().unwrap();
    let positions: Vec<u64> = lines
        .iter()
        .filter_map(|line| line["events"].as_array())
        .flatten()
        .map(position)
        .collect();
    assert!(positions.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn the_logical_clock_moves_a_millisecond_per_line() {
    let place = Place::new();
    let script = r#"{"op":"CreateThing","params":{"thingName":"a"}}
not json
{"op":"CreateThing","params":{"thingName":"b"}}
{"op":"CreateThing","params":{"thingName":"c"},"at":"2026-03-01T00:00:00Z"}
"#;
    let run = place
        .feed(["exec", "--store", "memory:", "--seed", "7"], script)
        .ok();
    let lines = run.json_lines();
    let first = |line: usize| lines[line]["events"][0].clone();
    assert_eq!(first(0)["occurredAt"], "2026-01-01T00:00:00.000000Z");
    assert_eq!(first(0)["recordedAt"], "2026-01-01T00:00:00.000000Z");
    assert_eq!(first(2)["occurredAt"], "2026-01-01T00:00:00.002000Z");
    assert_eq!(first(2)["recordedAt"], "2026-01-01T00:00:00.002000Z");
    assert_eq!(first(3)["occurredAt"], "2026-03-01T00:00:00.000000Z");
    assert_eq!(first(3)["recordedAt"], "2026-01-01T00:00:00.003000Z");
}

#[test]
fn a_seed_used_again_on_the_same_store_makes_new_ids() {
    let place = Place::new();
    let thing = |name: &str| {
        format!("{{\"op\":\"CreateThing\",\"params\":{{\"thingName\":\"{name}\"}}}}\n")
    };
    let args = ["exec", "--store", "sqlite:f.db", "--seed", "7"];
    let one = place.feed(args, thing("a")).ok().json_lines();
    let two = place.feed(args, thing("b")).ok().json_lines();
    assert!(two[0].get("ok").is_some(), "{two:?}");
    assert_ne!(one[0]["events"][0]["id"], two[0]["events"][0]["id"]);
    assert_ne!(one[0]["ok"]["thingId"], two[0]["ok"]["thingId"]);
}

/// One answer per line, whatever the line is; the run goes on.
#[test]
fn bad_lines_are_error_lines() {
    let place = Place::new();
    let deep = "[".repeat(100_000);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "exec.malformed_line"),
        (b"{".to_vec(), "exec.malformed_line"),
        (b"null".to_vec(), "exec.malformed_line"),
        (b"[1]".to_vec(), "exec.malformed_line"),
        (b"{}".to_vec(), "exec.malformed_line"),
        (br#"{"op":7}"#.to_vec(), "exec.malformed_line"),
        (
            br#"{"op":"ListThings","params":[]}"#.to_vec(),
            "exec.malformed_line",
        ),
        (
            br#"{"op":"ListThings","what":1}"#.to_vec(),
            "exec.malformed_line",
        ),
        (
            br#"{"op":"ListThings","op":"ListThings"}"#.to_vec(),
            "exec.malformed_line",
        ),
        (
            br#"{"op":"ListThings","service":"mqtt"}"#.to_vec(),
            "exec.malformed_line",
        ),
        (
            br#"{"op":"ListThings","at":"yesterday"}"#.to_vec(),
            "exec.malformed_line",
        ),
        (
            br#"{"op":"ListThings"} {"op":"ListThings"}"#.to_vec(),
            "exec.malformed_line",
        ),
        (b"\xff\xfe".to_vec(), "exec.not_utf8"),
        (deep.into_bytes(), "exec.malformed_line"),
        (vec![b'x'; 17 * 1024 * 1024], "exec.line_too_long"),
        (
            br#"{"op":"MakeCoffee"}"#.to_vec(),
            "request.unknown_operation",
        ),
        (
            br#"{"op":"CreateThing","params":{"thingName":"x","colour":1}}"#.to_vec(),
            "request.malformed",
        ),
        (br#"{"op":"CreateThing","params":{}}"#.to_vec(), "request."),
    ];
    let mut script = Vec::new();
    for (line, _) in &cases {
        script.extend_from_slice(line);
        script.push(b'\n');
    }
    script.extend_from_slice(
        br#"{"op":"MergePatch","params":{"target":{"a":1},"patch":{"a":null}},"id":{"x":[1]}}"#,
    );
    let run = place.feed(["exec", "--store", "memory:"], script).ok();
    let lines = run.json_lines();
    assert_eq!(lines.len(), cases.len() + 1);
    for (answer, (line, code)) in lines.iter().zip(&cases) {
        let shown = String::from_utf8_lossy(&line[..line.len().min(60)]).into_owned();
        let found = answer["error"]["code"].as_str().unwrap_or("none");
        assert!(found.starts_with(code), "{shown}: {answer}");
        assert!(answer["error"]["status"].is_u64() && answer["error"]["retryable"].is_boolean());
        assert!(!answer["error"]["message"].as_str().unwrap().contains('\n'));
    }
    assert_eq!(lines[cases.len()]["ok"], json!({"result": {}}));
    assert_eq!(lines[cases.len()]["id"], json!({"x": [1]}));
}

#[test]
fn the_id_of_a_bad_line_comes_back() {
    let place = Place::new();
    let run = place
        .feed(
            ["exec", "--store", "memory:"],
            r#"{"id":"k","nonsense":true}"#,
        )
        .ok();
    assert_eq!(run.json_lines()[0]["id"], "k");
}

/// A script can hold a conversation: each answer comes before the next question.
#[test]
fn answers_come_line_by_line() {
    let place = Place::new();
    let mut child = place
        .command()
        .args(["exec", "--store", "memory:", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ask = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut version = String::new();
    for n in 0..5 {
        writeln!(ask, r#"{{"op":"MergePatch","params":{{"target":{{"v":"{version}"}},"patch":{{"v":"{version}{n}"}}}}}}"#).unwrap();
        ask.flush().unwrap();
        let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
        version = answer["ok"]["result"]["v"].as_str().unwrap().to_owned();
    }
    drop(ask);
    assert_eq!(version, "01234");
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_list_has_schemas_and_no_operation_twice() {
    let place = Place::new();
    let lines = place.run(["exec", "--list"]).ok().json_lines();
    let mut seen = BTreeSet::new();
    for line in &lines {
        let name = (
            line["service"].as_str().unwrap().to_owned(),
            line["op"].as_str().unwrap().to_owned(),
        );
        assert!(
            line["request"]["type"] == "object" || line["request"].is_object(),
            "{line}"
        );
        assert!(line["response"].is_object(), "{line}");
        assert!(!line["summary"].as_str().unwrap().is_empty());
        assert!(seen.insert(name), "{line}");
    }
    assert!(lines.iter().any(|line| line["op"] == "CreateThing"));
}

#[test]
fn a_script_that_is_not_there_is_a_usage_error() {
    let place = Place::new();
    let run = place.run(["exec", "--store", "memory:", "nowhere.ndjson"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.starts_with("error[cli.file]: `nowhere.ndjson`"),
        "{}",
        run.stderr
    );
}
