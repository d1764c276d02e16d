use super::*;
use crate::port::{Expected, SystemClock};
use crate::testing::event;

fn append(stream: &str, expected: Expected, ids: &[u128]) -> Append {
    let events = ids.iter().map(|id| event(*id)).collect();
    Append::new(stream.parse().unwrap(), expected, events)
}

#[test]
fn a_group_is_stored_once_and_a_subscription_sees_it() {
    let store = MemoryStore::chained("default".parse().unwrap(), Arc::new(SystemClock));
    let mut live = store.subscribe_all(Subscribe::after(Position::ZERO));
    assert_eq!(live.try_next(), None);
    let call = append("thing-a", Expected::NoStream, &[1, 2]);
    let first = pollster::block_on(store.append(call.clone())).unwrap();
    let second = pollster::block_on(store.append(call)).unwrap();
    assert!(!first.deduplicated && second.deduplicated);
    assert_eq!(first.events, second.events);
    let seen: Vec<_> = (0..2)
        .map(|_| pollster::block_on(live.next()).unwrap().unwrap())
        .collect();
    assert_eq!(seen, first.events);
    assert_eq!(live.try_next(), None);
    let page = pollster::block_on(store.scrub(Position::ZERO, 10)).unwrap();
    assert_eq!((page.events, page.damage), (2, vec![]));
}

#[test]
fn overlap_is_refused_and_leaves_nothing() {
    let store = MemoryStore::new("default".parse().unwrap(), Arc::new(SystemClock));
    let done = store.append(append("thing-a", Expected::Any, &[1, 2]));
    pollster::block_on(done).unwrap();
    for (stream, ids) in [
        ("thing-a", vec![2, 3]),
        ("thing-a", vec![3, 2]),
        ("thing-a", vec![2, 1]),
        ("thing-b", vec![1]),
    ] {
        let refused = store.append(append(stream, Expected::Any, &ids));
        let error = pollster::block_on(refused).unwrap_err();
        assert_eq!(error.code(), "store.id_reused", "{stream} {ids:?}");
    }
    assert_eq!(pollster::block_on(store.head()).unwrap(), Position(2));
}
