//! Where in a document something stands, built only when it is printed.

use std::fmt;

/// A path of member names, innermost first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'a> {
    up: Option<&'a Path<'a>>,
    name: &'a str,
}

impl<'a> Path<'a> {
    pub(super) const fn root(name: &'a str) -> Self {
        Self { up: None, name }
    }

    pub(super) const fn member(&'a self, name: &'a str) -> Self {
        Self {
            up: Some(self),
            name,
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = vec![self.name];
        let mut at = self.up;
        while let Some(path) = at {
            names.push(path.name);
            at = path.up;
        }
        for (n, name) in names.iter().rev().enumerate() {
            if n > 0 {
                f.write_str(".")?;
            }
            // One line, and no longer than a person reads.
            for c in name.chars().take(80) {
                write!(f, "{}", c.escape_debug())?;
            }
        }
        Ok(())
    }
}
