//! Texts that mostly are short: names and values of twins.
//!
//! Up to 22 bytes stand in place, so that a fold over many twins follows fewer pointers.

use std::fmt;

const INLINE: usize = 22;

/// A text, in place when it is short.
#[derive(Clone)]
pub(super) enum Text {
    Short { len: u8, bytes: [u8; INLINE] },
    Long(Box<str>),
}

impl Text {
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Long(text) => text.as_bytes(),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            // Made from a text: the bytes are UTF-8.
            Self::Short { .. } => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Self::Long(text) => text,
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(text.as_bytes());
                Self::Short { len, bytes }
            }
            _ => Self::Long(text.into()),
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_of_any_length_read_back(text in "\\PC{0,30}", other in "\\PC{0,3}") {
            let short = Text::from(text.as_str());
            prop_assert_eq!(short.as_str(), &text);
            prop_assert_eq!(Text::from(text.as_str()) == Text::from(other.as_str()), text == other);
        }
    }

    #[test]
    fn a_member_takes_one_cache_line() {
        assert_eq!(size_of::<Text>(), 24);
        assert_eq!(size_of::<(Text, super::super::Node)>(), 64);
    }
}
