//! Random query texts of every dialect, over the fields that random documents have.
use super::pick;
use fleet_generate::Random;
use fleet_query::{Collection, Dialect};

/// A text of a dialect, which nearly always parses.
pub(crate) fn query(r: &mut Random, dialect: Dialect) -> String {
    match dialect {
        Dialect::IotHub | Dialect::IotHubModules | Dialect::IotHubJobs => statement(r, dialect),
        Dialect::Target => sql(r, dialect, 2),
        Dialect::TargetModules => {
            format!("FROM devices.modules WHERE {}", sql(r, dialect, 2))
        }
        Dialect::Aws | Dialect::AwsGroups => lucene(r, dialect.collection(), 2),
        Dialect::Rsql => rsql(r, 2),
        _ => panic!("{dialect} reads no collection"),
    }
}

/// The dialects that read a collection.
pub(crate) fn dialects(collection: Collection) -> &'static [Dialect] {
    match collection {
        Collection::Devices => &[
            Dialect::IotHub,
            Dialect::IotHub,
            Dialect::Target,
            Dialect::Aws,
            Dialect::Rsql,
        ],
        Collection::Modules => &[Dialect::IotHubModules, Dialect::TargetModules],
        Collection::Jobs => &[Dialect::IotHubJobs],
        _ => &[Dialect::AwsGroups],
    }
}

fn statement(r: &mut Random, dialect: Dialect) -> String {
    let collection = dialect.collection();
    let from = match collection {
        Collection::Modules => "devices.modules",
        Collection::Jobs => "devices.jobs",
        _ => "devices",
    };
    let filter = match r.chance(750) {
        true => format!(" WHERE {}", sql(r, dialect, 2)),
        false => String::new(),
    };
    let top = match r.chance(200) {
        true => format!("TOP {} ", 1 + r.below(4)),
        false => String::new(),
    };
    let by = field(r, dialect);
    let forms = match collection {
        Collection::Jobs => 4,
        Collection::Modules => 7,
        _ => 8,
    };
    match r.below(forms) {
        0..=3 => format!("SELECT {top}* FROM {from}{filter}"),
        4 => format!(
            "SELECT {top}{}, {} AS x FROM {from}{filter}",
            field(r, dialect),
            field(r, dialect)
        ),
        5 => format!("SELECT {top}deviceId FROM {from}{filter}"),
        6 => format!(
            "SELECT COUNT() AS n, {} FROM {from}{filter}",
            aggregate(r, dialect)
        ),
        _ => format!(
            "SELECT {top}{by}, COUNT() AS n, {} FROM {from}{filter} GROUP BY {by}",
            aggregate(r, dialect)
        ),
    }
}

fn aggregate(r: &mut Random, dialect: Dialect) -> String {
    let function = *pick(r, &["SUM", "AVG", "MIN", "MAX"]);
    format!("{function}({}) AS v", field(r, dialect))
}

/// Fields that every dialect of twins can name, then those that target conditions cannot.
const TWIN_FIELDS: [&str; 18] = [
    "deviceId",
    "tags.a",
    "tags.b",
    "tags.n",
    "tags.a.b",
    "tags.[[a.b]]",
    "properties.reported.n",
    "properties.reported.t",
    "properties.reported.a.b",
    "properties.reported.$version",
    "properties.reported.$metadata.n.$lastUpdated",
    "properties.desired.a",
    "attributes.a",
    "attributes.load",
    "attributes.site",
    "tags",
    "rare3",
    "nothing",
];

fn field(r: &mut Random, dialect: Dialect) -> String {
    let name = match dialect {
        Dialect::IotHubJobs => *pick(r, &["deviceId", "jobId", "jobType", "status", "outcome.n"]),
        Dialect::Target | Dialect::TargetModules => *pick(r, &TWIN_FIELDS[..11]),
        Dialect::IotHubModules if r.chance(100) => "moduleId",
        _ => *pick(r, &TWIN_FIELDS),
    };
    match r.chance(60) && name != "deviceId" {
        true => format!("{name}[{}]", r.below(4)),
        false => name.to_owned(),
    }
}

fn literal(r: &mut Random) -> String {
    match r.below(8) {
        0 => "null".to_owned(),
        1 => (*pick(r, &["true", "false"])).to_owned(),
        2..=4 => number(r),
        5 => format!("'dev-{:04}'", r.below(8)),
        _ => format!(
            "'{}'",
            pick(r, &["a", "A", "b", "ab", "aB c", "75", "", "é"])
        ),
    }
}

fn number(r: &mut Random) -> String {
    (*pick(
        r,
        &[
            "0",
            "1",
            "2",
            "75",
            "75.5",
            "-3",
            "-100",
            "10.25",
            "9007199254740992",
            "1e300",
        ],
    ))
    .to_owned()
}

