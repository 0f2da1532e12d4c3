//! Which target gets a request.
//!
//! Healthy targets take turns. When none is healthy all that are not leaving do (fail open), for a load balancer
//! that refuses everything helps nobody. A target that was tried for this request is never tried again; one that has
//! just refused a connection waits until the others were tried.
//!
//! A choice looks at few targets, however many there are: it draws until it meets one that will do, and only when it
//! has met none for long looks at all. A target that has not come to its full share yet lets some draws pass.

use wharf_model::attributes::Algorithm;

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
    /// Returns whether nothing speaks against it.
    pub(crate) fn is_ideal(self) -> bool {
        self.rank() == Some(0)
    }

    /// Returns how far from ideal it is; nothing when it must not be chosen.
    fn rank(self) -> Option<u8> {
        let rank = u8::from(!self.healthy) * 2 + u8::from(self.suspect);
        (!self.leaving && !self.tried).then_some(rank)
    }
}

/// The most draws before all targets are looked at.
const DRAWS_MAX: usize = 256;

/// Fewer answers say nothing about a target.
const COUNTED_MIN: u64 = 20;

/// A target that was drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawn {
    /// How much of its share it is to get, up to 1.
    pub(crate) share: f64,
    /// Its requests in flight.
    pub(crate) in_flight: usize,
}

/// What the choice draws with.
pub(crate) struct Draws<'a> {
    /// The next turn.
    pub(crate) turn: &'a dyn Fn() -> usize,
    /// Any number.
    pub(crate) random: &'a dyn Fn() -> u64,
}

/// Returns the index of the target that is drawn, of so many; nothing when none was met that will do. `look` tells of
/// a target, if it will do.
pub(crate) fn draw(
    count: usize,
    algorithm: Algorithm,
    draws: &Draws<'_>,
    look: impl Fn(usize) -> Option<Drawn>,
) -> Option<usize> {
    let one = || {
        for _ in 0..(4 * count).min(DRAWS_MAX) {
            let number = match algorithm {
                Algorithm::RoundRobin => (draws.turn)(),
                Algorithm::LeastOutstandingRequests | Algorithm::WeightedRandom => {
                    usize::try_from((draws.random)() >> 1).unwrap_or_default()
                }
            };
            let index = number.checked_rem(count)?;
            let Some(drawn) = look(index) else { continue };
            if drawn.share >= 1.0 || unit((draws.random)()) < drawn.share {
                return Some((index, drawn));
            }
        }
        None
    };
    let (index, drawn) = one()?;
    if algorithm != Algorithm::LeastOutstandingRequests {
        return Some(index);
    }
    // The better of two is nearly as good as the best of all, and no herd runs to it.
    match one() {
        Some((other, less)) if less.in_flight < drawn.in_flight => Some(other),
        _ => Some(index),
    }
}

/// Returns how much of its share a target gets whose answers stand out from those of its group, each given as the
/// failures among the answers counted.
#[expect(clippy::cast_precision_loss, reason = "few are counted")]
pub(crate) fn anomaly((failures, answers): (u64, u64), (all_failures, all_answers): (u64, u64)) -> f64 {
    let ratio = |failures: u64, answers: u64| failures as f64 / answers.max(1) as f64;
    let own = ratio(failures, answers);
    let all = ratio(all_failures, all_answers);
    // The group's own ratio includes the target's, so it is not much less than the others' share of it.
    if answers < COUNTED_MIN || own < 0.1 + 1.5 * all { 1.0 } else { (1.0 - own).max(0.1) }
}

/// Returns a number of the interval from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "no more than 53 bits are used")]
fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
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
