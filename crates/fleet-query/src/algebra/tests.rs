use super::*;
use crate::dialect::{Dialect, Mode};
use crate::query::Query;

fn condition(text: &str, dialect: Dialect) -> Condition {
    let query = Query::parse(text, dialect, Mode::Lenient)
        .unwrap_or_else(|found| panic!("{text}: {found:?}"));
    query.condition().clone()
}

fn answer(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Yes => "yes",
        Verdict::No { .. } => "no",
        Verdict::Unknown => "unknown",
    }
}

#[test]
fn implications_of_target_conditions() {
    for (a, b, expected) in [
        ("tags.a = 'x'", "is_defined(tags.a)", "yes"),
        ("is_defined(tags.a)", "tags.a = 'x'", "no"),
        ("tags.a = 'x'", "tags.a != 'y'", "yes"),
        ("tags.a != 'y'", "tags.a = 'x'", "no"),
        ("tags.n > 5", "tags.n >= 5", "yes"),
        ("tags.n >= 5", "tags.n > 5", "no"),
        ("tags.n > 5 AND tags.n < 3", "deviceId = 'x'", "yes"),
        ("tags.n > 5", "tags.n > 'a'", "no"),
        ("tags.n > 5", "IS_NUMBER(tags.n)", "yes"),
        ("NOT IS_DEFINED(tags.n)", "NOT (tags.n = 5)", "no"),
        (
            "tags.n = 5 OR tags.n = 6",
            "tags.n >= 5 AND tags.n <= 6",
            "yes",
        ),
        (
            "tags.n >= 5 AND tags.n <= 6",
            "tags.n = 5 OR tags.n = 6",
            "no",
        ),
        ("STARTSWITH(tags.s, 'ab')", "STARTSWITH(tags.s, 'a')", "yes"),
        (
            "STARTSWITH(tags.s, 'a')",
            "tags.s >= 'a' AND tags.s < 'b'",
            "yes",
        ),
        (
            "tags.s >= 'a' AND tags.s < 'b'",
            "STARTSWITH(tags.s, 'a')",
            "yes",
        ),
        ("tags.s > 'a' AND tags.s < 'b'", "tags.s != 'ab'", "no"),
        ("tags.a = true", "tags.a", "yes"),
        ("tags.a", "tags.a = true", "yes"),
        ("NOT tags.a", "tags.a = false", "no"),
        ("tags.n + 1 = 2", "tags.n + 1 = 2 OR tags.b = 1", "yes"),
        ("tags.n = 1", "tags.n + 1 = 2", "unknown"),
        ("tags.n + 1 = 2", "tags.n = 3", "no"),
        ("*", "is_defined(deviceId)", "yes"),
        ("", "tags.a = 1", "yes"),
        ("tags.a.b = 1", "IS_OBJECT(tags.a)", "yes"),
        ("tags.a.b = 1", "tags.a = 1", "no"),
        ("tags.a.b = 1 AND tags.a = 1", "deviceId = 'x'", "yes"),
    ] {
        let (a_bound, b_bound) = (condition(a, Dialect::Target), condition(b, Dialect::Target));
        assert_eq!(answer(&implies(&a_bound, &b_bound)), expected, "{a} => {b}");
    }
}

#[test]
fn overlaps_of_index_queries() {
    for (a, b, expected) in [
        ("attributes.a:x", "attributes.a:y", "no"),
        ("attributes.a:x", "NOT attributes.a:x", "yes"),
        ("attributes.a:x", "NOT attributes.a:*", "yes"),
        ("attributes.n > 5", "attributes.n < 3", "no"),
        ("thingName:a*", "thingName:b*", "yes"),
        ("thingName:a*", "thingName:ab*", "no"),
        ("thingName:pump-1", "thingName:PUMP-1", "no"),
        ("attributes.s:[a TO b]", "attributes.s:[c TO d]", "no"),
    ] {
        let (a_bound, b_bound) = (condition(a, Dialect::Aws), condition(b, Dialect::Aws));
        assert_eq!(answer(&disjoint(&a_bound, &b_bound)), expected, "{a} & {b}");
    }
}

