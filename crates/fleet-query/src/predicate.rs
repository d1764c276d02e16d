//! The typed condition that every dialect is bound to.
//!
//! A [`Predicate`] is a tree of AND, OR and NOT over leaves. Each leaf names canonical paths and
//! constants only; what a leaf means on a missing field, on another kind or on an array is the
//! [`Profile`]'s matter, so one executor serves every dialect. [`crate::eval`] says what each leaf
//! means by computing it.

use crate::expression::{Expression, Membership};
use crate::path::FieldPath;
use crate::pattern::Pattern;
use crate::profile::Profile;
use crate::value::{CompareOp, Scalar, Truth};

/// A condition with the rules that it is judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The rules of the dialect that it was written in.
    pub profile: &'static Profile,
    /// What must hold.
    pub predicate: Predicate,
    /// Routing: a message whose body cannot be read as JSON makes the condition undefined.
    pub needs_body: bool,
}

impl Condition {
    /// A condition that needs no message body.
    #[must_use]
    pub const fn new(profile: &'static Profile, predicate: Predicate) -> Self {
        Self {
            profile,
            predicate,
            needs_body: false,
        }
    }
}

/// What must hold of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// The same on every document.
    Constant(Truth),
    /// The negation; undefined stays undefined.
    Not(Box<Self>),
    /// All of them; true when empty.
    And(Vec<Self>),
    /// Any of them; false when empty.
    Or(Vec<Self>),
    /// `path op constant`, by [`crate::value::compare`].
    Compare {
        /// The field.
        path: FieldPath,
        /// The operator. Never `Ne` under a two-valued profile (there it is `Not(Eq)`).
        op: CompareOp,
        /// The constant.
        value: Scalar,
    },
    /// `path IN […]`: the OR of `=`; or `path NIN […]`: the AND of `!=`. With no items: `IN` is
    /// false, `NIN` is true where the field is defined, else undefined.
    In {
        /// The field.
        path: FieldPath,
        /// The constants.
        values: Vec<Scalar>,
        /// IN or NIN.
        membership: Membership,
    },
    /// The value lies between two bounds of one kind; under a multi-valued profile one and the same
    /// element lies between both. An absent bound is open, the other one then gives the kind; with
    /// neither, any value that counts as a number or is text.
    Range {
        /// The field.
        path: FieldPath,
        /// The lower bound.
        low: Option<Bound>,
        /// The upper bound.
        high: Option<Bound>,
    },
    /// The text at the path fits the pattern. Three-valued: undefined unless it is text.
    Match {
        /// The field.
        path: FieldPath,
        /// The pattern, folded if the profile folds.
        pattern: Pattern,
    },
    /// A value is there, in the profile's sense of "there" ([`crate::profile::DefinedRule`]). Never undefined.
    Defined {
        /// The field.
        path: FieldPath,
    },
    /// The value is of this kind. Never undefined; false on a missing field.
    Kind {
        /// The field.
        path: FieldPath,
        /// The kind.
        kind: KindTest,
    },
    /// The value itself as a condition: true, false, null as false, anything else undefined.
    Holds {
        /// The field.
        path: FieldPath,
    },
    /// `ARRAY_CONTAINS(path, constant)`: undefined unless it is an array.
    ArrayContains {
        /// The field.
        path: FieldPath,
        /// The constant.
        value: Scalar,
    },
    /// The location at the path is within a great-circle distance (AWS spec 3.4, geoqueries).
    Near {
        /// The field.
        path: FieldPath,
        /// The centre and the distance.
        area: GeoArea,
    },
    /// Any searchable registry, shadow or violation field fits the pattern (AWS bare values).
    AnyField {
        /// The pattern, folded.
        pattern: Pattern,
    },
    /// Anything else: evaluate the expression, then take its truth.
    General(Expression),
}

/// A bound of a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The constant: a number or text.
    pub value: Scalar,
    /// Whether the bound itself is inside.
    pub edge: Edge,
}

/// Whether a bound belongs to its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edge {
    /// It does.
    Inclusive,
    /// It does not.
    Exclusive,
}

/// The kind tests of Azure spec 3.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KindTest {
    /// `IS_NULL`
    Null,
    /// `IS_BOOL`
    Bool,
    /// `IS_NUMBER`: finite numbers
    Number,
    /// `IS_STRING`
    Text,
    /// `IS_OBJECT`
    Object,
    /// `IS_ARRAY`
    Array,
    /// `IS_PRIMITIVE`: text, boolean, number or null
    Primitive,
}

/// A circle on the sphere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeoArea {
    /// Degrees, -90 to 90.
    pub latitude: f64,
    /// Degrees, -180 to 180.
    pub longitude: f64,
    /// Radius in metres, 0 or more.
    pub metres: f64,
    /// How texts and arrays at the path are read.
    pub order: AxisOrder,
}

/// Which of a place's two numbers stands first in a text or an array (`order` of AWS spec 3.1). A WKT point is always
/// longitude first, an object names its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AxisOrder {
    /// Latitude first.
    #[default]
    LatLon,
    /// Longitude first, as in GeoJSON.
    LonLat,
}

