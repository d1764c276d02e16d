//! Device and module identities.

use fleet_model::id::{DeviceId, ModuleId, RecordName};
use fleet_model::identity::{
    self, Authentication, DeviceAction, DeviceCommand, DeviceRequest, DeviceView, Devices,
    IdentityError, ImportMode, KeyHandles, KeyRequest, ModuleAction, ModuleCommand, ModuleIdentity,
    ModuleRequest, ModuleView, Modules, Secret, SecretHandle, module_stream,
};
use fleet_model::kernel::Decider as _;
use fleet_model::presence::{ClientId, Connectivity, Presences};
use fleet_model::thing::{Thing, Things};
use fleet_model::twin::{Condition, TwinCommand, Writer, hub};
use serde_json::{Map, Value};

use super::Handle;
use super::convert::Checks;
use crate::Service;
use crate::fleet::Call;
use crate::log::Loaded;
use crate::operation::{
    BulkRegistry, BulkRegistryError, BulkRegistryResponse, BulkRegistryStep, Concealed,
    CreateOrReplaceDevice, CreateOrReplaceModule, DeleteDevice, DeleteDeviceResponse, DeleteModule,
    DeleteModuleResponse, GetDevice, GetDeviceStatistics, GetDeviceStatisticsResponse, GetDevices,
    GetDevicesResponse, GetModule, GetModulesOnDevice, GetModulesOnDeviceResponse,
    GetServiceStatistics, GetServiceStatisticsResponse,
};
use crate::refusal::Refusal;

fn record(device: &str) -> Result<RecordName, Refusal> {
    Ok(device.parse::<DeviceId>()?.into())
}

pub(super) fn no_device(name: &RecordName) -> Refusal {
    IdentityError::DeviceNotFound {
        device: name.to_string(),
    }
    .into()
}

/// The record of a device, or `device.not_found`.
pub(super) async fn find(call: &Call<'_>, name: &RecordName) -> Result<Thing, Refusal> {
    let loaded = call.load::<Things>(&name.stream()?).await?;
    let thing = loaded.state.thing().cloned();
    thing.ok_or_else(|| no_device(name))
}

/// What is known of a device's connection.
pub(super) async fn connectivity(
    call: &Call<'_>,
    name: &RecordName,
) -> Result<Option<Connectivity>, Refusal> {
    let client: ClientId = match name.as_str().parse() {
        Ok(client) => client,
        Err(_) => return Ok(None),
    };
    let loaded = call.load::<Presences>(&client.stream()?).await?;
    let known = loaded.version.0 > 0;
    Ok(known.then_some(loaded.state.connectivity))
}

/// A module that lives: one that was created, or a system module of an edge device.
pub(super) async fn find_module(
    call: &Call<'_>,
    device: &Thing,
    module: &ModuleId,
) -> Result<Option<ModuleIdentity>, Refusal> {
    if module.is_system() {
        let system = identity::system_modules(&device.name, device.id);
        let mut system = system.into_iter().filter(|_| device.identity.iot_edge);
        return Ok(system.find(|found| found.module == *module));
    }
    let loaded = call
        .load::<Modules>(&module_stream(&device.name, module)?)
        .await?;
    Ok(loaded.state.live(Some(device.id)).cloned())
}

/// Puts the keys that a request brings or wants into the vault; their handles.
fn keep_keys(call: &Call<'_>, keys: Option<&KeyRequest>) -> Result<Option<KeyHandles>, Refusal> {
    let Some(keys) = keys else {
        return Ok(None);
    };
    let mint = || {
        let mut bytes = vec![0; 32];
        call.fleet.options.entropy.fill(&mut bytes);
        Secret::new(bytes)
    };
    let (primary, secondary) = match keys {
        KeyRequest::Mint => (mint(), mint()),
        KeyRequest::Given { primary, secondary } => (primary.clone(), secondary.clone()),
    };
    let handles = KeyHandles {
        primary: SecretHandle(call.fresh_id()),
        secondary: SecretHandle(call.fresh_id()),
    };
    if !call.is_rehearsal() {
        let vault = &call.fleet.options.secrets;
        vault.put(handles.primary, primary)?;
        vault.put(handles.secondary, secondary)?;
    }
    Ok(Some(handles))
}

