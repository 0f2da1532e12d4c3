//! A machine of its own for each test: a network namespace that plays the host.

use std::path::PathBuf;

use nix::sched::{CloneFlags, unshare};

/// Runs a test on a thread whose namespaces of network and mounts are new. Needs root.
pub(crate) fn in_own_host<F: Future<Output = ()>>(test: impl FnOnce(PathBuf) -> F + Send) {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().to_owned();
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_FS).unwrap();
            let private = nix::mount::MsFlags::MS_REC | nix::mount::MsFlags::MS_PRIVATE;
            nix::mount::mount(None::<&str>, "/", None::<&str>, private, None::<&str>).unwrap();
            std::process::Command::new("ip").args(["link", "set", "lo", "up"]).status().unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(test(dir));
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}