/// Text order, words and numbers on one field; conditions of two dialects.
#[test]
fn fields_seen_in_several_ways_are_decided() {
    use Dialect::{Aws, IotHub, Routing, Rsql};
    for ((a, from), (b, to), expected) in [
        (
            ("attributes.a:[1.5 TO 2.5]", Aws),
            ("attributes.a:[\"1\" TO \"3\"]", Aws),
            "no",
        ),
        (
            ("attributes.a:2 attributes.a:[\"1\" TO \"3\"]", Aws),
            ("attributes.a:[1 TO 3]", Aws),
            "no",
        ),
        (("attributes.a:7*", Aws), ("attributes.a < 5", Aws), "no"),
        (
            ("thingName:7* AND thingName > 5", Aws),
            ("thingName >= 7", Aws),
            "yes",
        ),
        (
            ("thingName:75 AND thingName > 5", Aws),
            ("thingName > 70", Aws),
            "yes",
        ),
        (("attributes.a:x", Aws), ("attributes.a==x", Rsql), "no"),
        (("attributes.a==x", Rsql), ("attributes.a:x", Aws), "yes"),
        (
            ("tags.a==5", Rsql),
            ("SELECT * FROM devices WHERE tags.a = 5", IotHub),
            "no",
        ),
        (
            ("SELECT * FROM devices WHERE tags.a = 5", IotHub),
            ("tags.a==5", Rsql),
            "yes",
        ),
        (
            (
                "SELECT * FROM devices WHERE STARTSWITH(deviceId, 'Pu')",
                IotHub,
            ),
            ("thingName:pu*", Aws),
            "yes",
        ),
        (
            ("thingName:pu*", Aws),
            (
                "SELECT * FROM devices WHERE STARTSWITH(deviceId, 'pu')",
                IotHub,
            ),
            "no",
        ),
        (
            (
                "SELECT * FROM devices WHERE properties.reported.t > 1e17",
                IotHub,
            ),
            ("shadow.reported.t > 5", Aws),
            "no",
        ),
        (
            (
                "SELECT * FROM devices WHERE properties.reported.t > 6 AND properties.reported.t < 9",
                IotHub,
            ),
            ("shadow.reported.t > 5", Aws),
            "yes",
        ),
        (
            ("shadow.reported.t > 5", Aws),
            (
                "SELECT * FROM devices WHERE properties.reported.t > 5",
                IotHub,
            ),
            "no",
        ),
        (
            ("SELECT * FROM devices WHERE tags.ort = 'Zürich'", IotHub),
            ("tags.ort==zürich", Rsql),
            "yes",
        ),
        (
            ("$twin.tags.a = 1", Routing),
            ("SELECT * FROM devices WHERE tags.a = 1", IotHub),
            "no",
        ),
    ] {
        let verdict = implies(&condition(a, from), &condition(b, to));
        assert_eq!(answer(&verdict), expected, "{a} => {b}: {verdict:?}");
    }
}

#[test]
fn dead_conditions_are_seen() {
    let never = |text| answer(&never_holds(&condition(text, Dialect::Target)));
    assert_eq!(never("tags.a = 1 AND tags.a = 2"), "yes");
    assert_eq!(never("tags.x > 5 AND tags.x < 3"), "yes");
    // A text that ends and holds so exists, though the search does not try it: nothing is claimed.
    assert_eq!(
        never("ENDSWITH(tags.s, 'ab') AND CONTAINS(tags.s, 'zz')"),
        "unknown"
    );
    assert_eq!(never("tags.a = null AND is_defined(tags.a)"), "no");
    assert_eq!(
        answer(&never_fails(&condition(
            "tags.a = 1 OR tags.a != 1",
            Dialect::Target
        ))),
        "yes"
    );
}

#[test]
fn eight_comparisons_on_eight_fields_are_decided() {
    let a = (0..8)
        .map(|n| format!("tags.f{n} > {n}"))
        .collect::<Vec<_>>();
    let b = (0..8)
        .map(|n| format!("tags.f{n} >= {n}"))
        .collect::<Vec<_>>();
    let (all, any) = (a.join(" AND "), b.join(" OR "));
    let bound = |text: &str| condition(text, Dialect::Target);
    assert!(implies(&bound(&all), &bound(&any)).is_yes());
    assert!(implies(&bound(&all), &bound(&b.join(" AND "))).is_yes());
    assert!(implies(&bound(&a.join(" OR ")), &bound(&any)).is_yes());
    assert!(implies(&bound(&any), &bound(&all)).witness().is_some());
}

#[test]
fn the_normal_form_has_negation_only_at_leaves() {
    let normal = |text| {
        format!(
            "{:?}",
            normalise(&condition(text, Dialect::Target)).predicate
        )
    };
    assert_eq!(
        normal("NOT (tags.a = 1 AND NOT (tags.b < 2 OR tags.a = 1))"),
        normal("tags.a != 1 OR tags.b < 2 OR tags.a = 1"),
    );
    assert_eq!(
        normal("tags.a = 1 AND (tags.a = 1 AND true)"),
        normal("tags.a = 1")
    );
    assert_eq!(
        normal("tags.a = 1 AND (tags.b = 1 AND false)"),
        "Constant(False)"
    );
}

