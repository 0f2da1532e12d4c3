//! The keeper process.

use crate::{instance::Instance, options::Options};

/// Runs keeper until it is asked to end; containers run on then.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let _ = Instance::of(options);
    anyhow::bail!("keeper")
}
