//! A command of somebody who looks into a container: between keeper and the connection that control passes on.

use super::{Execution, LAST_WORDS, Pipes, Terminal, begin, begin_in_terminal};
use crate::{
    error::{Error, chain},
    node::Node,
};
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, pipe},
    },
    sync::{mpsc, watch},
};
use wharf_nodelink::{
    FrameError,
    agent::{ExecOrder, FromAgent},
    exec::{FromCommand, ToCommand},
    read_frame, write_frame,
};
use wharf_sandbox::exec::{ExecSpec, TerminalSize};

const CHUNK_BYTES: usize = 16 * 1024;

/// Runs a command as control ordered it, to its end or until nobody looks any more.
#[tracing::instrument(name = "command", skip_all, fields(task = %order.task, container = order.container))]
pub(crate) async fn serve(node: Arc<Node>, order: ExecOrder) {
    tracing::info!(command = ?order.command, terminal = order.terminal, "command asked for");
    match converse(&node, order).await {
        Ok(code) => tracing::info!(code, "command ended"),
        Err(error) => tracing::info!(error = chain(&error), "nobody looks at the command any more"),
    }
}

async fn converse(node: &Node, order: ExecOrder) -> Result<Option<i32>, Error> {
    let socket = &node.config.control_socket;
    let stream = UnixStream::connect(socket).await.map_err(Error::file("connect to control at", socket))?;
    let (from, mut to) = stream.into_split();
    write_frame(&mut to, &FromAgent::Session { ticket: order.ticket.clone() }).await?;
    let (send, mut outgoing) = mpsc::channel(4);
    let input = listen(from);
    let run = async {
        let last = match run(node, &order, input, &send).await {
            Ok(code) => FromCommand::Ended { code },
            Err(reason) => FromCommand::Failed { reason },
        };
        let code = if let FromCommand::Ended { code } = &last { *code } else { None };
        // Whoever looked has gone when it cannot be sent.
        let _gone = send.send(last).await;
        drop(send);
        code
    };
    let tell = async {
        while let Some(message) = outgoing.recv().await {
            write_frame(&mut to, &message).await?;
        }
        Ok::<(), FrameError>(())
    };
    tokio::pin!(run, tell);
    tokio::select! {
        code = &mut run => {
            tell.await?;
            Ok(code)
        }
        told = &mut tell => {
            told?;
            Ok(run.await)
        }
    }
}

/// Reads what is said to the command. A task of its own, because reading a frame cannot be interrupted; the channel ends
/// with the connection.
fn listen(mut from: OwnedReadHalf) -> mpsc::Receiver<ToCommand> {
    let (heard, input) = mpsc::channel(4);
    tokio::spawn(async move {
        while let Ok(Some(message)) = read_frame::<ToCommand>(&mut from).await {
            if heard.send(message).await.is_err() {
                return;
            }
        }
    });
    input
}

async fn run(
    node: &Node,
    order: &ExecOrder,
    input: mpsc::Receiver<ToCommand>,
    send: &mpsc::Sender<FromCommand>,
) -> Result<Option<i32>, String> {
    let id = node
        .container_of(&order.task, &order.container)
        .ok_or_else(|| format!("container {} of task {} is not on this node", order.container, order.task))?;
    let mut spec = ExecSpec { args: order.command.clone(), as_root: true, ..ExecSpec::default() };
    if order.terminal {
        spec.env = vec!["TERM=xterm-256color".to_owned()];
        let (execution, terminal) =
            begin_in_terminal(&node.keeper, &id, spec).await.map_err(|error| chain(&error))?;
        // Nobody listens any more when this fails; the next message finds out.
        let _gone = send.send(FromCommand::Started).await;
        Ok(in_terminal(execution, terminal, input, send).await)
    } else {
        let (execution, pipes) = begin(&node.keeper, &id, spec).await.map_err(|error| chain(&error))?;
        let _gone = send.send(FromCommand::Started).await;
        Ok(with_pipes(execution, pipes, input, send).await)
    }
}

async fn in_terminal(
    mut execution: Execution,
    terminal: Terminal,
    mut input: mpsc::Receiver<ToCommand>,
    send: &mpsc::Sender<FromCommand>,
) -> Option<i32> {
    let (mut keys, screen, whole) = terminal.split();
    let (over, ending) = watch::channel(false);
    // Reading fails once no program has the terminal any more.
    let output = pass(screen, send, FromCommand::Output, ending);
    let typing = async {
        while let Some(message) = input.recv().await {
            // A terminal that nobody has open takes nothing; its programs' end comes from keeper.
            let _taken = match message {
                ToCommand::Input(bytes) => keys.write_all(&bytes).await,
                // What the key for the end of input sends.
                ToCommand::EndOfInput => keys.write_all(&[4]).await,
                ToCommand::Size { columns, rows } => Terminal::resize(&whole, TerminalSize { columns, rows }),
            };
        }
    };
    attend(&mut execution, over, output, typing).await
}

async fn with_pipes(
    mut execution: Execution,
    pipes: Pipes,
    mut input: mpsc::Receiver<ToCommand>,
    send: &mpsc::Sender<FromCommand>,
) -> Option<i32> {
    let Pipes { input: stdin, output, error } = pipes;
    let (over, ending) = watch::channel(false);
    let output = async {
        tokio::join!(
            pass(output, send, FromCommand::Output, ending.clone()),
            pass(error, send, FromCommand::Error, ending)
        );
    };
    let typing = async move {
        let mut stdin = Some(stdin);
        while let Some(message) = input.recv().await {
            match (message, &mut stdin) {
                (ToCommand::Input(bytes), Some(pipe)) => {
                    // A program may close its input and run on.
                    if pipe.write_all(&bytes).await.is_err() {
                        stdin = None;
                    }
                }
                (ToCommand::EndOfInput, _) => stdin = None,
                (ToCommand::Input(_) | ToCommand::Size { .. }, _) => {}
            }
        }
    };
    attend(&mut execution, over, output, typing).await
}

/// Passes a stream on to its end, or until it is silent for a while after the process's end: what that left behind may
/// hold it open for ever.
async fn pass(
    mut stream: pipe::Receiver,
    send: &mpsc::Sender<FromCommand>,
    as_message: impl Fn(Vec<u8>) -> FromCommand,
    ending: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let mut ending = ending.clone();
        let silence = async {
            drop(ending.wait_for(|over| *over).await);
            tokio::time::sleep(LAST_WORDS).await;
        };
        let length = tokio::select! {
            read = stream.read(&mut buffer) => read.unwrap_or(0),
            () = silence => 0,
        };
        if length == 0 || send.send(as_message(buffer[..length].to_vec())).await.is_err() {
            return;
        }
    }
}

/// Waits for the process's end with the last of its output, or until nobody looks any more.
async fn attend(
    execution: &mut Execution,
    over: watch::Sender<bool>,
    output: impl Future<Output = ()>,
    typing: impl Future<Output = ()>,
) -> Option<i32> {
    let whole = async {
        let ended = execution.ended();
        tokio::pin!(ended, output);
        tokio::select! {
            ended = &mut ended => {
                over.send_replace(true);
                output.await;
                ended
            }
            () = &mut output => ended.await,
        }
    };
    tokio::select! {
        ended = whole => ended.ok().map(|ended| ended.code),
        () = typing => None,
    }
}
