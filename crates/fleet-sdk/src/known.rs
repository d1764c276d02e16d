//! What the fleet's documents are made of: one of them as queries see it, and the fields of all.

use fleet_query::Collection;
use fleet_query::index::Snapshot;
use fleet_query::schema::Schema;
use serde_json::Value;

use crate::refusal::Refusal;
use crate::{CallError, Fleet, Service};

impl Fleet {
    /// The canonical document of a device, as conditions of every dialect see it; none where there is no such device.
    ///
    /// # Errors
    /// The store's errors.
    pub async fn document(&self, device: &str) -> Result<Option<Value>, CallError> {
        let view = self.view().await;
        view.map(|view| view.devices.document(device))
            .map_err(|refusal| refusal.into_error(Service::IotHub))
    }

    /// The fields that a collection's documents have now, with the kinds that they hold: what
    /// [`Query::check`](fleet_query::Query::check) takes. Of messages the fleet knows the twins of their senders
    /// (`$twin.…`), of jobs nothing. Reads every document once.
    ///
    /// # Errors
    /// The store's errors.
    pub async fn schema(&self, collection: Collection) -> Result<Schema, CallError> {
        self.fields(collection)
            .await
            .map_err(|refusal| refusal.into_error(Service::IotHub))
    }

    async fn fields(&self, collection: Collection) -> Result<Schema, Refusal> {
        let folded = |snapshot: &Snapshot| {
            snapshot
                .documents()
                .fold(Schema::new(), |mut schema, document| {
                    schema.absorb(&document);
                    schema
                })
        };
        let view = self.view().await?;
        Ok(match collection {
            Collection::Devices => folded(&view.devices),
            Collection::Modules => folded(&view.modules),
            Collection::Messages => folded(&view.devices).below("twin"),
            Collection::Groups => folded(&view.groups),
            Collection::Jobs => Schema::new(),
        })
    }
}
