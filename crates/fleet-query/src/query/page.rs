//! Paging with tokens that survive changes of the fleet between pages.
//!
//! A token names the last document that was returned, not a position: the next page begins after
//! it, whatever came or went. A document that did not change is neither repeated nor skipped.

use super::Query;
use super::rows::{Row, Rows};
use super::select::Select;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::document::Document;
use crate::syntax;
use serde_json::Value;

/// The most rows of a page (Azure spec 3.8, AWS spec 3.4).
pub const LARGEST_PAGE: usize = 100;

/// Which page is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// The most rows, 1 to [`LARGEST_PAGE`]; absent is the largest page.
    pub size: Option<usize>,
    /// The token of the page before; absent is the first page.
    pub token: Option<String>,
}

/// A page of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The rows.
    pub rows: Rows,
    /// What to send for the next page; absent on the last.
    pub next: Option<String>,
}

/// Where a page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cursor {
    /// How many rows were returned before.
    returned: u64,
    /// The sort key of the last document returned (grouped queries: unused).
    after: Option<(String, String)>,
}

impl Query {
    /// One page of the rows over canonical documents in any order.
    ///
    /// Grouped rows are paged by position, since a group has no id.
    ///
    /// # Errors
    /// `query.invalid_page_size`, `query.invalid_token`.
    pub fn page<'a>(
        &self,
        documents: impl IntoIterator<Item = &'a Value>,
        request: &PageRequest,
    ) -> Result<Page, Diagnostic> {
        let (size, cursor) = self.asked(request)?;
        if matches!(self.select(), Select::Groups(_)) {
            return Ok(self.group_page(self.run(documents), &cursor, size));
        }
        let mut selected: Vec<Document<'_>> = documents
            .into_iter()
            .map(Document::new)
            .filter(|document| match &cursor.after {
                Some((first, second)) => document.sort_key() > (first.as_str(), second.as_str()),
                None => true,
            })
            .filter(|document| self.matches(*document).is_true())
            .collect();
        selected.sort_by_key(|document| document.sort_key());
        let left = self
            .top()
            .map_or(u64::MAX, |top| top.saturating_sub(cursor.returned));
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let shown: Vec<Document<'_>> = selected.iter().copied().take(size.min(left)).collect();
        let more = selected.len() > shown.len() && left > shown.len();
        let next = shown.last().filter(|_| more).map(|last| {
            let (first, second) = last.sort_key();
            self.token(&Cursor {
                returned: cursor.returned + shown.len() as u64,
                after: Some((first.to_owned(), second.to_owned())),
            })
        });
        let rows: Vec<Row> = shown
            .into_iter()
            .filter_map(|document| self.row(document))
            .collect();
        Ok(Page {
            rows: Rows {
                item_type: self.item_type(),
                rows,
            },
            next,
        })
    }

    /// One page of grouped rows that an executor has made, as [`Query::page`] cuts them.
    ///
    /// # Errors
    /// `query.invalid_page_size`, `query.invalid_token`.
    pub fn page_of_groups(&self, rows: Rows, request: &PageRequest) -> Result<Page, Diagnostic> {
        let (size, cursor) = self.asked(request)?;
        Ok(self.group_page(rows, &cursor, size))
    }

    fn asked(&self, request: &PageRequest) -> Result<(usize, Cursor), Diagnostic> {
        let size = request.size.unwrap_or(LARGEST_PAGE);
        if !(1..=LARGEST_PAGE).contains(&size) {
            let message = format!("a page has 1 to {LARGEST_PAGE} rows, not {size}");
            return Err(Diagnostic::error(
                Code::InvalidPageSize,
                Span::default(),
                message,
            ));
        }
        let cursor = match &request.token {
            None => Cursor::default(),
            Some(token) => self.cursor(token)?,
        };
        Ok((size, cursor))
    }

    /// The sort key after which the rows of a page begin; none for a first page or grouped rows.
    ///
    /// A caller that keeps its documents in order looks at no others.
    ///
    /// # Errors
    /// `query.invalid_token`.
    pub fn page_start(
        &self,
        request: &PageRequest,
    ) -> Result<Option<(String, String)>, Diagnostic> {
        let token = request.token.as_ref();
        let cursor = token.map(|token| self.cursor(token)).transpose()?;
        Ok(cursor.and_then(|cursor| cursor.after))
    }

    fn group_page(&self, rows: Rows, cursor: &Cursor, size: usize) -> Page {
        let skip = usize::try_from(cursor.returned).unwrap_or(usize::MAX);
        let total = rows.rows.len();
        let shown: Vec<Row> = rows.rows.into_iter().skip(skip).take(size).collect();
        let returned = skip.saturating_add(shown.len());
        let next = (returned < total).then(|| {
            self.token(&Cursor {
                returned: returned as u64,
                after: None,
            })
        });
        Page {
            rows: Rows {
                item_type: rows.item_type,
                rows: shown,
            },
            next,
        }
    }

    /// The token of a cursor: hex of `version:fingerprint:returned:first:second` with a checksum.
    fn token(&self, cursor: &Cursor) -> String {
        let (first, second) = cursor.after.clone().unwrap_or_default();
        let body = format!(
            "{:08x}{:016x}{:08x}{first}{second}",
            self.fingerprint(),
            cursor.returned,
            first.len()
        );
        let sum = crc32c::crc32c(body.as_bytes());
        body.bytes()
            .chain(sum.to_be_bytes())
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    fn cursor(&self, token: &str) -> Result<Cursor, Diagnostic> {
        let invalid = |message: &str| {
            Diagnostic::error(Code::InvalidToken, Span::default(), message).with_help(
                "send the token of the page before with the same query, or none to begin again",
            )
        };
        let damaged = || invalid("the continuation token is damaged");
        let bytes = unhex(token).ok_or_else(damaged)?;
        let (body, sum) = bytes.split_last_chunk::<4>().ok_or_else(damaged)?;
        if crc32c::crc32c(body) != u32::from_be_bytes(*sum) {
            return Err(damaged());
        }
        let body = std::str::from_utf8(body).map_err(|_| damaged())?;
        let number = |from: usize, to: usize| {
            body.get(from..to)
                .and_then(|digits| u64::from_str_radix(digits, 16).ok())
                .ok_or_else(damaged)
        };
        if number(0, 8)? != u64::from(self.fingerprint()) {
            return Err(invalid("the continuation token belongs to another query"));
        }
        let returned = number(8, 24)?;
        let split = usize::try_from(number(24, 32)?).map_err(|_| damaged())?;
        let rest = body.get(32..).unwrap_or_default();
        let (first, second) = rest.split_at_checked(split).ok_or_else(damaged)?;
        let after = (!first.is_empty()).then(|| (first.to_owned(), second.to_owned()));
        Ok(Cursor { returned, after })
    }

    /// The query's own number: another query's tokens are refused.
    fn fingerprint(&self) -> u32 {
        crc32c::crc32c(
            format!(
                "{}\n{}",
                self.dialect(),
                syntax::print(self.ast(), self.dialect())
            )
            .as_bytes(),
        )
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high * 16 + low).collect())
}
