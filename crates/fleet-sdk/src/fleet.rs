//! The facade itself.

use fleet_crypto::UnixSeconds;
use fleet_model::id::{AccountId, CertificateId, Owner, RecordName, Region, Resource};
use fleet_model::identity::{InMemorySecrets, SecretStore};
use fleet_model::kernel::{
    Context, Decider, EventId, NewEvent, Position, Recorded, StreamName, StreamVersion, TenantId,
    Timestamp, WireEvent,
};
use fleet_model::limits::Limits;
use fleet_model::twin::TwinKey;
use fleet_store::port::EventStore;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::lock::{Mutex, MutexGuard};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

use crate::issuer::Issuer;
use crate::log::{Loaded, Log, Stamp, decode_family};
use crate::operation::{self, Operation, OperationInfo};
use crate::pem::Pem;
use crate::read::{
    Branches, Catalog, CertificateModel, Follower, Identities, IndexFollower, Place, PresenceModel,
    Principals, Things, View,
};
use crate::refusal::Refusal;
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
    /// Where keys are kept: events, answers and logs hold handles only.
    pub secrets: Arc<dyn SecretStore>,
    /// The folder in which [`Fleet::save_index`] keeps the index, so that the next opening need not read the log again;
    /// none keeps nothing. A cache: it may be removed at any time.
    pub index_folder: Option<PathBuf>,
    /// The CA of certificates that the fleet makes; without one it makes a CA that ends with the process.
    pub issuer: Option<Arc<Issuer>>,
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
            secrets: Arc::new(InMemorySecrets::default()),
            index_folder: None,
            issuer: None,
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
///
/// An answer may hold a new key, so `Debug` does not show it.
pub struct Outcome {
    /// The response as JSON, or why there is none.
    pub result: Result<Value, CallError>,
    /// What was recorded on the way; a refused call records nothing.
    pub events: Vec<Recorded>,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome")
            .field("result", &self.result.as_ref().map(|_| "an answer"))
            .field("events", &self.events)
            .finish()
    }
}

/// A fleet over an event store: every operation behind one door.
///
/// Rules that span streams are serialised by one decision lock; read models are caught up when they
/// are asked, so that a fleet that is opened for one small call replays nothing.
///
/// ```
/// use fleet_sdk::{Caller, Fleet, Options, operation::{CreateThing, DescribeThing}};
/// use fleet_store::memory::MemoryStore;
/// use fleet_store::port::SystemClock;
/// use std::sync::{Arc, OnceLock};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # pollster::block_on(async {
/// let store = MemoryStore::new("default".parse()?, Arc::new(SystemClock));
/// let fleet = Fleet::open(Arc::new(store), Options::seeded(1)).await?;
/// let ops = Caller::new("user:ops".parse()?);
/// let create = CreateThing { thing_name: "press-7".to_owned(), ..CreateThing::default() };
/// fleet.call(create, &ops).await?;
/// let describe = DescribeThing { thing_name: "press-7".to_owned() };
/// assert_eq!(fleet.call(describe, &ops).await?.version, 1);
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Debug)]
pub struct Fleet {
    pub(crate) log: Log,
    pub(crate) options: Options,
    owner: Owner,
    decisions: Mutex<()>,
    catalog: Follower<Catalog>,
    things: Follower<Things>,
    branches: Follower<Branches>,
    indexes: IndexFollower,
    identities: Follower<Identities>,
    presence: Follower<PresenceModel>,
    principals: Follower<Principals>,
    certificates: Follower<CertificateModel>,
    issuer: OnceLock<Arc<Issuer>>,
}

/// One call on its way: who, when, and what it has recorded so far.
#[derive(Debug)]
pub struct Call<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) stamp: Stamp,
    pub(crate) now: Timestamp,
    pub(crate) correlation: Uuid,
    pub(crate) events: Vec<Recorded>,
    /// In a dry run, what would have been recorded, by stream; the store is left alone.
    rehearsed: Option<BTreeMap<StreamName, Vec<Recorded>>>,
}

impl Fleet {
    /// A fleet over `store`.
    ///
    /// # Errors
    /// `id.invalid` for an account that is not 12 digits or a region that is none; the store's errors.
    pub async fn open(store: Arc<dyn EventStore>, options: Options) -> Result<Self, CallError> {
        let refused = |refusal: Refusal| refusal.into_error(Service::Iot);
        let account: AccountId = options
            .account
            .parse()
            .map_err(Refusal::from)
            .map_err(refused)?;
        let region: Region = options
            .region
            .parse()
            .map_err(Refusal::from)
            .map_err(refused)?;
        let log = Log { store };
        log.head().await.map_err(refused)?;
        Ok(Self {
            log,
            options,
            owner: Owner { region, account },
            decisions: Mutex::new(()),
            catalog: Follower::default(),
            things: Follower::default(),
            branches: Follower::default(),
            indexes: IndexFollower::default(),
            identities: Follower::default(),
            presence: Follower::default(),
            principals: Follower::default(),
            certificates: Follower::default(),
            issuer: OnceLock::new(),
        })
    }

