//! Tallies and small decoders for the suites.
use serde_json::Value;

/// A suite: its name, its run (nothing when it cannot run here) and why it may be skipped.
pub struct Suite {
    pub name: &'static str,
    pub run: fn() -> Option<Tally>,
    pub skip_reason: &'static str,
}

/// How the cases of a suite went.
#[derive(Debug, Default)]
pub struct Tally {
    pub agreed: usize,
    /// Case and what happened.
    pub disagreed: Vec<(String, String)>,
}

impl Tally {
    /// Takes the cases of another tally over.
    pub fn add(&mut self, other: Self) {
        self.agreed += other.agreed;
        self.disagreed.extend(other.disagreed);
    }

    /// Counts one case of a suite that says only whether to accept.
    pub fn verdict<T>(
        &mut self,
        id: &str,
        seen: &Result<T, fleet_crypto::CryptoError>,
        accept: bool,
    ) {
        match seen {
            Ok(_) if !accept => self.disagreed.push((id.to_owned(), "accepted".to_owned())),
            Err(error) if accept => {
                self.disagreed
                    .push((id.to_owned(), format!("refused as {}", error.name())));
            }
            _ => self.agreed += 1,
        }
    }

    /// Counts one case, comparing what was seen with what the vector expects.
    pub fn case(&mut self, id: impl Into<String>, seen: &str, expected: &str) {
        if seen == expected {
            self.agreed += 1;
        } else {
            self.disagreed
                .push((id.into(), format!("{seen}, expected {expected}")));
        }
    }
}

/// The verdict as the vector files write it: `ok` or the error's name.
pub fn verdict<T>(result: &Result<T, fleet_crypto::CryptoError>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.name().to_owned(),
    }
}

pub fn load(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} in {value}"))
}

pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key}"))
}

pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub fn unbase64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}
