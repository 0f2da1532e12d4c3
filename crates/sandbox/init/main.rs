//! A container's first process where one is asked for: runs the program, hands on signals, reaps orphans, and ends as the
//! program ended. Alone, it only keeps namespaces for the containers of its task.
//!
//! `init <file> <argument>…` runs the file with these arguments, the first of which is its name; `init` waits for SIGTERM.
//!
//! It has no standard library, because it is run from memory inside of images that may hold nothing: `build.rs` makes it a
//! static program of a few kilobytes.
#![no_std]
#![no_main]

mod system;

use system::{Waited, exit};

const SIGCHLD: i32 = 17;
const SIGTERM: i32 = 15;
const SIGINT: i32 = 2;

/// What shells say of a program that cannot be run, and of one that is not there.
const CANNOT_RUN: i32 = 126;
const NOT_THERE: i32 = 127;
const ENOENT: i32 = 2;

/// Called by the entry point with the stack as the kernel made it.
extern "C" fn main(stack: *const usize) -> ! {
    // SAFETY: the kernel puts the number of arguments, the arguments, a null, the environment and a null there.
    let (count, arguments, environment) = unsafe {
        let count = *stack;
        let arguments = stack.add(1).cast::<*const u8>();
        (count, arguments, arguments.add(count + 1))
    };
    system::name_self(c"init");
    // Blocked before the child is there, so that its end cannot be missed.
    system::block_signals();
    if count < 3 {
        hold();
    }
    // SAFETY: there are at least three arguments and the null after them.
    let (file, arguments) = unsafe { (*arguments.add(1), arguments.add(2)) };
    // Where this is not the first process of its namespace, orphans would go to that one.
    system::become_reaper();
    match system::fork() {
        0 => run(file, arguments, environment),
        child if child > 0 => watch(child),
        error => exit(-error),
    }
}

fn run(file: *const u8, arguments: *const *const u8, environment: *const *const u8) -> ! {
    system::lead_terminal();
    system::unblock_signals();
    let error = system::execute(file, arguments, environment);
    system::say("init: the program cannot be run\n");
    exit(if error == ENOENT { NOT_THERE } else { CANNOT_RUN })
}

fn watch(child: i32) -> ! {
    loop {
        let signal = system::wait_for_signal();
        if signal == SIGCHLD {
            while let Some(Waited { process, status }) = system::reap() {
                if process == child {
                    exit(code(status));
                }
            }
        } else if signal > 0 {
            system::kill(child, signal);
        }
    }
}

fn hold() -> ! {
    loop {
        match system::wait_for_signal() {
            SIGCHLD => while system::reap().is_some() {},
            SIGTERM | SIGINT => exit(0),
            _ => {}
        }
    }
}

/// Returns an exit code for a wait status, as shells do.
fn code(status: i32) -> i32 {
    match status & 0x7f {
        0 => (status >> 8) & 0xff,
        signal => 128 + signal,
    }
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    exit(CANNOT_RUN)
}
