//! `wharf logs`: what a task's containers have written, and go on writing.

use crate::{local, options::Options};
use anyhow::{Context, bail};
use std::{io::Write, time::Duration};
use wharf_keeper::output::{Follower, Lines};
use wharf_nodelink::local::{ContainerOutput, FromControl, OutputPlace, ToControl};

/// Between two looks for more.
const POLL: Duration = Duration::from_millis(200);
/// How long a task that has stopped may still deliver.
const LATE_LOOKS: u32 = 10;
const LINE_BYTES_MAX: usize = 256 << 10;

/// Prints the output of a task's containers, or of one of them; with `follow`, until the task has stopped.
pub(crate) fn run(
    options: &Options,
    task: &str,
    container: Option<&str>,
    follow: bool,
) -> anyhow::Result<()> {
    let (mut id, mut stopped, mut containers) = look(options, task)?;
    if let Some(name) = container {
        containers.retain(|container| container.name == name);
        if containers.is_empty() {
            bail!("task {id} has no container named '{name}'");
        }
    }
    let mut tails: Vec<Tail> = containers.into_iter().map(Tail::new).collect();
    let named = tails.len() > 1;
    let mut late = 0;
    loop {
        let mut any = false;
        for tail in &mut tails {
            any |= tail.print(options, &id, named)?;
        }
        late = if stopped && !any { late + 1 } else { 0 };
        if (!follow && !any) || late >= LATE_LOOKS {
            return Ok(());
        }
        if follow && !any {
            std::thread::sleep(POLL);
            let containers;
            (id, stopped, containers) = match look(options, &id) {
                Ok(found) => found,
                // It was forgotten meanwhile.
                Err(_) => (id, true, Vec::new()),
            };
            for tail in &mut tails {
                if let Some(now) = containers.iter().find(|now| now.name == tail.container.name) {
                    tail.container = now.clone();
                }
            }
        }
    }
}

fn look(options: &Options, task: &str) -> anyhow::Result<(String, bool, Vec<ContainerOutput>)> {
    match local::ask(&options.control_socket(), &ToControl::TaskOutput { task: task.to_owned() })? {
        FromControl::TaskOutput { task, stopped, containers } => Ok((task, stopped, containers)),
        FromControl::Refused(why) => bail!("{why}"),
        FromControl::Imported { .. } | FromControl::LogPage { .. } | FromControl::BackedUp { .. } => {
            bail!("another question was answered")
        }
    }
}

/// How far a container's output was printed.
struct Tail {
    container: ContainerOutput,
    next: u64,
    lines: Lines,
    told: bool,
}

impl Tail {
    fn new(container: ContainerOutput) -> Tail {
        Tail { container, next: 0, lines: Lines::new(LINE_BYTES_MAX), told: false }
    }

    /// Prints what has come; says whether anything has.
    fn print(&mut self, options: &Options, task: &str, named: bool) -> anyhow::Result<bool> {
        let prefix = if named { format!("{} | ", self.container.name) } else { String::new() };
        match &self.container.place {
            OutputPlace::Stored { group, stream } => {
                let asked =
                    ToControl::LogPage { group: group.clone(), stream: stream.clone(), from: self.next };
                match local::ask(&options.control_socket(), &asked)? {
                    FromControl::LogPage { events, next } => {
                        self.next = next;
                        let lines = events.iter().map(|event| event.message.as_bytes());
                        write(&prefix, lines)
                    }
                    FromControl::Refused(why) => bail!("{why}"),
                    FromControl::Imported { .. }
                    | FromControl::TaskOutput { .. }
                    | FromControl::BackedUp { .. } => {
                        bail!("another question was answered")
                    }
                }
            }
            OutputPlace::Node => {
                let Some(id) = &self.container.runtime_id else { return Ok(false) };
                let dir = options.state_dir.join("tasks").join(task).join(id);
                if !dir.join(wharf_keeper::output::INDEX_FILE).exists() {
                    return Ok(false);
                }
                let follower = match self.next {
                    0 => Follower::open_oldest(&dir),
                    next => Follower::open(&dir, next),
                };
                let mut follower = follower.context("read the container's output")?;
                while let Some(chunk) = follower.read().context("read the container's output")? {
                    self.next = chunk.next;
                    self.lines.push(&chunk);
                }
                let lines: Vec<Vec<u8>> = self.lines.by_ref().map(|line| line.bytes).collect();
                write(&prefix, lines.iter().map(Vec::as_slice))
            }
            OutputPlace::Elsewhere { driver } => {
                if !std::mem::replace(&mut self.told, true) {
                    tell(&format!(
                        "container '{}' sends its output away with log driver '{driver}'",
                        self.container.name
                    ));
                }
                Ok(false)
            }
        }
    }
}

fn write<'a>(prefix: &str, lines: impl Iterator<Item = &'a [u8]>) -> anyhow::Result<bool> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut any = false;
    for line in lines {
        any = true;
        out.write_all(prefix.as_bytes())
            .and_then(|()| out.write_all(line))
            .and_then(|()| out.write_all(b"\n"))?;
    }
    out.flush()?;
    Ok(any)
}

#[expect(clippy::print_stderr, reason = "for the person who typed the command, not part of the output")]
fn tell(text: &str) {
    eprintln!("wharf: {text}");
}
