//! Text ids.

use super::IdError;

/// Defines a text newtype over `Arc<str>` whose only doors check `valid`.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(::std::sync::Arc<str>);

        impl $name {
            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Checks `text` without keeping it.
            ///
            /// # Errors
            /// `id.invalid` with the rule that it breaks.
            pub fn check(text: &str) -> Result<(), $crate::id::IdError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(())
                } else {
                    Err($crate::id::IdError::new($kind, text, $rule))
                }
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::id::IdError;
            fn from_str(text: &str) -> Result<Self, $crate::id::IdError> {
                Self::check(text)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::id::IdError;
            fn try_from(text: String) -> Result<Self, $crate::id::IdError> {
                text.parse()
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::id::IdError;
            fn try_from(text: &str) -> Result<Self, $crate::id::IdError> {
                text.parse()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl ::std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                $crate::id::text::parsed(deserializer)
            }
        }
    };
}
pub(crate) use text_id;

/// Deserialises text through `FromStr`, without an owned copy where the format allows.
pub(crate) fn parsed<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: std::str::FromStr<Err = IdError>,
    D: serde::Deserializer<'de>,
{
    struct Text<T>(std::marker::PhantomData<T>);
    impl<T: std::str::FromStr<Err = IdError>> serde::de::Visitor<'_> for Text<T> {
        type Value = T;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("text")
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }
    deserializer.deserialize_str(Text(std::marker::PhantomData))
}

/// Whether `text` has `min` to `max` bytes, all of them alphanumeric ASCII or one of `extra`.
fn of_alphabet(text: &str, min: usize, max: usize, extra: &[u8]) -> bool {
    (min..=max).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || extra.contains(&b))
}

/// The alphabet of AWS registry names: `[a-zA-Z0-9:_-]`, 1 to 128 characters.
fn is_aws_name(text: &str) -> bool {
    of_alphabet(text, 1, 128, b":_-")
}

fn is_visible_or_space(c: char) -> bool {
    c == ' ' || !(c.is_control() || c.is_whitespace())
}

text_id! {
    /// The name of a thing: 1 to 128 characters of `[a-zA-Z0-9:_-]`, case-sensitive.
    ThingName, "thing name", "1 to 128 characters of a-z, A-Z, 0-9, `:`, `_` and `-`", is_aws_name
}

text_id! {
    /// The name of a thing type: 1 to 128 characters of `[a-zA-Z0-9:_-]`.
    ThingTypeName, "thing type name", "1 to 128 characters of a-z, A-Z, 0-9, `:`, `_` and `-`", is_aws_name
}

text_id! {
    /// The name of a static or dynamic thing group: 1 to 128 characters of `[a-zA-Z0-9:_-]`.
    ThingGroupName, "thing group name", "1 to 128 characters of a-z, A-Z, 0-9, `:`, `_` and `-`", is_aws_name
}

text_id! {
    /// The name of a billing group: 1 to 128 characters of `[a-zA-Z0-9:_-]`.
    BillingGroupName, "billing group name", "1 to 128 characters of a-z, A-Z, 0-9, `:`, `_` and `-`", is_aws_name
}

text_id! {
    /// The name of a fleet index: 1 to 128 characters of `[a-zA-Z0-9:_-]`.
    IndexName, "index name", "1 to 128 characters of a-z, A-Z, 0-9, `:`, `_` and `-`", is_aws_name
}

text_id! {
    /// The name of a named shadow: 1 to 64 characters of `[$a-zA-Z0-9:_-]`.
    ShadowName, "shadow name", "1 to 64 characters of a-z, A-Z, 0-9, `$`, `:`, `_` and `-`",
    |text| of_alphabet(text, 1, 64, b"$:_-")
}

text_id! {
    /// The id of a job or of a job template: 1 to 64 characters of `[a-zA-Z0-9_-]`.
    JobId, "job id", "1 to 64 characters of a-z, A-Z, 0-9, `_` and `-`",
    |text| of_alphabet(text, 1, 64, b"_-")
}

