//! From names as each dialect writes them to canonical field paths.

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::dialect::{Collection, Dialect, Mode};
use crate::path::{FieldPath, Segment};
use crate::syntax::ast::{Path, Step};

/// What to write instead of DISTINCT, which without `AS` reads as a field with another name.
pub(crate) const NO_DISTINCT: &str = "write `SELECT field, COUNT() AS n … GROUP BY field`";

/// Members at the root of a device or module twin.
pub(crate) const TWIN_ROOTS: [&str; 21] = [
    "deviceId",
    "moduleId",
    "etag",
    "deviceEtag",
    "version",
    "status",
    "statusReason",
    "statusUpdateTime",
    "connectionState",
    "lastActivityTime",
    "cloudToDeviceMessageCount",
    "authenticationType",
    "x509Thumbprint",
    "capabilities",
    "deviceScope",
    "parentScopes",
    "modelId",
    "configurations",
    "tags",
    "properties",
    "generationId",
];

/// Members of the canonical document that IoT Hub does not know.
const SHARED_ROOTS: [&str; 8] = [
    "attributes",
    "thingGroupNames",
    "thingTypeName",
    "thingId",
    "connectivity",
    "deviceDefender",
    "shadow",
    "namedShadows",
];

/// Members of a job record (Azure spec 5.3).
pub(crate) const JOB_ROOTS: [&str; 10] = [
    "deviceId",
    "jobId",
    "jobType",
    "status",
    "startTimeUtc",
    "endTimeUtc",
    "createdDateTimeUtc",
    "lastUpdatedDateTimeUtc",
    "outcome",
    "error",
];

/// Names below a root that match in any letter case too.
const INNER_NAMES: [(&str, &[&str]); 4] = [
    ("properties", &["desired", "reported"]),
    ("capabilities", &["iotEdge"]),
    (
        "x509Thumbprint",
        &["primaryThumbprint", "secondaryThumbprint"],
    ),
    (
        "connectivity",
        &["connected", "timestamp", "disconnectReason"],
    ),
];

/// Searchable fields of the AWS thing index, with their canonical paths (AWS spec 3.2).
const THING_FIELDS: [(&str, &[&str]); 16] = [
    ("thingName", &["deviceId"]),
    ("registry.thingName", &["deviceId"]),
    ("thingId", &["thingId"]),
    ("registry.thingId", &["thingId"]),
    ("thingTypeName", &["thingTypeName"]),
    ("registry.thingTypeName", &["thingTypeName"]),
    ("thingGroupNames", &["thingGroupNames"]),
    ("registry.thingGroupNames", &["thingGroupNames"]),
    ("shadow.hasDelta", &["shadow", "hasDelta"]),
    ("connectivity.connected", &["connectivity", "connected"]),
    ("connectivity.timestamp", &["connectivity", "timestamp"]),
    (
        "connectivity.disconnectReason",
        &["connectivity", "disconnectReason"],
    ),
    (
        "deviceDefender.violationCount",
        &["deviceDefender", "violationCount"],
    ),
    // Aggregation only.
    ("registry.version", &["registryVersion"]),
    ("shadow.version", &["shadow", "version"]),
    ("connectivity.version", &["connectivity", "version"]),
];

/// Roots of the AWS thing index below which any path may follow.
const THING_OPEN: [(&[&str], &[&str]); 5] = [
    (&["attributes"], &["attributes"]),
    (&["shadow", "desired"], &["properties", "desired"]),
    (&["shadow", "reported"], &["properties", "reported"]),
    (&["shadow", "delta"], &["shadow", "delta"]),
    (&["shadow", "metadata"], &["shadow", "metadata"]),
];

/// Fields of the AWS thing-group index.
const GROUP_FIELDS: [(&str, &[&str]); 6] = [
    ("thingGroupName", &["thingGroupName"]),
    ("thingGroupNames", &["thingGroupName"]),
    ("thingGroupId", &["thingGroupId"]),
    ("description", &["description"]),
    ("parentGroupNames", &["parentGroupNames"]),
    ("version", &["version"]),
];

/// Fields that can be aggregated over but not searched.
const NEVER_SEARCHABLE: [&str; 5] = [
    "registry.version",
    "shadow.version",
    "deviceDefender.version",
    "version",
    "connectivity.version",
];