/// A list is one leaf, however long it is and however its dialect spells it.
#[test]
fn long_lists_are_decided() {
    use Dialect::{Aws, IotHub, Routing, Rsql};
    let list = |items: std::ops::Range<usize>, item: fn(usize) -> String| {
        items.map(item).collect::<Vec<_>>()
    };
    let sql = |items: Vec<String>| {
        let items = items.join(", ");
        format!("SELECT * FROM devices WHERE properties.reported.a IN [{items}]")
    };
    let routing = |items: Vec<String>| {
        let items: Vec<String> = items
            .iter()
            .map(|item| format!("$body.a = {item}"))
            .collect();
        items.join(" OR ")
    };
    let rsql = |items: Vec<String>| format!("reported.a=in=({})", items.join(","));
    let number: fn(usize) -> String = |n| n.to_string();
    let text: fn(usize) -> String = |n| format!("'Pump {n}'");
    let quoted: fn(usize) -> String = |n| format!("'{n}'");
    let mixed: fn(usize) -> String =
        |n| [format!("{n}.5"), format!("'{n}'"), format!("'x{n}'")][n % 3].clone();
    for (a, from, b, to, expected) in [
        (
            rsql(list(0..200, number)),
            Rsql,
            rsql(list(0..250, number)),
            Rsql,
            "yes",
        ),
        (
            rsql(list(0..250, number)),
            Rsql,
            rsql(list(0..200, number)),
            Rsql,
            "no",
        ),
        (
            rsql(list(0..200, text)),
            Rsql,
            rsql(list(0..200, text)),
            Rsql,
            "yes",
        ),
        (
            rsql(list(0..200, text)),
            Rsql,
            rsql(list(1..200, text)),
            Rsql,
            "no",
        ),
        (
            rsql(list(0..160, mixed)),
            Rsql,
            rsql(list(0..160, mixed)),
            Rsql,
            "yes",
        ),
        (
            rsql(list(0..160, mixed)),
            Rsql,
            "reported.a=out=('x1','y')".to_owned(),
            Rsql,
            "no",
        ),
        (
            rsql(list(0..160, mixed)) + ";id==d",
            Rsql,
            "id==D".to_owned(),
            Rsql,
            "yes",
        ),
        (
            rsql(list(0..160, number)),
            Rsql,
            "reported.a=lt=160".to_owned(),
            Rsql,
            "yes",
        ),
        (
            rsql(list(0..160, quoted)),
            Rsql,
            rsql(list(0..160, number)),
            Rsql,
            "yes",
        ),
        (
            rsql(list(0..160, number)),
            Rsql,
            rsql(list(0..160, quoted)),
            Rsql,
            "no",
        ),
        (
            rsql(list(100..160, number)),
            Rsql,
            "shadow.reported.a > 99".to_owned(),
            Aws,
            "yes",
        ),
        (
            rsql(list(100..160, number)),
            Rsql,
            "shadow.reported.a:*".to_owned(),
            Aws,
            "yes",
        ),
        (
            rsql(list(0..160, text)),
            Rsql,
            "shadow.reported.a:pump".to_owned(),
            Aws,
            "yes",
        ),
        (
            "shadow.reported.a:pump".to_owned(),
            Aws,
            rsql(list(0..160, text)),
            Rsql,
            "no",
        ),
        (
            sql(list(0..160, text)),
            IotHub,
            rsql(list(0..160, text)),
            Rsql,
            "yes",
        ),
        (
            rsql(list(0..160, text)),
            Rsql,
            sql(list(0..160, text)),
            IotHub,
            "no",
        ),
        (
            sql(list(0..160, number)),
            IotHub,
            rsql(list(0..160, number)),
            Rsql,
            "yes",
        ),
        (
            sql(list(0..300, number)),
            IotHub,
            sql(list(0..301, number)),
            IotHub,
            "yes",
        ),
        (
            sql(list(0..200, text)),
            IotHub,
            sql(list(1..200, text)),
            IotHub,
            "no",
        ),
        (
            routing(list(0..200, number)),
            Routing,
            "$body.a < 200".to_owned(),
            Routing,
            "yes",
        ),
        (
            routing(list(0..200, text)),
            Routing,
            "$body.a > 'Pump 1'".to_owned(),
            Routing,
            "no",
        ),
        (
            routing(list(0..200, text)).replace("$body.a", "$device"),
            Routing,
            "STARTSWITH($device, 'Pump ')".to_owned(),
            Routing,
            "yes",
        ),
    ] {
        let verdict = implies(&condition(&a, from), &condition(&b, to));
        assert_eq!(
            answer(&verdict),
            expected,
            "{a} => {b}: {:?}",
            verdict.witness()
        );
    }
}

