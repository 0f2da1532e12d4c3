//! Docker's default system call filter, compiled once to BPF.
//!
//! libseccomp takes milliseconds to compile a profile, so a [`Filter`] is compiled when keeper starts and its
//! bytes are loaded in every container right before its program begins. Rules that look at arguments stay in.

use std::io::{self, Read, Seek};

use libseccomp::error::SeccompError;
use libseccomp::{ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall};

mod profile;
#[cfg(test)]
mod tests;

/// Why a filter could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SeccompFailure {
    /// libseccomp refused.
    #[error("{what} in the system call filter")]
    Compile { what: String, source: SeccompError },
    /// There was no memory to put it.
    #[error("make a memory file for the system call filter")]
    Memory(#[source] nix::Error),
    /// What was compiled could not be read back.
    #[error("read the compiled system call filter")]
    Read(#[source] io::Error),
}

/// A compiled filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    bytes: Vec<u8>,
}

/// The kernel's `struct sock_fprog`.
#[repr(C)]
struct Program {
    length: u16,
    instructions: *const u8,
}

const INSTRUCTION_LEN: usize = 8;

impl Filter {
    /// Compiles the default profile for a container with these capabilities.
    pub fn compile(capabilities: &[String]) -> Result<Filter, SeccompFailure> {
        let mut context = context_for(ScmpArch::Native, capabilities)?;
        if cfg!(target_arch = "x86_64") {
            let narrow = context_for(ScmpArch::X86, capabilities)?;
            context.merge(narrow).map_err(compile("merge architectures"))?;
        }
        Ok(Filter { bytes: export(&context)? })
    }

    /// Loads the filter into the calling thread, which must have set no_new_privs.
    ///
    /// Allocates nothing, so it may be called between fork and exec.
    pub fn load(&self) -> io::Result<()> {
        let length = u16::try_from(self.bytes.len() / INSTRUCTION_LEN).map_err(io::Error::other)?;
        let program = Program { length, instructions: self.bytes.as_ptr() };
        // SAFETY: the kernel copies the program, which points to `length` instructions that live across the call.
        let result = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                &raw const program,
            )
        };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Returns how many BPF instructions the filter has.
    pub fn instructions(&self) -> usize {
        self.bytes.len() / INSTRUCTION_LEN
    }
}

fn export(context: &ScmpFilterContext) -> Result<Vec<u8>, SeccompFailure> {
    let flags = nix::sys::memfd::MFdFlags::MFD_CLOEXEC;
    let file = nix::sys::memfd::memfd_create("filter", flags).map_err(SeccompFailure::Memory)?;
    context.export_bpf(&file).map_err(compile("export BPF"))?;
    let mut file = std::fs::File::from(file);
    let mut bytes = Vec::new();
    let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    read.map_err(SeccompFailure::Read)?;
    Ok(bytes)
}

fn compile(what: impl ToString) -> impl FnOnce(SeccompError) -> SeccompFailure {
    let what = what.to_string();
    move |source| SeccompFailure::Compile { what, source }
}

fn context_for(arch: ScmpArch, capabilities: &[String]) -> Result<ScmpFilterContext, SeccompFailure> {
    let denied = ScmpAction::Errno(libc::EPERM);
    let mut context = ScmpFilterContext::new(denied).map_err(compile("begin"))?;
    if arch != ScmpArch::Native {
        context.remove_arch(ScmpArch::Native).map_err(compile("choose architecture"))?;
        context.add_arch(arch).map_err(compile("choose architecture"))?;
    }
    // A balanced tree instead of a list: a handful of comparisons for every system call.
    context.set_ctl_optimize(2).map_err(compile("choose a tree"))?;
    let allowed = profile::ALLOWED.iter().copied();
    let granted = profile::BY_CAPABILITY
        .iter()
        .filter(|(capability, _)| capabilities.iter().any(|held| held == capability))
        .flat_map(|(_, names)| names.iter().copied());
    for name in allowed.chain(granted) {
        add(&mut context, name, ScmpAction::Allow, &[])?;
    }
    if arch == ScmpArch::Native {
        for number in profile::ALLOWED_NUMBERS {
            let syscall = ScmpSyscall::from_raw_syscall(number);
            context.add_rule_exact(ScmpAction::Allow, syscall).map_err(compile(number))?;
        }
        for number in profile::UNKNOWN_NUMBERS {
            let syscall = ScmpSyscall::from_raw_syscall(number);
            context.add_rule_exact(ScmpAction::Errno(libc::ENOSYS), syscall).map_err(compile(number))?;
        }
    }
    let administers = capabilities.iter().any(|held| held == "CAP_SYS_ADMIN");
    if !administers {
        add_restricted(&mut context)?;
    }
    Ok(context)
}

/// Rules that look at arguments, for containers without CAP_SYS_ADMIN.
fn add_restricted(context: &mut ScmpFilterContext) -> Result<(), SeccompFailure> {
    let namespaces = u64::from(profile::NAMESPACE_FLAGS);
    let mask = ScmpArgCompare::new(0, ScmpCompareOp::MaskedEqual(namespaces), 0);
    add(context, "clone", ScmpAction::Allow, &[mask])?;
    // Its flags are in memory, where a filter cannot look; "not there" makes the C library use clone.
    add(context, "clone3", ScmpAction::Errno(libc::ENOSYS), &[])?;
    for personality in [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff] {
        let equal = ScmpArgCompare::new(0, ScmpCompareOp::Equal, personality);
        add(context, "personality", ScmpAction::Allow, &[equal])?;
    }
    // The kernel reads the family as a 32-bit number, and so must the filter: 0x1_0000_0026 is AF_ALG as well.
    let low_half = ScmpCompareOp::MaskedEqual(u64::from(u32::MAX));
    for family in (0..profile::FAMILY_END).filter(|family| !profile::DENIED_FAMILIES.contains(family)) {
        add(context, "socket", ScmpAction::Allow, &[ScmpArgCompare::new(0, low_half, family)])?;
    }
    Ok(())
}

fn add(
    context: &mut ScmpFilterContext,
    name: &str,
    action: ScmpAction,
    arguments: &[ScmpArgCompare],
) -> Result<(), SeccompFailure> {
    // A name that this libseccomp does not know is a system call that cannot be allowed by name.
    let Ok(syscall) = ScmpSyscall::from_name(name) else { return Ok(()) };
    let added = if arguments.is_empty() {
        context.add_rule(action, syscall)
    } else {
        context.add_rule_conditional(action, syscall, arguments)
    };
    added.map(|_| ()).map_err(compile(name))
}

/// Filters by what they depend on, each compiled once.
#[derive(Debug, Default)]
pub struct Filters {
    compiled: Vec<(Vec<&'static str>, Filter)>,
}

impl Filters {
    /// Returns the filter for a container, compiling it if no container before had these capabilities.
    pub fn of(&mut self, capabilities: &[String]) -> Result<&Filter, SeccompFailure> {
        let names = profile::BY_CAPABILITY.iter().map(|(name, _)| *name);
        let key: Vec<&str> = names.filter(|name| capabilities.iter().any(|held| held == name)).collect();
        let found = self.compiled.iter().position(|(names, _)| *names == key);
        let index = match found {
            Some(index) => index,
            None => {
                self.compiled.push((key, Filter::compile(capabilities)?));
                self.compiled.len() - 1
            }
        };
        Ok(&self.compiled[index].1)
    }
}