fn key_at(path: &Path, at: usize) -> Option<&str> {
    match path.steps.get(at) {
        Some(Step::Key(key)) => Some(key),
        _ => None,
    }
}

fn segments(steps: &[Step]) -> Vec<Segment> {
    steps
        .iter()
        .map(|step| match step {
            Step::Key(key) => Segment::Key(key.as_str().into()),
            Step::Index(index) => Segment::Index(*index),
        })
        .collect()
}

fn with_root(root: &[&str], rest: &[Step]) -> FieldPath {
    FieldPath::new(
        root.iter()
            .map(|key| Segment::Key((*key).into()))
            .chain(segments(rest))
            .collect(),
    )
}

fn in_any_case<'a>(names: &[&'a str], name: &str) -> Option<&'a str> {
    names
        .iter()
        .copied()
        .find(|known| known.eq_ignore_ascii_case(name))
}

/// The known name closest to a wrong one, if any is close.
pub(crate) fn closest<'a>(
    wrong: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    known
        .into_iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&wrong, &name.to_lowercase()),
                name,
            )
        })
        .filter(|(distance, name)| *distance <= name.chars().count().max(wrong.chars().count()) / 3)
        .min_by_key(|(distance, name)| (*distance, *name))
        .map(|(_, name)| name)
}

/// A canonical path as conditions of a dialect write it.
pub(crate) fn written(path: &FieldPath, dialect: Dialect) -> String {
    let keys: Vec<&str> = path
        .segments()
        .iter()
        .take(2)
        .map(Segment::as_key)
        .collect();
    let (head, length) = match (dialect, keys.as_slice()) {
        (Dialect::Aws, ["properties", section @ ("desired" | "reported")]) => {
            (format!("shadow.{section}"), 2)
        }
        (Dialect::Aws, ["namedShadows", ..]) => ("shadow.name".to_owned(), 1),
        (Dialect::Aws, ["deviceId"]) => ("thingName".to_owned(), 1),
        (Dialect::AwsGroups, _) | (Dialect::Aws, _) => return path.joined(),
        (Dialect::Routing, ["appProperties", name]) => return (*name).to_owned(),
        (Dialect::Routing, [root @ ("body" | "twin"), ..]) => {
            return format!(
                "${root}{}",
                path.joined().strip_prefix(root).unwrap_or_default()
            );
        }
        _ => return path.to_string(),
    };
    let rest = FieldPath::new(path.segments().iter().skip(length).cloned().collect()).joined();
    if rest.is_empty() {
        head
    } else {
        format!("{head}.{rest}")
    }
}

/// A path of the twin, module, job and target dialects.
pub(crate) fn twin_path(
    path: &Path,
    dialect: Dialect,
    collection: Collection,
    mode: Mode,
    found: &mut Vec<Diagnostic>,
) -> FieldPath {
    let known: Vec<&str> = match (collection, mode) {
        (Collection::Jobs, _) => JOB_ROOTS.into_iter().chain(["createdTimeUtc"]).collect(),
        (_, Mode::Strict) => TWIN_ROOTS.to_vec(),
        (_, Mode::Lenient) => TWIN_ROOTS
            .into_iter()
            .chain(SHARED_ROOTS)
            .chain(["thingName"])
            .collect(),
    };
    let steps = unqualified(path, &known);
    let span = path.at.0;
    let Some((Step::Key(first), rest)) = steps.split_first() else {
        return FieldPath::new(segments(&path.steps));
    };
    if matches!(dialect, Dialect::Target | Dialect::TargetModules) {
        target_name(first, rest, dialect, span, found);
    }
    let Some(root) = in_any_case(&known, first) else {
        unknown_root(steps, collection, &known, span, found);
        return FieldPath::new(segments(steps));
    };
    let below = |roots: &[&str], rest: &[Step]| with_root(roots, rest);
    match (root, rest) {
        ("thingName", rest) => below(&["deviceId"], rest),
        ("createdTimeUtc", rest) => below(&["createdDateTimeUtc"], rest),
        ("shadow", [Step::Key(section), rest @ ..])
            if matches!(section.as_str(), "desired" | "reported") =>
        {
            below(&["properties", section], rest)
        }
        ("shadow", [Step::Key(name), rest @ ..]) if name == "name" => {
            below(&["namedShadows"], rest)
        }
        (root, [Step::Key(second), tail @ ..]) => {
            let inner = INNER_NAMES
                .iter()
                .find(|(name, _)| *name == root)
                .map_or(&[][..], |(_, names)| names);
            let inner = in_any_case(inner, second);
            if root == "properties" && inner.is_none() {
                no_section(second, dialect, span, found);
            }
            below(&[root, inner.unwrap_or(second)], tail)
        }
        (root, rest) => below(&[root], rest),
    }
}

