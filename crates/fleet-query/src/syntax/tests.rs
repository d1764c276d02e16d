use super::*;

fn canonical(text: &str, dialect: Dialect) -> String {
    let ast =
        parse(text, dialect, Mode::Lenient).unwrap_or_else(|found| panic!("{text}: {found:?}"));
    let printed = print(&ast, dialect);
    let again = parse(&printed, dialect, Mode::Lenient)
        .unwrap_or_else(|found| panic!("{printed}: {found:?}"));
    assert_eq!(again, ast, "{text} -> {printed}");
    printed
}

fn refused(text: &str, dialect: Dialect) -> String {
    let found = parse(text, dialect, Mode::Lenient).unwrap_err();
    crate::diagnostic::render(&found, text)
}

#[test]
fn the_twin_dialect_prints_canonically() {
    for (text, expected) in [
        ("select   *from devices", "SELECT * FROM devices"),
        ("SELECT TOP 2 * FROM Devices", "SELECT TOP 2 * FROM Devices"),
        (
            "SELECT tags.[[group]].name AS g, COUNT() n FROM devices GROUP BY tags.[[group]].name",
            "SELECT tags.[[group]].name AS g, COUNT() AS n FROM devices GROUP BY tags.[[group]].name",
        ),
        (
            "SELECT * FROM devices WHERE NOT is_defined(tags.a)or tags.a!='it''s' /* no */ AND x<>\"y\"",
            "SELECT * FROM devices WHERE NOT is_defined(tags.a) OR tags.a != 'it''s' AND x != 'y'",
        ),
        (
            "SELECT * FROM devices WHERE a NOT IN [1,-2,'x']",
            "SELECT * FROM devices WHERE a NIN [1, -2, 'x']",
        ),
        (
            "SELECT * FROM devices WHERE (a+b)*c/ - d > -0x10",
            "SELECT * FROM devices WHERE (a + b) * c / - d > -16",
        ),
        (
            "SELECT * FROM devices WHERE a - (b - c) - d = 1e1000",
            "SELECT * FROM devices WHERE a - (b - c) - d = 1e999",
        ),
        (
            "SELECT * FROM devices WHERE a - -5 = - - 0",
            "SELECT * FROM devices WHERE a - -5 = 0",
        ),
        (
            "SELECT * FROM devices WHERE (a = b) = true",
            "SELECT * FROM devices WHERE (a = b) = true",
        ),
        (
            "SELECT * FROM devices WHERE a AND (b AND c) OR (d OR e)",
            "SELECT * FROM devices WHERE a AND (b AND c) OR (d OR e)",
        ),
        (
            "SELECT * FROM devices WHERE tags.4g.ville.é[2] = '\\u00e9'",
            "SELECT * FROM devices WHERE tags.[[4g]].ville.[[é]][2] = 'é'",
        ),
        (
            "SELECT * FROM devices WHERE a = @region",
            "SELECT * FROM devices WHERE a = @region",
        ),
    ] {
        assert_eq!(canonical(text, Dialect::IotHub), expected, "{text}");
    }
}