#[test]
fn properties_of_messages_are_fields() {
    use Dialect::{Routing, Target};
    for (a, b, implied, apart) in [
        (
            "$connectionDeviceId = 'd1'",
            "$connectionDeviceId != 'd2'",
            "yes",
            "no",
        ),
        (
            "$connectionDeviceId = 'd1'",
            "$connectionDeviceId = 'd2'",
            "no",
            "yes",
        ),
        (
            "$x > 'd1' AND $x < 'd3'",
            "STARTSWITH($x, 'd')",
            "yes",
            "no",
        ),
        (
            "NOT ($x != 'a' OR $x = 'b')",
            "IS_DEFINED($x) AND LENGTH($y) = 1",
            "no",
            "no",
        ),
        ("{$x} = 'a'", "{$x} != 'b'", "yes", "no"),
        // What one finds the other finds.
        ("$x = 'a'", "IS_DEFINED($X)", "yes", "no"),
        ("level = 'a'", "NOT IS_DEFINED(LEVEL)", "no", "yes"),
        ("$body.a.x = 1", "IS_DEFINED($BODY.a.X)", "no", "no"),
        (
            "$body.x <= 'ab'",
            "NOT (STARTSWITH($BODY.X, 'd') AND $body.X < null)",
            "no",
            "no",
        ),
        // The application property may hold it, or hide behind the system property.
        ("$x = 'a'", "{$x} = 'a'", "no", "no"),
        ("$x = 'a'", "{$x} = 'b'", "no", "yes"),
        ("{$x} = 'a'", "$x = 'a'", "yes", "no"),
        ("$x = 'a' AND IS_DEFINED({$x})", "{$x} = 'a'", "yes", "no"),
        ("NOT IS_DEFINED($x)", "NOT IS_DEFINED({$x})", "yes", "no"),
        ("NOT IS_DEFINED($x)", "IS_DEFINED({$X})", "no", "yes"),
        (
            "$x = 'a' AND $y = 'b' AND NOT IS_DEFINED({$x}) AND NOT IS_DEFINED({$y})",
            "$x = 'a' AND {$y} = 'b'",
            "no",
            "yes",
        ),
    ] {
        let (first, second) = (condition(a, Routing), condition(b, Routing));
        for (verdict, expected) in [
            (implies(&first, &second), implied),
            (disjoint(&first, &second), apart),
        ] {
            assert_eq!(
                answer(&verdict),
                expected,
                "{a}, {b}: {:?}",
                verdict.witness()
            );
        }
    }
    // In twins letter case matters.
    let (a, b) = ("tags.x = 1", "NOT IS_DEFINED(tags.X)");
    let verdict = disjoint(&condition(a, Target), &condition(b, Target));
    assert_eq!(answer(&verdict), "no");
}

/// A text that is a number is found by every spelling of it, a word of several by its own only.
#[test]
fn spellings_of_a_number_are_words_of_their_own() {
    for field in ["attributes.a", "thingGroupNames", "shadow.reported.a.b"] {
        let text = format!("{field}:1 AND {field}:1.0 AND {field}:b AND {field}:ab*");
        let all = condition(&text, Dialect::Aws);
        let other = condition(&format!("{field}:c"), Dialect::Aws);
        for verdict in [implies(&all, &other), disjoint(&all, &other)] {
            assert_eq!(answer(&verdict), "no", "{field}");
        }
    }
}

#[test]
fn ids_are_ordered_beside_texts_of_several_words() {
    for (a, b, apart) in [
        ("deviceId != 1.0", "deviceId >= 'a b'", "no"),
        ("deviceId < 'a b'", "deviceId > 'a'", "no"),
        ("deviceId > 'a b'", "deviceId < 'a c'", "yes"),
        ("deviceId > 'a b'", "deviceId < 'a\u{3000}c'", "no"),
        ("deviceId < ' '", "IS_DEFINED(deviceId)", "no"),
        ("deviceId = 'a b'", "IS_DEFINED(deviceId)", "yes"),
    ] {
        let query = |text| {
            condition(
                &format!("SELECT * FROM devices WHERE {text}"),
                Dialect::IotHub,
            )
        };
        let verdict = disjoint(&query(a), &query(b));
        assert_eq!(answer(&verdict), apart, "{a}, {b}");
    }
    for (a, b, apart) in [
        ("thingName:[\"a b\" TO *]", "thingName:[* TO \"b\"]", "no"),
        ("thingName:[\"a b\" TO \"a c\"]", "thingName:*", "yes"),
    ] {
        let verdict = disjoint(&condition(a, Dialect::Aws), &condition(b, Dialect::Aws));
        assert_eq!(answer(&verdict), apart, "{a}, {b}");
    }
}
