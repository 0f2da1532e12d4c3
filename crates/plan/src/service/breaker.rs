//! When a deployment that does not come up is given up.

#[cfg(test)]
mod tests;

/// Returns how many failed tasks trip the circuit breaker: half of the desired count, from 3 to 200.
pub fn threshold(desired_count: u32) -> u32 {
    desired_count.div_ceil(2).clamp(3, 200)
}
