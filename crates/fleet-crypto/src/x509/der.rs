//! Strict DER: a reader that borrows and a writer that nests.
use crate::CryptoError;
use crate::error::malformed;

pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    /// `[n]` primitive.
    pub(crate) const fn context(n: u8) -> u8 {
        0x80 | n
    }
    /// `[n]` constructed.
    pub(crate) const fn explicit(n: u8) -> u8 {
        0xa0 | n
    }
}

/// One element: its tag, its content and all of its bytes as they were received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// Reads elements one after the other. Lengths must be definite, minimal and inside the input; tags
/// above 30 do not occur in what this crate reads and are refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may be left.
    pub(crate) const fn end(&self) -> Result<(), CryptoError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(malformed("trailing bytes"))
        }
    }

    /// The tag of the next element, if there is one.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element, whatever it is.
    pub(crate) fn any(&mut self) -> Result<Element<'a>, CryptoError> {
        const SHORT: CryptoError = malformed("DER length");
        let start = self.rest;
        let (&tag, rest) = start.split_first().ok_or(malformed("missing element"))?;
        if tag & 0x1f == 0x1f {
            return Err(malformed("DER tag"));
        }
        let (&first, rest) = rest.split_first().ok_or(SHORT)?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let count = usize::from(first & 0x7f);
                let (digits, rest) = rest.split_at_checked(count).ok_or(SHORT)?;
                let length = digits
                    .iter()
                    .fold(0usize, |sum, digit| sum << 8 | usize::from(*digit));
                let minimal = length > 0x7f && digits.first() != Some(&0);
                if !minimal {
                    return Err(malformed("DER length is not minimal"));
                }
                (length, rest)
            }
            _ => return Err(malformed("DER length form")),
        };
        let (content, after) = rest.split_at_checked(length).ok_or(SHORT)?;
        let used = start.len().saturating_sub(after.len());
        let whole = start.get(..used).ok_or(SHORT)?;
        self.rest = after;
        Ok(Element {
            tag,
            content,
            whole,
        })
    }

    /// The next element, which must have `tag`.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>, CryptoError> {
        if self.peek() == Some(tag) {
            self.any()
        } else {
            Err(malformed("unexpected element"))
        }
    }

    /// The next element if it has `tag`.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, CryptoError> {
        if self.peek() == Some(tag) {
            self.any().map(Some)
        } else {
            Ok(None)
        }
    }

    /// A reader over the content of the next element, which must be a SEQUENCE.
    pub(crate) fn sequence(&mut self) -> Result<Self, CryptoError> {
        self.expect(tag::SEQUENCE)
            .map(|element| Self::new(element.content))
    }

    /// An OBJECT IDENTIFIER, as its content bytes.
    pub(crate) fn oid(&mut self) -> Result<&'a [u8], CryptoError> {
        let content = self.expect(tag::OID)?.content;
        let starts_pad = std::iter::once(&0u8)
            .chain(content)
            .zip(content)
            .any(|(before, byte)| before & 0x80 == 0 && *byte == 0x80);
        let ends = content.last().is_some_and(|byte| byte & 0x80 == 0);
        if ends && !starts_pad {
            Ok(content)
        } else {
            Err(malformed("object identifier"))
        }
    }

    /// A BOOLEAN.
    pub(crate) fn boolean(&mut self) -> Result<bool, CryptoError> {
        match self.expect(tag::BOOLEAN)?.content {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(malformed("boolean")),
        }
    }

    /// An INTEGER in minimal form, as its content bytes (two's complement).
    pub(crate) fn integer(&mut self) -> Result<&'a [u8], CryptoError> {
        let content = self.expect(tag::INTEGER)?.content;
        match content {
            [] => Err(malformed("integer")),
            [0x00, next, ..] if next & 0x80 == 0 => Err(malformed("integer is not minimal")),
            [0xff, next, ..] if next & 0x80 != 0 => Err(malformed("integer is not minimal")),
            _ => Ok(content),
        }
    }

    /// An INTEGER above zero, as its big-endian magnitude without a leading zero.
    #[cfg(any(feature = "rsa", test))]
    pub(crate) fn positive_integer(&mut self) -> Result<&'a [u8], CryptoError> {
        match self.integer()? {
            [0x00] => Err(malformed("integer is zero")),
            [0x00, magnitude @ ..] => Ok(magnitude),
            [first, ..] if first & 0x80 != 0 => Err(malformed("integer is negative")),
            magnitude => Ok(magnitude),
        }
    }

    /// A non-negative INTEGER that fits in 32 bits.
    pub(crate) fn small_integer(&mut self) -> Result<u32, CryptoError> {
        let content = self.integer()?;
        let fits = content.len() <= 5 && content.first().is_some_and(|byte| byte & 0x80 == 0);
        if !fits {
            return Err(malformed("integer range"));
        }
        let value = content
            .iter()
            .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        u32::try_from(value).map_err(|_| malformed("integer range"))
    }

    /// A BIT STRING of whole bytes.
    pub(crate) fn whole_bits(&mut self) -> Result<&'a [u8], CryptoError> {
        match self.expect(tag::BIT_STRING)?.content.split_first() {
            Some((0, bytes)) => Ok(bytes),
            _ => Err(malformed("bit string")),
        }
    }

    /// A BIT STRING of named bits (at most 32), the first bit in the highest position.
    pub(crate) fn named_bits(&mut self) -> Result<u32, CryptoError> {
        const BAD: CryptoError = malformed("named bits");
        let (&unused, bytes) = self
            .expect(tag::BIT_STRING)?
            .content
            .split_first()
            .ok_or(BAD)?;
        if bytes.len() > 4 || unused > 7 {
            return Err(BAD);
        }
        let clean = match bytes.last() {
            // Unused bits are zero, and DER leaves trailing zero bits of named lists out.
            Some(last) => last & ((1u8 << unused) - 1) == 0 && last & (1u8 << unused) != 0,
            None => unused == 0,
        };
        if !clean {
            return Err(BAD);
        }
        let mut out = [0u8; 4];
        for (to, from) in out.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(u32::from_be_bytes(out))
    }
}

