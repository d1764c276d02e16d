//! Queries of every dialect over the whole fleet, from the columnar index.

use fleet_model::kernel::Position;
use fleet_query::index::{Crossing, IndexError, LiveError, Snapshot};
use fleet_query::query::{Page, PageRequest, Rows, Select};
use fleet_query::{Collection, Query};

use crate::read::{IndexOrigin, View};
use crate::refusal::Refusal;
use crate::{CallError, Fleet, Service};

impl From<LiveError> for Refusal {
    fn from(error: LiveError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<IndexError> for Refusal {
    fn from(error: IndexError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// The documents that one page may have to look at: those that it shows, and one that tells of more.
pub(crate) const PAGE_AND_ONE: usize = fleet_query::query::LARGEST_PAGE + 1;

impl View {
    /// The collection that a query reads.
    pub(crate) fn of_query(&self, query: &Query) -> Result<&Snapshot, Refusal> {
        self.of(query.collection()).ok_or_else(|| {
            Refusal::new(
                "request.unsupported",
                format!(
                    "the fleet keeps no collection `{:?}` to query",
                    query.collection()
                ),
            )
        })
    }
}

/// One page of a query's rows.
pub(crate) fn page(
    snapshot: &Snapshot,
    query: &Query,
    request: &PageRequest,
) -> Result<Page, Refusal> {
    let one = crate::handler::one;
    let start = query.page_start(request).map_err(one)?;
    if matches!(query.select(), Select::Groups(_)) {
        let rows = snapshot.rows(query)?;
        return query.page_of_groups(rows, request).map_err(one);
    }
    let start = start
        .as_ref()
        .map(|(first, second)| (first.as_str(), second.as_str()));
    let found = snapshot.page(query.condition(), start, PAGE_AND_ONE)?;
    query.page(&found, request).map_err(one)
}

impl Fleet {
    /// Every row of a query of any dialect over devices, modules or thing groups.
    ///
    /// The columnar index answers, with the rows that [`Query::run`] over all documents has.
    ///
    /// # Errors
    /// `request.unsupported` for collections that the fleet does not keep; `query.cost_exceeded`; the store's errors.
    pub async fn query(&self, query: &Query) -> Result<Rows, CallError> {
        let run = async {
            let view = self.view().await?;
            Ok(view.of_query(query)?.rows(query)?)
        };
        let done: Result<Rows, Refusal> = run.await;
        done.map_err(|refusal| refusal.into_error(Service::IotHub))
    }

    /// The documents of a collection as they are now, for many queries of one and the same state.
    ///
    /// Reads see the writes before them. A snapshot stays as it is and hinders no writer.
    ///
    /// ```
    /// # use fleet_sdk::{Caller, Fleet, Options, operation::CreateThing};
    /// # use fleet_store::{memory::MemoryStore, port::SystemClock};
    /// use fleet_query::Collection;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # pollster::block_on(async {
    /// # let store = std::sync::Arc::new(MemoryStore::new("default".parse()?, std::sync::Arc::new(SystemClock)));
    /// # let fleet = Fleet::open(store, Options::seeded(1)).await?;
    /// # let create = CreateThing { thing_name: "press-7".to_owned(), ..CreateThing::default() };
    /// # fleet.call(create, &Caller::new("user:ops".parse()?)).await?;
    /// let devices = fleet.snapshot(Collection::Devices).await?;
    /// assert_eq!((devices.len(), devices.position()), (1, 1));
    /// assert!(devices.document("press-7").is_some());
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// `request.unsupported` for collections that the fleet does not keep; the store's errors.
    pub async fn snapshot(&self, collection: Collection) -> Result<Snapshot, CallError> {
        let view = self.view().await;
        let found = view.and_then(|view| {
            let found = view.of(collection).cloned();
            found.ok_or_else(|| {
                let message = format!("the fleet keeps no collection `{collection:?}` to query");
                Refusal::new("request.unsupported", message)
            })
        });
        found.map_err(|refusal| refusal.into_error(Service::IotHub))
    }

    /// Catches the index up with the log, as the first query would, and tells of it: `progress` hears the position reached and
    /// the log's end after each page.
    ///
    /// # Errors
    /// The store's errors.
    pub async fn build_index(
        &self,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<(), CallError> {
        let place = self.index_place();
        let done = self.indexes();
        let done = done.catch_up(&self.log, place.as_ref(), progress).await;
        done.map_err(|refusal| refusal.into_error(Service::IotHub))
    }

    /// Where the index that answers queries came from: opened as it was saved, or read from the log.
    pub async fn index_origin(&self) -> IndexOrigin {
        self.indexes().origin().await
    }

    /// Saves the index in [`Options::index_folder`](crate::Options::index_folder) with the position that it reflects,
    /// where the log has grown by a sixteenth since it was saved; whether it did.
    ///
    /// The next opening reads it and folds only what came after. Files that are cut, flipped, or of another store or
    /// version are not taken: then the log is read again.
    ///
    /// # Errors
    /// `query.index_io`; the store's errors.
    pub async fn save_index(&self) -> Result<bool, CallError> {
        let Some(place) = self.index_place() else {
            return Ok(false);
        };
        let saved = self.indexes().save(&self.log, &place).await;
        saved.map_err(|refusal| refusal.into_error(Service::IotHub))
    }

    /// Watches a condition of any dialect under a name: the ids that meet it at a position, and the position.
    ///
    /// From then on [`Fleet::crossings`] tells who enters and leaves, exact after every event. `from` is where an earlier
    /// watch of the same condition ended, so that nothing is missed; without it the watch begins at the log's end.
    /// While anything is watched the log is folded event by event, which costs more than folding it in pages.
    ///
    /// ```
    /// # use fleet_sdk::{Caller, Fleet, Options, operation::CreateThing};
    /// # use fleet_store::{memory::MemoryStore, port::SystemClock};
    /// use fleet_query::{Dialect, Mode, Query, index::Side};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # pollster::block_on(async {
    /// # let store = std::sync::Arc::new(MemoryStore::new("default".parse()?, std::sync::Arc::new(SystemClock)));
    /// # let fleet = Fleet::open(store, Options::seeded(1)).await?;
    /// let presses = Query::parse("thingName:press-*", Dialect::Aws, Mode::Lenient).map_err(|_| "no query")?;
    /// let (position, now) = fleet.watch("presses", &presses, None).await?;
    /// assert!(now.is_empty());
    /// # let create = CreateThing { thing_name: "press-7".to_owned(), ..CreateThing::default() };
    /// # fleet.call(create, &Caller::new("user:ops".parse()?)).await?;
    /// let (_, crossings) = fleet.crossings(position).await?;
    /// assert_eq!((crossings[0].side, crossings[0].ids.as_slice()), (Side::Entered, &["press-7".to_owned()][..]));
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// `request.unsupported` for collections that the fleet does not keep; `request.invalid` for a position beyond the
    /// log's end; `query.crossings_forgotten` for one that other watches have gone beyond; the store's errors.
    pub async fn watch(
        &self,
        name: &str,
        query: &Query,
        from: Option<u64>,
    ) -> Result<(u64, Vec<String>), CallError> {
        let place = self.index_place();
        let from = from.map(Position);
        let indexes = self.indexes();
        let watch = indexes.watch(&self.log, place.as_ref(), (name, query), from);
        let done = watch.await.map(|(position, ids)| (position.0, ids));
        done.map_err(|refusal| refusal.into_error(Service::IotHub))
    }

    /// Who entered and left the watched sets after a position, in order, and the position that this reflects.
    ///
    /// # Errors
    /// `query.crossings_forgotten` for a position whose crossings are no longer remembered; the store's errors.
    pub async fn crossings(&self, after: u64) -> Result<(u64, Vec<Crossing>), CallError> {
        let place = self.index_place();
        let indexes = self.indexes();
        let found = indexes.crossings(&self.log, place.as_ref(), Position(after));
        let found = found.await.map(|(position, all)| (position.0, all));
        found.map_err(|refusal| refusal.into_error(Service::IotHub))
    }

    /// Ends a watch; whether there was one of that name.
    pub async fn unwatch(&self, name: &str) -> bool {
        self.indexes().unwatch(name).await
    }
}
