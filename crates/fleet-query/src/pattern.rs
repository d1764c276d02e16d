//! Patterns of text: prefixes, wildcards, terms and phrases, matched without backtracking blow-up.

use crate::value::fold;

/// A piece of a wildcard pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// This text.
    Literal(Box<str>),
    /// Any run of characters, also an empty one (`*`).
    AnyRun,
    /// Exactly one character (`?`).
    AnyOne,
}

/// A wildcard pattern over a whole text or token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wildcard {
    pieces: Vec<Piece>,
}

impl Wildcard {
    /// The pattern of these pieces; neighbouring literals and runs are merged.
    #[must_use]
    pub fn new(pieces: impl IntoIterator<Item = Piece>) -> Self {
        let mut merged: Vec<Piece> = Vec::new();
        for piece in pieces {
            match (merged.last_mut(), piece) {
                (Some(Piece::AnyRun), Piece::AnyRun) => {}
                (Some(Piece::Literal(last)), Piece::Literal(next)) => {
                    *last = format!("{last}{next}").into()
                }
                (_, Piece::Literal(next)) if next.is_empty() => {}
                (_, piece) => merged.push(piece),
            }
        }
        Self { pieces: merged }
    }

    /// The pieces in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The same pattern with its literals case folded.
    #[must_use]
    pub fn folded(&self) -> Self {
        Self::new(self.pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => Piece::Literal(fold(text).into()),
            other => other.clone(),
        }))
    }

    /// The literal that every match begins with, possibly empty.
    #[must_use]
    pub fn literal_prefix(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Literal(text)) => text,
            _ => "",
        }
    }

    /// The literal, when the pattern is `literal*`.
    #[must_use]
    pub fn as_prefix(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [Piece::Literal(text), Piece::AnyRun] => Some(text),
            _ => None,
        }
    }

    /// Whether the whole text fits. Time is at most proportional to the pattern's length times the text's.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        // The greedy matcher: only the last run is ever widened, so no choice is revisited.
        let (mut at, mut rest) = (0, text);
        let mut widen: Option<(usize, &str)> = None;
        loop {
            let step = match self.pieces.get(at) {
                None if rest.is_empty() => return true,
                None => None,
                Some(Piece::AnyRun) => {
                    if at + 1 == self.pieces.len() {
                        return true;
                    }
                    widen = Some((at + 1, rest));
                    Some(rest)
                }
                Some(Piece::AnyOne) => skip_char(rest),
                Some(Piece::Literal(literal)) => rest.strip_prefix(&**literal),
            };
            if let Some(after) = step {
                at += 1;
                rest = after;
                continue;
            }
            let Some((piece, from)) = widen else {
                return false;
            };
            let Some(after) = skip_char(from) else {
                return false;
            };
            widen = Some((piece, after));
            (at, rest) = (piece, after);
        }
    }
}

fn skip_char(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    chars.next().map(|_| chars.as_str())
}

/// A test of text. Under a folding [`crate::profile::TextRule`] every text in it is stored folded.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// Begins with this text.
    Prefix(Box<str>),
    /// Ends with this text.
    Suffix(Box<str>),
    /// Holds this text.
    Contains(Box<str>),
    /// The whole text (or one token) fits the wildcard; numbers and booleans are tried in their text form.
    Wildcard(Wildcard),
    /// The whole text (or one token) equals `text`, or both are numbers and equal; numbers and
    /// booleans are tried in their text form too (AWS spec 3.4, note 10).
    Term {
        /// The folded text.
        text: Box<str>,
        /// The number that the text is the literal of.
        number: Option<f64>,
    },
    /// These tokens, adjacent and in this order (AWS spec 3.4, note 13).
    Phrase(Vec<Box<str>>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wildcard(text: &str) -> Wildcard {
        Wildcard::new(text.chars().map(|c| match c {
            '*' => Piece::AnyRun,
            '?' => Piece::AnyOne,
            c => Piece::Literal(c.to_string().into()),
        }))
    }

    /// The textbook recursion over characters.
    fn oracle(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], text) => text.is_empty(),
            (['*', rest @ ..], text) => (0..=text.len()).any(|n| oracle(rest, &text[n..])),
            (['?', rest @ ..], [_, more @ ..]) => oracle(rest, more),
            ([c, rest @ ..], [d, more @ ..]) => c == d && oracle(rest, more),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_recursion(pattern in "[abé*?]{0,7}", text in "[abé]{0,9}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(wildcard(&pattern).matches(&text), oracle(&p, &t));
        }
    }

    #[test]
    fn what_a_match_begins_with() {
        for (text, literal, prefix) in [
            ("ab*", "ab", Some("ab")),
            ("ab", "ab", None),
            ("ab*c", "ab", None),
            ("*ab", "", None),
            ("a?*", "a", None),
            ("*", "", None),
            ("", "", None),
        ] {
            let pattern = wildcard(text);
            assert_eq!(
                (pattern.literal_prefix(), pattern.as_prefix()),
                (literal, prefix),
                "{text}"
            );
        }
    }

    #[test]
    fn pathological_patterns_end() {
        let pattern = wildcard(&("a*".repeat(200) + "b"));
        assert!(!pattern.matches(&"a".repeat(20_000)));
    }
}