text_id! {
    /// The name of an access policy: 1 to 128 characters of `[\w+=,.@-]`.
    PolicyName, "policy name", "1 to 128 characters of a-z, A-Z, 0-9, `_`, `+`, `=`, `,`, `.`, `@` and `-`",
    |text| of_alphabet(text, 1, 128, b"_+=,.@-")
}

text_id! {
    /// The name of a provisioning template: 1 to 36 characters of `[0-9A-Za-z_-]`.
    TemplateName, "template name", "1 to 36 characters of a-z, A-Z, 0-9, `_` and `-`",
    |text| of_alphabet(text, 1, 36, b"_-")
}

text_id! {
    /// The id of a certificate: the SHA-256 of its DER as 64 hexadecimal digits.
    CertificateId, "certificate id", "64 hexadecimal digits",
    |text| text.len() == 64
        && text.strip_prefix("0x").unwrap_or(text).bytes().all(|b| b.is_ascii_hexdigit())
}

impl CertificateId {
    /// The id of a certificate with this SHA-256 of its DER, in lower-case hexadecimal digits.
    #[must_use]
    pub fn of_digest(digest: [u8; 32]) -> Self {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in digest {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text.into())
    }
}

text_id! {
    /// A Cognito identity id, `region:uuid`: 1 to 128 characters of `[a-zA-Z0-9:_-]` with a `:`.
    CognitoIdentityId, "Cognito identity", "`region:id`, at most 128 characters of a-z, A-Z, 0-9, `:`, `_` and `-`",
    |text| is_aws_name(text)
        && text.split_once(':').is_some_and(|(region, id)| !region.is_empty() && !id.is_empty())
}

text_id! {
    /// The name of an attribute: 1 to 128 characters of `[a-zA-Z0-9_.,@/:#-]`.
    AttributeName, "attribute name", "1 to 128 characters of a-z, A-Z, 0-9, `_`, `.`, `,`, `@`, `/`, `:`, `#` and `-`",
    |text| of_alphabet(text, 1, 128, b"_.,@/:#-")
}

text_id! {
    /// The value of an attribute: 0 to 800 characters of `[a-zA-Z0-9_.,@/:#=\[\]-]`; an empty one deletes.
    AttributeValue, "attribute value",
    "at most 800 characters of a-z, A-Z, 0-9, `_`, `.`, `,`, `@`, `/`, `:`, `#`, `=`, `[`, `]` and `-`",
    |text| of_alphabet(text, 0, 800, b"_.,@/:#=[]-")
}

text_id! {
    /// A description: at most 2028 visible characters and spaces.
    Description, "description", "at most 2028 visible characters and spaces",
    |text| text.len() <= 2028 * 4
        && text.chars().count() <= 2028
        && text.chars().all(is_visible_or_space)
}

text_id! {
    /// A note of a certificate transfer or its rejection: at most 128 characters.
    TransferMessage, "transfer message", "at most 128 characters",
    |text| text.len() <= 128 * 4 && text.chars().count() <= 128
}

text_id! {
    /// The id of a module of a device: 1 to 128 characters of the device id alphabet.
    ///
    /// Letters, digits and `- : . + % _ # * ? ! ( ) , = @ ; $ '`. Spec: Azure 1.1.
    ModuleId, "module id",
    "1 to 128 characters of a-z, A-Z, 0-9 and `-:.+%_#*?!(),=@;$'`", is_device_id
}

impl ModuleId {
    /// Whether the service makes such modules itself (`$edgeAgent`, `$edgeHub`): the name begins with `$`.
    #[must_use]
    pub fn is_system(&self) -> bool {
        self.as_str().starts_with('$')
    }
}

/// The alphabet of device and module ids: 1 to 128 characters.
pub(super) fn is_device_id(text: &str) -> bool {
    of_alphabet(text, 1, 128, b"-:.+%_#*?!(),=@;$'")
}

/// Whether a device id is also a legal thing name.
pub(super) fn is_thing_name(text: &str) -> bool {
    is_aws_name(text)
}

impl ThingName {
    /// A name that was checked before, without another copy of its text.
    pub(super) const fn from_checked(text: std::sync::Arc<str>) -> Self {
        Self(text)
    }

    pub(super) fn shared(&self) -> std::sync::Arc<str> {
        self.0.clone()
    }
}
