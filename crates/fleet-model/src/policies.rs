//! Policies attached by name, whatever carries them. Spec: AWS 7.1.

use crate::id::PolicyName;
use crate::kernel::Refused;
use std::collections::BTreeSet;

/// Decides AttachPolicy: what `record` makes of the policy, nothing when it is attached already.
///
/// `limit`: how many there may be; one more is refused as `too_many` says.
pub(crate) fn attach<V, E>(
    held: &BTreeSet<PolicyName>,
    policy: PolicyName,
    limit: usize,
    record: impl FnOnce(PolicyName) -> V,
    too_many: impl FnOnce(usize) -> E,
) -> Result<Vec<V>, Refused<E>> {
    if held.contains(&policy) {
        return Ok(vec![]);
    }
    if held.len() >= limit {
        return Err(too_many(limit).into());
    }
    Ok(vec![record(policy)])
}

/// Decides DetachPolicy: what `record` makes of the policy, nothing when it is not attached.
pub(crate) fn detach<V>(
    held: &BTreeSet<PolicyName>,
    policy: PolicyName,
    record: impl FnOnce(PolicyName) -> V,
) -> Vec<V> {
    let attached = held.contains(&policy);
    attached.then(|| record(policy)).into_iter().collect()
}
