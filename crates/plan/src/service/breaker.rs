//! When a deployment that does not come up is given up.

use wharf_model::service::Threshold;

#[cfg(test)]
mod tests;

/// What holds when nothing was said: half of the desired count.
const DEFAULT: Threshold = Threshold::BoundedPercent(50);
/// What a bounded threshold is at least and at most.
const BOUNDS: (u32, u32) = (3, 200);

/// Returns how many failed tasks trip the circuit breaker.
pub fn threshold(given: Option<Threshold>, desired_count: u32) -> u32 {
    let share = |percent: u32| {
        let share = (u64::from(desired_count) * u64::from(percent)).div_ceil(100);
        u32::try_from(share).unwrap_or(u32::MAX)
    };
    match given.unwrap_or(DEFAULT) {
        Threshold::Count(count) => count.max(1),
        Threshold::BoundedPercent(percent) => share(percent).clamp(BOUNDS.0, BOUNDS.1),
        Threshold::UnboundedPercent(percent) => share(percent).max(1),
    }
}
