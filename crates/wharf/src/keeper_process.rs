//! The keeper process.

use crate::options::Options;
use anyhow::Context;

/// Runs keeper until it is asked to end; containers run on then.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    wharf_keeper::reexec_from_memfd().context("run keeper from sealed memory")?;
    let config = wharf_keeper::Config {
        socket: options.keeper_socket(),
        state_dir: options.state_dir.join("keeper"),
        favor_moves: !options.no_favordynmods,
    };
    wharf_keeper::run(&config).context("run keeper")
}
