//! Health checks: one task per target, asking over HTTP from the load balancer's address.

mod http2;

use crate::{
    balancer::Balancer,
    connect::connect,
    forwarded::random,
    health::{Health, Outcome},
    matcher::Matcher,
    target::Target,
};
use std::{
    io,
    net::{Ipv4Addr, SocketAddrV4},
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use wharf_model::target_group::{HealthCheck, ProtocolVersion};

/// What asks calls itself.
const AGENT: &str = "ELB-HealthChecker/2.0";

/// How a target is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The group's settings.
    pub(crate) check: HealthCheck,
    /// The address to ask from.
    pub(crate) source: Option<Ipv4Addr>,
    /// How.
    pub(crate) version: ProtocolVersion,
}

/// Checks a target until it leaves.
pub(crate) async fn keep(balancer: Weak<Balancer>, target: Arc<Target>, plan: Plan) {
    let check = &plan.check;
    let matcher = check.matcher.parse::<Matcher>().unwrap_or_else(|error| {
        tracing::error!(target = %target.address, matcher = check.matcher, %error, "matcher is not understood");
        Matcher::none()
    });
    let port = check.port.unwrap_or(target.address.port);
    let address = SocketAddrV4::new(target.address.ip, port);
    let interval = Duration::from_secs(check.interval_secs.max(1).into());
    let (mut asked, mut counted_at) = (0_u32, None::<Instant>);
    // A target that is known already, after a restart, is looked at soon all the same.
    let mut pause = match target.health() {
        Health::Registering | Health::Unchecked => Duration::ZERO,
        _ => Duration::from_millis(random() % 200),
    };
    while !target.is_leaving() {
        sleep(pause).await;
        let limit = Duration::from_secs(check.timeout_secs.max(1).into());
        let outcome = match timeout(limit, ask(address, &plan)).await {
            Ok(Ok(status)) if matcher.passes(status) => Outcome::Passed,
            Ok(Ok(status)) => Outcome::Mismatch(status),
            Ok(Err(_)) => Outcome::Failed,
            Err(_) => Outcome::TimedOut,
        };
        let now = Instant::now();
        let counts = counted_at.is_none_or(|at| now.duration_since(at) >= interval.mul_f64(0.9));
        if counts {
            counted_at = Some(now);
        }
        let health = target.health().after(&outcome, counts, check);
        pause = health.pause(check, asked);
        asked = asked.saturating_add(1);
        if pause >= interval {
            // Targets that came together are not asked together for ever.
            pause = pause.mul_f64(0.95 + 0.1 * f64::from(u8::try_from(random() % 100).unwrap_or(0)) / 100.0);
        }
        let report = health.report();
        if target.set_health(health) && !target.is_leaving() {
            tracing::info!(target = %target.address, state = report.state.as_str(), ?outcome, "health changed");
            match balancer.upgrade() {
                Some(balancer) => balancer.health_changed(&target, report),
                None => return,
            }
        }
    }
}

/// Asks once and returns the final status, or gRPC's.
async fn ask(address: SocketAddrV4, plan: &Plan) -> io::Result<u16> {
    let connection = connect(plan.source, address).await?;
    let path = &plan.check.path;
    match plan.version {
        ProtocolVersion::Http1 => ask_http1(connection, address, path).await,
        ProtocolVersion::Http2 => http2::ask(connection, address, path).await,
        ProtocolVersion::Grpc => http2::call(connection, address, path).await,
    }
}

async fn ask_http1(mut connection: TcpStream, address: SocketAddrV4, path: &str) -> io::Result<u16> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nUser-Agent: {AGENT}\r\n\
         Accept-Encoding: gzip, compressed\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(2048);
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 128];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(&answer).map_err(io::Error::other)? {
            httparse::Status::Complete(end) => match response.code {
                Some(100..=199) => drop(answer.drain(..end)),
                Some(status) => return Ok(status),
                None => return Err(io::ErrorKind::InvalidData.into()),
            },
            httparse::Status::Partial if answer.len() > 64 << 10 => {
                return Err(io::ErrorKind::InvalidData.into());
            }
            httparse::Status::Partial => {
                if connection.read_buf(&mut answer).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
    }
}
