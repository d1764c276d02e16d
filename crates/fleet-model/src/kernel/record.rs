//! What lives at a name.

/// What the stream of a name or id says: nothing lives there, or a `T`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Record<T> {
    /// Never created, or deleted.
    #[default]
    Absent,
    /// It lives.
    Present(Box<T>),
}

impl<T> Record<T> {
    /// What lives there.
    #[must_use]
    pub const fn present(&self) -> Option<&T> {
        match self {
            Self::Absent => None,
            Self::Present(found) => Some(found),
        }
    }
}