/// Removes keys that no state names any more; a vault that fails leaves harmless secrets behind.
fn drop_keys(call: &Call<'_>, authentication: &Authentication) {
    if call.is_rehearsal() {
        return;
    }
    if let Authentication::Sas { keys: Some(keys) } = authentication {
        let vault = &call.fleet.options.secrets;
        let _ = vault.remove(keys.primary);
        let _ = vault.remove(keys.secondary);
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn header(if_match: Option<&str>) -> Option<hub::IfMatch> {
    if_match.and_then(|text| text.parse().ok())
}

/// Creates a device, or replaces its identity where a precondition is given.
async fn write_device(
    call: &mut Call<'_>,
    name: &RecordName,
    body: &Value,
    if_match: Option<hub::IfMatch>,
) -> Result<Loaded<Things>, Refusal> {
    let limits = &call.fleet.options.limits.identity;
    let request = DeviceRequest::parse(name.as_str(), body, limits)?;
    let _lock = call.lock().await;
    let stream = name.stream()?;
    let loaded = call.load::<Things>(&stream).await?;
    let before = loaded
        .state
        .thing()
        .map(|thing| thing.identity.authentication.clone());
    let keys = keep_keys(call, request.keys())?;
    let write = request.into_write(keys);
    let scope = write.parent_scope().map(str::to_owned);
    let view = call
        .fleet
        .identities(|all| DeviceView {
            identities: all.count(),
            edge: scope.as_deref().and_then(|scope| all.edge(scope)),
            edge_generations_below: all.generations_below(name),
        })
        .await?;
    let action = match if_match {
        Some(if_match) => DeviceAction::Replace { if_match, write },
        None => DeviceAction::Create {
            id: call.fresh_id().into(),
            write,
        },
    };
    let command = DeviceCommand {
        name: name.clone(),
        action,
    };
    let decided = Devices::decide(&loaded.state, command, &call.context(&view));
    let unused = |keys| Authentication::Sas { keys };
    let events = decided.inspect_err(|_| drop_keys(call, &unused(keys)))?;
    super::twin::end_earlier(call, name, &loaded, &events).await?;
    let loaded = call.record::<Things>(&stream, loaded, events).await?;
    if let Some(before) = before {
        drop_keys(call, &before);
    }
    Ok(loaded)
}

async fn delete_device(
    call: &mut Call<'_>,
    name: &RecordName,
    if_match: Option<hub::IfMatch>,
) -> Result<(), Refusal> {
    let _lock = call.lock().await;
    let stream = name.stream()?;
    let loaded = call.load::<Things>(&stream).await?;
    let before = loaded.state.thing().cloned();
    let command = DeviceCommand {
        name: name.clone(),
        action: DeviceAction::Delete { if_match },
    };
    let view = DeviceView::default();
    let events = Devices::decide(&loaded.state, command, &call.context(&view))?;
    call.record::<Things>(&stream, loaded, events).await?;
    if let Some(thing) = before {
        super::twin::end_all(call, &thing).await?;
        drop_keys(call, &thing.identity.authentication);
    }
    Ok(())
}

async fn device_document(call: &Call<'_>, thing: &Thing) -> Result<Map<String, Value>, Refusal> {
    let seen = connectivity(call, &thing.name).await?;
    Ok(object(identity::device_document(thing, seen.as_ref())))
}

impl Handle for CreateOrReplaceDevice {
    type Answer = Map<String, Value>;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let name = record(&self.device_id)?;
        let body = Concealed::new(Value::Object(self.body.into_inner()));
        let loaded = write_device(call, &name, &body, header(self.if_match.as_deref())).await?;
        match loaded.state.thing() {
            Some(thing) => device_document(call, thing).await,
            None => Err(no_device(&name)),
        }
    }
}

impl Handle for GetDevice {
    type Answer = Map<String, Value>;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let thing = find(call, &record(&self.device_id)?).await?;
        device_document(call, &thing).await
    }
}

impl Handle for DeleteDevice {
    type Answer = DeleteDeviceResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let name = record(&self.device_id)?;
        delete_device(call, &name, header(self.if_match.as_deref())).await?;
        Ok(DeleteDeviceResponse {})
    }
}

impl Handle for GetDevices {
    type Answer = GetDevicesResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let top = self.top.unwrap_or(1_000);
        if !(1..=1_000).contains(&top) {
            return Err(Refusal::new(
                "request.invalid",
                format!("`top` is {top}: ask for 1 to 1000 devices, or query"),
            ));
        }
        let top = usize::try_from(top).unwrap_or(1_000);
        let names: Vec<String> = call
            .fleet
            .things(|things| {
                let names = things.after(None).take(top);
                names.map(|(name, _)| name.to_owned()).collect()
            })
            .await?;
        let mut items = Vec::with_capacity(names.len());
        for name in names {
            let thing = find(call, &record(&name)?).await?;
            items.push(Value::Object(device_document(call, &thing).await?));
        }
        Ok(GetDevicesResponse { items })
    }
}

