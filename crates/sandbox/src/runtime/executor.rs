//! The last steps inside the container: check the program, set its environment, reset signals, load the
//! system call filter, become the program.

use std::collections::HashMap;
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use libcontainer::oci_spec::runtime::Spec;
use libcontainer::workload::{Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError};

use crate::seccomp::Filter;

/// Exit code for a program that is there and cannot be run, as shells use it.
const CANNOT_RUN: i32 = 126;

#[derive(Clone)]
pub(super) struct FilteredExecutor {
    filter: Rc<Filter>,
}

impl FilteredExecutor {
    pub(super) fn new(filter: Filter) -> FilteredExecutor {
        FilteredExecutor { filter: Rc::new(filter) }
    }
}

impl Executor for FilteredExecutor {
    fn validate(&self, spec: &Spec) -> Result<(), ExecutorValidationError> {
        let refuse = ExecutorValidationError::ArgValidationError;
        let process = spec.process().as_ref().ok_or_else(|| refuse("no process".to_owned()))?;
        let program = process.args().as_ref().and_then(|args| args.first());
        let program = program.ok_or_else(|| refuse("no command specified".to_owned()))?;
        let env = process.env().as_deref().unwrap_or_default();
        let path = env.iter().rev().find_map(|entry| entry.strip_prefix("PATH=")).unwrap_or_default();
        match find(program, path) {
            Ok(_) => Ok(()),
            Err(reason) => Err(refuse(format!("exec: \"{program}\": {reason}"))),
        }
    }

    fn setup_envs(&self, env: HashMap<String, String>) -> Result<(), ExecutorSetEnvsError> {
        // SAFETY: the process has one thread.
        unsafe {
            libc::clearenv();
            for (key, value) in env {
                std::env::set_var(key, value);
            }
        }
        Ok(())
    }

    fn exec(&self, spec: &Spec) -> Result<(), ExecutorError> {
        let args = spec.process().as_ref().and_then(|process| process.args().as_ref());
        let args = args.ok_or(ExecutorError::InvalidArg)?;
        let args: Result<Vec<CString>, _> = args.iter().map(|arg| CString::new(arg.as_bytes())).collect();
        let args = args.map_err(|_| ExecutorError::InvalidArg)?;
        let path = std::env::var("PATH").unwrap_or_default();
        let program = args.first().and_then(|arg| arg.to_str().ok()).ok_or(ExecutorError::InvalidArg)?;
        let found = find(program, &path).map_err(|reason| ExecutorError::Other(reason.to_owned()))?;
        let found = CString::new(found.into_os_string().into_encoded_bytes())
            .map_err(|_| ExecutorError::InvalidArg)?;
        reset_signals();
        self.filter.load().map_err(|error| ExecutorError::Execution(Box::new(error)))?;
        let Err(errno) = nix::unistd::execv(&found, &args);
        // Nobody waits for an answer any more, so the container's own standard error is where its owner will look.
        let message = format!("exec {program}: {}\n", errno.desc().to_lowercase());
        // SAFETY: writes bytes that live across the call, and ends the process without running anything of ours.
        unsafe {
            libc::write(2, message.as_ptr().cast(), message.len());
            libc::_exit(CANNOT_RUN)
        }
    }
}

/// Finds a program as `execvp` would, and says what is wrong in Docker's words.
fn find(program: &str, path: &str) -> Result<PathBuf, &'static str> {
    if program.contains('/') {
        let file = PathBuf::from(program);
        return check(&file).map(|()| file);
    }
    let mut reason = "executable file not found in $PATH";
    for dir in path.split(':') {
        let file = Path::new(if dir.is_empty() { "." } else { dir }).join(program);
        match check(&file) {
            Ok(()) => return Ok(file),
            Err("no such file or directory") => {}
            Err(other) => reason = other,
        }
    }
    Err(reason)
}

fn check(file: &Path) -> Result<(), &'static str> {
    use nix::unistd::{AccessFlags, eaccess};
    match file.metadata() {
        Err(_) => Err("no such file or directory"),
        Ok(metadata) if metadata.is_dir() => Err("is a directory"),
        Ok(_) => eaccess(file, AccessFlags::X_OK).map_err(|_| "permission denied"),
    }
}

/// Rust ignores SIGPIPE, and keeper blocks what it reads from a descriptor; both would be inherited.
fn reset_signals() {
    // SAFETY: plain system calls on signal numbers and a mask of our own.
    unsafe {
        for signal in 1..=libc::SIGRTMAX() {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}
