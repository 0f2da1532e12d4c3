//! The sizes that Fargate tasks may have (ECS developer guide, "Task size").

use wharf_model::{CpuUnits, Mebibytes};

#[cfg(test)]
mod tests;

/// Returns whether Fargate has a configuration with this much of both.
pub fn fits(cpu: CpuUnits, memory: Mebibytes) -> bool {
    let steps = |from: u32, to: u32, step: u32| {
        (from..=to).contains(&memory.0) && (memory.0 - from).is_multiple_of(step)
    };
    match cpu.0 {
        256 => matches!(memory.0, 512 | 1024 | 2048),
        512 => steps(1024, 4096, 1024),
        1024 => steps(2048, 8192, 1024),
        2048 => steps(4096, 16384, 1024),
        4096 => steps(8192, 30720, 1024),
        8192 => steps(16384, 61440, 4096),
        16384 => steps(32768, 122_880, 8192),
        _ => false,
    }
}
