//! The `wharf` command: one binary for the four processes, for starting and stopping them, and for people.

mod backup;
mod ca;
mod control_process;
mod credentials;
mod down;
mod exec;
mod hosts_file;
mod image;
mod instance;
mod keeper_process;
mod lb;
mod local;
mod logs;
mod node;
mod options;
mod orphans;
mod pid;
mod ready;
mod restore;
mod status;
mod supervise;
mod up;

use clap::{Parser, Subcommand};
use options::Options;
use std::process::ExitCode;

/// Amazon ECS for Linux machines of one's own.
#[derive(Parser)]
#[command(name = "wharf", version, about)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs control, agent, balancer and keeper, and restarts one that dies.
    Up {
        #[command(flatten)]
        options: Options,
        /// Return when everything is ready, and go on in the background.
        #[arg(long)]
        detach: bool,
    },
    /// Stops the processes; tasks run on unless `--all` is given.
    Down {
        #[command(flatten)]
        options: Options,
        /// Also remove every task, network, mount and file that this Wharf made.
        #[arg(long)]
        all: bool,
    },
    /// Says whether Wharf runs, and as which processes.
    Status {
        #[command(flatten)]
        options: Options,
        /// Say it by the exit code alone.
        #[arg(long, short)]
        quiet: bool,
    },
    /// Lists, brings and removes images.
    Image {
        #[command(flatten)]
        options: Options,
        #[command(subcommand)]
        command: image::ImageCommand,
    },
    /// Shows what load balancers do.
    Lb {
        #[command(flatten)]
        options: Options,
        #[command(subcommand)]
        command: lb::LbCommand,
    },
    /// Prints what a task's containers have written.
    Logs {
        #[command(flatten)]
        options: Options,
        /// The task: its ARN, its id, or the beginning of one.
        task: String,
        /// One of its containers.
        container: Option<String>,
        /// Go on until the task has stopped.
        #[arg(long, short)]
        follow: bool,
    },
    /// Copies the state of the running Wharf, or of a stopped one, into one file.
    ///
    /// The file has one revision of everything that the API shows, however much is written meanwhile, and the keys
    /// that go with it: keep it as safe as a password. Data of
    /// volumes, file systems and buckets is not in it.
    Backup {
        #[command(flatten)]
        options: Options,
        #[command(flatten)]
        asked: backup::Backup,
    },
    /// Makes the state of a stopped Wharf from a backup.
    ///
    /// Tasks that do not run on this machine have stopped then, and services start others. A backup of a newer
    /// version, or a damaged one, is refused, and nothing is changed.
    Restore {
        #[command(flatten)]
        options: Options,
        #[command(flatten)]
        asked: restore::Restore,
    },
    /// Prints the environment that points the AWS CLI and SDKs here.
    Env {
        #[command(flatten)]
        options: Options,
    },
    /// Prints the certificate of the authority that signs what RequestCertificate issues.
    Ca {
        #[command(flatten)]
        options: Options,
    },
    /// Runs a command in a container of a task that was started with enableExecuteCommand.
    Exec {
        #[command(flatten)]
        options: Options,
        #[command(flatten)]
        exec: exec::Exec,
    },
    /// Runs the control plane: the API, the decisions, the state.
    Control {
        #[command(flatten)]
        options: Options,
        /// Standard input is a socket that already listens on the endpoint.
        #[arg(long)]
        listen_on_stdin: bool,
    },
    /// Runs the node: networks, images, logs, one supervisor per task.
    Agent {
        #[command(flatten)]
        options: Options,
    },
    /// Runs the load balancer.
    Balancer {
        #[command(flatten)]
        options: Options,
    },
    /// Runs the parent of every container.
    Keeper {
        #[command(flatten)]
        options: Options,
    },
}

fn main() -> ExitCode {
    // `wharf up` waits for its signals with a mask, and what it starts inherits that mask.
    let unmasked = nix::sys::signal::SigSet::empty().thread_set_mask();
    debug_assert!(unmasked.is_ok(), "an empty mask is always accepted");
    match run(Line::parse().command) {
        Ok(code) => code,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let done = match command {
        Command::Up { options, detach } => up::up(&options.settled(), detach),
        Command::Down { options, all } => down::down(&options.recorded(), all),
        Command::Status { options, quiet } => status::status(&options.recorded(), quiet),
        Command::Image { options, command } => image::run(&options.recorded(), command),
        Command::Lb { options, command } => lb::run(&options.recorded(), command),
        Command::Logs { options, task, container, follow } => {
            logs::run(&options.recorded(), &task, container.as_deref(), follow)
        }
        Command::Backup { options, asked } => backup::backup(&options.recorded(), &asked),
        Command::Restore { options, asked } => restore::restore(&options.recorded(), &asked),
        Command::Env { options } => credentials::print_environment(&options.recorded()),
        Command::Ca { options } => ca::print(&options.recorded()),
        Command::Exec { options, exec } => return exec::exec(&options.recorded(), &exec).map(ExitCode::from),
        Command::Control { options, listen_on_stdin } => {
            log_to_stderr("control");
            control_process::run(&options, listen_on_stdin)
        }
        Command::Agent { options } => {
            log_to_stderr("agent");
            node::agent(&options)
        }
        Command::Balancer { options } => {
            log_to_stderr("balancer");
            node::balancer(&options)
        }
        Command::Keeper { options } => keeper_process::run(&options),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Logs to standard error; `WHARF_LOG` takes the filter, such as `debug` or `wharf_agent=trace,info`.
fn log_to_stderr(process: &'static str) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("WHARF_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    tracing::info!(process, pid = std::process::id(), "started");
}

#[expect(clippy::print_stderr, reason = "this is where errors reach the person who typed the command")]
fn report(error: &anyhow::Error) {
    eprintln!("wharf: {error:#}");
}
