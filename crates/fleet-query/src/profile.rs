//! Each dialect's rules for missing fields, kinds, text and arrays, as data.
//!
//! Everything that makes the same-looking condition mean different things in two dialects is a
//! field of [`Profile`]; evaluator, index and algebra read it and know no dialect by name.

/// How many truth values a leaf can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logic {
    /// True, false and undefined: a missing field makes a comparison undefined.
    ThreeValued,
    /// True and false: a leaf that cannot be judged is false, and its negation true.
    TwoValued,
}

/// What a comparison of two defined values of different kinds gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MixedKinds {
    /// `=` false, `!=` true, order undefined (Azure spec 3.5).
    Matrix,
    /// No match (false), as on a missing field.
    NoMatch,
}

/// How text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextRule {
    /// Whole text, ordinal: by UTF-16 code units, case matters.
    Ordinal,
    /// White-space separated tokens, case folded; order by code point of the whole folded text.
    FoldedTokens,
    /// Whole text, case folded; order by code point of the folded text.
    FoldedWhole,
}

/// Which values count as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberRule {
    /// JSON numbers only.
    Numbers,
    /// JSON numbers, and texts that are JSON number literals ([`crate::value::numeral`]).
    Numerals,
}

/// What a stored `null` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullRule {
    /// A value: `IS_DEFINED` is true of it.
    Value,
    /// The same as no field.
    Absent,
}

/// What an array on the path of a leaf is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrayRule {
    /// One opaque value: comparisons with it are undefined.
    Opaque,
    /// Several values: the leaf holds if it holds for any element; an array that holds an object
    /// or an array has no values at all.
    AnyElement,
}

/// How keys of a path find members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRule {
    /// Each key finds the member of exactly that name.
    Exact,
    /// Each key finds the member of that name in any letter case (exact match first).
    AnyCase,
    /// Keys are joined with `.`: `{"a":{"b":1}}` and `{"a.b":1}` hold the same field.
    Joined,
}

/// Of what `IS_DEFINED` (or existence) is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefinedRule {
    /// Any stored value, null, objects and arrays included.
    AnyValue,
    /// Text, number, bool or null (routing).
    Primitive,
    /// At least one indexed value: text, number or bool, or an array made only of those.
    Indexed,
}

/// What a member is that a message's readable body does not have (Azure spec 3.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingBody {
    /// Undefined, as the hosted service documents it.
    #[default]
    Undefined,
    /// Null, as the edge hub does it: `$body.a = null` holds, `$body.a <> 'x'` too.
    Null,
}

/// The rules of one dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The family's name, as the documentation's table shows it.
    pub name: &'static str,
    /// Two or three truth values; decides what a leaf on a missing field is.
    pub logic: Logic,
    /// Comparison across kinds.
    pub mixed: MixedKinds,
    /// Comparison of text.
    pub text: TextRule,
    /// What is a number.
    pub numbers: NumberRule,
    /// What null is.
    pub nulls: NullRule,
    /// What an array is.
    pub arrays: ArrayRule,
    /// How paths find members.
    pub keys: KeyRule,
    /// What is defined.
    pub defined: DefinedRule,
    /// What a missing member of a message body is.
    pub missing_body: MissingBody,
}

/// IoT Hub twin, module and job queries and target conditions (Azure spec 3.4, 3.5, 4.3).
pub const IOT_HUB: Profile = Profile {
    name: "iothub",
    logic: Logic::ThreeValued,
    mixed: MixedKinds::Matrix,
    text: TextRule::Ordinal,
    numbers: NumberRule::Numbers,
    nulls: NullRule::Value,
    arrays: ArrayRule::Opaque,
    keys: KeyRule::Exact,
    defined: DefinedRule::AnyValue,
    missing_body: MissingBody::Undefined,
};

/// Message-routing conditions (Azure spec 3.9, 3.11).
pub const ROUTING: Profile = Profile {
    name: "routing",
    keys: KeyRule::AnyCase,
    defined: DefinedRule::Primitive,
    ..IOT_HUB
};

/// Routing conditions as the edge hub judges them: a member that the body does not have is null.
pub const ROUTING_NULL_BODY: Profile = Profile {
    name: "routing, missing body members null",
    missing_body: MissingBody::Null,
    ..ROUTING
};

/// The AWS fleet index language (AWS spec 3.3, 3.4).
pub const AWS: Profile = Profile {
    name: "aws",
    logic: Logic::TwoValued,
    mixed: MixedKinds::NoMatch,
    text: TextRule::FoldedTokens,
    numbers: NumberRule::Numerals,
    nulls: NullRule::Absent,
    arrays: ArrayRule::AnyElement,
    keys: KeyRule::Joined,
    defined: DefinedRule::Indexed,
    missing_body: MissingBody::Undefined,
};

/// RSQL / FIQL; ours where the language leaves it open.
pub const RSQL: Profile = Profile {
    name: "rsql",
    text: TextRule::FoldedWhole,
    keys: KeyRule::Exact,
    ..AWS
};

/// Every profile, for tables and tests.
pub const ALL: [&Profile; 5] = [&IOT_HUB, &ROUTING, &ROUTING_NULL_BODY, &AWS, &RSQL];
