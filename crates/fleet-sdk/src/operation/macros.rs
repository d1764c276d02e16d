//! The shape that all requests and responses share.

/// Whether a member is left out of the JSON when it has this value.
pub(crate) trait Absent {
    fn absent(&self) -> bool {
        false
    }
}

impl<T> Absent for Option<T> {
    fn absent(&self) -> bool {
        self.is_none()
    }
}

macro_rules! always_present {
    ($($type:ty),+ $(,)?) => { $(impl Absent for $type {})+ };
}

always_present!(
    bool,
    u64,
    i64,
    u32,
    f64,
    String,
    serde_json::Value,
    super::Seconds
);

impl<T> Absent for Vec<T> {}
impl<T: super::Wipe> Absent for super::Concealed<T> {}
impl<K, V> Absent for std::collections::BTreeMap<K, V> {}
impl<K, V> Absent for serde_json::Map<K, V> {}

/// Declares a plain data type of the wire: camelCase, unknown members refused, absent options left out.
macro_rules! wire {
    ($(#[$doc:meta])* $name:ident { $($(#[$meta:meta])* $field:ident : $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[allow(missing_docs, reason = "members are those of the service's API")]
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[$meta])*
                #[serde(skip_serializing_if = "crate::operation::macros::Absent::absent")]
                pub $field: $type,
            )*
        }

        impl crate::operation::macros::Absent for $name {}
    };
}

/// Declares an operation: `"summary" Name @ Service { request members } -> Response { response members }`.
macro_rules! operation {
    ($summary:literal $name:ident @ $service:ident { $($request:tt)* } -> $response:ident { $($answer:tt)* }) => {
        operation!($summary $name @ $service { $($request)* } -> $response);
        wire! { #[doc = concat!("What [`", stringify!($name), "`] answers.")] $response { $($answer)* } }
    };
    ($summary:literal $name:ident @ $service:ident { $($request:tt)* } -> $response:ty) => {
        wire! { #[doc = $summary] $name { $($request)* } }
        impl crate::operation::Operation for $name {
            type Response = $response;
            const NAME: &'static str = stringify!($name);
            const SERVICE: crate::Service = crate::Service::$service;
            const SUMMARY: &'static str = $summary;
        }
    };
}
