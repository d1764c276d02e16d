//! Twins that come from elsewhere: what their documents say, and the short way of a new one.

use super::hub::body;
use super::key::Incarnation;
use super::section::SectionName;
use crate::kernel::{Canon, Fit, Judge, Leaf, Scratch, Timestamp};
use crate::limits::{Limits, TwinLimits};
use serde::de::{DeserializeSeed, Deserializer};
use serde::{Deserialize, Serialize};

/// What an imported twin document says besides its sections.
///
/// Each is shown as it came until the fleet itself changes it: versions count on from it, the ETag stands until the
/// next write that moves ETags, the connection until a presence event is recorded.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Imported {
    /// `Connected` or `Disconnected`, as the document had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_state: Option<String>,
    /// `properties.desired.$version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired_version: Option<u64>,
    /// `etag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The text of `lastActivityTime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_activity_time: Option<String>,
    /// `properties.reported.$version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_version: Option<u64>,
    /// The root `version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

impl Imported {
    /// Whether the document said nothing of all this.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A new twin on its way from a document into the log, in canonical JSON, without trees.
///
/// It takes documents that are plainly within the limits. Whatever might be refused or has to be changed
/// (a null, metadata, an odd name) fails as "unfit", and is then for [`TwinCommand::Import`](super::TwinCommand::Import)
/// to judge; a twin that goes the short way is the same event.
#[derive(Debug, Default)]
pub struct Draft {
    sections: [Vec<u8>; 3],
    /// What else the document says; a section's `$version` is put here.
    pub imported: Imported,
    scratch: Scratch,
}

impl Draft {
    /// The type of its event.
    pub const EVENT_TYPE: &'static str = "twin.replaced";
    /// The schema of its event.
    pub const SCHEMA: u16 = 1;

    /// Empties it for the next document.
    pub fn clear(&mut self) {
        self.sections.iter_mut().for_each(Vec::clear);
        self.imported = Imported::default();
    }

    /// Reads a section from the deserializer that it is given.
    pub fn section<'d>(&'d mut self, name: SectionName, limits: &'d Limits) -> SectionSeed<'d> {
        let [tags, desired, reported] = &mut self.sections;
        let (out, bytes) = match name {
            SectionName::Tags => (tags, limits.twin.tags_bytes),
            SectionName::Desired => (desired, limits.twin.desired_bytes),
            SectionName::Reported => (reported, limits.twin.reported_bytes),
        };
        SectionSeed {
            out,
            scratch: &mut self.scratch,
            imported: &mut self.imported,
            judge: Plain {
                name,
                limits: &limits.twin,
                bytes,
                numbers: 0,
                version: None,
                at_version: false,
            },
        }
    }

    fn get(&self, name: SectionName) -> Option<&[u8]> {
        let [tags, desired, reported] = &self.sections;
        let section = match name {
            SectionName::Tags => tags,
            SectionName::Desired => desired,
            SectionName::Reported => reported,
        };
        (section.len() > 2).then_some(section.as_slice())
    }

    /// The data of the `twin.replaced` that makes this the first write of a device's twin; `None` when there is nothing to write.
    #[must_use]
    pub fn to_data(&self, at: Timestamp, incarnation: Incarnation) -> Option<Vec<u8>> {
        let [tags, desired, reported] = [
            SectionName::Tags,
            SectionName::Desired,
            SectionName::Reported,
        ]
        .map(|name| self.get(name));
        let none = tags.is_none() && desired.is_none() && reported.is_none();
        if none && self.imported.is_empty() {
            return None;
        }
        let size: usize = self.sections.iter().map(Vec::len).sum();
        let mut out = Vec::with_capacity(size + 512);
        let mut put = |name: &str, value: Option<&[u8]>| {
            if let Some(value) = value {
                out.push(if out.is_empty() { b'{' } else { b',' });
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(value);
            }
        };
        let at = format!("\"{at}\"");
        put("\"at\":", Some(at.as_bytes()));
        put("\"desired\":", desired);
        if !self.imported.is_empty() {
            // Texts and numbers to memory: this cannot fail.
            let imported = serde_json::to_vec(&self.imported).unwrap_or_default();
            put("\"imported\":", Some(&imported));
        }
        let mut life = [b'"'; 38];
        if let Some(text) = life.get_mut(1..37) {
            incarnation.0.hyphenated().encode_lower(text);
        }
        put("\"incarnation\":", Some(&life));
        put("\"reported\":", reported);
        let shadow = desired.or(reported).map(|_| b"1".as_slice());
        put("\"shadowVersion\":", shadow);
        put("\"tags\":", tags);
        put("\"via\":", Some(b"\"import\""));
        out.push(b'}');
        Some(out)
    }
}

/// Reads one section of a [`Draft`].
#[derive(Debug)]
pub struct SectionSeed<'d> {
    out: &'d mut Vec<u8>,
    scratch: &'d mut Scratch,
    imported: &'d mut Imported,
    judge: Plain<'d>,
}

