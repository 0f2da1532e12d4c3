//! What a process gives up before it becomes a container's program.
//!
//! libcontainer does the same for a container's first process. The order matters: limits need root, ids need
//! capabilities, and the system call filter, loaded last, needs either CAP_SYS_ADMIN or that privileges can never grow.

use nix::errno::Errno;
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

use super::process::Process;
use crate::runtime::privileges::set_capabilities;
use crate::spec::capability_number;

/// Sets the resource limits.
pub(super) fn limit(process: &Process) -> nix::Result<()> {
    for limit in &process.rlimits {
        let number = resource(&limit.r#type).ok_or(Errno::EINVAL)?;
        let value = libc::rlimit { rlim_cur: limit.soft, rlim_max: limit.hard };
        // SAFETY: a plain system call with a value that lives across it.
        Errno::result(unsafe { libc::setrlimit(number, &raw const value) })?;
    }
    Ok(())
}

/// Takes the container's ids and capabilities, and makes it end with its parent.
pub(super) fn drop_to(process: &Process) -> nix::Result<()> {
    let bounding = mask(&process.capabilities.bounding);
    let mut effective = mask(&process.capabilities.effective);
    for number in 0..64 {
        let keep = bounding & (1 << number) != 0;
        // SAFETY: plain system calls on numbers; the kernel says EINVAL after its last capability.
        let known = unsafe { libc::prctl(libc::PR_CAPBSET_READ, number, 0, 0, 0) };
        if known < 0 {
            break;
        }
        if known == 0 {
            // Keeper does not have it itself, and so cannot pass it on.
            effective &= !(1 << number);
        }
        if !keep && known == 1 {
            // SAFETY: as above.
            Errno::result(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, number, 0, 0, 0) })?;
        }
    }
    prctl(libc::PR_SET_KEEPCAPS, 1)?;
    let groups: Vec<Gid> = process.user.additional_gids.iter().map(|gid| Gid::from_raw(*gid)).collect();
    let (uid, gid) = (Uid::from_raw(process.user.uid), Gid::from_raw(process.user.gid));
    setgroups(&groups)?;
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    prctl(libc::PR_SET_KEEPCAPS, 0)?;
    set_capabilities(effective)
        .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EPERM)))?;
    // SAFETY: a plain system call on numbers. A kernel without ambient capabilities has none to clear.
    unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) };
    // Changing ids clears it, so it comes after. Keeper reaps this process: without keeper nobody would know its end.
    prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL.cast_unsigned().into())?;
    if process.no_new_privileges {
        prctl(libc::PR_SET_NO_NEW_PRIVS, 1)?;
    }
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    Ok(())
}

fn prctl(option: i32, value: libc::c_ulong) -> nix::Result<()> {
    // SAFETY: a plain system call on numbers.
    Errno::result(unsafe { libc::prctl(option, value, 0, 0, 0) }).map(drop)
}

/// Returns capabilities as bits. A name that this program does not know is one that nobody gets.
pub(super) fn mask(names: &[String]) -> u64 {
    names.iter().filter_map(|name| capability_number(name)).fold(0, |bits, number| bits | 1 << number)
}

fn resource(name: &str) -> Option<libc::__rlimit_resource_t> {
    Some(match name {
        "RLIMIT_AS" => libc::RLIMIT_AS,
        "RLIMIT_CORE" => libc::RLIMIT_CORE,
        "RLIMIT_CPU" => libc::RLIMIT_CPU,
        "RLIMIT_DATA" => libc::RLIMIT_DATA,
        "RLIMIT_FSIZE" => libc::RLIMIT_FSIZE,
        "RLIMIT_LOCKS" => libc::RLIMIT_LOCKS,
        "RLIMIT_MEMLOCK" => libc::RLIMIT_MEMLOCK,
        "RLIMIT_MSGQUEUE" => libc::RLIMIT_MSGQUEUE,
        "RLIMIT_NICE" => libc::RLIMIT_NICE,
        "RLIMIT_NOFILE" => libc::RLIMIT_NOFILE,
        "RLIMIT_NPROC" => libc::RLIMIT_NPROC,
        "RLIMIT_RSS" => libc::RLIMIT_RSS,
        "RLIMIT_RTPRIO" => libc::RLIMIT_RTPRIO,
        "RLIMIT_RTTIME" => libc::RLIMIT_RTTIME,
        "RLIMIT_SIGPENDING" => libc::RLIMIT_SIGPENDING,
        "RLIMIT_STACK" => libc::RLIMIT_STACK,
        _ => return None,
    })
}
