//! Between wire forms and the model's types.

use fleet_model::attribute::{AttributePayload, Attributes, Mode};
use fleet_model::id::{IdError, Revision};
use fleet_model::kernel::Refused;
use fleet_model::tag::{TagError, Tags};
use std::collections::BTreeMap;

use crate::operation;
use crate::refusal::Refusal;

/// A request's change of attributes, where it has one.
pub(super) fn payload(
    payload: Option<&operation::AttributePayload>,
) -> Result<Option<AttributePayload>, Refused<IdError>> {
    let Some(payload) = payload else {
        return Ok(None);
    };
    let mode = if payload.merge == Some(true) {
        Mode::Merge
    } else {
        Mode::Replace
    };
    let pairs = payload
        .attributes
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    AttributePayload::parse(pairs, mode).map(Some)
}

/// Attributes as a response has them.
pub(super) fn attribute_map(attributes: &Attributes) -> BTreeMap<String, String> {
    attributes
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The version that a request expects; a negative one is no version that a record can have.
pub(super) fn revision(expected: Option<i64>) -> Option<Revision> {
    expected.map(|version| Revision(u64::try_from(version).unwrap_or(u64::MAX)))
}

/// Tags of a request.
pub(super) fn tags(tags: Option<&[operation::Tag]>) -> Result<Tags, Refused<TagError>> {
    let pairs = tags.unwrap_or_default().iter();
    Tags::parse(pairs.map(|tag| (tag.key.as_str(), tag.value.as_deref().unwrap_or_default())))
}

/// One word of a fixed set, as the model's type reads it.
pub(super) fn word<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, Refusal> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|error| Refusal::new("request.invalid", format!("{what} `{text}`: {error}")))
}

/// Problems of a request, collected in the order of validation; the first one names the error.
#[derive(Debug, Default)]
pub(super) struct Checks {
    found: Vec<Refusal>,
}

impl Checks {
    /// The value of `text`, its problem noted when it has none.
    pub(super) fn parse<T: std::str::FromStr<Err = IdError>>(&mut self, text: &str) -> Option<T> {
        self.ok(text.parse().map_err(Refusal::from))
    }

    /// As [`Checks::parse`], for what may be absent.
    pub(super) fn parse_option<T: std::str::FromStr<Err = IdError>>(
        &mut self,
        text: Option<&str>,
    ) -> Option<T> {
        text.and_then(|text| self.parse(text))
    }

    /// The value of a result of the model.
    pub(super) fn refused<T, E: Into<Refusal>>(&mut self, result: Result<T, E>) -> Option<T> {
        self.ok(result.map_err(Into::into))
    }

    /// The value of a result.
    pub(super) fn ok<T>(&mut self, result: Result<T, Refusal>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(refusal) => {
                self.found.push(refusal);
                None
            }
        }
    }

    /// Nothing, or the first problem with all of them in its details.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        let mut found = self.found.into_iter();
        match found.next() {
            None => Ok(()),
            Some(first) => Err(found.fold(first, Refusal::and)),
        }
    }
}
