//! Canonical field paths: the one name of a field, whatever dialect named it.

use std::fmt;
use std::str::FromStr;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A member of an object, by its exact key.
    Key(Box<str>),
    /// An element of an array, counted from 0.
    Index(u32),
}

impl Segment {
    /// The key; empty for an element.
    #[must_use]
    pub fn as_key(&self) -> &str {
        match self {
            Self::Key(key) => key,
            Self::Index(_) => "",
        }
    }
}

/// The canonical path of a field from the root of a document, such as `properties.reported.battery`.
///
/// Printed in the IoT Hub spelling, with `[[…]]` around a key that is not a plain name.
///
/// ```
/// use fleet_query::FieldPath;
/// let path = FieldPath::of(["configurations", "my config", "status"]);
/// assert_eq!(path.to_string(), "configurations.[[my config]].status");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath(Vec<Segment>);

impl FieldPath {
    /// The path made of these steps.
    #[must_use]
    pub fn new(segments: Vec<Segment>) -> Self {
        Self(segments)
    }

    /// The path made of these keys.
    pub fn of<K: Into<Box<str>>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self(
            keys.into_iter()
                .map(|key| Segment::Key(key.into()))
                .collect(),
        )
    }

    /// The steps from the root.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The first key, such as `tags`.
    #[must_use]
    pub fn root(&self) -> &str {
        match self.0.first() {
            Some(Segment::Key(key)) => key,
            _ => "",
        }
    }

    /// The last key, which names the field in a result row.
    #[must_use]
    pub fn last_key(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|segment| match segment {
            Segment::Key(key) => Some(&**key),
            Segment::Index(_) => None,
        })
    }

    /// The same path one step longer.
    #[must_use]
    pub fn child(&self, key: &str) -> Self {
        let mut segments = self.0.clone();
        segments.push(Segment::Key(key.into()));
        Self(segments)
    }

    /// Whether `self` begins with all of `prefix`'s keys.
    #[must_use]
    pub fn starts_with(&self, prefix: &[&str]) -> bool {
        self.0.len() >= prefix.len()
            && self
                .0
                .iter()
                .zip(prefix)
                .all(|(segment, key)| matches!(segment, Segment::Key(k) if **k == **key))
    }

    /// The keys joined with `.`, as the AWS index names a field.
    #[must_use]
    pub fn joined(&self) -> String {
        let mut out = String::new();
        for segment in &self.0 {
            match segment {
                Segment::Key(key) => {
                    if !out.is_empty() {
                        out.push('.');
                    }
                    out.push_str(key);
                }
                Segment::Index(index) => out.push_str(&format!("[{index}]")),
            }
        }
        out
    }

    /// Whether the field is computed from others at reading and stored nowhere:
    /// `shadow.hasDelta`, `shadow.delta.…`, `shadow.metadata.…` and the same of a named shadow.
    #[must_use]
    pub fn is_derived(&self) -> bool {
        let keys: Vec<&str> = self.0.iter().take(3).map(Segment::as_key).collect();
        matches!(
            keys.as_slice(),
            ["shadow", "hasDelta" | "delta" | "metadata", ..]
                | ["namedShadows", _, "hasDelta" | "delta" | "metadata"]
        )
    }
}

/// A text that is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no field path; write `tags.floor`, `tags.list[0]` or `tags.[[a key]]`")]
pub struct InvalidPath {
    /// The text.
    pub text: String,
}

/// Reads what `Display` writes: keys joined with `.`, `[[…]]` around any key, `[n]` for an element.
impl FromStr for FieldPath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        segments(text).map(Self).ok_or_else(|| InvalidPath {
            text: text.to_owned(),
        })
    }
}

fn segments(text: &str) -> Option<Vec<Segment>> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let (key, after) = match rest.strip_prefix("[[") {
            Some(quoted) => quoted.split_once("]]")?,
            None => rest.split_at_checked(rest.find(['.', '[']).unwrap_or(rest.len()))?,
        };
        if key.is_empty() {
            return None;
        }
        found.push(Segment::Key(key.into()));
        rest = after;
        while let Some(index) = rest.strip_prefix('[') {
            let (index, after) = index.split_once(']')?;
            found.push(Segment::Index(index.parse().ok()?));
            rest = after;
        }
        if rest.is_empty() {
            return Some(found);
        }
        rest = rest.strip_prefix('.')?;
    }
}

/// Whether a key can be written without `[[…]]` after a dot.
#[must_use]
pub fn is_plain(key: &str) -> bool {
    let mut chars = key.chars();
    let Some(first) = chars.next() else {
        return false;
    };
    (first.is_ascii_alphabetic() || first == '_' || first == '$')
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '-'))
        && !KEYWORDS
            .iter()
            .any(|keyword| keyword.eq_ignore_ascii_case(key))
}

/// Words that the IoT Hub dialects reserve.
pub const KEYWORDS: [&str; 11] = [
    "SELECT", "TOP", "FROM", "WHERE", "GROUP", "BY", "AS", "AND", "OR", "NOT", "IN",
];

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) => {
                    if at > 0 {
                        f.write_str(".")?;
                    }
                    if is_plain(key) {
                        f.write_str(key)?
                    } else {
                        write!(f, "[[{key}]]")?
                    }
                }
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn segment() -> impl Strategy<Value = Segment> {
        prop_oneof![
            3 => "[a-c$_-]{1,3}|group|[a. \\[é]{1,4}".prop_map(|key| Segment::Key(key.into())),
            1 => (0_u32..12).prop_map(Segment::Index),
        ]
    }

    proptest! {
        #[test]
        fn paths_read_back(tail in prop::collection::vec(segment(), 0..5)) {
            let path = FieldPath::new([vec![Segment::Key("tags".into())], tail].concat());
            prop_assert_eq!(path.to_string().parse::<FieldPath>(), Ok(path));
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "", ".a", "a.", "a..b", "[[a", "[[]]", "a[x]", "a[1", "a[]", "[0]", "a[0]b", "[[a]]b",
        ] {
            assert!(text.parse::<FieldPath>().is_err(), "{text}");
        }
    }
}
