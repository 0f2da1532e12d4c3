//! Which target gets a request.
//!
//! Healthy targets take turns. When none is healthy all that are not leaving do (fail open), for a load balancer
//! that refuses everything helps nobody. A target that was tried for this request is never tried again; one that has
//! just refused a connection waits until the others were tried.

/// What the choice looks at in a target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    /// Its health checks pass, or it has none.
    pub(crate) healthy: bool,
    /// It drains or is gone.
    pub(crate) leaving: bool,
    /// It failed for this request already.
    pub(crate) tried: bool,
    /// It refused a connection a moment ago.
    pub(crate) suspect: bool,
}

impl Candidate {
    /// Returns how far from ideal it is; nothing when it must not be chosen.
    fn rank(self) -> Option<u8> {
        let rank = u8::from(!self.healthy) * 2 + u8::from(self.suspect);
        (!self.leaving && !self.tried).then_some(rank)
    }
}

/// Returns the index of the candidate that gets this turn.
pub(crate) fn choose(candidates: impl Iterator<Item = Candidate> + Clone, turn: usize) -> Option<usize> {
    let (mut best, mut count) = (u8::MAX, 0_usize);
    for rank in candidates.clone().filter_map(Candidate::rank) {
        if rank < best {
            (best, count) = (rank, 1);
        } else if rank == best {
            count += 1;
        }
    }
    let nth = turn.checked_rem(count)?;
    let equals = candidates.enumerate().filter(|(_, candidate)| candidate.rank() == Some(best));
    equals.map(|(index, _)| index).nth(nth)
}

/// Returns the index of the weight that `draw` falls on; nothing when all are zero.
pub(crate) fn weighted(weights: impl Iterator<Item = u32> + Clone, draw: u64) -> Option<usize> {
    let total: u64 = weights.clone().map(u64::from).sum();
    let mut left = draw.checked_rem(total)?;
    for (index, weight) in weights.enumerate() {
        match left.checked_sub(u64::from(weight)) {
            Some(rest) => left = rest,
            None => return Some(index),
        }
    }
    None
}

#[cfg(test)]
mod tests;
