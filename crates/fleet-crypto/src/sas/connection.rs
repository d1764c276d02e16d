//! Connection strings: `Key=Value` pairs joined by `;`.
use crate::CryptoError;
use crate::error::malformed;
use crate::secret::SecretText;
use crate::symmetric::SymmetricKey;

/// How the holder of a connection string authenticates.
#[derive(Debug)]
#[non_exhaustive]
pub enum Credential {
    /// A symmetric key.
    Key(SymmetricKey),
    /// A token made beforehand.
    Token(SecretText),
    /// A certificate, presented outside the string.
    X509,
}

/// A connection string, taken apart: a hub or service policy when it has a key name, a device or
/// module when it has a device id.
///
/// ```
/// use fleet_crypto::sas::ConnectionString;
/// let text = "HostName=h.azure-devices.net;DeviceId=d1;SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// let parsed = ConnectionString::parse(text)?;
/// assert_eq!(parsed.device_id.as_deref(), Some("d1"));
/// assert_eq!(parsed.print().expose_secret(), text);
/// # Ok::<(), fleet_crypto::CryptoError>(())
/// ```
/// Spec: service specification, section 7.4.
#[derive(Debug)]
pub struct ConnectionString {
    /// `HostName`
    pub host_name: String,
    /// `DeviceId`
    pub device_id: Option<String>,
    /// `ModuleId`, only beside a device id.
    pub module_id: Option<String>,
    /// `GatewayHostName`
    pub gateway_host_name: Option<String>,
    /// `SharedAccessKeyName`, the policy.
    pub key_name: Option<String>,
    /// `SharedAccessKey`, `SharedAccessSignature` or `x509=true`.
    pub credential: Credential,
}

impl ConnectionString {
    /// Reads a connection string. Names are taken in any case and order, empty segments are ignored.
    /// # Errors
    /// `crypto.malformed` for unknown, repeated or missing parts; `crypto.key_encoding` and
    /// `crypto.key_length` for the key.
    pub fn parse(text: &str) -> Result<Self, CryptoError> {
        const NAMES: [&str; 8] = [
            "hostname",
            "deviceid",
            "moduleid",
            "gatewayhostname",
            "sharedaccesskeyname",
            "sharedaccesskey",
            "sharedaccesssignature",
            "x509",
        ];
        let mut values: [Option<&str>; 8] = [None; 8];
        for segment in text.split(';').filter(|segment| !segment.is_empty()) {
            let (name, value) = segment
                .split_once('=')
                .ok_or(malformed("connection string segment"))?;
            let name = name.to_ascii_lowercase();
            let place = NAMES
                .iter()
                .zip(&mut values)
                .find_map(|(known, place)| (*known == name).then_some(place))
                .ok_or(malformed("unknown name in connection string"))?;
            if value.is_empty() {
                return Err(malformed("empty value in connection string"));
            }
            if place.replace(value).is_some() {
                return Err(malformed("name given twice in connection string"));
            }
        }
        let [host, device, module, gateway, key_name, key, token, x509] = values;
        let credential = match (key, token, x509) {
            (Some(key), None, None) => Credential::Key(SymmetricKey::from_base64(key)?),
            (None, Some(token), None) => Credential::Token(SecretText::new(token.to_owned())),
            (None, None, Some(yes)) if yes.eq_ignore_ascii_case("true") => Credential::X509,
            _ => return Err(malformed("one credential is needed in a connection string")),
        };
        let fits = match (device, key_name) {
            (Some(_), None) => true,
            (None, Some(_)) => {
                module.is_none() && gateway.is_none() && !matches!(credential, Credential::X509)
            }
            _ => false,
        };
        if !fits {
            return Err(malformed(
                "a device id or a key name is needed in a connection string",
            ));
        }
        let owned = |value: Option<&str>| value.map(str::to_owned);
        Ok(Self {
            host_name: owned(host).ok_or(malformed("host name missing in connection string"))?,
            device_id: owned(device),
            module_id: owned(module),
            gateway_host_name: owned(gateway),
            key_name: owned(key_name),
            credential,
        })
    }

    /// The text form, in the order of the fields.
    #[must_use]
    pub fn print(&self) -> SecretText {
        let mut out = format!("HostName={}", self.host_name);
        for (name, value) in [
            ("DeviceId", &self.device_id),
            ("ModuleId", &self.module_id),
            ("GatewayHostName", &self.gateway_host_name),
            ("SharedAccessKeyName", &self.key_name),
        ] {
            if let Some(value) = value {
                out.push_str(&format!(";{name}={value}"));
            }
        }
        match &self.credential {
            Credential::Key(key) => {
                out.push_str(&format!(
                    ";SharedAccessKey={}",
                    key.to_base64().expose_secret()
                ));
            }
            Credential::Token(token) => {
                out.push_str(&format!(";SharedAccessSignature={}", token.expose_secret()));
            }
            Credential::X509 => out.push_str(";x509=true"),
        }
        SecretText::new(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn reads_every_kind_in_any_order_and_case() {
        for text in [
            format!("HostName=h;SharedAccessKeyName=iothubowner;SharedAccessKey={KEY}"),
            format!("HostName=h;DeviceId=d;ModuleId=m;GatewayHostName=g;SharedAccessKey={KEY}"),
            "HostName=h;DeviceId=d;x509=true".to_owned(),
            "HostName=h;DeviceId=d;SharedAccessSignature=SharedAccessSignature sr=h&sig=a&se=1"
                .to_owned(),
        ] {
            assert_eq!(
                ConnectionString::parse(&text)
                    .unwrap()
                    .print()
                    .expose_secret(),
                text
            );
        }
        let odd = format!(";sharedaccesskey={KEY};;DEVICEID=d;hostname=h;");
        let parsed = ConnectionString::parse(&odd).unwrap();
        assert_eq!(
            parsed.print().expose_secret(),
            format!("HostName=h;DeviceId=d;SharedAccessKey={KEY}")
        );
        assert!(!format!("{parsed:?}").contains("AAEC"));
    }

    #[test]
    fn refuses_what_does_not_fit() {
        for bad in [
            format!("DeviceId=d;SharedAccessKey={KEY}"),
            format!("HostName=h;SharedAccessKey={KEY}"),
            "HostName=h;DeviceId=d".to_owned(),
            format!("HostName=h;HostName=h;DeviceId=d;SharedAccessKey={KEY}"),
            format!("HostName=h;DeviceId=d;Color=red;SharedAccessKey={KEY}"),
            "HostName=h;DeviceId=d;x509=false".to_owned(),
            "HostName=;DeviceId=d;x509=true".to_owned(),
            "HostName".to_owned(),
            format!("HostName=h;DeviceId=d;x509=true;SharedAccessKey={KEY}"),
        ] {
            assert!(ConnectionString::parse(&bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "[a-zA-Z=;0-9]{0,80}") {
            let _ = ConnectionString::parse(&text);
        }
    }
}
