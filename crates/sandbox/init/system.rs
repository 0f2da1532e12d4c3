//! The system calls that the init needs, on the machines that Wharf runs on.

use core::arch::{asm, global_asm};
use core::ffi::CStr;

/// A child that ended.
pub struct Waited {
    /// Its process id.
    pub process: i32,
    /// Its wait status.
    pub status: i32,
}

#[cfg(target_arch = "x86_64")]
mod number {
    pub const WRITE: usize = 1;
    pub const RT_SIGPROCMASK: usize = 14;
    pub const IOCTL: usize = 16;
    pub const GETPID: usize = 39;
    pub const CLONE: usize = 56;
    pub const EXECVE: usize = 59;
    pub const WAIT4: usize = 61;
    pub const KILL: usize = 62;
    pub const SETPGID: usize = 109;
    pub const RT_SIGTIMEDWAIT: usize = 128;
    pub const PRCTL: usize = 157;
    pub const EXIT_GROUP: usize = 231;
}

#[cfg(target_arch = "aarch64")]
mod number {
    pub const IOCTL: usize = 29;
    pub const WRITE: usize = 64;
    pub const EXIT_GROUP: usize = 94;
    pub const KILL: usize = 129;
    pub const RT_SIGPROCMASK: usize = 135;
    pub const RT_SIGTIMEDWAIT: usize = 137;
    pub const SETPGID: usize = 154;
    pub const PRCTL: usize = 167;
    pub const GETPID: usize = 172;
    pub const CLONE: usize = 220;
    pub const EXECVE: usize = 221;
    pub const WAIT4: usize = 260;
}

const SIG_BLOCK: usize = 0;
const SIG_UNBLOCK: usize = 1;
const WNOHANG: usize = 1;
const SIGCHLD: usize = 17;
const PR_SET_NAME: usize = 15;
const PR_SET_CHILD_SUBREAPER: usize = 36;
const TIOCSPGRP: usize = 0x5410;
const SIGNAL_SET_LEN: usize = 8;

/// Every signal but those that a fault of the init's own raises.
const SIGNALS: u64 = {
    const fn bit(signal: u32) -> u64 {
        1 << (signal - 1)
    }
    !(bit(4) | bit(5) | bit(6) | bit(7) | bit(8) | bit(11) | bit(31))
};

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rdi, rsp",
    "and rsp, -16",
    "call {main}",
    main = sym super::main,
);

#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x29, #0", "mov x0, sp", "bl {main}", main = sym super::main);

/// Makes a system call and returns its result, a negative number for an error.
#[cfg(target_arch = "x86_64")]
unsafe fn call(number: usize, a: usize, b: usize, c: usize, d: usize) -> isize {
    let result: isize;
    // SAFETY: the caller answers for the arguments; the kernel changes these registers only.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") 0,
            lateout("rcx") _, lateout("r11") _, options(nostack),
        );
    }
    result
}

/// Makes a system call and returns its result, a negative number for an error.
#[cfg(target_arch = "aarch64")]
unsafe fn call(number: usize, a: usize, b: usize, c: usize, d: usize) -> isize {
    let result: isize;
    // SAFETY: the caller answers for the arguments; the kernel changes these registers only.
    unsafe {
        asm!(
            "svc #0",
            in("x8") number, inlateout("x0") a as isize => result,
            in("x1") b, in("x2") c, in("x3") d, in("x4") 0, options(nostack),
        );
    }
    result
}

pub fn exit(code: i32) -> ! {
    loop {
        // SAFETY: ends the process.
        unsafe { call(number::EXIT_GROUP, code as usize, 0, 0, 0) };
    }
}

pub fn name_self(name: &CStr) {
    // SAFETY: the string lives across the call.
    unsafe { call(number::PRCTL, PR_SET_NAME, name.as_ptr() as usize, 0, 0) };
}

pub fn become_reaper() {
    // SAFETY: a plain system call on numbers.
    unsafe { call(number::PRCTL, PR_SET_CHILD_SUBREAPER, 1, 0, 0) };
}

pub fn block_signals() {
    mask(SIG_BLOCK);
}

pub fn unblock_signals() {
    mask(SIG_UNBLOCK);
}

fn mask(how: usize) {
    let signals = SIGNALS;
    // SAFETY: the set lives across the call and has the length that is given.
    unsafe { call(number::RT_SIGPROCMASK, how, &raw const signals as usize, 0, SIGNAL_SET_LEN) };
}

/// Returns the child's process id, 0 in the child, or a negative error.
pub fn fork() -> i32 {
    // SAFETY: a child with a copy of everything; it goes on from here on its own stack.
    unsafe { call(number::CLONE, SIGCHLD, 0, 0, 0) as i32 }
}

/// Gives the calling process a group of its own, the one that the terminal is for, if there is a terminal.
pub fn lead_terminal() {
    // SAFETY: plain system calls on numbers, and one that reads the group's number from the stack. Without a terminal it
    // fails, and the signal that it raises in a process of the background is still blocked.
    unsafe {
        call(number::SETPGID, 0, 0, 0, 0);
        let group = call(number::GETPID, 0, 0, 0, 0) as i32;
        call(number::IOCTL, 0, TIOCSPGRP, &raw const group as usize, 0);
    }
}

/// Becomes the program, or returns the error's number.
pub fn execute(file: *const u8, arguments: *const *const u8, environment: *const *const u8) -> i32 {
    // SAFETY: the strings are those that the kernel put on the stack, which end with a null.
    unsafe { -(call(number::EXECVE, file as usize, arguments as usize, environment as usize, 0) as i32) }
}

pub fn say(text: &str) {
    // SAFETY: the text lives across the call.
    unsafe { call(number::WRITE, 2, text.as_ptr() as usize, text.len(), 0) };
}

/// Returns the next signal that came, or a negative error.
pub fn wait_for_signal() -> i32 {
    let signals = SIGNALS;
    // SAFETY: the set lives across the call and has the length that is given.
    unsafe { call(number::RT_SIGTIMEDWAIT, &raw const signals as usize, 0, 0, SIGNAL_SET_LEN) as i32 }
}

pub fn kill(process: i32, signal: i32) {
    // SAFETY: a plain system call on numbers.
    unsafe { call(number::KILL, process as usize, signal as usize, 0, 0) };
}

/// Takes the status of a child that ended, if one has.
pub fn reap() -> Option<Waited> {
    let mut status = 0_i32;
    // SAFETY: the kernel writes one number, which lives across the call.
    let process = unsafe { call(number::WAIT4, usize::MAX, &raw mut status as usize, WNOHANG, 0) as i32 };
    (process > 0).then_some(Waited { process, status })
}
