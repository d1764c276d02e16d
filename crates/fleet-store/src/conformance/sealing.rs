//! Case 45: personal fields sealed with fleet-crypto, and the destruction of their key.

use super::rig::{Problem, Random, Store, ensure, everything, fresh, open, sound, stream, tenant};
use super::{Case, How, Outcome, Rig, Verdict};
use crate::port::{Append, Expected, StoreError};
use crate::seal::{self, KeyAnswer, KeyPort, Revealed, SealedField};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fleet_crypto::secret::{AssociatedData, DataKey, KeyRing, Opened};
use fleet_crypto::{CryptoError, RustCrypto, SecureRandom};
use fleet_model::kernel::Recorded;
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = &[(45, "a destroyed key", destroyed_key)];

impl SecureRandom for Random {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
        for chunk in out.chunks_mut(8) {
            for (to, from) in chunk.iter_mut().zip(self.next().to_be_bytes()) {
                *to = from;
            }
        }
        Ok(())
    }
}

impl From<CryptoError> for Problem {
    fn from(error: CryptoError) -> Self {
        Self(error.to_string())
    }
}

struct Keys<'a>(&'a KeyRing);

impl KeyPort for Keys<'_> {
    fn open(&self, field: &SealedField<'_>) -> KeyAnswer {
        let opened = bound(field.place, field.path, field.key)
            .and_then(|place| self.0.open(field.key, field.bytes, &place, &RustCrypto));
        match opened {
            Ok(Opened::Redacted) => KeyAnswer::Destroyed,
            Ok(Opened::Value(bytes)) => serde_json::from_slice(bytes.expose_secret())
                .map_or(KeyAnswer::Refused, KeyAnswer::Opened),
            Err(_) => KeyAnswer::Refused,
        }
    }
}

/// What a sealed field is bound to.
fn bound(place: &seal::Place<'_>, path: &str, key: &str) -> Result<AssociatedData, CryptoError> {
    let id = place.event_id.to_string();
    AssociatedData::field(place.tenant, place.stream, &id, path, key)
}

/// Seals `owner` of an event that says whose thing stands in which room.
fn person(
    name: &str,
    subject: &str,
    owner: &str,
    keys: &mut KeyRing,
    random: &mut Random,
) -> Result<Append, Problem> {
    let mut event = fresh("");
    let tenant = tenant()?;
    let place = seal::Place {
        tenant: tenant.as_str(),
        stream: name,
        event_id: event.id.as_uuid(),
        subject: Some(subject),
    };
    let plain = json!(owner).to_string();
    let bound = bound(&place, "/owner", subject)?;
    let bytes = keys.seal(subject, plain.as_bytes(), &bound, random, &RustCrypto)?;
    let sealed = json!({"key": subject, "bytes": STANDARD.encode(bytes)});
    let data = json!({"owner": {"$sealed": sealed}, "room": 4});
    event.data = data.to_string().into_bytes().into();
    event.subject = Some(subject.into());
    Ok(Append::new(stream(name)?, Expected::Any, vec![event]))
}

fn reveal(event: &Recorded, keys: &KeyRing) -> Result<Revealed, Problem> {
    let data = serde_json::from_slice(&event.event.data).map_err(|error| error.to_string())?;
    Ok(seal::reveal(&data, &seal::Place::of(event), &Keys(keys))?)
}

/// A projection of who owns what, rebuilt from the log.
fn owners(store: &Store, keys: &KeyRing) -> Result<Vec<Value>, Problem> {
    let events = everything(store, 10)?;
    let shown = events.iter().map(|event| reveal(event, keys));
    shown
        .map(|shown| Ok(shown?.data.get("owner").cloned().unwrap_or_default()))
        .collect()
}

fn destroyed_key(rig: &Rig<'_>) -> Outcome {
    let place = rig.place()?;
    let how = How {
        chained: true,
        ..How::default()
    };
    let store = match place.open(&tenant()?, how) {
        Err(StoreError::Unsupported { .. }) => open(place.as_ref())?,
        opened => opened?,
    };
    let mut random = rig.random();
    let mut keys = KeyRing::new();
    for subject in ["person-7", "person-8"] {
        keys.insert(subject, DataKey::generate(1, &mut random)?)?;
    }
    let mut told = Vec::new();
    for (subject, owner) in [("person-7", "Ada"), ("person-8", "Bo"), ("person-7", "Ada")] {
        let call = person("thing-a", subject, owner, &mut keys, &mut random)?;
        told.extend(super::rig::wait(store.append(call))?.events);
    }
    ensure!(
        owners(&store, &keys)? == [json!("Ada"), json!("Bo"), json!("Ada")],
        "the fields do not open"
    );
    // A field that is moved to another event is refused.
    let (Some(first), Some(last)) = (told.first(), told.last()) else {
        return Err("nothing is stored".into());
    };
    let mut moved = last.clone();
    moved.event.data = first.event.data.clone();
    let refused = reveal(&moved, &keys);
    ensure!(refused.is_err(), "a moved field was opened");
    ensure!(keys.destroy("person-7"), "the key was not there");
    let redacted = json!({"$redacted": true});
    ensure!(
        owners(&store, &keys)? == [redacted.clone(), json!("Bo"), redacted],
        "not exactly the fields of the destroyed key are redacted"
    );
    let shown = reveal(first, &keys)?;
    ensure!(
        shown.redacted == ["/owner"] && shown.data.get("room") == Some(&json!(4)),
        "{:?}",
        shown.data
    );
    // Checksums and chain are over the sealed form, which is as it was.
    ensure!(sound(&store)? == told, "the stored form was touched");
    Ok(Verdict::Passed)
}