impl<'de> DeserializeSeed<'de> for SectionSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        let unfit = || serde::de::Error::custom("unfit");
        // A section that stands twice.
        if !self.out.is_empty() {
            return Err(unfit());
        }
        Canon::new(self.out, self.scratch, &mut self.judge).deserialize(deserializer)?;
        let Plain {
            name,
            bytes,
            numbers,
            version,
            ..
        } = self.judge;
        // IoT Hub counts a number as eight characters, everything else at most as it is written.
        if self.out.first() != Some(&b'{') || self.out.len() + 8 * numbers > bytes {
            return Err(unfit());
        }
        if let Some(version) = version {
            self.cut_version(version).ok_or_else(unfit)?;
            match name {
                SectionName::Tags => return Err(unfit()),
                SectionName::Desired => self.imported.desired_version = Some(version),
                SectionName::Reported => self.imported.reported_version = Some(version),
            }
        }
        Ok(())
    }
}

impl SectionSeed<'_> {
    /// Takes `$version` out again; it sorts before every name that a user may give.
    fn cut_version(&mut self, version: u64) -> Option<()> {
        let member = format!("\"$version\":{version}");
        let end = 1 + member.len();
        let found = self.out.get(1..end)? == member.as_bytes();
        let end = end + usize::from(self.out.get(end) == Some(&b','));
        found.then(|| drop(self.out.drain(1..end)))
    }
}

/// Passes what no rule of [`body`] could refuse or change.
#[derive(Debug)]
struct Plain<'l> {
    name: SectionName,
    limits: &'l TwinLimits,
    bytes: usize,
    numbers: usize,
    version: Option<u64>,
    /// The next value is that of `$version`.
    at_version: bool,
}

impl Plain<'_> {
    fn integer(&self, value: i128) -> Fit {
        let limits = self.limits;
        fit((i128::from(limits.integer_min)..=i128::from(limits.integer_max)).contains(&value))
    }
}

fn fit(good: bool) -> Fit {
    if good { Fit::Good } else { Fit::Unfit }
}