fn sql(r: &mut Random, dialect: Dialect, depth: u64) -> String {
    if depth > 0 && r.chance(450) {
        let (left, right) = (sql(r, dialect, depth - 1), sql(r, dialect, depth - 1));
        return match r.below(4) {
            0 => format!("NOT ({left})"),
            1 => format!("({left} OR {right})"),
            _ => format!("{left} AND {right}"),
        };
    }
    let name = field(r, dialect);
    let target = matches!(dialect, Dialect::Target | Dialect::TargetModules);
    let op = *pick(r, &["=", "!=", "<", "<=", ">", ">="]);
    match r.below(12) {
        0..=4 => format!("{name} {op} {}", literal(r)),
        5 if !target => {
            let list: Vec<String> = (0..1 + r.below(3)).map(|_| literal(r)).collect();
            format!("{name} {} [{}]", pick(r, &["IN", "NIN"]), list.join(", "))
        }
        6 => format!("IS_DEFINED({name})"),
        7 => format!(
            "{}({name})",
            pick(
                r,
                &[
                    "IS_NUMBER",
                    "IS_STRING",
                    "IS_BOOL",
                    "IS_NULL",
                    "IS_OBJECT",
                    "IS_ARRAY",
                    "IS_PRIMITIVE"
                ]
            )
        ),
        8 => format!(
            "{}({name}, '{}')",
            pick(r, &["STARTSWITH", "ENDSWITH", "CONTAINS"]),
            pick(r, &["a", "b", "dev-000", ""])
        ),
        9 => format!("{name} >= {} AND {name} < {}", number(r), number(r)),
        10 => format!("{name} {op} {}", field(r, dialect)),
        5 => format!("{name} = {}", literal(r)),
        _ => format!("{name} * 2 {op} {}", number(r)),
    }
}

fn lucene(r: &mut Random, collection: Collection, depth: u64) -> String {
    if depth > 0 && r.chance(450) {
        let (left, right) = (
            lucene(r, collection, depth - 1),
            lucene(r, collection, depth - 1),
        );
        return match r.below(4) {
            0 => format!("NOT ({left})"),
            1 => format!("({left} OR {right})"),
            _ => format!("({left} AND {right})"),
        };
    }
    let name = match collection {
        Collection::Groups => *pick(
            r,
            &[
                "thingGroupName",
                "attributes.a",
                "attributes.load",
                "attributes.site",
                "attributes.b",
            ],
        ),
        _ => *pick(
            r,
            &[
                "thingName",
                "attributes.a",
                "attributes.load",
                "attributes.site",
                "attributes.b.a",
                "shadow.reported.n",
                "shadow.reported.t",
                "shadow.reported.a.b",
                "shadow.desired.a",
                "shadow.hasDelta",
            ],
        ),
    };
    match r.below(10) {
        0..=2 => format!(
            "{name}:{}",
            pick(
                r,
                &["a", "A", "b", "ab", "75", "75.0", "true", "é", "dev-0001"]
            )
        ),
        3 => format!("{name}:{}", pick(r, &["*", "a*", "dev-000*", "?b", "*b"])),
        4 => format!("{name}{}{}", pick(r, &[">", ">=", "<", "<="]), number(r)),
        5 => format!(
            "{name}:[{} TO {}}}",
            pick(r, &["0", "-100", "*"]),
            pick(r, &["75", "100", "*"])
        ),
        6 => format!("{name}:\"{}\"", pick(r, &["a b", "aB c", "a"])),
        7 => format!("{name}:(a OR b OR 75)"),
        8 => (*pick(r, &["a", "75", "dev-0002", "\"a b\"", "long*"])).to_owned(),
        _ => "*".to_owned(),
    }
}

fn rsql(r: &mut Random, depth: u64) -> String {
    if depth > 0 && r.chance(450) {
        let (left, right) = (rsql(r, depth - 1), rsql(r, depth - 1));
        return match r.below(2) {
            0 => format!("({left},{right})"),
            _ => format!("({left};{right})"),
        };
    }
    let name = *pick(
        r,
        &[
            "deviceId",
            "tags.a",
            "tags.b",
            "tags.n",
            "properties.reported.n",
            "attributes.load",
            "attributes.site",
        ],
    );
    let word = *pick(
        r,
        &[
            "a", "A", "b", "75", "75.0", "a*", "dev-000*", "'a b'", "true",
        ],
    );
    match r.below(8) {
        0..=2 => format!("{name}=={word}"),
        3 => format!("{name}!={word}"),
        4 => format!(
            "{name}{}{}",
            pick(r, &["=gt=", "=ge=", "=lt=", "=le="]),
            pick(r, &["10", "75", "a"])
        ),
        5 => format!("{name}=in=(a,75,b)"),
        6 => format!("{name}=out=(a,75)"),
        _ => format!("{name}={}=null", pick(r, &["is", "not"])),
    }
}
