//! What goes into a store and comes out of it: import, queries, kills, exports, backups, damage.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests stop at the first surprise"
)]

mod common;

use common::Place;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};

/// A place with `devices` generated twins in `twins.ndjson`.
fn generated(devices: u32) -> Place {
    let place = Place::new();
    let twins = place
        .run(["generate", "--devices", &devices.to_string(), "--seed", "7"])
        .ok();
    assert_eq!(twins.stdout.lines().count(), devices as usize);
    place.write("twins.ndjson", twins.stdout);
    place
}

/// An import in small batches of what will be written to its standard input.
fn fed_import(place: &Place) -> Child {
    let mut command = place.command();
    command.args(["import", "--batch", "20", "-"]);
    command.stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

fn json(run: &common::Run) -> Value {
    serde_json::from_str(run.stdout.trim()).unwrap()
}

#[test]
fn generate_is_a_function_of_its_seed() {
    let place = Place::new();
    let make = |seed: &str| {
        place
            .run(["generate", "--devices", "20", "--seed", seed])
            .ok()
            .stdout
    };
    assert_eq!(make("7"), make("7"));
    assert_ne!(make("7"), make("8"));
    let mean = make("7").len() / 20;
    assert!((500..900).contains(&mean), "{mean} bytes a twin");
}

/// Ten queries over what an import brings along: the store answers as the file does.
#[test]
fn the_store_answers_as_the_file() {
    let place = generated(500);
    place.run(["import", "twins.ndjson"]).ok();
    let queries: [(&str, &str); 12] = [
        (
            "iothub",
            "SELECT * FROM devices WHERE tags.region = 'eu-west'",
        ),
        (
            "iothub",
            "SELECT * FROM devices WHERE tags.region != 'eu-west'",
        ),
        (
            "iothub",
            "SELECT * FROM devices WHERE properties.reported.battery < 20",
        ),
        (
            "iothub",
            "SELECT * FROM devices WHERE NOT IS_DEFINED(properties.reported.battery)",
        ),
        (
            "iothub",
            "SELECT * FROM devices WHERE tags.region IN ['us-east', 'us-west'] AND properties.reported.battery > 50",
        ),
        (
            "iothub",
            "SELECT * FROM devices WHERE STARTSWITH(deviceId, 'dev-00001')",
        ),
        (
            "iothub",
            "SELECT TOP 7 deviceId, tags.region FROM devices WHERE tags.region = 'us-east'",
        ),
        (
            "iothub",
            "SELECT tags.region AS region, COUNT() AS n FROM devices GROUP BY tags.region",
        ),
        (
            "iothub",
            "SELECT AVG(properties.reported.battery) AS battery FROM devices",
        ),
        ("aws", "shadow.reported.battery < 20"),
        (
            "aws",
            "thingName:dev-000001* AND NOT shadow.reported.battery > 50",
        ),
        ("rsql", "name==dev-0000*2"),
    ];
    let mut answered = 0;
    for (dialect, query) in queries {
        for format in ["count", "ids"] {
            let ask = |more: &[&str]| {
                let args = ["query", "--dialect", dialect, "--format", format, query];
                place.run(args.iter().chain(more))
            };
            let (store, file) = (ask(&[]), ask(&["--twins", "twins.ndjson"]));
            assert_eq!(store.stdout, file.stdout, "{dialect}: {query}");
            assert_eq!(store.code, file.code, "{dialect}: {query}: {store:?}");
            answered += usize::from(file.code == 0 && file.stdout.lines().any(|line| line != "0"));
        }
    }
    assert!(answered >= 18, "{answered} answers were not empty");
    let groups = [
        "query",
        "--format",
        "json",
        "SELECT tags.region AS region, COUNT() AS n FROM devices GROUP BY tags.region",
    ];
    assert_eq!(
        place.run(groups).ok().stdout,
        place
            .run(groups.iter().chain(&["--twins", "twins.ndjson"]))
            .ok()
            .stdout
    );
}

#[test]
fn an_import_that_is_repeated_changes_nothing() {
    let place = generated(300);
    let first = place.run(["import", "--json", "twins.ndjson"]).ok();
    assert_eq!(json(&first)["report"]["created"], 300);
    let events = place.run(["events"]).ok().stdout;
    let again = place.run(["import", "--json", "twins.ndjson"]).ok();
    assert_eq!(json(&again)["report"]["present"], 300);
    assert_eq!(json(&again)["report"]["created"], 0);
    assert_eq!(place.run(["events"]).ok().stdout, events);
}

/// An import killed in the middle: what was recorded stands, and the next run brings the rest, once.
#[test]
fn a_killed_import_goes_on_without_duplicates() {
    let place = generated(4000);
    let mut killed = 0;
    for attempt in 0..4 {
        let mut child = fed_import(&place);
        let mut stdin = child.stdin.take().unwrap();
        let text = place.read("twins.ndjson");
        // So much is handed over that the import is at work; the pipe holds back the rest.
        let part: usize = text
            .split_inclusive('\n')
            .take(400 * (attempt + 1))
            .map(str::len)
            .sum();
        let _ = stdin.write_all(&text.as_bytes()[..part]);
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        let report = json(&place.run(["verify", "--json"]).ok());
        assert_eq!(report["problems"], json!([]));
    }
    assert_eq!(killed, 4);
    place.run(["import", "twins.ndjson"]).ok();
    let count = place
        .run(["query", "--format", "count", "SELECT * FROM devices"])
        .ok()
        .stdout;
    assert_eq!(count.trim(), "4000");
    let report = json(&place.run(["verify", "--json"]).ok());
    // As many events as an import that nobody disturbed.
    let whole = ["--store", "sqlite:whole.db"];
    place
        .run(whole.iter().chain(&["import", "twins.ndjson"]))
        .ok();
    let whole = json(&place.run(whole.iter().chain(&["verify", "--json"])).ok());
    assert_eq!(report["events"], whole["events"]);
    assert_eq!(report["streams"], 8000);
    let created = place.run(["events", "--type", "thing.created"]).ok().stdout;
    assert_eq!(created.lines().count(), 4000);
}

/// Everything that was acknowledged to a script survives a kill at any moment.
#[test]
fn what_exec_acknowledged_survives_a_kill() {
    let place = Place::new();
    for round in 0..3 {
        let mut child = place
            .command()
            .args(["exec", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ask = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = Vec::new();
        for n in 0..10 {
            let name = format!("t-{round}-{n}");
            writeln!(
                ask,
                r#"{{"op":"CreateThing","params":{{"thingName":"{name}"}}}}"#
            )
            .unwrap();
            let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
            assert_eq!(answer["ok"]["thingName"], name.as_str());
            acknowledged.push(name);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let listed = place.run(["thing", "list", "--json"]).ok().stdout;
        assert!(
            acknowledged
                .iter()
                .all(|name| listed.contains(name.as_str())),
            "{listed}"
        );
    }
}

#[test]
fn an_export_is_an_import() {
    let place = generated(60);
    place.run(["import", "twins.ndjson"]).ok();
    place
        .run(["group", "create", "plant", "--attr", "country=DE"])
        .ok();
    place.run(["group", "add", "plant", "dev-0000003"]).ok();
    place
        .run(["twin", "update", "dev-0000003", "--tag", "hall=north"])
        .ok();
    place.run(["export", "fleet.ndjson"]).ok();
    assert_eq!(
        place.run(["export"]).ok().stdout,
        place.read("fleet.ndjson")
    );
    assert_eq!(
        place.run(["export", "fleet.ndjson"]).code,
        2,
        "an export overwrites nothing"
    );
    let other = ["--store", "sqlite:other.db"];
    place
        .run(
            other
                .iter()
                .chain(&["group", "create", "plant", "--attr", "country=DE"]),
        )
        .ok();
    place
        .run(other.iter().chain(&["import", "fleet.ndjson"]))
        .ok();
    let ask = [
        "query",
        "--format",
        "json",
        "SELECT deviceId, tags FROM devices",
    ];
    assert_eq!(
        place.run(ask).ok().stdout,
        place.run(other.iter().chain(&ask)).ok().stdout
    );
    let members = place
        .run(other.iter().chain(&["group", "things", "plant"]))
        .ok()
        .stdout;
    assert!(members.contains("dev-0000003"), "{members}");
}

#[test]
fn bad_lines_of_an_import_are_told_and_left_out() {
    let place = Place::new();
    let lines: [&[u8]; 8] = [
        br#"{"deviceId":"good-1","tags":{"a":1}}"#,
        b"{",
        b"\xff\xfe",
        br#"{"name":"no id"}"#,
        br#"{"deviceId":"bad id"}"#,
        br#"{"deviceId":"bad-key","tags":{"a.b":1}}"#,
        b"",
        br#"{"thingName":"good-2","attributes":{"site":"b2"}}"#,
    ];
    place.write("lines", lines.join(&b"\n"[..]));
    let run = place.run(["import", "lines"]);
    assert_eq!(run.code, 2, "{run:?}");
    for number in [2, 3, 4, 5, 6] {
        assert!(
            run.stderr.contains(&format!("lines:{number}: ")),
            "line {number}: {}",
            run.stderr
        );
    }
    assert!(!run.stderr.contains("lines:1:") && !run.stderr.contains("lines:8:"));
    let listed = place.run(["thing", "list", "--json"]).ok().stdout;
    assert!(listed.contains("good-1") && listed.contains("good-2"));
    assert_eq!(
        json(&place.run(["verify", "--json"]).ok())["problems"],
        json!([])
    );
}

#[test]
fn csv_says_line_by_line_what_would_happen() {
    let place = Place::new();
    place.run(["type", "create", "press"]).ok();
    place.run(["group", "create", "plant"]).ok();
    place
        .run(["thing", "create", "here", "--attr", "site=b2"])
        .ok();
    place.write(
        "things.csv",
        "thingName,thingTypeName,thingGroupNames,site,rev\n\
         new-1,press,plant,b2,3\n\
         here,,,b2,\n\
         two words,,,b2,\n\
         new-2,nothing,,b2,\n\
         new-3,,,\"quoted, no\",\n",
    );
    let before = place.run(["events"]).ok().stdout;
    let run = place.run(["import", "--csv", "--dry-run", "things.csv"]);
    assert_eq!(run.code, 1, "{run:?}");
    let lines: Vec<&str> = run.stdout.lines().take(5).collect();
    for (line, text) in lines.iter().zip([
        "2: new-1 would be created",
        "3:",
        "4: would be refused",
        "5: would be refused",
        "6: would be refused",
    ]) {
        assert!(
            line.starts_with(&format!("things.csv:{text}")),
            "{line} for {text}"
        );
    }
    assert_eq!(
        place.run(["events"]).ok().stdout,
        before,
        "a dry run records nothing"
    );
    assert_eq!(place.run(["import", "--csv", "things.csv"]).code, 1);
    let thing = json(&place.run(["thing", "show", "new-1", "--json"]).ok());
    assert_eq!(thing["thingTypeName"], "press");
    assert_eq!(thing["attributes"], json!({"site": "b2", "rev": "3"}));
    assert_eq!(place.run(["import", "--csv", "twins.csv"]).code, 2);
    place.write("no.csv", "a,b\n1,2\n");
    assert!(
        place
            .run(["import", "--csv", "no.csv"])
            .stderr
            .contains("thingName")
    );
}

#[test]
fn a_backup_restores_and_nothing_is_overwritten() {
    let place = generated(50);
    place.run(["import", "twins.ndjson"]).ok();
    place.run(["backup", "monday.fleet"]).ok();
    assert_eq!(place.run(["backup", "monday.fleet"]).code, 2);
    let events = place.run(["events"]).ok().stdout;
    place.run(["thing", "create", "later"]).ok();
    let restore = ["restore", "--store", "sqlite:restored.db", "monday.fleet"];
    place.run(restore).ok();
    assert_eq!(
        place
            .run(["events", "--store", "sqlite:restored.db"])
            .ok()
            .stdout,
        events
    );
    place.run(["verify", "--store", "sqlite:restored.db"]).ok();
    let over = place.run(["restore", "monday.fleet"]);
    assert_eq!(over.code, 3, "{over:?}");
    assert_eq!(place.run(["thing", "show", "later"]).code, 0);
    let mut bytes = std::fs::read(place.path("monday.fleet")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    place.write("damaged.fleet", &bytes);
    place.write("cut.fleet", &bytes[..middle]);
    for name in ["damaged.fleet", "cut.fleet", "twins.ndjson"] {
        let run = place.run(["restore", "--store", "sqlite:never.db", name]);
        assert_eq!(run.code, 3, "{name}: {run:?}");
        assert!(run.stderr.starts_with("error[store."), "{}", run.stderr);
        assert!(
            run.stderr.contains("nothing was restored"),
            "{}",
            run.stderr
        );
    }
    assert_eq!(
        place
            .run(["restore", "--store", "memory:", "monday.fleet"])
            .code,
        2
    );
}

/// A reader and a backup beside an import: the one sees everything as it happens, the other holds everything
/// that was there when it began, and nothing that has a gap before it.
#[test]
fn readers_and_backups_run_beside_an_import() {
    let place = generated(1_500);
    place.run(["thing", "create", "first"]).ok();
    let mut reader = place
        .command()
        .args(["events", "--follow", "--limit", "3001", "--format", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut followed = BufReader::new(reader.stdout.take().unwrap()).lines();
    let mut import = fed_import(&place);
    let mut stdin = import.stdin.take().unwrap();
    let text = place.read("twins.ndjson");
    let (part, rest) = text.split_at(text.len() / 3);
    stdin.write_all(part.as_bytes()).unwrap();
    let mut seen: Vec<String> = followed.by_ref().take(400).map(Result::unwrap).collect();
    let refused = place.run(["thing", "create", "second-writer"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.starts_with("error[store.unavailable]"));
    let before = place.run(["events"]).ok().stdout;
    assert!(before.starts_with(&(seen.join("\n") + "\n")));
    std::thread::scope(|scope| {
        // The import has work throughout, and does not end before the backup.
        let feeding = scope.spawn(move || stdin.write_all(rest.as_bytes()).map(|()| stdin));
        place.run(["backup", "during.fleet"]).ok();
        drop(feeding.join().unwrap().unwrap());
    });
    assert!(import.wait().unwrap().success());
    seen.extend(followed.map(Result::unwrap));
    assert!(reader.wait().unwrap().success());
    let whole = place.run(["events"]).ok().stdout;
    assert_eq!(seen.len(), 3_001);
    assert!(whole.starts_with(&(seen.join("\n") + "\n")));
    place
        .run(["restore", "--store", "sqlite:restored.db", "during.fleet"])
        .ok();
    let restored = place.run(["events", "--store", "sqlite:restored.db"]).ok();
    assert!(whole.starts_with(&restored.stdout));
    assert!(restored.stdout.starts_with(&before));
    place.run(["verify", "--store", "sqlite:restored.db"]).ok();
    // The backup is of an older state: the store that has gone on is not overwritten.
    let over = place.run(["restore", "during.fleet"]);
    assert_eq!(over.code, 3, "{over:?}");
    assert!(
        over.stderr.starts_with("error[store.invalid_input]"),
        "{over:?}"
    );
    assert_eq!(place.run(["events"]).ok().stdout, whole);
}

#[test]
fn events_can_be_narrowed() {
    let place = generated(30);
    place.run(["import", "twins.ndjson"]).ok();
    let all = place.run(["events"]).ok().json_lines();
    assert_eq!(all.len(), 60);
    assert_eq!(
        place.run(["events", "--from", "51"]).ok().json_lines(),
        all[50..]
    );
    assert_eq!(
        place
            .run(["events", "--from", "11", "--limit", "5"])
            .ok()
            .json_lines(),
        all[10..15]
    );
    let one = place
        .run(["events", "--stream", "thing-dev-0000002"])
        .ok()
        .json_lines();
    assert!(one.len() == 1 && one[0]["stream"] == "thing-dev-0000002");
    let twins = place
        .run(["events", "--category", "twin"])
        .ok()
        .json_lines();
    assert!(
        twins.len() == 30
            && twins
                .iter()
                .all(|event| event["stream"].as_str().unwrap().starts_with("twin-"))
    );
    assert!(
        place
            .run(["events", "--format", "table"])
            .ok()
            .stdout
            .contains("thing.created")
    );
    assert_eq!(place.run(["events", "--stream", "no stream"]).code, 2);
}

/// What a person is told to do, a script is told too.
#[test]
fn errors_in_json_say_what_to_do() {
    let place = Place::new();
    place.run(["thing", "create", "press-7"]).ok();
    let run = place.run(["thing", "show", "press-8", "--json"]);
    let told: Value = serde_json::from_str(&run.stderr).unwrap();
    let help = "`fleet thing list` shows what is registered";
    assert_eq!(told["error"]["help"], help);
}

/// A path at which no store can be is told as such, and nothing is made beside it.
#[test]
fn a_folder_is_no_store() {
    let place = generated(5);
    std::fs::create_dir(place.path("folder")).unwrap();
    for (store, told) in [
        ("sqlite:folder", "`folder` is a folder"),
        ("sqlite:nowhere/fleet.db", "there is no folder `nowhere`"),
    ] {
        for args in [
            ["thing", "create", "press-7"].as_slice(),
            &["import", "twins.ndjson"],
        ] {
            let run = place.run(["--store", store].iter().chain(args));
            assert_eq!(run.code, 3, "{run:?}");
            let expected = format!("error[cli.file]: {told}");
            assert!(run.stderr.starts_with(&expected), "{}", run.stderr);
        }
    }
    let run = place.run(["events", "--store", "sqlite:folder"]);
    assert!(run.stderr.contains("is a folder"), "{}", run.stderr);
    let run = place.run(["restore", "folder"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.starts_with("error[cli.file]"), "{}", run.stderr);
    let mut left: Vec<_> = std::fs::read_dir(place.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["folder", "twins.ndjson"]);
}

#[test]
fn damaged_and_foreign_stores_are_refused_untouched() {
    let place = generated(200);
    place.run(["import", "twins.ndjson"]).ok();
    let good = std::fs::read(place.path("fleet.db")).unwrap();
    for (name, bytes) in [
        (
            "foreign.db",
            b"not a database at all, but long enough to be read".repeat(40),
        ),
        ("cut.db", good[..good.len() / 3].to_vec()),
    ] {
        place.write(name, &bytes);
        let run = place.run(["--store", &format!("sqlite:{name}"), "thing", "list"]);
        assert_eq!(run.code, 3, "{name}: {run:?}");
        assert!(
            run.stderr.starts_with("error[store.corrupt]"),
            "{name}: {}",
            run.stderr
        );
        assert_eq!(
            std::fs::read(place.path(name)).unwrap(),
            bytes,
            "{name} was touched"
        );
    }
}

#[test]
fn the_demo_runs_to_its_end() {
    let place = Place::new();
    let run = place
        .run(["demo", "--devices", "60", "--folder", "demo"])
        .ok();
    for text in [
        "1. Provision",
        "Replay",
        "InvalidRequestException",
        "group hall-1",
        "rm -r demo",
    ] {
        assert!(run.stdout.contains(text), "{text}: {}", run.stdout);
    }
    assert!(
        place
            .read("demo/report.html")
            .contains("<h2>1. Provision</h2>")
    );
    place
        .run(["verify", "--store", "sqlite:demo/fleet.db"])
        .ok();
    assert_eq!(
        place
            .run(["demo", "--devices", "60", "--folder", "demo"])
            .code,
        2
    );
}

/// The index is saved beside the store; the next command opens it, and a damaged one is made again.
#[test]
fn a_saved_index_answers_as_the_log_does() {
    let place = generated(2_600);
    place.run(["import", "twins.ndjson"]).ok();
    let query = [
        "query",
        "--explain",
        "--format",
        "ids",
        "SELECT * FROM devices WHERE tags.region = 'eu-west' AND properties.reported.battery < 20",
    ];
    let first = place.run(query).ok();
    assert!(
        first.stderr.contains("made from the log: none was saved"),
        "{}",
        first.stderr
    );
    let second = place.run(query).ok();
    assert!(
        second.stderr.contains("opened as saved at position"),
        "{}",
        second.stderr
    );
    assert!(!first.stdout.is_empty());
    assert_eq!(first.stdout, second.stdout);
    let file = place.path("fleet.db.index/default.devices");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(&file, bytes).unwrap();
    let third = place.run(query).ok();
    assert!(
        third
            .stderr
            .contains("made from the log: the saved index cannot be used"),
        "{}",
        third.stderr
    );
    assert_eq!(first.stdout, third.stdout);
}
