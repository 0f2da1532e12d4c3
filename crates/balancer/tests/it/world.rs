//! A control that is a unix socket, targets that are small servers, and clients.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixListener, unix::OwnedWriteHalf},
    sync::Notify,
    task::AbortHandle,
    time::{sleep, timeout},
};
use wharf_balancer::{BalancerConfig, run};
use wharf_model::{
    Arn,
    routing::{
        Action, BalancerRoutes, ListenerRoutes, RoutingTable, RuleRoutes, TargetGroupRoutes, TargetRoute,
    },
    rule::Condition,
    target_group::{HealthCheck, TargetAddress, TargetState},
};
use wharf_nodelink::{
    balancer::{FromBalancer, ListenProblem, ToBalancer},
    read_frame, write_frame,
};

/// Longer than anything here should take.
const LONG: Duration = Duration::from_secs(20);

pub(crate) fn arn(resource: &str) -> Arn {
    format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:{resource}").parse().unwrap()
}

/// A balancer process and its control.
pub(crate) struct World {
    dir: TempDir,
    heard: Arc<Heard>,
    to: Arc<tokio::sync::Mutex<Option<OwnedWriteHalf>>>,
    control: Option<AbortHandle>,
    balancer: Option<tokio::runtime::Runtime>,
    log_every: Duration,
    pub(crate) table: RoutingTable,
}

#[derive(Default)]
struct Heard {
    messages: Mutex<Vec<FromBalancer>>,
    more: Notify,
}

impl World {
    /// Starts a control and a balancer with an empty table.
    pub(crate) async fn new() -> World {
        let mut world = World {
            dir: TempDir::new().unwrap(),
            heard: Arc::default(),
            to: Arc::default(),
            control: None,
            balancer: None,
            log_every: Duration::from_secs(1),
            table: RoutingTable::default(),
        };
        world.start_control();
        world.start_balancer();
        world.hello().await;
        world
    }

