//! `wharf exec`: a command in a container of a running task, as `aws ecs execute-command` runs it, without the plugin.

mod screen;
mod session;

use crate::{
    credentials::Credentials,
    options::{Auth, Options},
};
use anyhow::{Context, bail};
use http::{Request, header};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};
use time::OffsetDateTime;
use wharf_aws::sigv4::Signer;

/// How long the API may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// What is to be run where.
#[derive(Debug, clap::Args)]
pub(crate) struct Exec {
    /// Keep the command's standard input open.
    #[arg(long, short)]
    interactive: bool,
    /// Give the command a terminal.
    #[arg(long, short)]
    tty: bool,
    /// The cluster.
    #[arg(long, default_value = "default")]
    cluster: String,
    /// The container, when the task has several.
    #[arg(long, short)]
    container: Option<String>,
    /// The task: its id or ARN.
    task: String,
    /// The program with its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Runs the command and returns its exit code.
pub(crate) fn exec(options: &Options, exec: &Exec) -> anyhow::Result<u8> {
    let request = json!({
        "cluster": exec.cluster, "task": exec.task, "container": exec.container,
        "command": wharf_plan::command_line::line(&exec.command), "interactive": exec.tty,
    });
    let answer = call(options, "ExecuteCommand", &request)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let session = session::Session {
        url: text(&answer["session"]["streamUrl"]),
        token: text(&answer["session"]["tokenValue"]),
        address: options.endpoint,
        input: exec.interactive,
        terminal: exec.tty,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(session::run(session));
    // A thread that still waits for the next key must not be waited for.
    runtime.shutdown_background();
    code
}

/// Calls an operation of ECS and returns its answer.
fn call(options: &Options, operation: &str, input: &Value) -> anyhow::Result<Value> {
    let body = input.to_string();
    let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
    let (mut parts, ()) = Request::post("/")
        .header(header::HOST, options.endpoint.to_string())
        .header(header::CONTENT_TYPE, "application/x-amz-json-1.1")
        .header("x-amz-target", target)
        .body(())?
        .into_parts();
    let credentials = match options.auth {
        Auth::On => Some(Credentials::kept(options)?),
        Auth::Off => None,
    };
    let (access_key, secret) = credentials
        .as_ref()
        .map_or(("wharf", "wharf"), |kept| (&kept.access_key_id, &kept.secret_access_key));
    let signer = Signer { access_key, secret, region: &options.region, service: "ecs" };
    signer.sign(&mut parts, body.as_bytes(), OffsetDateTime::now_utc())?;
    let mut request = String::from("POST / HTTP/1.1\r\nConnection: close\r\n");
    for (name, value) in &parts.headers {
        request.push_str(&format!("{name}: {}\r\n", value.to_str()?));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    let answer = send(options, &request).with_context(|| format!("ask the API at {}", options.endpoint))?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the API did not answer in HTTP")?;
    let content: Value = serde_json::from_str(body).context("understand the API's answer")?;
    if head.split(' ').nth(1) != Some("200") {
        bail!("{}", content["message"].as_str().or(content["Message"].as_str()).unwrap_or(body));
    }
    Ok(content)
}

fn send(options: &Options, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&options.endpoint, ANSWER_TIMEOUT)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
