//! A refusal that names every reason, the one that the service would report first.

use super::ErrorCode;
use std::fmt;

/// Why a command was refused: at least one reason, in the service's order of validation.
///
/// The first reason names the error (its [`ErrorCode::code`] is the refusal's); the others are
/// further things that are wrong with the same command, for our own details.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused<E> {
    first: E,
    others: Vec<E>,
}

impl<E> Refused<E> {
    /// The reason that the service would report.
    pub const fn first(&self) -> &E {
        &self.first
    }

    /// What else is wrong.
    pub fn others(&self) -> &[E] {
        &self.others
    }

    /// Every reason, the first one first.
    pub fn reasons(&self) -> impl Iterator<Item = &E> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The reason that the service would report, by value.
    pub fn into_first(self) -> E {
        self.first
    }

    /// The same refusal in the terms of another error type.
    pub fn map<F>(self, mut into: impl FnMut(E) -> F) -> Refused<F> {
        Refused {
            first: into(self.first),
            others: self.others.into_iter().map(into).collect(),
        }
    }
}

impl<E> From<E> for Refused<E> {
    fn from(first: E) -> Self {
        Self {
            first,
            others: Vec::new(),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Refused<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)
    }
}

impl<E: std::error::Error + 'static> std::error::Error for Refused<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.first.source()
    }
}

impl<E: ErrorCode + 'static> ErrorCode for Refused<E> {
    fn code(&self) -> &'static str {
        self.first.code()
    }

    fn aws_text(&self) -> Option<String> {
        self.first.aws_text()
    }
}

/// Collects what is wrong with a command, in the service's order of validation.
///
/// ```
/// use fleet_model::kernel::Problems;
/// let mut problems = Problems::new();
/// problems.check(true, || "never");
/// problems.check(false, || "first");
/// problems.push("second");
/// let refused = problems.finish().unwrap_err();
/// assert_eq!((*refused.first(), refused.others()), ("first", ["second"].as_slice()));
/// ```
#[derive(Clone, Debug)]
pub struct Problems<E> {
    found: Vec<E>,
}

impl<E> Problems<E> {
    /// Nothing is wrong yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { found: Vec::new() }
    }

    /// Adds a problem.
    pub fn push(&mut self, problem: E) {
        self.found.push(problem);
    }

    /// Adds a problem unless `holds`.
    pub fn check(&mut self, holds: bool, problem: impl FnOnce() -> E) {
        if !holds {
            self.found.push(problem());
        }
    }

    /// The value of `result`, its error added when it has one.
    pub fn ok<T>(&mut self, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(problem) => {
                self.found.push(problem);
                None
            }
        }
    }

    /// Adds every reason of a refusal.
    pub fn absorb(&mut self, refused: Refused<E>) {
        self.found.push(refused.first);
        self.found.extend(refused.others);
    }

    /// Nothing, or the refusal.
    ///
    /// # Errors
    /// When a problem was added.
    pub fn finish(self) -> Result<(), Refused<E>> {
        let mut found = self.found.into_iter();
        match found.next() {
            None => Ok(()),
            Some(first) => Err(Refused {
                first,
                others: found.collect(),
            }),
        }
    }
}

impl<E> Default for Problems<E> {
    fn default() -> Self {
        Self::new()
    }
}
