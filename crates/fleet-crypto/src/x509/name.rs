//! Distinguished names: checked for form, searched for one attribute, printed.
use super::der::{Reader, tag};
use crate::CryptoError;
use crate::encoding::hex;
use crate::error::malformed;

/// Calls `each` with the OID and value of every attribute of the name (a whole element).
fn walk<'a>(
    whole: &'a [u8],
    mut each: impl FnMut(&'a [u8], u8, &'a [u8]),
) -> Result<(), CryptoError> {
    let mut outer = Reader::new(whole);
    let mut names = outer.sequence()?;
    outer.end()?;
    while !names.is_empty() {
        let mut set = Reader::new(names.expect(tag::SET)?.content);
        if set.is_empty() {
            return Err(malformed("empty relative name"));
        }
        while !set.is_empty() {
            let mut attribute = set.sequence()?;
            let oid = attribute.oid()?;
            let value = attribute.any()?;
            attribute.end()?;
            each(oid, value.tag, value.content);
        }
    }
    Ok(())
}

/// Whether the name has the form of a name.
pub(super) fn check(whole: &[u8]) -> Result<(), CryptoError> {
    walk(whole, |_, _, _| {})
}

/// Whether the name has no attribute at all.
pub(super) fn is_empty(whole: &[u8]) -> bool {
    Reader::new(whole)
        .sequence()
        .is_ok_and(|names| names.is_empty())
}

/// The values of an attribute, which must be UTF8String or PrintableString.
pub(super) fn strings(whole: &[u8], wanted: &[u8]) -> Result<Vec<String>, CryptoError> {
    let (mut found, mut odd) = (vec![], false);
    walk(whole, |oid, tag, content| {
        if oid == wanted {
            let text = matches!(tag, tag::UTF8_STRING | tag::PRINTABLE_STRING)
                .then(|| std::str::from_utf8(content).ok())
                .flatten();
            match text {
                Some(text) => found.push(text.to_owned()),
                None => odd = true,
            }
        }
    })?;
    if odd {
        Err(malformed("string type of a name"))
    } else {
        Ok(found)
    }
}

/// The name for people: `CN=dev-1,O=Contoso`. Unusual attributes and control characters are shown
/// in hexadecimal.
pub(super) fn print(whole: &[u8]) -> String {
    let mut parts = vec![];
    let _form_was_checked = walk(whole, |oid, _, content| {
        let key = match oid {
            [0x55, 0x04, 0x03] => "CN".to_owned(),
            [0x55, 0x04, 0x05] => "serialNumber".to_owned(),
            [0x55, 0x04, 0x06] => "C".to_owned(),
            [0x55, 0x04, 0x07] => "L".to_owned(),
            [0x55, 0x04, 0x08] => "ST".to_owned(),
            [0x55, 0x04, 0x0a] => "O".to_owned(),
            [0x55, 0x04, 0x0b] => "OU".to_owned(),
            other => format!("oid.{}", hex(other)),
        };
        let value = match std::str::from_utf8(content) {
            Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
            _ => format!("#{}", hex(content)),
        };
        parts.push(format!("{key}={value}"));
    });
    parts.join(",")
}