/// Writes one element around `content`.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = Vec::with_capacity(length.saturating_add(6));
    out.push(tag);
    if let Ok(short @ 0..=0x7f) = u8::try_from(length) {
        out.push(short);
    } else {
        let digits = length.to_be_bytes();
        let skip = digits.iter().take_while(|digit| **digit == 0).count();
        let digits = digits.get(skip..).unwrap_or_default();
        out.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
        out.extend_from_slice(digits);
    }
    out.extend_from_slice(content);
    out
}

/// A SEQUENCE of the elements given.
pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(tag::SEQUENCE, &parts.concat())
}

/// A positive INTEGER from its big-endian magnitude.
pub(crate) fn integer(magnitude: &[u8]) -> Vec<u8> {
    let skip = magnitude.iter().take_while(|byte| **byte == 0).count();
    let magnitude = magnitude.get(skip..).unwrap_or_default();
    match magnitude.first() {
        None => element(tag::INTEGER, &[0]),
        Some(first) if first & 0x80 != 0 => element(tag::INTEGER, &[&[0], magnitude].concat()),
        Some(_) => element(tag::INTEGER, magnitude),
    }
}

/// A BIT STRING of whole bytes.
pub(crate) fn bits(bytes: &[u8]) -> Vec<u8> {
    element(tag::BIT_STRING, &[&[0], bytes].concat())
}

/// An OBJECT IDENTIFIER from its content bytes.
pub(crate) fn oid(content: &[u8]) -> Vec<u8> {
    element(tag::OID, content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_der_forbids() {
        for bad in [
            &[0x30, 0x80, 0x00, 0x00][..],
            &[0x30, 0x81, 0x01, 0x00],
            &[0x30, 0x82, 0x00, 0x80],
            &[0x30, 0x02, 0x00],
            &[0x1f, 0x01, 0x00],
            &[0x30],
            &[],
        ] {
            assert!(Reader::new(bad).any().is_err(), "{bad:?}");
        }
        assert!(Reader::new(&[2, 2, 0, 1]).integer().is_err());
        assert!(Reader::new(&[2, 1, 0x80]).positive_integer().is_err());
        assert!(Reader::new(&[1, 1, 1]).boolean().is_err());
        assert!(Reader::new(&[6, 2, 0x80, 1]).oid().is_err());
        assert_eq!(Reader::new(&[3, 2, 5, 0xa0]).named_bits(), Ok(0xa000_0000));
        assert!(Reader::new(&[3, 2, 4, 0xa0]).named_bits().is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(content in prop::collection::vec(any::<u8>(), 0..400)) {
            let bytes = element(tag::OCTET_STRING, &content);
            let mut reader = Reader::new(&bytes);
            let read = reader.expect(tag::OCTET_STRING).unwrap();
            prop_assert_eq!(read.content, &content[..]);
            prop_assert_eq!(read.whole, &bytes[..]);
            prop_assert!(reader.end().is_ok());
            let number = integer(&content);
            let skip = content.iter().take_while(|b| **b == 0).count();
            if skip < content.len() {
                prop_assert_eq!(Reader::new(&number).positive_integer().unwrap(), &content[skip..]);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let r = Reader::new(&bytes);
            let mut n = 0;
            let mut walk = r;
            while walk.any().is_ok() { n += 1; prop_assert!(n <= bytes.len()); }
            let _ = (r.clone().oid(), r.clone().named_bits(), r.clone().small_integer(), r.clone().whole_bits());
        }
    }
}
