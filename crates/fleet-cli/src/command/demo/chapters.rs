//! The chapters of the demo. Each does something through the facade and reads back what it says.

use fleet_sdk::CallError;
use fleet_sdk::operation::{
    AddThingToThingGroup, AttributePayload, CreateThing, CreateThingGroup, DescribeThing,
    DescribeThingGroup, GetThingShadow, GetTwin, ListThingsInThingGroup, QueryTwins,
    ThingGroupProperties, UpdateThingGroup, UpdateThingShadow, UpdateTwin,
};
use serde_json::{Value, json};

use super::grouped;
use super::report::Report;
use crate::args::Global;
use crate::failure::Failure;
use crate::progress;
use crate::session::Session;
use crate::table::{Table, at};

/// How many devices are put into groups one by one.
const PILOT: u64 = 60;

/// The whole story.
pub(crate) fn tell(
    session: Session,
    global: &Global,
    devices: u64,
    report: &mut Report,
) -> Result<(), Failure> {
    let story = Story { session, devices };
    story.provision(global.seed.unwrap_or(42), report)?;
    story.organise(report)?;
    story.inherit(report)?;
    story.query(report)?;
    story.explain(report)?;
    story.twin(report)?;
    story.refuse(report)?;
    story.replay(global, report)
}

struct Story {
    session: Session,
    devices: u64,
}

fn attributes(pairs: &[(&str, &str)], merge: bool) -> AttributePayload {
    AttributePayload {
        attributes: pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        merge: merge.then_some(true),
    }
}

fn with_attributes(pairs: &[(&str, &str)], merge: bool) -> ThingGroupProperties {
    ThingGroupProperties {
        attribute_payload: Some(attributes(pairs, merge)),
        ..ThingGroupProperties::default()
    }
}

fn group(name: &str, parent: Option<&str>, pairs: &[(&str, &str)]) -> CreateThingGroup {
    CreateThingGroup {
        thing_group_name: name.to_owned(),
        parent_group_name: parent.map(str::to_owned),
        thing_group_properties: Some(with_attributes(pairs, false)),
        ..CreateThingGroup::default()
    }
}

impl Story {
    fn head(&self) -> Result<u64, Failure> {
        let head = pollster::block_on(self.session.fleet().store().head());
        Ok(head.map_err(crate::store::failed)?.0)
    }

    fn rows(&self, query: &str) -> Result<Vec<Value>, Failure> {
        let mut rows = Vec::new();
        let mut token = None;
        loop {
            let page = self.session.call(QueryTwins {
                query: Some(query.to_owned()),
                continuation_token: token.take(),
                ..QueryTwins::default()
            })?;
            rows.extend(page.items);
            token = page.continuation_token;
            if token.is_none() {
                return Ok(rows);
            }
        }
    }

    /// The figure that a query with one aggregate called `n` gives.
    fn figure(&self, query: &str) -> Result<u64, Failure> {
        let rows = self.rows(query)?;
        Ok(rows
            .first()
            .and_then(|row| row.get("n"))
            .and_then(Value::as_u64)
            .unwrap_or(0))
    }

    fn provision(&self, seed: u64, report: &mut Report) -> Result<(), Failure> {
        report.chapter("Provision")?;
        let before = self.head()?;
        let lines = (0..self.devices).map(|n| fleet_generate::twin(seed, n));
        let bar = progress::bar("provisioning", Some(self.devices));
        crate::command::import::twins(&self.session, lines, &bar)?;
        bar.finish_and_clear();
        self.session.index()?;
        let devices = self.figure("SELECT COUNT() AS n FROM devices")?;
        let disabled = self.figure("SELECT COUNT() AS n FROM devices WHERE status = 'disabled'")?;
        let events = self.head()? - before;
        report.say("Device twins, made up but realistic: skewed tags, missing values, mixed kinds, rare keys.")?;
        let mut table = Table::new([
            "DEVICES",
            "OF THEM DISABLED",
            "LOG POSITION",
            "FOR EACH DEVICE",
        ]);
        let per_device = events as f64 / devices.max(1) as f64;
        table.row([
            grouped(devices),
            grouped(disabled),
            grouped(events),
            format!("{per_device:.1} events"),
        ]);
        report.table(&table)
    }