/// `properties.x`: neither what is desired nor what is reported.
fn no_section(name: &str, dialect: Dialect, span: Span, found: &mut Vec<Diagnostic>) {
    // A target condition has refused it already.
    if matches!(dialect, Dialect::Target | Dialect::TargetModules) {
        return;
    }
    let message = format!("there is no `properties.{name}`: it is undefined everywhere");
    let help = format!("write `properties.reported.{name}` or `properties.desired.{name}`");
    found.push(Diagnostic::warning(Code::UnknownField, span, message).with_help(help));
}

/// The keys of a path; places of elements left out.
fn keys(steps: &[Step]) -> Vec<&str> {
    let keys = steps.iter().filter_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Index(_) => None,
    });
    keys.collect()
}

/// The steps without a leading `devices`, `devices.modules` or `devices.jobs` that qualifies a root field.
fn unqualified<'a>(path: &'a Path, known: &[&str]) -> &'a [Step] {
    let is =
        |at: usize, word: &str| key_at(path, at).is_some_and(|key| key.eq_ignore_ascii_case(word));
    let root = |at: usize| key_at(path, at).is_some_and(|key| in_any_case(known, key).is_some());
    let skip = match () {
        () if !is(0, "devices") => 0,
        () if (is(1, "modules") || is(1, "jobs")) && root(2) => 2,
        () if root(1) => 1,
        () => 0,
    };
    path.steps.get(skip..).unwrap_or_default()
}

fn target_name(
    first: &str,
    rest: &[Step],
    dialect: Dialect,
    span: Span,
    found: &mut Vec<Diagnostic>,
) {
    let reported =
        matches!(rest.first(), Some(Step::Key(key)) if key.eq_ignore_ascii_case("reported"));
    let is = |name: &str| first.eq_ignore_ascii_case(name);
    let allowed = is("deviceId")
        || is("tags")
        || (is("properties") && reported)
        || (is("moduleId") && dialect == Dialect::TargetModules);
    if allowed {
        return;
    }
    let rest = keys(rest);
    let name = match (first, rest.first()) {
        (first, Some(section)) if is("properties") => format!("{first}.{section}"),
        _ => first.to_owned(),
    };
    let message = format!("`{name}` cannot stand in a target condition");
    let help = if is("reported") && !rest.is_empty() {
        format!("write `properties.reported.{}`", rest.join("."))
    } else if rest.is_empty() && in_any_case(&TWIN_ROOTS, first).is_none() {
        format!(
            "write `tags.{first}` or `properties.reported.{first}`; a text stands in quotes: '{first}'"
        )
    } else {
        "a target condition may only name deviceId, tags and properties.reported".to_owned()
    };
    found.push(Diagnostic::error(Code::NameNotAllowed, span, message).with_help(help));
}

