//! Fields that the AWS aggregations accept: the managed ones and the configured custom ones.

use crate::check::{Use, names::index_path};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::dialect::Collection;
use crate::path::FieldPath;
use crate::syntax::ast::{At, Path, Step};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The type of an aggregation field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FieldType {
    /// Numbers, and texts that are JSON number literals.
    Number,
    /// Texts.
    String,
    /// Booleans, and the texts `true` and `false`.
    Boolean,
}

/// The custom fields of an indexing configuration, by name as configured (`attributes.load`).
pub type IndexFields = BTreeMap<String, FieldType>;

/// A field that may be aggregated over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AggregationField {
    /// Where its values are.
    pub path: FieldPath,
    /// What its values are.
    pub field_type: FieldType,
}

impl AggregationField {
    /// The default of `GetStatistics`.
    pub const DEFAULT: &'static str = "registry.version";

    /// The managed or custom field of that name.
    ///
    /// # Errors
    /// `query.invalid_aggregation` for any other field.
    pub fn resolve(
        name: &str,
        custom: &IndexFields,
        collection: Collection,
    ) -> Result<Self, Diagnostic> {
        let span = Span::new(0, name.len());
        let steps = name
            .split('.')
            .map(|key| Step::Key(key.to_owned()))
            .collect();
        let invalid = |message: String| Diagnostic::error(Code::InvalidAggregation, span, message);
        let field_type = managed(name, collection)
            .or_else(|| custom.get(name).copied())
            .ok_or_else(|| {
                invalid(format!(
                    "`{name}` is neither a managed field nor a configured custom field"
                ))
                .with_help("add it to customFields of the indexing configuration")
            })?;
        let path = index_path(
            &Path {
                steps,
                at: At(span),
            },
            collection,
            Use::Aggregate,
        )
        .map_err(|found| invalid(found.message))?;
        Ok(Self { path, field_type })
    }
}

/// The type of a managed field (AWS spec 3.2); the search spellings are accepted too.
fn managed(name: &str, collection: Collection) -> Option<FieldType> {
    if collection == Collection::Groups {
        return match name {
            "description" | "parentGroupNames" | "thingGroupId" | "thingGroupName" => {
                Some(FieldType::String)
            }
            "version" => Some(FieldType::Number),
            _ => None,
        };
    }
    Some(match name {
        "thingId"
        | "thingName"
        | "registry.thingTypeName"
        | "registry.thingGroupNames"
        | "thingTypeName"
        | "thingGroupNames"
        | "registry.thingId"
        | "registry.thingName"
        | "connectivity.disconnectReason" => FieldType::String,
        "registry.version"
        | "shadow.version"
        | "connectivity.timestamp"
        | "connectivity.version"
        | "deviceDefender.violationCount" => FieldType::Number,
        "shadow.hasDelta" | "connectivity.connected" => FieldType::Boolean,
        _ => {
            let keys: Vec<&str> = name.split('.').collect();
            match keys.as_slice() {
                ["shadow", "name", _, "version"]
                | ["deviceDefender", _, _, "lastViolationTime"] => FieldType::Number,
                ["shadow", "name", _, "hasDelta"] | ["deviceDefender", _, _, "inViolation"] => {
                    FieldType::Boolean
                }
                ["deviceDefender", _, _, "metricName" | "lastViolationValue"] => FieldType::String,
                _ => return None,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managed_fields_have_the_types_of_the_service() {
        use FieldType::{Boolean, Number, String};
        for (name, expected) in [
            ("thingId", Some(String)),
            ("registry.thingTypeName", Some(String)),
            ("thingGroupNames", Some(String)),
            ("connectivity.disconnectReason", Some(String)),
            ("registry.version", Some(Number)),
            ("shadow.version", Some(Number)),
            ("connectivity.timestamp", Some(Number)),
            ("shadow.hasDelta", Some(Boolean)),
            ("connectivity.connected", Some(Boolean)),
            ("shadow.name.cfg.version", Some(Number)),
            ("shadow.name.cfg.hasDelta", Some(Boolean)),
            ("deviceDefender.violationCount", Some(Number)),
            ("deviceDefender.profile.behavior.metricName", Some(String)),
            (
                "deviceDefender.profile.behavior.lastViolationTime",
                Some(Number),
            ),
            (
                "deviceDefender.profile.behavior.lastViolationValue",
                Some(String),
            ),
            ("deviceDefender.profile.behavior.inViolation", Some(Boolean)),
            ("deviceDefender.profile.behavior.other", None),
            ("attributes.load", None),
            ("description", None),
        ] {
            assert_eq!(managed(name, Collection::Devices), expected, "{name}");
        }
        for (name, expected) in [
            ("thingGroupName", Some(String)),
            ("thingGroupId", Some(String)),
            ("description", Some(String)),
            ("parentGroupNames", Some(String)),
            ("version", Some(Number)),
            ("thingName", None),
        ] {
            assert_eq!(managed(name, Collection::Groups), expected, "{name}");
        }
    }
}
