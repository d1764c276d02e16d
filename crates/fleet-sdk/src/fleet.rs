//! The facade itself.

use fleet_model::kernel::{Actor, Recorded, Timestamp};
use fleet_model::limits::Limits;
use futures_util::future::{BoxFuture, FutureExt as _};
use serde_json::Value;
use std::sync::Arc;

use crate::error::Refusal;
use crate::operation::{self, Operation, OperationInfo};
use crate::source::{Clock, Entropy, SeededEntropy};
use crate::{CallError, Caller, Service};

/// How a fleet is set up.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// The 12-digit account in ARNs.
    pub account: String,
    /// The region in ARNs.
    pub region: String,
    /// The host name of the hub in connection strings and provisioning answers.
    pub hub: String,
    /// Every quota in force.
    pub limits: Limits,
    /// The time of calls that bring none.
    pub clock: Arc<dyn Clock>,
    /// What ids are made of.
    pub entropy: Arc<dyn Entropy>,
}

impl Options {
    /// The services' default limits, account 123456789012 in us-east-1, hub `fleet`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            hub: "fleet".to_owned(),
            limits: Limits::default(),
            clock,
            entropy,
        }
    }

    /// Reproducible: a clock that stands at 2026-01-01T00:00:00Z, ids from `seed`. For tests and examples.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let start = Timestamp::from_secs(1_767_225_600);
        Self::new(Arc::new(move || start), Arc::new(SeededEntropy::new(seed)))
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("account", &self.account)
            .field("region", &self.region)
            .field("hub", &self.hub)
            .finish_non_exhaustive()
    }
}

/// What a call did: its answer, and the events that it recorded, in order.
#[derive(Debug)]
pub struct Outcome {
    /// The response as JSON, or why there is none.
    pub result: Result<Value, CallError>,
    /// What was recorded on the way; a refused call records nothing.
    pub events: Vec<Recorded>,
}

/// A fleet over an event store.
#[derive(Debug)]
pub struct Fleet {
    options: Options,
}

/// One call on its way: who, when, and what it has recorded so far.
#[derive(Debug)]
pub struct Call<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) actor: Actor,
    pub(crate) now: Timestamp,
    pub(crate) events: Vec<Recorded>,
}

impl Fleet {
    /// Every operation, by service and name.
    #[must_use]
    pub fn operations() -> &'static [OperationInfo] {
        operation::ALL
    }

    /// The operation called `name`; `service` decides where two services share it.
    ///
    /// # Errors
    /// `request.unknown_operation`, `request.ambiguous_operation`.
    pub fn operation(
        name: &str,
        service: Option<Service>,
    ) -> Result<&'static OperationInfo, CallError> {
        let mut found = operation::ALL.iter().filter(|info| {
            info.name == name && service.is_none_or(|wanted| wanted == info.service)
        });
        let door = service.unwrap_or(Service::Iot);
        match (found.next(), found.next()) {
            (Some(info), None) => Ok(info),
            (Some(one), Some(other)) => Err(CallError::new(
                "request.ambiguous_operation",
                format!(
                    "`{name}` is an operation of `{}` and of `{}`: name the `service`",
                    one.service, other.service
                ),
                door,
            )),
            (None, _) => Err(CallError::new(
                "request.unknown_operation",
                format!("no operation is called `{name}`: list them with `fleet exec --list`"),
                door,
            )),
        }
    }

    fn begin(&self, caller: &Caller) -> Call<'_> {
        Call {
            fleet: self,
            actor: caller.actor.clone(),
            now: caller.at.unwrap_or_else(|| self.options.clock.now()),
            events: Vec::new(),
        }
    }

    /// Runs one operation.
    ///
    /// # Errors
    /// The refusal, in the words of the operation's service.
    pub async fn call<O: Operation>(
        &self,
        request: O,
        caller: &Caller,
    ) -> Result<O::Response, CallError> {
        let mut call = self.begin(caller);
        request
            .handle(&mut call)
            .await
            .map_err(|refusal| refusal.into_error(O::SERVICE))
    }

    /// Runs the operation called `op` with JSON parameters: the door for transports and scripts.
    pub async fn call_json(&self, op: &str, params: Value, caller: &Caller) -> Outcome {
        match Self::operation(op, caller.service) {
            Ok(info) => (info.run)(self, params, caller).await,
            Err(error) => Outcome {
                result: Err(error),
                events: Vec::new(),
            },
        }
    }
}

pub(crate) type RunJson = for<'a> fn(&'a Fleet, Value, &'a Caller) -> BoxFuture<'a, Outcome>;

/// [`Fleet::call`] behind JSON.
pub(crate) fn run_json<'a, O: Operation>(
    fleet: &'a Fleet,
    params: Value,
    caller: &'a Caller,
) -> BoxFuture<'a, Outcome> {
    async move {
        let mut call = fleet.begin(caller);
        let params = match params {
            Value::Null => Value::Object(serde_json::Map::new()),
            params => params,
        };
        let answer = match serde_json::from_value::<O>(params) {
            Ok(request) => request.handle(&mut call).await,
            Err(error) => Err(Refusal::new(
                "request.malformed",
                format!("parameters of `{}`: {error}", O::NAME),
            )),
        };
        let result = answer
            .and_then(|response| {
                serde_json::to_value(response)
                    .map_err(|error| Refusal::new("request.malformed", error.to_string()))
            })
            .map_err(|refusal| refusal.into_error(O::SERVICE));
        Outcome {
            result,
            events: call.events,
        }
    }
    .boxed()
}
