//! The last steps inside the container: check the program, set its environment, reset signals, load the
//! system call filter, give up what only that needed, become the program or the small init.

use std::collections::HashMap;
use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use libcontainer::oci_spec::runtime::Spec;
use libcontainer::workload::{Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError};

use wharf_model::secret::Plain;

use super::init;
use super::privileges::Privileges;
use crate::rootfs::User;
use crate::seccomp::Filter;
use crate::spec::{ContainerSpec, First};

/// Exit code for a program that is there and cannot be run, as shells use it.
pub(crate) const CANNOT_RUN: i32 = 126;

#[derive(Clone)]
pub(super) struct ContainerExecutor {
    first: First,
    /// The small init, where there is one.
    init: Option<Rc<OwnedFd>>,
    filter: Option<Rc<Filter>>,
    /// Variables beside those of the specification.
    secret_env: Rc<Vec<(String, Plain)>>,
    /// What is left of the privileges once the filter is loaded, where they were kept for it.
    privileges: Option<Privileges>,
}

impl ContainerExecutor {
    pub(super) fn new(
        spec: &ContainerSpec,
        user: &User,
        filter: Option<&Filter>,
    ) -> io::Result<ContainerExecutor> {
        let init = (spec.first != First::Program).then(init::load).transpose()?;
        Ok(ContainerExecutor {
            first: spec.first,
            init: init.map(Rc::new),
            filter: filter.cloned().map(Rc::new),
            secret_env: Rc::new(spec.secret_env.clone()),
            privileges: Privileges::after_loading(spec, user),
        })
    }
}

impl Executor for ContainerExecutor {
    fn validate(&self, spec: &Spec) -> Result<(), ExecutorValidationError> {
        if self.first == First::Holder {
            return Ok(());
        }
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
            for (key, value) in self.secret_env.iter() {
                std::env::set_var(key, value.reveal());
            }
        }
        Ok(())
    }

    fn exec(&self, spec: &Spec) -> Result<(), ExecutorError> {
        let args = spec.process().as_ref().and_then(|process| process.args().as_ref());
        let args = args.ok_or(ExecutorError::InvalidArg)?;
        let args: Result<Vec<CString>, _> = args.iter().map(|arg| CString::new(arg.as_bytes())).collect();
        let args = args.map_err(|_| ExecutorError::InvalidArg)?;
        let program = args.first().and_then(|arg| arg.to_str().ok()).ok_or(ExecutorError::InvalidArg)?;
        let found = match self.first {
            First::Holder => None,
            First::Program | First::Init => Some(located(program)?),
        };
        reset_signals();
        let failed = |error| ExecutorError::Execution(Box::new(error));
        if let Some(filter) = &self.filter {
            filter.load().map_err(failed)?;
        }
        if let Some(privileges) = &self.privileges {
            privileges.settle().map_err(failed)?;
        }
        let error = match (&self.init, &found) {
            (Some(program), file) => init::become_init(program, file.as_deref(), &args),
            (None, Some(file)) => {
                let Err(errno) = nix::unistd::execv(file, &args);
                errno.into()
            }
            (None, None) => io::ErrorKind::InvalidInput.into(),
        };
        // Nobody waits for an answer any more, so the container's own standard error is where its owner will look.
        let message = format!("exec {program}: {}\n", error.to_string().to_lowercase());
        // SAFETY: writes bytes that live across the call, and ends the process without running anything of ours.
        unsafe {
            libc::write(2, message.as_ptr().cast(), message.len());
            libc::_exit(CANNOT_RUN)
        }
    }
}

fn located(program: &str) -> Result<CString, ExecutorError> {
    let path = std::env::var("PATH").unwrap_or_default();
    let found = find(program, &path).map_err(|reason| ExecutorError::Other(reason.to_owned()))?;
    CString::new(found.into_os_string().into_encoded_bytes()).map_err(|_| ExecutorError::InvalidArg)
}

/// Finds a program as `execvp` would, and says what is wrong in Docker's words.
pub(crate) fn find(program: &str, path: &str) -> Result<PathBuf, &'static str> {
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
pub(crate) fn reset_signals() {
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