impl Judge for Plain<'_> {
    fn name(&mut self, level: usize, name: &str) -> Fit {
        if level == 1 && name == "$version" {
            self.at_version = true;
            return Fit::Good;
        }
        fit(body::is_plain_name(name, self.limits))
    }

    fn leaf(&mut self, level: usize, leaf: Leaf<'_>) -> Fit {
        if level == 1 && std::mem::take(&mut self.at_version) {
            return match leaf {
                Leaf::Unsigned(version) => {
                    self.version = Some(version);
                    Fit::Good
                }
                _ => Fit::Unfit,
            };
        }
        match leaf {
            Leaf::Null => Fit::Unfit,
            Leaf::Bool => Fit::Good,
            Leaf::Float => {
                self.numbers += 1;
                Fit::Good
            }
            Leaf::Unsigned(value) => {
                self.numbers += 1;
                self.integer(value.into())
            }
            Leaf::Signed(value) => {
                self.numbers += 1;
                self.integer(value.into())
            }
            Leaf::Text(text) => fit(text.len() <= self.limits.string_bytes),
        }
    }

    fn open(&mut self, level: usize) -> Fit {
        fit(level <= self.limits.depth && !self.at_version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Context, Decider as _, WireEvent as _};
    use crate::twin::{Twin, TwinCommand, TwinKey, TwinView};
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};
    use uuid::Uuid;

    fn any_section() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            8 => any::<i32>().prop_map(Value::from),
            1 => any::<i64>().prop_map(Value::from),
            4 => any::<f64>().prop_map(Value::from),
            4 => any::<bool>().prop_map(Value::from),
            8 => "[ -~]{0,12}|\\PC{0,4}".prop_map(Value::from),
            1 => Just(Value::Null),
        ];
        let inner = leaf.prop_recursive(5, 30, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-z!]{1,3}|[ -~]{0,2}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        });
        let version = proptest::option::of(prop_oneof![
            9 => any::<u32>().prop_map(Value::from),
            1 => Just(json!("4")),
        ]);
        let members = proptest::collection::btree_map("[a-z!]{1,3}", inner, 0..6);
        (members, version).prop_map(|(members, version)| {
            let version = version.map(|version| ("$version".to_owned(), version));
            Value::Object(members.into_iter().chain(version).collect())
        })
    }

    /// The short way, where there is one.
    fn drafted(
        sections: [&Value; 3],
        imported: &Imported,
        life: Incarnation,
    ) -> Option<Option<Vec<u8>>> {
        let limits = Limits::default();
        let mut draft = Draft {
            imported: imported.clone(),
            ..Draft::default()
        };
        for (name, section) in [
            SectionName::Tags,
            SectionName::Desired,
            SectionName::Reported,
        ]
        .into_iter()
        .zip(sections)
        {
            // Members in the reverse of their order.
            let members = section.as_object().unwrap().iter().rev();
            let text: Vec<String> = members.map(|(k, v)| format!("{}:{v}", json!(k))).collect();
            let text = format!("{{{}}}", text.join(","));
            let mut read = serde_json::Deserializer::from_str(&text);
            draft.section(name, &limits).deserialize(&mut read).ok()?;
        }
        Some(draft.to_data(Timestamp::from_secs(7), life))
    }

    /// The long way: trees, through the decider.
    fn decided(
        sections: [&Value; 3],
        imported: &Imported,
        life: Incarnation,
    ) -> Result<Option<Vec<u8>>, String> {
        let mut imported = imported.clone();
        let take = |section: &Value, version: Option<&mut Option<u64>>| {
            let mut members: Map<_, _> = section.as_object().unwrap().clone();
            let found = members.remove("$version").and_then(|found| found.as_u64());
            if let Some(version) = version {
                *version = found;
            }
            (!members.is_empty()).then_some(members)
        };
        let command = TwinCommand::Import {
            tags: take(sections[0], None),
            desired: take(sections[1], Some(&mut imported.desired_version)),
            reported: take(sections[2], Some(&mut imported.reported_version)),
            imported,
        };
        let view = TwinView {
            key: TwinKey::Device("a".parse().unwrap()),
            incarnation: Some(life),
        };
        let limits = Limits::default();
        let context = Context {
            now: Timestamp::from_secs(7),
            limits: &limits,
            view: &view,
        };
        let events =
            Twin::decide(&Twin::initial(), command, &context).map_err(|e| format!("{e:?}"))?;
        Ok(events.first().map(super::super::TwinEvent::to_data))
    }

    proptest! {
        #[test]
        fn the_short_way_is_the_event_that_the_decider_makes(
            tags in any_section(), desired in any_section(), reported in any_section(),
            etag in proptest::option::of("\\PC{0,9}"), version in proptest::option::of(any::<u64>())) {
            let imported = Imported { etag, version, ..Imported::default() };
            let (life, sections) = (Incarnation(Uuid::from_u128(9)), [&tags, &desired, &reported]);
            if let Some(short) = drafted(sections, &imported, life) {
                prop_assert_eq!(Ok(short), decided(sections, &imported, life));
            }
        }
    }

    #[test]
    fn a_draft_is_of_the_present_schema() {
        let types = super::super::TwinEvent::TYPES;
        assert!(types.contains(&(Draft::EVENT_TYPE, Draft::SCHEMA)));
    }

    #[test]
    fn plain_documents_go_the_short_way_and_odd_ones_do_not() {
        let (none, life) = (Imported::default(), Incarnation(Uuid::nil()));
        let plain = json!({"b": {"c": [1, {"y": 1.5, "x": "t"}], "a": true}, "$version": 4});
        let data = drafted([&json!({}), &plain, &json!({})], &none, life)
            .unwrap()
            .unwrap();
        insta::assert_snapshot!(String::from_utf8(data).unwrap(), @r#"{"at":"1970-01-01T00:00:07.000000Z","desired":{"b":{"a":true,"c":[1,{"x":"t","y":1.5}]}},"imported":{"desiredVersion":4},"incarnation":"00000000-0000-0000-0000-000000000000","shadowVersion":1,"via":"import"}"#);
        for odd in [
            json!({"a": null}),
            json!({"a.b": 1}),
            json!({"": 1}),
            json!({"$metadata": {}}),
            json!({"$version": "4"}),
            json!({"a": u64::MAX}),
            json!({"a": "x".repeat(5_000)}),
            json!({"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"j": {"k": {}}}}}}}}}}}}),
        ] {
            assert!(
                drafted([&json!({}), &odd, &json!({})], &none, life).is_none(),
                "{odd}"
            );
        }
    }
}
