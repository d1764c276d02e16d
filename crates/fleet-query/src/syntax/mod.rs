//! Texts as written: one spanned AST for every dialect.

pub mod ast;