fn unknown_root(
    steps: &[Step],
    collection: Collection,
    known: &[&str],
    span: Span,
    found: &mut Vec<Diagnostic>,
) {
    let keys = keys(steps);
    let is = |key: &str, word: &str| key.eq_ignore_ascii_case(word);
    // A collection before the name is no part of it.
    let name = match keys.as_slice() {
        [devices, inner, name @ ..]
            if is(devices, "devices")
                && (is(inner, "modules") || is(inner, "jobs"))
                && !name.is_empty() =>
        {
            name
        }
        [devices, name @ ..] if is(devices, "devices") && !name.is_empty() => name,
        name => name,
    };
    let first = name.first().copied().unwrap_or_default();
    let last = name.last().copied().unwrap_or_default();
    if collection == Collection::Jobs && in_any_case(&TWIN_ROOTS, first).is_some() {
        found.push(
            Diagnostic::error(
                Code::NameNotAllowed,
                span,
                format!("job queries cannot name the twin's `{first}`"),
            )
            .with_help(format!(
                "the fields of a job record are {}",
                JOB_ROOTS.join(", ")
            )),
        );
        return;
    }
    if found.iter().any(|earlier| earlier.span == span) {
        return;
    }
    let help = match closest(first, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if collection == Collection::Jobs => {
            format!("the fields are {}", JOB_ROOTS.join(", "))
        }
        None if is(first, "DISTINCT") => NO_DISTINCT.to_owned(),
        None if is(first, "reported") || is(first, "desired") => {
            format!("write `properties.{}`", name.join("."))
        }
        None if name.len() == 1 => format!(
            "paths begin at the root of the twin: `tags.{last}`, `properties.reported.{last}` or `properties.desired.{last}`; a text stands in quotes: '{last}'"
        ),
        None => format!(
            "paths begin at the root of the twin: `tags.{last}`, `properties.reported.{last}` or `properties.desired.{last}`"
        ),
    };
    found.push(
        Diagnostic::warning(
            Code::UnknownField,
            span,
            format!("there is no field `{first}` at the root: it is undefined everywhere"),
        )
        .with_help(help),
    );
}

/// Whether a field is named to search or to aggregate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Search,
    Aggregate,
}

/// A field of the AWS index, or why it is none.
pub(crate) fn index_path(
    path: &Path,
    collection: Collection,
    usage: Use,
) -> Result<FieldPath, Diagnostic> {
    let keys = keys(&path.steps);
    let written = keys.join(".");
    let span = path.at.0;
    let named_version = matches!(keys.as_slice(), ["shadow", "name", _, "version"]);
    let never = NEVER_SEARCHABLE.contains(&written.as_str())
        && !(written == "version" && collection != Collection::Groups);
    if usage == Use::Search && (never || named_version) {
        return Err(Diagnostic::error(
            Code::NameNotAllowed,
            span,
            format!("`{written}` cannot be searched"),
        )
        .with_help("it is only returned, and usable as an aggregation field"));
    }
    let fields: &[(&str, &[&str])] = if collection == Collection::Groups {
        &GROUP_FIELDS
    } else {
        &THING_FIELDS
    };
    if let Some((_, canonical)) = fields.iter().find(|(name, _)| *name == written) {
        return Ok(with_root(canonical, &[]));
    }
    let rest = |count: usize| path.steps.get(count..).unwrap_or_default();
    if collection == Collection::Groups {
        if keys.len() > 1 && keys.first() == Some(&"attributes") {
            return Ok(with_root(&["attributes"], rest(1)));
        }
    } else {
        for (root, canonical) in THING_OPEN {
            if keys.len() > root.len() && keys.starts_with(root) {
                return Ok(with_root(canonical, rest(root.len())));
            }
        }
        match keys.as_slice() {
            ["shadow", "name", name, "hasDelta" | "version"] => {
                return Ok(with_root(&["namedShadows", name], rest(3)));
            }
            [
                "shadow",
                "name",
                name,
                "desired" | "reported" | "delta" | "metadata",
                _,
                ..,
            ] => {
                return Ok(with_root(&["namedShadows", name], rest(3)));
            }
            ["deviceDefender", _, _, ..] => return Ok(with_root(&["deviceDefender"], rest(1))),
            _ => {}
        }
    }
    let help = match instead(&keys, collection, usage) {
        Some(name) => format!("did you mean `{name}`? field names are case-sensitive"),
        None if keys.first() == Some(&"tags") && collection != Collection::Groups => {
            "tags are not in this index: it holds `attributes.x`, `shadow.reported.x`, `shadow.desired.x`".to_owned()
        }
        None if collection == Collection::Groups => {
            "the fields are thingGroupName, thingGroupId, description, parentGroupNames, attributes.…".to_owned()
        }
        None => "the fields are thingName, thingId, thingTypeName, thingGroupNames, attributes.…, shadow.desired.…, shadow.reported.…, connectivity.…, deviceDefender.…".to_owned(),
    };
    Err(Diagnostic::error(
        Code::UnknownField,
        span,
        format!("there is no field `{written}` in this index"),
    )
    .with_help(help))
}

