//! The one place keeper waits: epoll, and child deaths as a descriptor.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// What a descriptor is to keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Token {
    /// A launcher's or cleaner's message. First, so that a container is known before its death is looked at.
    Helper(u32),
    /// Output of a container: its number, and 0 or 1 for the stream.
    Pipe(u32, u8),
    /// The socket.
    Listener,
    /// A client.
    Connection(u32),
    /// The end of an adopted container.
    Process(u32),
    /// A container ran out of memory.
    Memory(u32),
    /// A signal to keeper itself: a child died, or keeper is to stop.
    Signal,
}

impl Token {
    fn pack(self) -> u64 {
        let (kind, number, stream) = match self {
            Token::Helper(number) => (0, number, 0),
            Token::Pipe(number, stream) => (1, number, stream),
            Token::Listener => (2, 0, 0),
            Token::Connection(number) => (3, number, 0),
            Token::Process(number) => (4, number, 0),
            Token::Signal => (5, 0, 0),
            Token::Memory(number) => (6, number, 0),
        };
        kind << 48 | u64::from(stream) << 40 | u64::from(number)
    }

    fn unpack(packed: u64) -> Token {
        let [_, kind, stream, _, rest @ ..] = packed.to_be_bytes();
        let number = u32::from_be_bytes(rest);
        match kind {
            0 => Token::Helper(number),
            1 => Token::Pipe(number, stream),
            3 => Token::Connection(number),
            4 => Token::Process(number),
            6 => Token::Memory(number),
            2 => Token::Listener,
            _ => Token::Signal,
        }
    }
}

/// Something happened on a descriptor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) token: Token,
    pub(crate) writable: bool,
    pub(crate) hung_up: bool,
}

/// An epoll instance.
#[derive(Debug)]
pub(crate) struct Poll(OwnedFd);

impl Poll {
    pub(crate) fn new() -> io::Result<Poll> {
        // SAFETY: makes a new descriptor, checked before it is owned.
        let raw = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and ours.
        Ok(Poll(unsafe { OwnedFd::from_raw_fd(raw) }))
    }

    /// Waits for input, and for room to write if asked. Ends and errors are always reported.
    pub(crate) fn watch(&self, fd: RawFd, token: Token, write: bool) -> io::Result<()> {
        match self.control(libc::EPOLL_CTL_ADD, fd, token, write) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.control(libc::EPOLL_CTL_MOD, fd, token, write)
            }
            other => other,
        }
    }

    /// Stops waiting; to be called before the descriptor is closed.
    pub(crate) fn forget(&self, fd: RawFd) {
        // A descriptor that was never watched needs no forgetting.
        let _unwatched = self.control(libc::EPOLL_CTL_DEL, fd, Token::Signal, false);
    }

    fn control(&self, operation: i32, fd: RawFd, token: Token, write: bool) -> io::Result<()> {
        let events = libc::EPOLLIN | if write { libc::EPOLLOUT } else { 0 };
        let mut event = libc::epoll_event { events: events.cast_unsigned(), u64: token.pack() };
        // SAFETY: the event lives across the call.
        let result = unsafe { libc::epoll_ctl(self.0.as_raw_fd(), operation, fd, &raw mut event) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Waits until something happens, or a time in milliseconds (-1 for ever) has passed.
    pub(crate) fn wait(&self, timeout_ms: i32) -> io::Result<Vec<Ready>> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 128];
        let room = i32::try_from(events.len()).expect("128 fits");
        // SAFETY: the kernel writes at most `room` events.
        let count = unsafe { libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), room, timeout_ms) };
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted { Ok(Vec::new()) } else { Err(error) };
        };
        let mut ready: Vec<Ready> = events[..count]
            .iter()
            .map(|event| {
                let bits = event.events.cast_signed();
                let hung_up = bits & (libc::EPOLLHUP | libc::EPOLLERR) != 0;
                Ready { token: Token::unpack(event.u64), writable: bits & libc::EPOLLOUT != 0, hung_up }
            })
            .collect();
        ready.sort_unstable_by_key(|ready| ready.token);
        Ok(ready)
    }
}

/// Blocks the signals keeper handles and returns a descriptor on which they come.
pub(crate) fn signals() -> io::Result<OwnedFd> {
    // SAFETY: an own, initialised set, and a new descriptor that is checked before it is owned.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in [libc::SIGCHLD, libc::SIGTERM, libc::SIGINT] {
            libc::sigaddset(&raw mut set, signal);
        }
        if libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
        let raw = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if raw < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(raw)) }
    }
}

/// Takes what came on a signal descriptor; says whether keeper is to stop.
pub(crate) fn take_signals(fd: RawFd) -> bool {
    let mut stop = false;
    loop {
        let mut info = std::mem::MaybeUninit::<libc::signalfd_siginfo>::zeroed();
        let size = size_of::<libc::signalfd_siginfo>();
        // SAFETY: the kernel writes at most one structure of this size, and any bytes are a valid one.
        let (read, info) = unsafe {
            let read = libc::read(fd, info.as_mut_ptr().cast(), size);
            (read, info.assume_init())
        };
        if usize::try_from(read) != Ok(size) {
            return stop;
        }
        stop |= info.ssi_signo != libc::SIGCHLD.cast_unsigned();
    }
}
