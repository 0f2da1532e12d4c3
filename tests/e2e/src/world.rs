//! A network namespace that stands for a machine outside: reached over a veth pair, with this host as its router.

use crate::places::run;
use std::process::{Command, Output};

/// The outside machine, at 198.51.100.2; this host is 198.51.100.1.
pub struct World {
    name: String,
}

impl World {
    /// Makes it.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn make(name: &str) -> World {
        let ip = |line: &str| run(Command::new("ip").args(line.split(' ')));
        let _ = Command::new("ip").args(["netns", "del", name]).output();
        ip(&format!("netns add {name}"));
        ip(&format!("link add {name}-h type veth peer name {name}-w"));
        ip(&format!("link set {name}-w netns {name}"));
        ip(&format!("addr add 198.51.100.1/30 dev {name}-h"));
        ip(&format!("link set {name}-h up"));
        ip(&format!("-n {name} addr add 198.51.100.2/30 dev {name}-w"));
        ip(&format!("-n {name} link set {name}-w up"));
        ip(&format!("-n {name} link set lo up"));
        ip(&format!("-n {name} route add default via 198.51.100.1"));
        World { name: name.to_owned() }
    }

    /// Returns a command that will run there.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Runs a program there.
    ///
    /// # Panics
    /// When it cannot be run at all.
    pub fn run(&self, program: &str, args: &[&str]) -> Output {
        self.command(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["link", "del", &format!("{}-h", self.name)]).output();
        let _ = Command::new("ip").args(["netns", "del", &self.name]).output();
    }
}