/// The field of an AWS index that was probably meant.
fn instead(keys: &[&str], collection: Collection, usage: Use) -> Option<String> {
    let (fields, open): (&[(&str, &[&str])], &[&str]) = match collection {
        Collection::Groups => (&GROUP_FIELDS, &["attributes"]),
        _ => (
            &THING_FIELDS,
            &[
                "attributes",
                "shadow",
                "connectivity",
                "deviceDefender",
                "registry",
            ],
        ),
    };
    let things = collection != Collection::Groups;
    let written = keys.join(".");
    let names = || {
        let names = fields.iter().map(|(name, _)| *name);
        names.filter(|name| usage == Use::Aggregate || !NEVER_SEARCHABLE.contains(name))
    };
    let below = |root: &str, rest: &[&str]| Some(format!("{root}.{}", rest.join(".")));
    match keys {
        ["deviceId"] if things => return Some("thingName".to_owned()),
        ["properties", rest @ ..] if things && rest.len() > 1 => return below("shadow", rest),
        ["reported" | "desired", _, ..] if things => return below("shadow", keys),
        // An open root names nothing by itself.
        ["attributes"] => return below("attributes", &["NAME"]),
        ["shadow"] if things => return below("shadow.reported", &["NAME"]),
        _ => {}
    }
    if let Some(name) = closest(&written, names()) {
        return Some(name.to_owned());
    }
    match keys {
        [only] => {
            let part = |name: &&str| name.contains('.') && name.split('.').any(|key| key == *only);
            names().find(part).map(str::to_owned)
        }
        ["shadow", name] if things && !["desired", "reported"].contains(name) => {
            below("shadow.reported", &[name])
        }
        [root, rest @ ..] => {
            let close = closest(root, open.iter().copied()).filter(|close| close != root)?;
            below(close, rest)
        }
        [] => None,
    }
}

/// A selector of the RSQL dialect.
pub(crate) fn rsql_path(path: &Path, mode: Mode, found: &mut Vec<Diagnostic>) -> FieldPath {
    let first = key_at(path, 0).unwrap_or_default();
    let rest = path.steps.get(1..).unwrap_or_default();
    let canonical: &[&str] = match first.to_ascii_lowercase().as_str() {
        "deviceid" | "thingname" | "controllerid" | "id" | "name" => &["deviceId"],
        "attribute" | "attributes" => &["attributes"],
        "tag" | "tags" => &["tags"],
        "reported" => &["properties", "reported"],
        "desired" => &["properties", "desired"],
        "group" | "groups" | "thinggroupnames" => &["thingGroupNames"],
        "type" | "thingtypename" => &["thingTypeName"],
        "shadow" => match rest.first() {
            Some(Step::Key(section)) if section == "desired" || section == "reported" => {
                return with_root(&["properties", section], rest.get(1..).unwrap_or_default());
            }
            _ => &["shadow"],
        },
        _ => {
            let known: Vec<&str> = TWIN_ROOTS.into_iter().chain(SHARED_ROOTS).collect();
            let span = path.at.0;
            let Some(root) = in_any_case(&known, first) else {
                let help = match closest(first, known) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!(
                        "write `tags.{first}`, `attributes.{first}`, `reported.{first}` or `desired.{first}`"
                    ),
                };
                let message = format!("there is no field `{first}`");
                let diagnostic = match mode {
                    Mode::Strict => Diagnostic::error(Code::UnknownField, span, message),
                    Mode::Lenient => Diagnostic::warning(Code::UnknownField, span, message),
                };
                found.push(diagnostic.with_help(help));
                return FieldPath::new(segments(&path.steps));
            };
            return match rest.split_first() {
                Some((Step::Key(second), tail)) => {
                    let inner = INNER_NAMES
                        .iter()
                        .find(|(name, _)| *name == root)
                        .map_or(&[][..], |(_, names)| names);
                    with_root(&[root, in_any_case(inner, second).unwrap_or(second)], tail)
                }
                _ => with_root(&[root], rest),
            };
        }
    };
    with_root(canonical, rest)
}