    fn organise(&self, report: &mut Report) -> Result<(), Failure> {
        report.chapter("Organise")?;
        let pilot = PILOT.min(self.devices);
        self.session.call(group(
            "plant",
            None,
            &[("country", "DE"), ("shift", "day"), ("ring", "stable")],
        ))?;
        self.session
            .call(group("hall-1", Some("plant"), &[("ring", "pilot")]))?;
        self.session
            .call(group("hall-2", Some("plant"), &[("shift", "night")]))?;
        let bar = progress::bar("grouping", Some(pilot));
        for number in 0..pilot {
            let hall = if number % 2 == 0 { "hall-1" } else { "hall-2" };
            self.session.call(AddThingToThingGroup {
                thing_name: Some(fleet_generate::device_id(number)),
                thing_group_name: Some(hall.to_owned()),
                ..AddThingToThingGroup::default()
            })?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        report.say("A tree of groups with attributes; some devices in two of them.")?;
        let mut table = Table::new(["GROUP", "OWN ATTRIBUTES", "MEMBERS", "WITH ALL BELOW"]);
        for name in ["plant", "hall-1", "hall-2"] {
            let described = self.session.call(DescribeThingGroup {
                thing_group_name: name.to_owned(),
            })?;
            let payload = described
                .thing_group_properties
                .attribute_payload
                .unwrap_or_default();
            let own: Vec<String> = payload
                .attributes
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            table.row([
                name.to_owned(),
                own.join(" "),
                grouped(self.members(name, false)?),
                grouped(self.members(name, true)?),
            ]);
        }
        report.table(&table)
    }

    fn members(&self, group: &str, recursive: bool) -> Result<u64, Failure> {
        let mut count = 0;
        let mut token = None;
        loop {
            let page = self.session.call(ListThingsInThingGroup {
                thing_group_name: group.to_owned(),
                recursive,
                next_token: token.take(),
                max_results: Some(250),
            })?;
            count += page.things.len() as u64;
            token = page.next_token;
            if token.is_none() {
                return Ok(count);
            }
        }
    }

    fn effective(&self, device: &str) -> Result<Table, Failure> {
        let thing = self.session.call(DescribeThing {
            thing_name: device.to_owned(),
        })?;
        let mut table = Table::new(["ATTRIBUTE", "VALUE", "FROM", "HIDES"]);
        for (name, attribute) in &thing.effective_attributes {
            let from =
                |source: &fleet_sdk::operation::AttributeSource| match &source.thing_group_name {
                    Some(group) => format!("{} {group}", source.kind),
                    None => source.kind.clone(),
                };
            let hidden: Vec<String> = attribute
                .overrides
                .iter()
                .map(|hidden| format!("{} of {}", hidden.value, from(&hidden.source)))
                .collect();
            table.row([
                name.clone(),
                attribute.value.clone(),
                from(&attribute.source),
                hidden.join(", "),
            ]);
        }
        Ok(table)
    }

    fn inherit(&self, report: &mut Report) -> Result<(), Failure> {
        report.chapter("Inherit")?;
        let device = fleet_generate::device_id(0);
        report.say(&format!(
            "What {device} inherits, and from whom: its own values win, then the deeper group's."
        ))?;
        report.table(&self.effective(&device)?)?;
        let before = self.head()?;
        self.session.call(UpdateThingGroup {
            thing_group_name: "plant".to_owned(),
            thing_group_properties: with_attributes(&[("country", "AT")], true),
            expected_version: None,
        })?;
        let events = self.head()? - before;
        report.say(&format!(
            "The plant moves to Austria: {events} event in the log, and every member has the new value at once."
        ))?;
        report.table(&self.effective(&device)?)
    }

    fn query(&self, report: &mut Report) -> Result<(), Failure> {
        report.chapter("Query")?;
        let mut table = Table::new(["DEVICES", "QUERY"]);
        for condition in [
            "tags.region = 'eu-west'",
            "tags.region IN ['us-east', 'us-west'] AND status = 'enabled'",
            "properties.reported.battery < 20",
            "NOT IS_DEFINED(properties.reported.battery)",
            "properties.reported.battery < 20 AND tags.region != 'eu-west'",
            "STARTSWITH(deviceId, 'dev-00000')",
        ] {
            let count = self.figure(&format!(
                "SELECT COUNT() AS n FROM devices WHERE {condition}"
            ))?;
            table.row([grouped(count), condition.to_owned()]);
        }
        report.table(&table)?;
        report.say("Grouped: devices by region.")?;
        let mut rows = self
            .rows("SELECT tags.region AS region, COUNT() AS n FROM devices GROUP BY tags.region")?;
        rows.sort_by_key(|row| std::cmp::Reverse(row.get("n").and_then(Value::as_u64)));
        rows.truncate(8);
        report.table(&Table::of(&rows, &[("REGION", "region"), ("DEVICES", "n")]))?;
        report.say("A query that is not quite right says what to write instead.")?;
        let wrong = QueryTwins {
            query: Some("SELECT * FROM devices WHERE tags.region == 'eu-west'".to_owned()),
            ..QueryTwins::default()
        };
        match self.session.try_call(wrong) {
            Ok(_) => Ok(()),
            Err(error) => Self::refused(&error, report),
        }
    }

    fn explain(&self, report: &mut Report) -> Result<(), Failure> {
        let condition = "tags.region = 'eu-west' AND properties.reported.battery < 20";
        report.chapter("Explain")?;
        let device = fleet_generate::device_id(1);
        report.say(&format!(
            "Why {device} does, or does not, meet `{condition}`:"
        ))?;
        let document = crate::command::explain::document(&self.session, &device)?;
        let told =
            crate::command::explain::tell(condition, fleet_query::Dialect::Target, &document)?;
        report.block(&told.to_string())
    }

    fn twin(&self, report: &mut Report) -> Result<(), Failure> {
        let device = fleet_generate::device_id(2);
        report.chapter("One twin, two protocols")?;
        report.say(&format!(
            "The back end wants an interval of 45 s of {device}, through IoT Hub's door."
        ))?;
        self.session.call(UpdateTwin {
            device_id: device.clone(),
            body: json!({"properties": {"desired": {"demo": {"interval": 45}}}}),
            ..UpdateTwin::default()
        })?;
        self.delta(&device, "AWS shadow: delta", report)?;
        report.say("The device reports it done, through the shadow's door.")?;
        self.session.call(UpdateThingShadow {
            thing_name: device.clone(),
            shadow_name: None,
            payload: json!({"state": {"reported": {"demo": {"interval": 45}}}}),
        })?;
        self.delta(&device, "AWS shadow: delta", report)?;
        let twin = self.session.call(GetTwin {
            device_id: device,
            module_id: None,
        })?;
        let twin = Value::Object(twin);
        let mut table = Table::new(["IOT HUB TWIN", "VALUE"]);
        for path in [
            "properties.desired.demo",
            "properties.reported.demo",
            "properties.reported.$version",
        ] {
            table.row([
                path.to_owned(),
                at(&twin, path).unwrap_or(&Value::Null).to_string(),
            ]);
        }
        report.table(&table)
    }

    fn delta(&self, device: &str, title: &str, report: &mut Report) -> Result<(), Failure> {
        let shadow = self.session.call(GetThingShadow {
            thing_name: device.to_owned(),
            shadow_name: None,
        })?;
        let payload = Value::Object(shadow.payload);
        let delta =
            at(&payload, "state.delta.demo").map_or("none for `demo`".to_owned(), Value::to_string);
        let mut table = Table::new([title, "VERSION"]);
        table.row([
            delta,
            payload.get("version").unwrap_or(&Value::Null).to_string(),
        ]);
        report.table(&table)
    }

    fn refuse(&self, report: &mut Report) -> Result<(), Failure> {
        report.chapter("What is refused")?;
        let before = self.head()?;
        let device = fleet_generate::device_id(0);
        report.say("A thing is in one group of a tree at most:")?;
        let second = self.session.try_call(AddThingToThingGroup {
            thing_name: Some(device.clone()),
            thing_group_name: Some("hall-2".to_owned()),
            ..AddThingToThingGroup::default()
        });
        if let Err(error) = second {
            Self::refused(&error, report)?;
        }
        report.say("A name is taken by what it stands for:")?;
        let taken = self.session.try_call(CreateThing {
            thing_name: device,
            attribute_payload: Some(attributes(&[("other", "content")], false)),
            ..CreateThing::default()
        });
        if let Err(error) = taken {
            Self::refused(&error, report)?;
        }
        let after = self.head()?;
        report.say(&format!(
            "A refusal leaves nothing behind: the log stood at position {}, it stands at {}.",
            grouped(before),
            grouped(after)
        ))
    }

    fn refused(error: &CallError, report: &mut Report) -> Result<(), Failure> {
        report.block(&format!(
            "{} {} [{}]\n{}",
            error.status, error.name, error.code, error.message
        ))
    }

    fn replay(self, global: &Global, report: &mut Report) -> Result<(), Failure> {
        report.chapter("Replay")?;
        let before = self.figures()?;
        let devices = self.devices;
        drop(self);
        report.say(
            "The fleet is closed, opened again from nothing but its log, and asked the same.",
        )?;
        let session = Session::open(global)?;
        session.index()?;
        let again = Self { session, devices };
        let after = again.figures()?;
        let mut table = Table::new(["FIGURE", "BEFORE", "AFTER REPLAY"]);
        for ((what, before), (_, after)) in before.iter().zip(&after) {
            table.row([(*what).to_owned(), grouped(*before), grouped(*after)]);
        }
        report.table(&table)?;
        // The commands that the demo ends with need not read the log again.
        again.session.save_index(again.head()?);
        Ok(())
    }

    fn figures(&self) -> Result<Vec<(&'static str, u64)>, Failure> {
        let count = |condition: &str| {
            self.figure(&format!(
                "SELECT COUNT() AS n FROM devices WHERE {condition}"
            ))
        };
        Ok(vec![
            ("devices", self.figure("SELECT COUNT() AS n FROM devices")?),
            (
                "battery below 20",
                count("properties.reported.battery < 20")?,
            ),
            (
                "demo interval 45",
                count("properties.reported.demo.interval = 45")?,
            ),
            ("members of plant", self.members("plant", true)?),
            ("log position", self.head()?),
        ])
    }
}