async fn write_module(
    call: &mut Call<'_>,
    device: &RecordName,
    module: &ModuleId,
    body: &Value,
    if_match: Option<hub::IfMatch>,
) -> Result<ModuleIdentity, Refusal> {
    let request = ModuleRequest::parse(device.as_str(), module.as_str(), body)?;
    let keys = keep_keys(call, request.keys())?;
    let write = request.into_write(keys);
    let action = match if_match {
        Some(if_match) => ModuleAction::Replace { if_match, write },
        None => ModuleAction::Create {
            generation: call.fresh_id(),
            write,
        },
    };
    let (before, after) = decide_module(call, device, module, action)
        .await
        .inspect_err(|_| drop_keys(call, &Authentication::Sas { keys }))?;
    if let Some(before) = before {
        drop_keys(call, &before.authentication);
    }
    after.ok_or_else(Refusal::incomplete)
}

/// Decides a command to a module; the module before and after it.
async fn decide_module(
    call: &mut Call<'_>,
    device: &RecordName,
    module: &ModuleId,
    action: ModuleAction,
) -> Result<(Option<ModuleIdentity>, Option<ModuleIdentity>), Refusal> {
    let _lock = call.lock().await;
    let thing = call.load::<Things>(&device.stream()?).await?;
    let device_life = thing.state.thing().map(|thing| thing.id);
    let stream = module_stream(device, module)?;
    let loaded = call.load::<Modules>(&stream).await?;
    let before = loaded.state.live(device_life).cloned();
    let view = call
        .fleet
        .identities(|all| ModuleView {
            device_life,
            modules: all.modules(device.as_str()).count(),
            identities: all.count(),
        })
        .await?;
    let command = ModuleCommand {
        device: device.clone(),
        module: module.clone(),
        action,
    };
    let events = Modules::decide(&loaded.state, command, &call.context(&view))?;
    let loaded = call.record::<Modules>(&stream, loaded, events).await?;
    Ok((before, loaded.state.live(device_life).cloned()))
}

async fn delete_module(
    call: &mut Call<'_>,
    device: &RecordName,
    module: &ModuleId,
    if_match: Option<hub::IfMatch>,
) -> Result<(), Refusal> {
    let action = ModuleAction::Delete { if_match };
    let (before, _) = decide_module(call, device, module, action).await?;
    if let Some(before) = before {
        drop_keys(call, &before.authentication);
    }
    super::twin::end_module(call, device, module).await
}

/// Device and module of a request.
fn pair(device: &str, module: &str) -> Result<(RecordName, ModuleId), Refusal> {
    let mut checks = Checks::default();
    let device = checks.parse::<DeviceId>(device);
    let module = checks.parse::<ModuleId>(module);
    checks.finish()?;
    match (device, module) {
        (Some(device), Some(module)) => Ok((device.into(), module)),
        _ => Err(Refusal::incomplete()),
    }
}

impl Handle for CreateOrReplaceModule {
    type Answer = Map<String, Value>;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let (device, module) = pair(&self.device_id, &self.module_id)?;
        let body = Concealed::new(Value::Object(self.body.into_inner()));
        let if_match = header(self.if_match.as_deref());
        let written = write_module(call, &device, &module, &body, if_match).await?;
        Ok(object(identity::module_document(&written, None)))
    }
}

impl Handle for GetModule {
    type Answer = Map<String, Value>;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let (device, module) = pair(&self.device_id, &self.module_id)?;
        let thing = find(call, &device).await?;
        let found = find_module(call, &thing, &module).await?;
        let found = found.ok_or_else(|| {
            Refusal::from(IdentityError::ModuleNotFound {
                device: device.to_string(),
                module: module.to_string(),
            })
        })?;
        Ok(object(identity::module_document(&found, None)))
    }
}

impl Handle for DeleteModule {
    type Answer = DeleteModuleResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let (device, module) = pair(&self.device_id, &self.module_id)?;
        delete_module(call, &device, &module, header(self.if_match.as_deref())).await?;
        Ok(DeleteModuleResponse {})
    }
}

impl Handle for GetModulesOnDevice {
    type Answer = GetModulesOnDeviceResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let thing = find(call, &record(&self.device_id)?).await?;
        let mut found = if thing.identity.iot_edge {
            identity::system_modules(&thing.name, thing.id)
        } else {
            Vec::new()
        };
        let ids: Vec<ModuleId> = call
            .fleet
            .identities(|all| all.modules(&self.device_id).cloned().collect())
            .await?;
        for module in ids {
            found.extend(find_module(call, &thing, &module).await?);
        }
        let items = found
            .iter()
            .map(|module| identity::module_document(module, None))
            .collect();
        Ok(GetModulesOnDeviceResponse { items })
    }
}

