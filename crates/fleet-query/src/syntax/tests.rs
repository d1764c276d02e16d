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

#[test]
fn refusals_say_what_to_write_instead() {
    let shown: Vec<String> = [
        (
            Dialect::IotHub,
            "SELECT * FROM devices WHERE tags.[group] = 1",
        ),
        (
            Dialect::IotHub,
            "SELECT * FROM devices WHERE tags[\"group\"] = 1",
        ),
        (
            Dialect::IotHub,
            "SELECT * FROM devices WHERE tags.`group` = 1",
        ),
        (Dialect::IotHub, "SELECT * FROM devices WHERE tags.* = 1"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a = ‘EU’"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a = 1;"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a = +5"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a = 'it's'"),
        (
            Dialect::IotHub,
            "SELECT * FROM devices WHERE a NOT LIKE 'x'",
        ),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a =~ 'x'"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a REGEXP 'x'"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a IS NOT NULL"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a IN 'x'"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a IN [tags.b]"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE 20 < a < 60"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a > 1 AND < 5"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a ?? 1 = 2"),
        (
            Dialect::IotHub,
            "SELECT * FROM devices WHERE a CONTAINS 'x'",
        ),
        (Dialect::IotHub, "SELECT * FROM devices WHERE IS_DEFINED a"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a:b"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a = 1 b = 2"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a = 1 AND ("),
        (Dialect::IotHub, "SELECT * FROM devices WHERE"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE a ="),
        (Dialect::IotHub, "SELECT * FROM devices d WHERE d.a = 1"),
        (Dialect::IotHub, "SELECT * FROM devices AS d"),
        (Dialect::IotHub, "SELECT * WHERE a = 1"),
        (Dialect::IotHub, "SELECT COUNT() GROUP BY a"),
        (Dialect::IotHub, "SELECT * FROM devices LIMIT 5"),
        (Dialect::IotHub, "DELETE FROM devices"),
        (Dialect::IotHub, "SELECT FROM devices"),
        (Dialect::IotHub, "SELECT * FROM devices WHERE *"),
        (Dialect::Target, "tags.a = *"),
        (Dialect::Target, "WHERE tags.a = 1"),
        (Dialect::Target, "from devices.modules where tags.a = 1"),
        (Dialect::Target, "tags.a IN ('x')"),
        (Dialect::Target, "* AND tags.a = 1"),
        (Dialect::Target, "tags.a = 1 tags.b = 2"),
        (Dialect::TargetModules, "SELECT * FROM devices.modules"),
        (Dialect::TargetModules, "from devices.modules"),
        (Dialect::Routing, "SELECT * FROM /messages/*"),
        (Dialect::Routing, "level = 'a' $body.b = 1"),
        (Dialect::Routing, "level IN ['a']"),
        (Dialect::Routing, "1 < 2 AND < 5"),
        (Dialect::Rsql, "!(id==a)"),
        (Dialect::Rsql, "id=in=[a,b]"),
        (Dialect::Rsql, "id=isnull="),
        (Dialect::Rsql, "id=null=true"),
        (Dialect::Rsql, "name=="),
        (Dialect::Rsql, "name==;id==a"),
        (Dialect::Rsql, "id=between=(a,b)"),
        (Dialect::Rsql, "id=like=a"),
        (Dialect::Rsql, "id=eq=a"),
        (Dialect::Rsql, "id=foo=a"),
        (Dialect::Aws, "!thingName:a"),
        (Dialect::Aws, "thingName:a)"),
        (Dialect::Aws, "*:*"),
        (Dialect::Aws, "attributes.*:a"),
        (Dialect::Aws, "a;thingName:a"),
        (Dialect::Aws, "thingGroupNames:a,b"),
        (Dialect::Aws, "a.b:geo_distance,1,2,3"),
        (Dialect::Aws, "attributes.a > \"x\""),
        (Dialect::Aws, "attributes.a > 1.9.1"),
        (Dialect::Aws, "attributes.a:>5"),
        (Dialect::Aws, "attributes.a:[5, 6]"),
        (Dialect::Aws, "attributes.a:{5}"),
    ]
    .into_iter()
    .map(|(dialect, text)| refused(text, dialect))
    .collect();
    insta::assert_snapshot!(shown.join("\n"));
}
