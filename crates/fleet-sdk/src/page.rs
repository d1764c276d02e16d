//! Pages of listings, with tokens that survive changes: a token names the last key given.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::refusal::Refusal;

/// A listing's request for one page.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    listing: &'static str,
    /// The key after which the page begins.
    pub(crate) after: Option<String>,
    /// How many rows it holds at most.
    pub(crate) limit: usize,
}

const DEFAULT: u32 = 100;

fn seal(listing: &str, key: &str) -> Vec<u8> {
    let digest = Sha256::new()
        .chain_update(listing.as_bytes())
        .chain_update([0])
        .chain_update(key.as_bytes())
        .finalize();
    digest.iter().copied().take(6).collect()
}

impl Page {
    /// Checks size (1 to `max`) and token of a request to `listing`.
    pub(crate) fn of(
        listing: &'static str,
        token: Option<&str>,
        size: Option<u32>,
        max: u32,
    ) -> Result<Self, Refusal> {
        let size = size.unwrap_or(DEFAULT.min(max));
        if !(1..=max).contains(&size) {
            return Err(Refusal::new(
                "request.invalid",
                format!("a page of `{size}` rows is not allowed: ask for 1 to {max}"),
            ));
        }
        let after = token.map(|token| open(listing, token)).transpose()?;
        Ok(Self {
            listing,
            after,
            limit: usize::try_from(size).unwrap_or(usize::MAX),
        })
    }

    /// Cuts rows, given in order and from after the token's key on, into this page and the next token.
    pub(crate) fn cut<T>(
        &self,
        rows: impl IntoIterator<Item = (String, T)>,
    ) -> (Vec<T>, Option<String>) {
        let mut page = Vec::new();
        let mut last = None;
        for (key, row) in rows {
            if page.len() == self.limit {
                return (page, last.map(|key: String| self.token(&key)));
            }
            page.push(row);
            last = Some(key);
        }
        (page, None)
    }

    /// [`Page::cut`] of rows in order of their keys, from the first one on.
    pub(crate) fn cut_all<T>(
        &self,
        rows: impl IntoIterator<Item = (String, T)>,
    ) -> (Vec<T>, Option<String>) {
        self.cut(
            rows.into_iter()
                .skip_while(|(key, _)| self.after.as_ref().is_some_and(|after| key <= after)),
        )
    }

    fn token(&self, key: &str) -> String {
        let mut bytes = seal(self.listing, key);
        bytes.extend_from_slice(key.as_bytes());
        STANDARD.encode(bytes)
    }
}

fn open(listing: &str, token: &str) -> Result<String, Refusal> {
    STANDARD
        .decode(token)
        .ok()
        .and_then(|bytes| {
            let (mark, key) = bytes.split_at_checked(6)?;
            let key = std::str::from_utf8(key).ok()?;
            (seal(listing, key) == mark).then(|| key.to_owned())
        })
        .ok_or_else(|| {
            Refusal::new(
                "request.invalid_token",
                "the paging token is not one that this listing gave: start again without it",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(keys: &[&str]) -> Vec<(String, String)> {
        keys.iter()
            .map(|k| ((*k).to_owned(), (*k).to_owned()))
            .collect()
    }

    #[test]
    fn pages_join_up_while_rows_come_and_go() {
        let first = Page::of("things", None, Some(2), 250).unwrap();
        let (page, token) = first.cut_all(rows(&["a", "c", "e"]));
        assert_eq!(page, ["a", "c"]);
        let next = Page::of("things", token.as_deref(), Some(2), 250).unwrap();
        let (page, token) = next.cut_all(rows(&["b", "d", "e"]));
        assert_eq!((page, token), (vec!["d".to_owned(), "e".to_owned()], None));
    }

    #[test]
    fn foreign_tokens_and_sizes_are_refused() {
        let (_, token) = Page::of("things", None, Some(1), 250)
            .unwrap()
            .cut_all(rows(&["a", "b"]));
        let foreign = Page::of("groups", token.as_deref(), None, 250).unwrap_err();
        assert_eq!(foreign.code, "request.invalid_token");
        for token in ["", "!", "AAAA", "QUFBQUFBQUE="] {
            assert!(
                Page::of("things", Some(token), None, 250).is_err(),
                "{token}"
            );
        }
        for size in [0, 251] {
            let refusal = Page::of("things", None, Some(size), 250).unwrap_err();
            assert_eq!(refusal.code, "request.invalid");
        }
    }
}
