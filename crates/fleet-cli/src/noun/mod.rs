//! The nouns: what a person manages, each verb one operation of the facade.

pub(crate) mod billing_group;
pub(crate) mod cert;
pub(crate) mod device;
pub(crate) mod group;
pub(crate) mod module;
pub(crate) mod pairs;
pub(crate) mod shadow;
pub(crate) mod tag;
pub(crate) mod thing;
pub(crate) mod thing_type;
pub(crate) mod twin;

use fleet_sdk::Service;
use serde_json::{Map, Value};

use crate::args::Global;
use crate::failure::Failure;
use crate::output::Out;
use crate::session::Session;
use crate::show::Show;

/// Whether a command may make the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Access {
    /// It only reads: a store that is not there is refused.
    Read,
    /// It writes: a store that is not there is made.
    Write,
}

/// One operation that a verb runs.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    op: &'static str,
    service: Option<Service>,
    params: Map<String, Value>,
    show: Show,
    access: Access,
    tokens: Option<(&'static str, &'static str)>,
}

impl Request {
    /// A request that changes the fleet.
    pub(crate) fn write(op: &'static str, show: Show) -> Self {
        Self {
            op,
            service: None,
            params: Map::new(),
            show,
            access: Access::Write,
            tokens: None,
        }
    }

    /// A request that only reads.
    pub(crate) fn read(op: &'static str, show: Show) -> Self {
        Self {
            access: Access::Read,
            ..Self::write(op, show)
        }
    }

    /// Names the service, where two have an operation of this name.
    pub(crate) fn service(mut self, service: Service) -> Self {
        self.service = Some(service);
        self
    }

    /// A parameter.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// A parameter that is left out when absent.
    pub(crate) fn maybe(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// A flag that is left out when false.
    pub(crate) fn flag(self, name: &str, set: bool) -> Self {
        if set { self.with(name, true) } else { self }
    }

    /// Follows `nextToken` to the end.
    pub(crate) fn paged(self) -> Self {
        self.paged_by("nextToken", "nextToken")
    }

    /// Follows the answer's member `answered` as the request's member `asked`, to the end.
    pub(crate) fn paged_by(mut self, asked: &'static str, answered: &'static str) -> Self {
        self.tokens = Some((asked, answered));
        self
    }

    /// Runs the request; pages are joined into one answer.
    fn run(&self, session: &Session) -> Result<Value, Failure> {
        let call =
            |params: Map<String, Value>| session.call_json(self.op, params.into(), self.service);
        let Some((asked, answered)) = self.tokens else {
            return call(self.params.clone());
        };
        let mut params = self.params.clone();
        let mut joined = call(params.clone())?;
        while let Some(token) = joined
            .as_object_mut()
            .and_then(|answer| answer.remove(answered))
        {
            params.insert(asked.to_owned(), token);
            let page = call(params.clone())?;
            join(&mut joined, page);
        }
        Ok(joined)
    }
}

/// Appends the lists of `page` to those of `joined` and takes its token.
fn join(joined: &mut Value, page: Value) {
    let (Some(joined), Value::Object(page)) = (joined.as_object_mut(), page) else {
        return;
    };
    for (name, value) in page {
        match (joined.get_mut(&name), value) {
            (Some(Value::Array(have)), Value::Array(more)) => have.extend(more),
            (_, value) => {
                joined.insert(name, value);
            }
        }
    }
}

/// A verb of a noun.
pub(crate) trait Action {
    /// The operations that it runs, in order; the first refusal stops it.
    fn requests(self) -> Result<Vec<Request>, Failure>;
}

/// Runs a verb and prints what it answered.
pub(crate) fn run(global: &Global, action: impl Action) -> Result<(), Failure> {
    let requests = action.requests()?;
    if requests
        .iter()
        .all(|request| request.access == Access::Read)
    {
        global.store.must_exist()?;
    }
    let session = Session::open(global)?;
    let mut out = Out::new();
    for request in &requests {
        let answer = request.run(&session)?;
        if global.json {
            out.json(&answer)?;
        } else {
            request.show.print(&answer, &mut out)?;
        }
        out.flush()?;
    }
    Ok(())
}
