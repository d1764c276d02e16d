//! The extensions of a certificate that decide anything.
use super::der::{Reader, tag};
use super::oids;
use crate::CryptoError;
use crate::error::malformed;
use std::collections::BTreeSet;

/// Most extensions that a certificate may carry.
const MAX_EXTENSIONS: usize = 64;

/// Bit of `keyUsage`, counted from the first.
pub(crate) const fn usage_bit(n: u32) -> u32 {
    0x8000_0000 >> n
}
pub(crate) const DIGITAL_SIGNATURE: u32 = usage_bit(0);
pub(crate) const KEY_CERT_SIGN: u32 = usage_bit(5);
pub(crate) const CRL_SIGN: u32 = usage_bit(6);

/// `basicConstraints`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct BasicConstraints {
    pub(super) critical: bool,
    pub(super) ca: bool,
    pub(super) path_length: Option<u32>,
}

/// `extendedKeyUsage`, as far as it matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct ExtendedKeyUsage {
    pub(super) client: bool,
    pub(super) server: bool,
}

/// `nameConstraints`: which kinds of names are constrained. The constraints themselves are enforced
/// by the path builder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NameConstraints {
    pub(super) critical: bool,
    /// Neither permitted nor excluded subtrees.
    pub(super) empty: bool,
    /// A kind other than DNS names and IP addresses, or a subtree with a depth.
    pub(super) other_kind: bool,
    /// A DNS constraint that is not a host name, as one with a leading period.
    pub(super) odd_dns: bool,
}

/// The names of a `subjectAltName`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct GeneralNames {
    pub(super) critical: bool,
    pub(super) dns: Vec<String>,
}

impl GeneralNames {
    /// Whether every DNS name is in the preferred syntax, perhaps with a wildcard in front.
    pub(super) fn all_preferred(&self) -> bool {
        self.dns
            .iter()
            .all(|name| is_host_name(name.strip_prefix("*.").unwrap_or(name)))
    }
}

/// Labels of letters, digits and inner hyphens, the last one not all digits.
fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_is_number = text
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    text.len() <= 253 && text.split('.').all(label) && !last_is_number
}

/// What the extensions of a certificate say. Each occurs at most once.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Extensions {
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) key_usage: Option<u32>,
    pub(super) extended_key_usage: Option<ExtendedKeyUsage>,
    pub(super) name_constraints: Option<NameConstraints>,
    pub(super) subject_alt_name: Option<GeneralNames>,
    pub(super) subject_key_id: Option<Vec<u8>>,
    pub(super) authority_key_id: Option<Vec<u8>>,
    /// A key identifier of either kind is marked critical.
    pub(super) key_id_critical: bool,
    /// `policyConstraints` that are not marked critical.
    pub(super) loose_policy: bool,
    /// A critical extension that nobody here understands.
    pub(super) unknown_critical: bool,
}

/// One extension: OID content, criticality, value.
pub(super) struct Extension<'a> {
    pub(super) oid: &'a [u8],
    pub(super) critical: bool,
    pub(super) value: &'a [u8],
}

/// The extensions of a `SEQUENCE OF Extension` given as one whole element.
pub(super) fn list(whole: &[u8]) -> Result<Vec<Extension<'_>>, CryptoError> {
    let mut outer = Reader::new(whole);
    let mut reader = outer.sequence()?;
    outer.end()?;
    let mut seen = BTreeSet::new();
    let mut found = vec![];
    while !reader.is_empty() {
        let mut one = reader.sequence()?;
        let oid = one.oid()?;
        let critical = one.peek() == Some(tag::BOOLEAN) && one.boolean()?;
        let value = one.expect(tag::OCTET_STRING)?.content;
        one.end()?;
        if !seen.insert(oid) {
            return Err(malformed("duplicate extension"));
        }
        if found.len() >= MAX_EXTENSIONS {
            return Err(malformed("number of extensions"));
        }
        found.push(Extension {
            oid,
            critical,
            value,
        });
    }
    if found.is_empty() {
        Err(malformed("empty extensions"))
    } else {
        Ok(found)
    }
}

impl Extensions {
    /// Reads the content of `[3] EXPLICIT Extensions`.
    pub(super) fn parse(content: &[u8]) -> Result<Self, CryptoError> {
        let mut out = Self::default();
        for Extension {
            oid,
            critical,
            value,
        } in list(content)?
        {
            match oid {
                oids::BASIC_CONSTRAINTS => {
                    out.basic_constraints = Some(basic_constraints(value, critical)?);
                }
                oids::KEY_USAGE => {
                    let mut reader = Reader::new(value);
                    out.key_usage = Some(reader.named_bits()?);
                    reader.end()?;
                }
                oids::EXTENDED_KEY_USAGE => {
                    out.extended_key_usage = Some(extended_key_usage(value)?);
                }
                oids::NAME_CONSTRAINTS => {
                    out.name_constraints = Some(name_constraints(value, critical)?);
                }
                oids::SUBJECT_ALT_NAME => {
                    out.subject_alt_name = Some(general_names(value, critical)?);
                }
                oids::SUBJECT_KEY_ID => {
                    out.key_id_critical |= critical;
                    let mut reader = Reader::new(value);
                    out.subject_key_id = Some(reader.expect(tag::OCTET_STRING)?.content.to_vec());
                    reader.end()?;
                }
                oids::AUTHORITY_KEY_ID => {
                    out.key_id_critical |= critical;
                    out.authority_key_id = authority_key_id(value)?;
                }
                _ => {
                    out.unknown_critical |= critical;
                    out.loose_policy |= oid == oids::POLICY_CONSTRAINTS && !critical;
                }
            }
        }
        Ok(out)
    }