    /// The quotas and sources that it was opened with.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// The store below.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn EventStore> {
        &self.log.store
    }

    pub(crate) async fn catalog<T>(
        &self,
        read: impl FnOnce(&Catalog) -> T + Send,
    ) -> Result<T, Refusal> {
        self.catalog.read(&self.log, read).await
    }

    pub(crate) async fn things<T>(
        &self,
        read: impl FnOnce(&Things) -> T + Send,
    ) -> Result<T, Refusal> {
        self.things.read(&self.log, read).await
    }

    /// Identities as decisions about others see them.
    pub(crate) async fn identities<T>(
        &self,
        read: impl FnOnce(&Identities) -> T + Send,
    ) -> Result<T, Refusal> {
        self.identities.read(&self.log, read).await
    }

    /// Principals with their things.
    pub(crate) async fn principals<T>(
        &self,
        read: impl FnOnce(&Principals) -> T + Send,
    ) -> Result<T, Refusal> {
        self.principals.read(&self.log, read).await
    }

    /// Certificates of devices and CAs.
    pub(crate) async fn certificates<T>(
        &self,
        read: impl FnOnce(&CertificateModel) -> T + Send,
    ) -> Result<T, Refusal> {
        self.certificates.read(&self.log, read).await
    }

    /// Account and region.
    pub(crate) const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The account that owns what is registered here.
    pub(crate) const fn account(&self) -> &AccountId {
        &self.owner.account
    }

    /// The CA that signs what the fleet makes.
    pub(crate) fn issuer(&self, now: UnixSeconds) -> Result<Arc<Issuer>, Refusal> {
        if let Some(issuer) = self.options.issuer.as_ref().or(self.issuer.get()) {
            return Ok(issuer.clone());
        }
        let made = Issuer::generate(self.options.entropy.as_ref(), now)?;
        Ok(self.issuer.get_or_init(|| Arc::new(made)).clone())
    }

    /// What the owner of a CA signs to prove possession: the same for one account, region and tenant.
    pub(crate) fn registration_code(&self) -> String {
        use sha2::{Digest as _, Sha256};
        let digest = Sha256::new()
            .chain_update(self.owner.account.as_str())
            .chain_update([0])
            .chain_update(self.owner.region.as_str())
            .chain_update([0])
            .chain_update(self.log.store.tenant().as_str())
            .finalize();
        fleet_model::id::CertificateId::of_digest(digest.into()).to_string()
    }

    /// The registered CA whose subject is the issuer of a certificate.
    pub(crate) async fn issuing_ca(&self, pem: &str) -> Result<Option<CertificateId>, Refusal> {
        let issuer = Pem::read(pem)?.x509.issuer_text();
        self.certificates(|all| {
            let mut all = all.authorities();
            let found = all.find(|(_, ca)| ca.subject.as_str() == issuer);
            found.map(|(_, ca)| ca.id.clone())
        })
        .await
    }

    /// Who is connected.
    pub(crate) async fn presence<T>(
        &self,
        read: impl FnOnce(&PresenceModel) -> T + Send,
    ) -> Result<T, Refusal> {
        self.presence.read(&self.log, read).await
    }

    /// The canonical documents of devices, modules and groups, in columns.
    pub(crate) async fn view(&self) -> Result<View, Refusal> {
        let place = self.index_place();
        self.indexes.view(&self.log, place.as_ref()).await
    }

    /// Where the index is saved.
    pub(crate) fn index_place(&self) -> Option<Place> {
        let folder = self.options.index_folder.as_deref();
        folder.map(|folder| Place::new(folder, &self.log))
    }

    /// The indexes themselves.
    pub(crate) const fn indexes(&self) -> &IndexFollower {
        &self.indexes
    }

    /// Which named shadows and module twins there ever were.
    pub(crate) async fn branches<T>(
        &self,
        read: impl FnOnce(&Branches) -> T + Send,
    ) -> Result<T, Refusal> {
        self.branches.read(&self.log, read).await
    }

    /// The named shadows and module twins that a record ever had.
    pub(crate) async fn branches_of(&self, name: &RecordName) -> Result<Vec<TwinKey>, Refusal> {
        let read = |branches: &Branches| branches.of(name.as_str()).cloned().collect();
        self.branches.read(&self.log, read).await
    }

    /// The twins of a record: the device twin, then named shadows and module twins.
    pub(crate) async fn twins_of(&self, name: &RecordName) -> Result<Vec<TwinKey>, Refusal> {
        let mut keys = vec![TwinKey::Device(name.clone())];
        keys.extend(self.branches_of(name).await?);
        Ok(keys)
    }

    /// Spoils every read model that is a fold of the log.
    #[cfg(test)]
    pub(crate) fn spoil(&self, other: &Self) {
        self.catalog.swap(&other.catalog);
        self.things.swap(&other.things);
        self.branches.swap(&other.branches);
        self.identities.swap(&other.identities);
        self.presence.swap(&other.presence);
        self.principals.swap(&other.principals);
        self.certificates.swap(&other.certificates);
    }

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
        let mut aliases = operation::ALIASES.iter();
        let name = aliases
            .find(|(alias, _)| *alias == name)
            .map_or(name, |(_, name)| *name);
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

    /// A new random UUID.
    pub(crate) fn fresh_id(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.options.entropy.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    pub(crate) fn begin(&self, caller: &Caller) -> Call<'_> {
        let now = caller.at.unwrap_or_else(|| self.options.clock.now());
        let correlation = self.fresh_id();
        Call {
            fleet: self,
            stamp: Stamp {
                actor: caller.actor.clone(),
                at: now,
                correlation,
                causation: None,
            },
            now,
            correlation,
            events: Vec::new(),
            rehearsed: None,
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
        run(request, &mut call)
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

/// Decides again when the streams moved on in between: nothing of a conflicting decision was stored.
const ATTEMPTS: usize = 8;

async fn run<O: Operation>(request: O, call: &mut Call<'_>) -> Result<O::Response, Refusal> {
    for _ in 1..ATTEMPTS {
        match request.clone().handle(call).await {
            Err(refusal) if refusal.code == "store.conflict" => {}
            answer => return answer,
        }
    }
    request.handle(call).await
}

impl<'a> Call<'a> {
    /// The one decision lock: held while a rule over several streams is decided and recorded.
    pub(crate) async fn lock(&self) -> MutexGuard<'a, ()> {
        self.fleet.decisions.lock().await
    }

    /// A new random UUID.
    pub(crate) fn fresh_id(&self) -> Uuid {
        self.fleet.fresh_id()
    }

    /// The name of a resource of this fleet.
    pub(crate) fn arn(&self, resource: Resource) -> String {
        self.fleet.owner.arn(resource).to_string()
    }

    /// What a decision may know, with `view` for other streams.
    pub(crate) fn context<'c, V: ?Sized>(&'c self, view: &'c V) -> Context<'c, V> {
        Context {
            now: self.now,
            limits: &self.fleet.options.limits,
            view,
        }
    }

    /// Records nothing from here on: what is decided is remembered by this call alone, and seen by its later loads.
    ///
    /// Read models do not see it: quotas over many streams are judged as the fleet stands.
    pub(crate) fn rehearse(&mut self) {
        self.rehearsed = Some(BTreeMap::new());
    }

    /// Whether nothing is recorded.
    pub(crate) const fn is_rehearsal(&self) -> bool {
        self.rehearsed.is_some()
    }

    /// The state of a stream.
    pub(crate) async fn load<D: Decider>(&self, stream: &StreamName) -> Result<Loaded<D>, Refusal>
    where
        D::Event: WireEvent,
    {
        let mut loaded: Loaded<D> = self.fleet.log.load(stream).await?;
        let rehearsed = self.rehearsed.as_ref().and_then(|all| all.get(stream));
        for recorded in rehearsed.into_iter().flatten() {
            loaded.version = recorded.version;
            for event in decode_family::<D::Event>(recorded)? {
                loaded.state = D::evolve(loaded.state, &event);
            }
        }
        Ok(loaded)
    }

    /// Appends what was decided on `loaded`, and gives the state after it.
    pub(crate) async fn record<D: Decider>(
        &mut self,
        stream: &StreamName,
        loaded: Loaded<D>,
        decision: Vec<D::Event>,
    ) -> Result<Loaded<D>, Refusal>
    where
        D::Event: WireEvent,
    {
        if decision.is_empty() {
            return Ok(loaded);
        }
        let events = decision
            .iter()
            .map(|event| self.stamp.new_event(event, self.event_id()))
            .collect::<Result<Vec<_>, _>>()?;
        let recorded = match &mut self.rehearsed {
            None => {
                let log = &self.fleet.log;
                log.append(stream.clone(), loaded.version, events).await?
            }
            Some(rehearsed) => {
                let tenant = self.fleet.log.store.tenant();
                let recorded = unrecorded(tenant, stream, loaded.version, events, self.now);
                let held = rehearsed.entry(stream.clone()).or_default();
                held.extend(recorded.iter().cloned());
                recorded
            }
        };
        let version = recorded.last().map_or(loaded.version, |last| last.version);
        self.events.extend(recorded);
        let state = decision.iter().fold(loaded.state, D::evolve);
        Ok(Loaded {
            state,
            version,
            events: decision,
        })
    }

    fn event_id(&self) -> EventId {
        let mut bytes = [0; 10];
        self.fleet.options.entropy.fill(&mut bytes);
        EventId::v7(u64::try_from(self.now.as_millis()).unwrap_or(0), bytes)
    }
}

/// Events as they would stand in a stream that is at `version`; they have no place in the log.
fn unrecorded(
    tenant: &TenantId,
    stream: &StreamName,
    version: StreamVersion,
    events: Vec<NewEvent>,
    now: Timestamp,
) -> Vec<Recorded> {
    let mut version = version;
    let events = events.into_iter().map(|event| {
        version = version.next();
        Recorded {
            tenant: tenant.clone(),
            stream: stream.clone(),
            version,
            position: Position::ZERO,
            recorded_at: now,
            event,
            check: 0,
            chain: None,
        }
    });
    events.collect()
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
            Ok(request) => run(request, &mut call).await,
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