    pub(crate) fn start_control(&mut self) {
        let path = self.dir.path().join("balancer.sock");
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(path).unwrap();
        let (heard, to) = (self.heard.clone(), self.to.clone());
        let accepting = tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                let (mut from, half) = connection.into_split();
                *to.lock().await = Some(half);
                while let Ok(Some(message)) = read_frame::<FromBalancer>(&mut from).await {
                    heard.messages.lock().unwrap().push(message);
                    heard.more.notify_waiters();
                }
            }
        });
        self.control = Some(accepting.abort_handle());
    }

    pub(crate) async fn stop_control(&mut self) {
        self.control.take().unwrap().abort();
        *self.to.lock().await = None;
        std::fs::remove_file(self.dir.path().join("balancer.sock")).unwrap();
        self.forget();
    }

    /// Starts a balancer in a runtime of its own, so that it can be killed.
    pub(crate) fn start_balancer(&mut self) {
        let path = |name: &str| self.dir.path().join(name).to_str().unwrap().into();
        let config = BalancerConfig {
            control_socket: path("balancer.sock"),
            state_dir: path("state"),
            buckets: path("buckets"),
            log_every: self.log_every,
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.spawn(async move { run(config).await.unwrap() });
        self.balancer = Some(runtime);
    }

    /// Returns where the balancer keeps what it needs for its next start.
    pub(crate) fn state(&self) -> std::path::PathBuf {
        self.dir.path().join("state")
    }

    /// Returns where the logs' buckets are.
    pub(crate) fn buckets(&self) -> std::path::PathBuf {
        self.dir.path().join("buckets")
    }

    /// Has the next balancer put its logs into their buckets this often.
    pub(crate) fn set_log_every(&mut self, every: Duration) {
        self.log_every = every;
    }

    pub(crate) fn kill_balancer(&mut self) {
        self.balancer.take().unwrap().shutdown_background();
    }

    pub(crate) async fn hello(&self) -> u64 {
        self.hear(|message| match message {
            FromBalancer::Hello { table_version, .. } => Some(*table_version),
            _ => None,
        })
        .await
    }

    /// Waits for a message that was or will be sent.
    pub(crate) async fn hear<T>(&self, which: impl Fn(&FromBalancer) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let more = self.heard.more.notified();
                if let Some(found) = self.heard.messages.lock().unwrap().iter().find_map(&which) {
                    return found;
                }
                more.await;
            }
        };
        timeout(LONG, waiting).await.unwrap_or_else(|_| {
            panic!("never heard; {:#?}", self.heard.messages.lock().unwrap());
        })
    }

    pub(crate) fn forget(&self) {
        self.heard.messages.lock().unwrap().clear();
    }

    pub(crate) fn heard(&self) -> Vec<FromBalancer> {
        self.heard.messages.lock().unwrap().clone()
    }

    /// Sends the table as it is now and waits until it is applied.
    pub(crate) async fn apply(&mut self) -> Vec<ListenProblem> {
        self.table.version += 1;
        let wanted = self.table.version;
        let message = ToBalancer::Table(self.table.clone());
        write_frame(self.to.lock().await.as_mut().unwrap(), &message).await.unwrap();
        self.hear(|message| match message {
            FromBalancer::Applied { version, problems } if *version == wanted => Some(problems.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn until(&self, at: TargetAddress, state: TargetState) {
        self.hear(|message| match message {
            FromBalancer::Health { target, health, .. } if *target == at && health.state == state => Some(()),
            _ => None,
        })
        .await;
    }

    pub(crate) async fn drained(&self, at: TargetAddress) {
        self.hear(|message| match message {
            FromBalancer::Drained { target, .. } if *target == at => Some(()),
            _ => None,
        })
        .await;
    }

    /// Puts a load balancer with one group into the table; returns where it listens.
    pub(crate) fn balance(&mut self, name: &str, targets: &[TargetAddress]) -> SocketAddrV4 {
        let at = free_port(Ipv4Addr::new(127, 77, 0, 1));
        let action = self.group(name, targets);
        self.listen(name, at, action);
        at
    }

    /// Puts a group into the table; returns the action that forwards to it.
    pub(crate) fn group(&mut self, name: &str, targets: &[TargetAddress]) -> Action {
        let group = arn(&format!("targetgroup/{name}/1"));
        let action = Action::Forward { target_groups: vec![(group.clone(), 1)], sticky_secs: None };
        self.table.target_groups.push(TargetGroupRoutes {
            arn: group,
            protocol_version: Default::default(),
            health_check: HealthCheck { interval_secs: 1, timeout_secs: 1, ..HealthCheck::default() },
            deregistration_delay_secs: 30,
            attributes: Default::default(),
            targets: targets
                .iter()
                .map(|address| TargetRoute { address: *address, draining: false })
                .collect(),
        });
        action
    }

    /// Puts a rule before the default action of the first listener.
    pub(crate) fn rule(&mut self, conditions: Vec<Condition>, action: Action) -> &mut RuleRoutes {
        let rules = &mut self.table.load_balancers[0].listeners[0].rules;
        let priority = u32::try_from(rules.len()).unwrap() + 1;
        rules.push(RuleRoutes { priority, conditions, action, transforms: Vec::new() });
        rules.last_mut().unwrap()
    }

    /// Puts a load balancer into the table.
    pub(crate) fn listen(&mut self, name: &str, at: SocketAddrV4, default_action: Action) {
        let arn = arn(&format!("listener/app/{name}/1/2"));
        self.table.load_balancers.push(BalancerRoutes {
            arn: self::arn(&format!("loadbalancer/app/{name}/1")),
            dns_name: format!("{name}-1234567890.us-east-1.elb.localhost"),
            addresses: vec![*at.ip()],
            host_addresses: Vec::new(),
            idle_timeout_secs: 60,
            attributes: Default::default(),
            listeners: vec![ListenerRoutes {
                arn,
                port: at.port(),
                default_action,
                rules: Vec::new(),
                attributes: Default::default(),
                tls: None,
            }],
        });
    }

    /// Marks a target of the first group as draining.
    pub(crate) fn drain(&mut self, at: TargetAddress) {
        let targets = &mut self.table.target_groups[0].targets;
        targets.iter_mut().find(|target| target.address == at).unwrap().draining = true;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(balancer) = self.balancer.take() {
            balancer.shutdown_background();
        }
    }
}

/// Returns an address with a port that was free a moment ago.
pub(crate) fn free_port(ip: Ipv4Addr) -> SocketAddrV4 {
    let listener = std::net::TcpListener::bind((ip, 0)).unwrap();
    SocketAddrV4::new(ip, listener.local_addr().unwrap().port())
}

/// A server that tells its name, what it was asked, and how often.
pub(crate) struct Server {
    pub(crate) address: TargetAddress,
    pub(crate) requests: Arc<AtomicUsize>,
    pub(crate) sources: Arc<Mutex<Vec<SocketAddr>>>,
    failing: Arc<AtomicBool>,
    accepting: AbortHandle,
}

impl Server {
    pub(crate) async fn new(name: &'static str) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = target(&listener);
        let (requests, sources) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<_>>>::default());
        let (counter, seen) = (requests.clone(), sources.clone());
        let failing = Arc::<AtomicBool>::default();
        let fails = failing.clone();
        let accepting = tokio::spawn(async move {
            loop {
                let (connection, from) = listener.accept().await.unwrap();
                seen.lock().unwrap().push(from);
                let (counter, fails) = (counter.clone(), fails.clone());
                let service =
                    service_fn(move |request| answer(name, counter.clone(), fails.clone(), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
            }
        });
        Server { address, requests, sources, failing, accepting: accepting.abort_handle() }
    }

    /// Lets its health checks fail from now on.
    pub(crate) fn fail_checks(&self) {
        self.failing.store(true, SeqCst);
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

pub(crate) fn target(listener: &TcpListener) -> TargetAddress {
    TargetAddress { ip: Ipv4Addr::LOCALHOST, port: listener.local_addr().unwrap().port() }
}

async fn answer(
    name: &'static str,
    counter: Arc<AtomicUsize>,
    failing: Arc<AtomicBool>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.headers().get("user-agent").is_some_and(|agent| agent == "ELB-HealthChecker/2.0") {
        let mut answer = Response::new(Full::default());
        if failing.load(SeqCst) {
            *answer.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        }
        return Ok(answer);
    }
    counter.fetch_add(1, SeqCst);
    if let Some(ms) = request.uri().query().and_then(|query| query.strip_prefix("ms=")) {
        sleep(Duration::from_millis(ms.parse().unwrap())).await;
    }
    let set = request.uri().query().and_then(|query| query.strip_prefix("set=")).map(str::to_owned);
    let headers: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    let line = format!("{} {}", request.method(), request.uri());
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let said = format!("{name}\n{line}\n{}\n\n{}", headers.join("\n"), String::from_utf8_lossy(&body));
    let mut answer = Response::new(Full::from(said));
    if let Some(cookie) = set {
        answer.headers_mut().insert("set-cookie", format!("{cookie}=1; Path=/").parse().unwrap());
    }
    Ok(answer)
}

/// Sends bytes and returns all that comes back until the connection ends.
pub(crate) async fn send(at: SocketAddrV4, request: &str) -> String {
    let exchange = async {
        let mut connection = TcpStream::connect(at).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    timeout(LONG, exchange).await.expect("an answer")
}

/// Asks for a path on a connection of its own.
pub(crate) async fn get(at: SocketAddrV4, path: &str) -> String {
    send(at, &format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")).await
}

/// Returns the status of an answer.
pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap_or_else(|| panic!("no status in {answer:?}")).parse().unwrap()
}

/// Returns the first line of an answer's body: the name of the server.
pub(crate) fn name(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1.lines().next().unwrap()
}