#[test]
fn the_other_dialects_print_canonically() {
    for (dialect, text, expected) in [
        (
            Dialect::Target,
            "tags.a='x'and not deviceId='y'",
            "tags.a = 'x' AND NOT deviceId = 'y'",
        ),
        (Dialect::Target, " * ", "*"),
        (Dialect::Target, "  ", ""),
        (
            Dialect::TargetModules,
            "FROM Devices.Modules WHERE tags.a=true",
            "from devices.modules where tags.a = true",
        ),
        (
            Dialect::Routing,
            "(none ?? 'hello')='hello'",
            "(none ?? 'hello') = 'hello'",
        ),
        (
            Dialect::Routing,
            "not (a and b) or true = not false",
            "NOT (a AND b) OR true = (NOT false)",
        ),
        (
            Dialect::Routing,
            "a = b = c and 1 < - x",
            "a = b = c AND 1 < - x",
        ),
        (
            Dialect::Routing,
            "{$a} || $body.W.A[0] || key-1!",
            "{$a} || $body.W.A[0] || key-1!",
        ),
        (Dialect::Routing, "$$ = {$$a}", "$$ = {$$a}"),
        (Dialect::Aws, "a  b OR c -d", "a AND b OR c AND NOT d"),
        (
            Dialect::Aws,
            "thingName : ( a* AND -b )",
            "thingName:(a* AND NOT b)",
        ),
        (
            Dialect::Aws,
            "x.y:[1 TO 2.50} z>=5",
            "x.y:[1 TO 2.5} AND z >= 5",
        ),
        (
            Dialect::Aws,
            r#"m:"eco night" n:a\:b -(p OR q)"#,
            r#"m:"eco night" AND n:a\:b AND NOT (p OR q)"#,
        ),
        (
            Dialect::Aws,
            "s:geo_distance,47.6204,-122.3491,15.5km",
            "s:geo_distance,47.6204,-122.3491,15.5km",
        ),
        (Dialect::Aws, "*", "*"),
        (Dialect::Aws, "a:* NOT b:*", "a:* AND NOT b:*"),
        // Any text anywhere, which is not everything.
        (Dialect::Aws, "a:*** OR ***", "a:* OR **"),
        (
            Dialect::Rsql,
            "a==x* and (b!='it\\'s',c=in=(1,2))",
            "a==x*;(b!='it\\'s',c=in=(1,2))",
        ),
        (Dialect::Rsql, "a<=5 or b > 'z'", "a=le=5,b=gt='z'"),
    ] {
        assert_eq!(canonical(text, dialect), expected, "{text}");
    }
}

#[test]
fn refusals_teach() {
    let shown: Vec<String> = [
        (Dialect::IotHub, "SELECT * FROM devices WHERE a == 1"),
        (
            Dialect::IotHub,
            "SELECT * FROM devices WHERE tags.group = 'x'",
        ),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a IN ('x')"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a LIKE 'x%'"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a = 1 AND"),
        (Dialect::IotHub, "tags.a = 1"),
        (Dialect::Target, "tags.a = \"x\""),
        (Dialect::Routing, "messageType IN ['a']"),
        (Dialect::Aws, "thingName:pump-1 AND"),
        (Dialect::Aws, "thingName:a@b"),
        (Dialect::Rsql, "a=b"),
        (Dialect::IotHub, "SELECT * FROM devices ORDER BY deviceId"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a = 'it"),
        (
            Dialect::IotHub,
            "SELECT * FROM devices WHERE\n  a = 1 &&\n  b = 2",
        ),
        (Dialect::Target, "tags.a = 1 NOT tags.b = 2"),
        (Dialect::Target, "tags.a = 'a b'"),
        (Dialect::TargetModules, "tags.a = 1"),
        (Dialect::Routing, "\"2 = 24"),
        (Dialect::Routing, "3 = @ 3"),
        (Dialect::Aws, "thingName:a^2"),
        (Dialect::Aws, "()"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE (tags.a = 1"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE tags.a = 1)"),
        (
            Dialect::IotHub,
            "SELECT * FROM devices WHERE tags.[[(]] IN ['x'",
        ),
        (Dialect::IotHub, "SELECT DISTINCT tags.a FROM devices"),
        (Dialect::Rsql, ""),
        (Dialect::Rsql, "id==a id==b"),
        (Dialect::Rsql, "id=='a"),
        (Dialect::Rsql, "id=in=(a,b"),
        (Dialect::Rsql, "id=in=()"),
        (Dialect::Rsql, "NOT id==a"),
        (Dialect::Rsql, "id LIKE a"),
        (Dialect::Aws, "thingName:(a b"),
        (Dialect::Aws, "attributes.a:[5 to 6]"),
        (Dialect::Aws, "+thingName:a"),
    ]
    .into_iter()
    .map(|(dialect, text)| refused(text, dialect))
    .collect();
    insta::assert_snapshot!(shown.join("\n"));
}