impl Predicate {
    /// A predicate that always holds.
    pub const TRUE: Self = Self::Constant(Truth::True);

    /// Reads the places at a path in this order, wherever the predicate asks for a distance from one.
    pub fn read_places(&mut self, at: &FieldPath, order: AxisOrder) {
        match self {
            Self::Not(inner) => inner.read_places(at, order),
            Self::And(items) | Self::Or(items) => {
                items
                    .iter_mut()
                    .for_each(|item| item.read_places(at, order));
            }
            Self::Near { path, area } if path == at => area.order = order,
            _ => {}
        }
    }

    /// Every field path that the predicate names, in order of appearance, repeats included.
    #[must_use]
    pub fn paths(&self) -> Vec<&FieldPath> {
        let mut out = Vec::new();
        self.collect_paths(&mut out);
        out
    }

    fn collect_paths<'a>(&'a self, out: &mut Vec<&'a FieldPath>) {
        match self {
            Self::Constant(_) | Self::AnyField { .. } => {}
            Self::Not(inner) => inner.collect_paths(out),
            Self::And(items) | Self::Or(items) => {
                items.iter().for_each(|item| item.collect_paths(out))
            }
            Self::Compare { path, .. }
            | Self::In { path, .. }
            | Self::Range { path, .. }
            | Self::Match { path, .. }
            | Self::Defined { path }
            | Self::Kind { path, .. }
            | Self::Holds { path }
            | Self::ArrayContains { path, .. }
            | Self::Near { path, .. } => out.push(path),
            Self::General(expression) => expression.collect_paths(out),
        }
    }
}

impl Expression {
    pub(crate) fn collect_paths<'a>(&'a self, out: &mut Vec<&'a FieldPath>) {
        match self {
            Self::Constant(_) | Self::Undefined | Self::SystemProperty(_) => {}
            Self::Field(path) => out.push(path),
            Self::Not(inner) | Self::Negate(inner) => inner.collect_paths(out),
            Self::And(items)
            | Self::Or(items)
            | Self::Call {
                arguments: items, ..
            } => {
                items.iter().for_each(|item| item.collect_paths(out));
            }
            Self::Compare { left, right, .. }
            | Self::Arithmetic { left, right, .. }
            | Self::Concat(left, right)
            | Self::Coalesce(left, right) => {
                left.collect_paths(out);
                right.collect_paths(out);
            }
            Self::In { value, items, .. } => {
                value.collect_paths(out);
                items.iter().for_each(|item| item.collect_paths(out));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{Dialect, Mode};
    use crate::query::Query;

    fn condition(text: &str, dialect: Dialect) -> Condition {
        let query = Query::parse(text, dialect, Mode::Lenient);
        query
            .unwrap_or_else(|found| panic!("{text}: {found:?}"))
            .condition()
            .clone()
    }

    #[test]
    fn every_path_of_an_expression_is_named() {
        for (text, expected) in [
            ("tags.a + tags.b = tags.a", "tags.a tags.b tags.a"),
            ("-tags.a + tags.b IN [1, 2]", "tags.a tags.b"),
            ("NOT IS_DEFINED(tags.a) AND tags.b = 1", "tags.a tags.b"),
            ("LOWER(tags.a) = tags.b", "tags.a tags.b"),
            (
                "(tags.a OR NOT tags.b) = (tags.c AND true)",
                "tags.a tags.b tags.c",
            ),
        ] {
            let bound = condition(
                &format!("SELECT * FROM devices WHERE {text}"),
                Dialect::IotHub,
            );
            let paths: Vec<String> = bound
                .predicate
                .paths()
                .iter()
                .map(|path| path.to_string())
                .collect();
            assert_eq!(paths.join(" "), expected, "{text}");
        }
        let routing = condition("($body.a || level ?? $body.b) = 'x'", Dialect::Routing);
        assert_eq!(routing.predicate.paths().len(), 3);
    }

    /// A place is read longitude first where its field is configured so, wherever it stands in the condition.
    #[test]
    fn places_are_read_in_the_order_of_their_field() {
        let near = |field: &str| format!("{field}:geo_distance,47.6204,-122.3491,15km");
        let order = crate::predicate::AxisOrder::LonLat;
        let document = serde_json::json!({"deviceId": "d", "attributes": {"here": "-122.3491,47.6204", "there": "47.6204,-122.3491"}});
        for (text, holds) in [
            (near("attributes.here"), true),
            (near("attributes.there"), true),
            (format!("NOT {}", near("attributes.here")), false),
            (
                format!(
                    "{} AND {}",
                    near("attributes.here"),
                    near("attributes.there")
                ),
                true,
            ),
            (format!("{} OR thingName:x", near("attributes.here")), true),
        ] {
            let query = Query::parse(&text, Dialect::Aws, Mode::Lenient).unwrap();
            let query = query.with_axis_order("attributes.here", order).unwrap();
            let found = query.matches(crate::Document::new(&document));
            assert_eq!(found.is_true(), holds, "{text}");
        }
    }
}
