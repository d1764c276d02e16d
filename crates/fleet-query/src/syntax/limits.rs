//! Limits that are checked before parsing, by one linear scan of the text.

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::dialect::Dialect;

/// The most characters of an IoT Hub, target, routing or RSQL text (Azure spec 3.8).
pub const LONGEST: usize = 8192;
/// The most bytes of an AWS text (AWS spec 3.4).
pub const LONGEST_AWS: usize = 1000;
/// The deepest nesting of brackets, NOT and minus together (Azure spec 3.12).
pub const DEEPEST: usize = 64;
/// The most items of a list, and of arguments (Azure spec 3.12).
pub const MOST_ITEMS: usize = 1000;
/// The most operators in one run of `+ - * / % ||`, of chained comparisons or of `??`.
pub const LONGEST_CHAIN: usize = 256;

/// The most terms of an AWS query (AWS spec 3.4).
pub const MOST_TERMS: usize = 12;
/// The most bytes of an AWS query with a leading wildcard.
pub const LONGEST_LEADING: usize = 100;
/// The most `*` in one AWS term.
pub const MOST_RUNS: usize = 2;
/// The most `?` in one AWS term.
pub const MOST_SINGLES: usize = 5;

/// Refuses a text that is too long or nested too deep.
pub(super) fn check(text: &str, dialect: Dialect) -> Result<(), Diagnostic> {
    length(text, dialect)?;
    nesting(text, dialect)
}

fn length(text: &str, dialect: Dialect) -> Result<(), Diagnostic> {
    let (found, most, unit) = match dialect {
        Dialect::Aws | Dialect::AwsGroups => (text.len(), LONGEST_AWS, "bytes"),
        _ if text.len() <= LONGEST => return Ok(()),
        _ => (text.chars().count(), LONGEST, "characters"),
    };
    if found <= most {
        return Ok(());
    }
    let end = text
        .char_indices()
        .nth(most)
        .map_or(text.len(), |(at, _)| at);
    let help = match dialect {
        Dialect::IotHub | Dialect::IotHubModules | Dialect::IotHubJobs => {
            "split the condition, or use IN with a list instead of many comparisons"
        }
        Dialect::Rsql => {
            "split the condition, or use `=in=` with a list instead of many comparisons"
        }
        _ => "split the condition",
    };
    let message = format!("the text has {found} {unit}; {dialect} allows {most}");
    Err(Diagnostic::error(Code::TooLong, Span::new(end, text.len()), message).with_help(help))
}

/// What may begin at a place, as far as nesting is concerned.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
}

fn nesting(text: &str, dialect: Dialect) -> Result<(), Diagnostic> {
    let mut scanner = Scanner {
        text,
        at: 0,
        dialect,
    };
    // NOTs and minuses before each open bracket, their sum, and those since the last operand.
    let (mut open, mut sum, mut run) = (Vec::new(), 0_usize, 0_usize);
    while let Some((start, token)) = scanner.next_token() {
        match token {
            Token::Open => {
                open.push(run);
                sum += run;
                run = 0;
            }
            Token::Close => {
                sum -= open.pop().unwrap_or_default();
                run = 0;
            }
            Token::Prefix => run += 1,
            Token::Other => run = 0,
        }
        if open.len() + sum + run > DEEPEST {
            return Err(Diagnostic::error(
                Code::TooDeep,
                Span::new(start, scanner.at),
                format!("brackets, NOT and minus are nested deeper than {DEEPEST}"),
            )
            .with_help("most of the brackets can probably be left out"));
        }
    }
    Ok(())
}

enum Token {
    Open,
    Close,
    Prefix,
    Other,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Advances past the text up to and with `end`, or to the end of all.
    fn skip_past(&mut self, from: usize, end: &str) {
        let tail = self.text.get(from..).unwrap_or_default();
        self.at = tail
            .find(end)
            .map_or(self.text.len(), |found| from + found + end.len());
    }

