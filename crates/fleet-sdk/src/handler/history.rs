//! What streams said at an earlier position of the log.

use fleet_model::kernel::{Decider, Position, Recorded, StreamName, WireEvent};
use fleet_store::port::StreamRead;

use crate::fleet::Call;
use crate::log::decode_family;
use crate::refusal::Refusal;

/// The states of a stream before and after one of its events.
pub(super) async fn around<D: Decider>(
    call: &Call<'_>,
    recorded: &Recorded,
) -> Result<(D::State, D::State), Refusal>
where
    D::Event: WireEvent,
{
    let before = before::<D>(call, &recorded.stream, recorded.position).await?;
    let events = decode_family::<D::Event>(recorded)?;
    let after = events.iter().fold(before.clone(), D::evolve);
    Ok((before, after))
}

/// The state of a stream before a position of the log.
pub(super) async fn before<D: Decider>(
    call: &Call<'_>,
    stream: &StreamName,
    at: Position,
) -> Result<D::State, Refusal>
where
    D::Event: WireEvent,
{
    let read = StreamRead::of(stream.clone());
    let page = call.fleet.log.store.read_stream(read).await?;
    let mut state = D::initial();
    for recorded in page.events.iter().filter(|event| event.position < at) {
        for event in decode_family::<D::Event>(recorded)? {
            state = D::evolve(state, &event);
        }
    }
    Ok(state)
}
