use super::{Filter, Filters};

/// Runs a system call in a child under the default filter and returns the error number it gave, 0 for none.
fn attempt(number: i64, arguments: [u64; 3]) -> i32 {
    let filter = Filter::compile(&[]).unwrap();
    // SAFETY: the child makes only system calls before it ends.
    unsafe {
        match libc::fork() {
            0 => {
                libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                if filter.load().is_err() {
                    libc::_exit(255);
                }
                let result = libc::syscall(number, arguments[0], arguments[1], arguments[2]);
                libc::_exit(if result < 0 { *libc::__errno_location() } else { 0 });
            }
            child => {
                let mut status = 0;
                libc::waitpid(child, &raw mut status, 0);
                assert!(libc::WIFEXITED(status), "status {status}");
                libc::WEXITSTATUS(status)
            }
        }
    }
}

#[test]
fn f39_f40_dangerous_calls_are_denied() {
    let denied = [
        (libc::SYS_io_uring_setup, [1, 0, 0]),
        (libc::SYS_bpf, [0, 0, 0]),
        (libc::SYS_keyctl, [0, 0, 0]),
        (libc::SYS_add_key, [0, 0, 0]),
        (libc::SYS_userfaultfd, [0, 0, 0]),
        (libc::SYS_unshare, [0x1000_0000, 0, 0]),
        (libc::SYS_setns, [0, 0, 0]),
        (libc::SYS_mount, [0, 0, 0]),
        (libc::SYS_perf_event_open, [0, 0, 0]),
        (libc::SYS_socket, [38, 5, 0]),
        (libc::SYS_socket, [40, 1, 0]),
        // The kernel looks at the lower half only.
        (libc::SYS_socket, [0x1_0000_0026, 5, 0]),
        (libc::SYS_clone, [0x1000_0000 | 17, 0, 0]),
    ];
    for (number, arguments) in denied {
        assert_eq!(attempt(number, arguments), libc::EPERM, "call {number} {arguments:x?}");
    }
}

#[test]
fn ordinary_calls_pass_and_calls_that_do_not_exist_say_so() {
    for (number, arguments) in
        [(libc::SYS_socket, [1, 1, 0]), (libc::SYS_socket, [2, 1, 0]), (libc::SYS_getpid, [0; 3])]
    {
        assert_eq!(attempt(number, arguments), 0, "call {number}");
    }
    assert_eq!(attempt(libc::SYS_clone3, [0, 0, 0]), libc::ENOSYS);
    assert_eq!(attempt(500, [0, 0, 0]), libc::ENOSYS);
    assert_ne!(attempt(452, [u64::MAX, 0, 0]), libc::EPERM);
}

#[test]
fn capabilities_widen_the_filter_and_each_kind_is_compiled_once() {
    let mut filters = Filters::default();
    let plain = filters.of(&["CAP_CHOWN".to_owned()]).unwrap().clone();
    let wider = filters.of(&["CAP_SYS_PTRACE".to_owned()]).unwrap().clone();
    assert_ne!(plain, wider);
    assert!(plain.instructions() > 100);
    let clock = std::time::Instant::now();
    filters.of(&["CAP_CHOWN".to_owned(), "CAP_KILL".to_owned()]).unwrap();
    assert!(clock.elapsed().as_millis() < 2);
}
