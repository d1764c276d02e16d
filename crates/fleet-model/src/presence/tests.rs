use super::*;
use crate::kernel::Timestamp;
use crate::kernel::testkit::given;
use crate::limits::Limits;

fn connected(version: u64) -> Connected {
    Connected {
        at: Timestamp::from_secs(1_000 + i64::try_from(version).unwrap()),
        client_id: "press-7".parse().unwrap(),
        thing_name: None,
        session_identifier: format!("s-{version}"),
        principal_identifier: "p".to_owned(),
        ip_address: None,
        version_number: version,
        keep_alive_secs: Some(30),
        clean_session: None,
        session_expiry_secs: None,
    }
}

fn disconnected(version: u64) -> Disconnected {
    Disconnected {
        at: Timestamp::from_secs(2_000),
        client_id: "press-7".parse().unwrap(),
        thing_name: None,
        session_identifier: format!("s-{version}"),
        principal_identifier: "p".to_owned(),
        version_number: version,
        reason: DisconnectReason::ConnectionLost,
    }
}

fn history(versions: &[u64]) -> Vec<PresenceEvent> {
    versions
        .iter()
        .map(|version| PresenceEvent::Connected(connected(*version)))
        .collect()
}

fn context(limits: &Limits) -> Context<'_> {
    Context {
        now: Timestamp::from_secs(3_000),
        limits,
        view: &(),
    }
}

#[test]
fn a_late_disconnection_of_an_older_session_changes_nothing() {
    let limits = Limits::default();
    let late = PresenceCommand::Disconnect(disconnected(1));
    let state = given::<Presences>(history(&[1, 2]))
        .when(late, &context(&limits))
        .then([]);
    assert!(state.connectivity.connected);
    assert_eq!(state.session.as_deref(), Some("s-2"));
}

#[test]
fn a_disconnection_shows_its_reason() {
    let limits = Limits::default();
    let event = disconnected(2);
    let state = given::<Presences>(history(&[1, 2]))
        .when(
            PresenceCommand::Disconnect(event.clone()),
            &context(&limits),
        )
        .then([PresenceEvent::Disconnected(event)]);
    let shown = crate::kernel::canonical(&state.connectivity.to_json());
    insta::assert_snapshot!(String::from_utf8(shown).unwrap(), @r#"{"clientId":"press-7","connected":false,"disconnectReason":"CONNECTION_LOST","keepAliveDuration":30,"timestamp":2000000,"version":2}"#);
}

#[test]
fn repeated_and_unknown_reports() {
    let limits = Limits::default();
    let again = PresenceCommand::Connect(connected(2));
    given::<Presences>(history(&[1, 2]))
        .when(again, &context(&limits))
        .then([]);
    given::<Presences>([])
        .when(
            PresenceCommand::Disconnect(disconnected(1)),
            &context(&limits),
        )
        .then_refused("presence.no_session");
}

#[test]
fn a_number_that_starts_again_after_long_absence_is_taken() {
    let limits = Limits::default();
    let events = [
        PresenceEvent::Connected(connected(9)),
        PresenceEvent::Disconnected(disconnected(9)),
    ];
    let fresh = connected(0);
    let state = given::<Presences>(events)
        .when(PresenceCommand::Connect(fresh.clone()), &context(&limits))
        .then([PresenceEvent::Connected(fresh)]);
    assert_eq!(state.connectivity.version, Some(0));
}

#[test]
fn client_ids() {
    assert!("".parse::<ClientId>().is_err());
    assert!("$x".parse::<ClientId>().is_err());
    assert!("x".repeat(129).parse::<ClientId>().is_err());
    assert!(
        "a/b+c"
            .parse::<ClientId>()
            .is_ok_and(|id| !id.is_published())
    );
    for reason in DisconnectReason::ALL {
        let text = serde_json::to_value(reason).unwrap();
        assert_eq!(text, reason.as_str());
    }
}

proptest::proptest! {
    /// Sessions as pairs of numbers: what is shown is the newest session that was heard of.
    #[test]
    fn connectivity_is_that_of_the_model(
        reports in proptest::collection::vec((proptest::prelude::any::<bool>(), 0..5u64), 0..20)
    ) {
        let limits = Limits::default();
        let (mut state, mut log, mut model) = (Presence::default(), vec![], (false, None::<u64>));
        for (connects, version) in reports {
            let (command, expected) = if connects {
                let taken = !model.0 || model.1.is_none_or(|known| version > known);
                (PresenceCommand::Connect(connected(version)), Ok(taken))
            } else {
                let known = model.1;
                let taken = known.map(|known| model.0 && version >= known);
                (PresenceCommand::Disconnect(disconnected(version)), taken.ok_or("presence.no_session"))
            };
            if expected == Ok(true) {
                model = (connects, Some(version));
            }
            let decided = Presences::decide(&state, command, &context(&limits));
            let outcome = decided.as_ref().map(|events| !events.is_empty()).map_err(ErrorCode::code);
            proptest::prop_assert_eq!(outcome, expected);
            for event in decided.unwrap_or_default() {
                state = Presences::evolve(state, &event);
                log.push(event);
            }
            proptest::prop_assert_eq!((state.connectivity.connected, state.connectivity.version), model);
        }
        let replayed = crate::kernel::replay::<Presences>(&log);
        proptest::prop_assert_eq!(replayed, state);
    }
}

#[test]
fn every_error_returns_a_listed_code() {
    let error = PresenceError::NoSession {
        client: "press-7".parse().unwrap(),
    };
    assert_eq!(
        [error.code()],
        CODES.iter().map(|(code, _)| *code).collect::<Vec<_>>()[..]
    );
}