impl Handle for GetDeviceStatistics {
    type Answer = GetDeviceStatisticsResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let (all, disabled) = call.fleet.identities(|all| all.devices()).await?;
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Ok(GetDeviceStatisticsResponse {
            total_device_count: number(all),
            enabled_device_count: number(all.saturating_sub(disabled)),
            disabled_device_count: number(disabled),
        })
    }
}

impl Handle for GetServiceStatistics {
    type Answer = GetServiceStatisticsResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let connected = call.fleet.presence(|all| all.connected()).await?;
        Ok(GetServiceStatisticsResponse {
            connected_device_count: connected,
        })
    }
}

impl Handle for BulkRegistry {
    type Answer = BulkRegistryResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let body = Concealed::new(Value::Array(self.body.into_inner()));
        let limits = call.fleet.options.limits.identity.clone();
        let items = identity::bulk_items(&body, &limits)?;
        if self.dry_run {
            call.rehearse();
        }
        let mut errors = Vec::new();
        let mut plan = Vec::new();
        for (item, raw) in items.into_iter().zip(body.as_array().into_iter().flatten()) {
            let label = |name: &str| raw.get(name).and_then(Value::as_str).map(str::to_owned);
            let device_id = label("id")
                .or_else(|| label("deviceId"))
                .unwrap_or_default();
            let module_id = label("moduleId");
            let import_mode = match &item {
                Ok(item) => item.mode.as_str().to_owned(),
                Err(_) => label("importMode").unwrap_or_else(|| "create".to_owned()),
            };
            let done = match item {
                Err(error) => Err(Refusal::from(error)),
                Ok(item) => bulk_item(call, item).await,
            };
            let refused = match done {
                Ok(()) => None,
                Err(refusal) if refusal.code.starts_with("store.") => return Err(refusal),
                Err(refusal) => Some(refusal.into_error(Service::IotHub)),
            };
            if self.dry_run {
                let events = std::mem::take(&mut call.events);
                // What precedes a refusal in its item stays, as it would.
                let would_record = events.iter();
                let would_record = would_record.map(|event| event.event.event_type.to_string());
                plan.push(BulkRegistryStep {
                    device_id: device_id.clone(),
                    module_id: module_id.clone(),
                    import_mode,
                    would_record: would_record.collect(),
                    would_refuse: refused.as_ref().map(|error| error.code.to_string()),
                });
            }
            errors.extend(refused.map(|error| BulkRegistryError {
                device_id,
                module_id,
                error_code: error.name.into_owned(),
                error_status: error.message,
                code: error.code.into_owned(),
            }));
        }
        Ok(BulkRegistryResponse {
            is_successful: errors.is_empty(),
            errors,
            warnings: Vec::new(),
            plan: self.dry_run.then_some(plan),
        })
    }
}

async fn bulk_item(call: &mut Call<'_>, item: identity::BulkItem) -> Result<(), Refusal> {
    let device = RecordName::from(&item.device);
    let etag = || header(item.etag.as_deref());
    let any = Some(hub::IfMatch::Any);
    let if_match = match item.mode {
        ImportMode::Create => None,
        ImportMode::Update | ImportMode::Delete => any,
        ImportMode::UpdateIfMatchEtag | ImportMode::DeleteIfMatchEtag => etag(),
        ImportMode::UpdateTwin | ImportMode::UpdateTwinIfMatchEtag => None,
    };
    match (item.mode, &item.module) {
        (ImportMode::Delete | ImportMode::DeleteIfMatchEtag, None) => {
            return delete_device(call, &device, if_match).await;
        }
        (ImportMode::Delete | ImportMode::DeleteIfMatchEtag, Some(module)) => {
            return delete_module(call, &device, module, if_match).await;
        }
        (ImportMode::UpdateTwin | ImportMode::UpdateTwinIfMatchEtag, _) => {}
        (_, None) => {
            write_device(call, &device, &item.identity, if_match).await?;
        }
        (_, Some(module)) => {
            write_module(call, &device, module, &item.identity, if_match).await?;
        }
    }
    let Some(body) = item.twin else {
        return Ok(());
    };
    let module = item.module.as_ref().map(ModuleId::as_str);
    let held = super::twin::hub_twin(call, item.device.as_str(), module).await?;
    let command = TwinCommand::Patch {
        body,
        condition: Condition {
            if_match: header(item.twin_etag.as_deref()),
            ..Condition::default()
        },
        writer: Writer::Service,
    };
    super::twin::decide(call, held, command).await?;
    Ok(())
}