    fn next_token(&mut self) -> Option<(usize, Token)> {
        loop {
            let rest = self.rest();
            let first = rest.chars().next()?;
            let start = self.at;
            let sql = !matches!(
                self.dialect,
                Dialect::Aws | Dialect::AwsGroups | Dialect::Rsql
            );
            if first.is_whitespace() {
                self.at += first.len_utf8();
                continue;
            }
            if sql && rest.starts_with("/*") {
                self.skip_past(start + 2, "*/");
                continue;
            }
            if sql && self.dialect != Dialect::Routing && rest.starts_with("[[") {
                self.skip_past(start + 2, "]]");
                return Some((start, Token::Other));
            }
            let token = match first {
                '(' | '[' | '{' => Token::Open,
                ')' | ']' | '}' => Token::Close,
                '"' => {
                    self.skip_quoted('"');
                    return Some((start, Token::Other));
                }
                '\'' if !matches!(self.dialect, Dialect::Aws | Dialect::AwsGroups) => {
                    self.skip_quoted('\'');
                    return Some((start, Token::Other));
                }
                '\\' => {
                    self.at += 1;
                    Token::Other
                }
                _ => return Some((start, self.word(first))),
            };
            self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            return Some((start, token));
        }
    }

    fn skip_quoted(&mut self, quote: char) {
        self.at += 1;
        let mut chars = self.rest().char_indices();
        let mut length = None;
        while let Some((at, c)) = chars.next() {
            if c == '\\' {
                chars.next();
            } else if c == quote {
                length = Some(at + 1);
                break;
            }
        }
        self.at = length.map_or(self.text.len(), |length| self.at + length);
    }

    /// A run of name characters, or one other character.
    fn word(&mut self, first: char) -> Token {
        let rest = self.rest();
        let length = if self.dialect == Dialect::Routing {
            rest.find(|c: char| c.is_whitespace() || "()<>@,;:\\\"/?={}[]".contains(c))
        } else {
            rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')))
        };
        let length = length.unwrap_or(rest.len()).max(first.len_utf8());
        let word = rest.get(..length).unwrap_or_default();
        let prefix = word.eq_ignore_ascii_case("not") || word == "-";
        self.at += length;
        if prefix { Token::Prefix } else { Token::Other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str, dialect: Dialect) -> Option<&'static str> {
        check(text, dialect).err().map(|found| found.code())
    }

    #[test]
    fn nesting_counts_brackets_not_and_minus_together() {
        let nested = |n: usize| "(".repeat(n) + "a" + &")".repeat(n);
        assert_eq!(code(&nested(64), Dialect::Target), None);
        assert_eq!(code(&nested(65), Dialect::Target), Some("query.too_deep"));
        assert_eq!(
            code(&("NOT ".repeat(65) + "a"), Dialect::Target),
            Some("query.too_deep")
        );
        assert_eq!(
            code(&("- ".repeat(65) + "a"), Dialect::IotHub),
            Some("query.too_deep")
        );
        assert_eq!(
            code(&"NOT (".repeat(33), Dialect::Routing),
            Some("query.too_deep")
        );
        assert_eq!(code(&"a = 1 AND NOT ".repeat(70), Dialect::IotHub), None);
        assert_eq!(
            code(&format!("'{}'", "(".repeat(100)), Dialect::IotHub),
            None
        );
        assert_eq!(
            code(&format!("a'b {}", "(".repeat(100)), Dialect::Routing),
            Some("query.too_deep")
        );
        assert_eq!(
            code(&format!("[[it's]] {}", "(".repeat(100)), Dialect::IotHub),
            Some("query.too_deep")
        );
    }

    #[test]
    fn length_is_in_characters_or_bytes() {
        assert_eq!(code(&"é".repeat(8192), Dialect::IotHub), None);
        assert_eq!(
            code(&"é".repeat(8193), Dialect::IotHub),
            Some("query.too_long")
        );
        assert_eq!(code(&"é".repeat(501), Dialect::Aws), Some("query.too_long"));
    }
}