    /// Whether `keyUsage` is absent or has all of `bits`.
    pub(super) fn may(&self, bits: u32) -> bool {
        self.key_usage.is_none_or(|usage| usage & bits == bits)
    }
}

fn basic_constraints(value: &[u8], critical: bool) -> Result<BasicConstraints, CryptoError> {
    let mut outer = Reader::new(value);
    let mut reader = outer.sequence()?;
    outer.end()?;
    let ca = reader.peek() == Some(tag::BOOLEAN) && reader.boolean()?;
    let path_length = if reader.peek() == Some(tag::INTEGER) {
        Some(reader.small_integer()?)
    } else {
        None
    };
    reader.end()?;
    Ok(BasicConstraints {
        critical,
        ca,
        path_length,
    })
}

fn extended_key_usage(value: &[u8]) -> Result<ExtendedKeyUsage, CryptoError> {
    let mut outer = Reader::new(value);
    let mut reader = outer.sequence()?;
    outer.end()?;
    if reader.is_empty() {
        return Err(malformed("empty extended key usage"));
    }
    let mut out = ExtendedKeyUsage {
        client: false,
        server: false,
    };
    while !reader.is_empty() {
        let oid = reader.oid()?;
        out.client |= oid == oids::CLIENT_AUTH;
        out.server |= oid == oids::SERVER_AUTH;
    }
    Ok(out)
}

fn name_constraints(value: &[u8], critical: bool) -> Result<NameConstraints, CryptoError> {
    let mut outer = Reader::new(value);
    let mut reader = outer.sequence()?;
    outer.end()?;
    let mut out = NameConstraints {
        critical,
        empty: true,
        other_kind: false,
        odd_dns: false,
    };
    for id in [0, 1] {
        let Some(subtrees) = reader.optional(tag::explicit(id))? else {
            continue;
        };
        let mut subtrees = Reader::new(subtrees.content);
        while !subtrees.is_empty() {
            out.empty = false;
            let mut subtree = subtrees.sequence()?;
            let base = subtree.any()?;
            let known = base.tag == tag::context(2)
                || (base.tag == tag::context(7) && matches!(base.content.len(), 8 | 32));
            out.odd_dns |= base.tag == tag::context(2) && base.content.first() == Some(&b'.');
            out.other_kind |= !known || !subtree.is_empty();
        }
    }
    reader.end()?;
    Ok(out)
}

fn general_names(value: &[u8], critical: bool) -> Result<GeneralNames, CryptoError> {
    const BAD: CryptoError = malformed("subject alternative name");
    let mut outer = Reader::new(value);
    let mut reader = outer.sequence()?;
    outer.end()?;
    if reader.is_empty() {
        return Err(BAD);
    }
    let mut out = GeneralNames {
        critical,
        dns: vec![],
    };
    while !reader.is_empty() {
        let name = reader.any()?;
        match name.tag {
            // dNSName, rfc822Name, URI: IA5String
            0x81 | 0x82 | 0x86 => {
                let text = std::str::from_utf8(name.content).map_err(|_| BAD)?;
                if !text.is_ascii() || text.is_empty() {
                    return Err(BAD);
                }
                if name.tag == 0x82 {
                    out.dns.push(text.to_owned());
                }
            }
            0x87 if !matches!(name.content.len(), 4 | 16) => return Err(BAD),
            // otherName, x400, directoryName, ediPartyName, iPAddress, registeredID
            0xa0 | 0xa3 | 0xa4 | 0xa5 | 0x87 | 0x88 => {}
            _ => return Err(BAD),
        }
    }
    Ok(out)
}

/// The key identifier of an `authorityKeyIdentifier`, if it gives one.
fn authority_key_id(value: &[u8]) -> Result<Option<Vec<u8>>, CryptoError> {
    let mut outer = Reader::new(value);
    let mut reader = outer.sequence()?;
    outer.end()?;
    let key_id = reader
        .optional(tag::context(0))?
        .map(|id| id.content.to_vec());
    let issuer = reader.optional(tag::explicit(1))?;
    let serial = reader.optional(tag::context(2))?;
    reader.end()?;
    if issuer.is_some() != serial.is_some() {
        return Err(malformed("authority key identifier"));
    }
    Ok(key_id)
}
