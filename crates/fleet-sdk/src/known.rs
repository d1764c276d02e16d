//! What the fleet's documents are made of: one of them as queries see it, and the fields of all.

use fleet_query::schema::Schema;
use fleet_query::{Collection, Document};
use serde_json::Value;

use crate::read::Catalog;
use crate::refusal::Refusal;
use crate::{CallError, Fleet, Service};

impl Fleet {
    /// The canonical document of a device, as conditions of every dialect see it; none where there is no such device.
    ///
    /// # Errors
    /// The store's errors.
    pub async fn document(&self, device: &str) -> Result<Option<Value>, CallError> {
        let named = |document: &Value| Document::new(document).id().as_deref() == Some(device);
        self.documents(|documents| documents.devices(None).find(named))
            .await
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
        let folded = |documents: &mut dyn Iterator<Item = Value>| {
            documents.fold(Schema::new(), |mut schema, document| {
                schema.absorb(&document);
                schema
            })
        };
        Ok(match collection {
            Collection::Devices => {
                self.documents(|documents| folded(&mut documents.devices(None)))
                    .await?
            }
            Collection::Modules => {
                self.documents(|documents| folded(&mut documents.modules(None)))
                    .await?
            }
            Collection::Messages => self
                .documents(|documents| folded(&mut documents.devices(None)))
                .await?
                .below("twin"),
            Collection::Groups => folded(&mut self.catalog(Catalog::documents).await?.into_iter()),
            Collection::Jobs => Schema::new(),
        })
    }
}
