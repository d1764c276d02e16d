//! Quoting and escaping of texts and numbers.

use crate::value::number_text;

/// The text of a quoted token of the IoT Hub dialects; the grammar has checked its escapes.
pub(super) fn unquote(token: &str) -> String {
    let quote = token.chars().next().unwrap_or('\'');
    let mut chars = token
        .strip_prefix(quote)
        .and_then(|t| t.strip_suffix(quote))
        .unwrap_or_default()
        .chars();
    let mut units: Vec<u16> = Vec::new();
    let mut buffer = [0; 2];
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some('u' | 'U') => {
                    let hex: String = chars.by_ref().take(4).collect();
                    units.push(u16::from_str_radix(&hex, 16).unwrap_or(0xfffd));
                    continue;
                }
                Some(escaped) => escaped,
                None => break,
            },
            // A doubled quote; only single quotes can be doubled.
            c if c == quote => {
                chars.next();
                c
            }
            c => c,
        };
        units.extend_from_slice(c.encode_utf16(&mut buffer));
    }
    String::from_utf16_lossy(&units)
}

/// A text in single quotes with doubled quotes, as every IoT Hub dialect reads it.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// The value of a number token.
pub(super) fn number(token: &str) -> f64 {
    match token
        .strip_prefix("0x")
        .or_else(|| token.strip_prefix("0X"))
    {
        Some(hex) => hex
            .chars()
            .filter_map(|c| c.to_digit(16))
            .fold(0.0, |so_far, digit| so_far.mul_add(16.0, f64::from(digit))),
        None => token.parse().unwrap_or(f64::INFINITY),
    }
}

/// A number as every dialect reads it back; infinity is a literal too large for a double.
pub(crate) fn number_literal(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 {
            "1e999".to_owned()
        } else {
            "-1e999".to_owned()
        };
    }
    number_text(value)
}

/// A text of the AWS dialect without its backslashes.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}
