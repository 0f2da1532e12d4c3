//! Doing things inside a task's network namespace, past its container.

use crate::{places::run, wharf::Wharf};
use camino::Utf8PathBuf;
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A task's network namespace.
#[derive(Debug, Clone)]
pub struct Inside {
    namespace: Utf8PathBuf,
}

impl Inside {
    /// Finds the namespace that has an address.
    ///
    /// # Panics
    /// When there is none.
    pub fn find(wharf: &Wharf, address: &str) -> Inside {
        let dir = wharf.run_dir().join("netns");
        let entries = dir.read_dir_utf8().expect("a Wharf with tasks has namespaces");
        let all = entries.flatten().map(|entry| Inside { namespace: entry.into_path() });
        let mut having = all.filter(|inside| {
            let shown = run(inside.command("ip").args(["-o", "-4", "address", "show", "dev", "eth0"]));
            shown.contains(&format!("inet {address}/32"))
        });
        having.next().unwrap_or_else(|| panic!("no namespace has {address}"))
    }

    /// Returns the name of the nftables table of this task's Wharf.
    ///
    /// # Panics
    /// When the namespace is not called as Wharf calls them.
    pub fn firewall_table(&self) -> String {
        let name = self.namespace.file_name().expect("a namespace has a name");
        format!("wharf_{}", &name[1..5])
    }

    /// Returns a command that will run there.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.namespace)).arg(program);
        command
    }

    /// Asks for a page and returns the status; nothing when there is no answer within a second.
    ///
    /// # Panics
    /// When curl cannot be run.
    pub fn status(&self, url: &str) -> Option<u16> {
        let mut curl = self.command("curl");
        curl.args(["-s", "-m", "1", "-o", "/dev/null", "-w", "%{http_code}", url]);
        let output = curl.output().expect("curl is installed by scripts/test");
        String::from_utf8_lossy(&output.stdout).trim().parse().ok().filter(|status| *status != 0)
    }

    /// Asks the task's resolver for the address of a name; returns the answer's last four bytes as an address, or the
    /// code of what went wrong.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn resolve(&self, name: &str) -> String {
        let script = "import socket, sys\n\
            q = bytes([7, 7, 1, 0, 0, 1]) + bytes(6)\n\
            q += b''.join(bytes([len(l)]) + l.encode() for l in sys.argv[1].split('.')) + bytes([0, 0, 1, 0, 1])\n\
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(8)\n\
            s.sendto(q, ('169.254.169.253', 53)); a, f = s.recvfrom(4096)\n\
            assert f == ('169.254.169.253', 53) and a[:2] == q[:2], (f, a)\n\
            t = socket.create_connection(('169.254.169.253', 53), 2)\n\
            t.sendall(len(q).to_bytes(2, 'big') + q); assert t.recv(4096)[2:] == a, a\n\
            print(socket.inet_ntoa(a[-4:]) if a[3] & 15 == 0 else 'code %d' % (a[3] & 15))\n";
        run(self.command("python3").args(["-c", script, name])).trim().to_owned()
    }

    /// Opens a connection and sends a first request over it.
    ///
    /// # Panics
    /// When it is not answered.
    pub fn connect(&self, address: &str) -> Connection {
        let script = "import socket, sys\n\
            s = socket.create_connection((sys.argv[1], 80), 2)\n\
            while True:\n\
            \x20try:\n\
            \x20\x20s.sendall(b'GET /healthz HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); data = s.recv(4096)\n\
            \x20\x20print('answered' if data else 'closed', flush=True)\n\
            \x20except OSError as error: print(error, flush=True)\n\
            \x20if not sys.stdin.readline(): break\n";
        let mut command = self.command("python3");
        command.args(["-c", script, address]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python3 is installed by scripts/test");
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let mut connection = Connection {
            child,
            input: input.expect("its input is a pipe"),
            output: BufReader::new(output.expect("its output is a pipe")),
        };
        assert_eq!(connection.read(), "answered");
        connection
    }
}

/// A connection that stays open.
pub struct Connection {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Connection {
    /// Sends another request and returns whether it was answered within two seconds.
    ///
    /// # Panics
    /// When the program that holds the connection has ended.
    pub fn answers(&mut self) -> bool {
        self.input.write_all(b"again\n").expect("the program reads its input");
        self.read() == "answered"
    }

    fn read(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the program prints lines");
        line.trim().to_owned()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
