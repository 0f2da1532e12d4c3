//! HTTPS listeners: what they present reaches the balancer, as it is and as it changes.

use crate::world::World;
use std::time::Duration;
use tokio::{net::UnixStream, sync::watch, task::AbortHandle, time::timeout};
use wharf_control::operations::{
    balancing::Error,
    certificates::{self, Import, KeyAlgorithm, Request},
    listeners::{self, CERTIFICATES_MAX, ListenerChange, NewListener},
    load_balancers::{self, NewLoadBalancer},
    target_groups::{self, NewTargetGroup},
};
use wharf_model::{
    Arn,
    load_balancer::{ListenerProtocol, Scheme},
    network::Vpc,
    routing::{Action, RoutingTable, TlsRoutes},
    secret::Plain,
    target_group::{HealthCheck, ProtocolVersion},
    tls::SSL_POLICY_DEFAULT,
};
use wharf_nodelink::{
    VERSION,
    balancer::{FromBalancer, ToBalancer},
    read_frame, write_frame,
};

/// A balancer that serves whatever it is sent.
struct Served {
    table: watch::Receiver<RoutingTable>,
    reader: AbortHandle,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Served {
    async fn join(world: &World) -> Served {
        let (mut from, mut to) = UnixStream::connect(world.socket("balancer")).await.unwrap().into_split();
        let hello = FromBalancer::Hello { version: VERSION, table_version: 0 };
        write_frame(&mut to, &hello).await.unwrap();
        let (seen, table) = watch::channel(RoutingTable::default());
        let reader = tokio::spawn(async move {
            while let Ok(Some(ToBalancer::Table(table))) = read_frame(&mut from).await {
                let applied = FromBalancer::Applied { version: table.version, problems: Vec::new() };
                seen.send_replace(table);
                let _ = write_frame(&mut to, &applied).await;
            }
        });
        Served { table, reader: reader.abort_handle() }
    }

    /// Waits until the only listener speaks TLS like this, and returns how it does.
    async fn until(&mut self, what: &str, like: impl Fn(&TlsRoutes) -> bool) -> TlsRoutes {
        let tls = |table: &RoutingTable| table.load_balancers.first()?.listeners.first()?.tls.clone();
        let seen = self.table.wait_for(|table| tls(table).is_some_and(|tls| like(&tls)));
        let seen = timeout(Duration::from_secs(5), seen).await.unwrap_or_else(|_| panic!("never {what}"));
        tls(&seen.unwrap()).unwrap()
    }
}

fn names(of: &TlsRoutes) -> Vec<&str> {
    of.certificates.iter().map(|certificate| certificate.names[0].as_str()).collect()
}

async fn certificate(world: &World, name: &str) -> Arn {
    let request = Request {
        domain: name.to_owned(),
        alternatives: Vec::new(),
        algorithm: KeyAlgorithm::P256,
        token: None,
        tags: Vec::new(),
    };
    certificates::request(&world.control, request).await.unwrap()
}

async fn new(world: &World) -> NewListener {
    let new = NewLoadBalancer {
        name: "shop".into(),
        subnets: world.network().subnets,
        security_groups: Vec::new(),
        scheme: Scheme::Internal,
        tags: Vec::new(),
    };
    NewListener {
        load_balancer: load_balancers::create(&world.control, new).await.unwrap().arn.clone(),
        port: 443,
        protocol: ListenerProtocol::Https,
        certificate: Some(certificate(world, "shop.example").await),
        ssl_policy: None,
        default_action: Action::FixedResponse { status_code: 200, content_type: None, message_body: None },
        tags: Vec::new(),
    }
}

fn own(replaces: Option<&Arn>) -> Import {
    let made = rcgen::generate_simple_self_signed(["own.example".to_owned()]).unwrap();
    Import {
        replaces: replaces.map(ToString::to_string),
        certificate: made.cert.pem(),
        chain: String::new(),
        key: Plain::new(made.signing_key.serialize_pem()),
        tags: Vec::new(),
    }
}

#[tokio::test]
async fn certificates_of_a_listener_reach_the_balancer_as_they_change() {
    let world = World::new().await;
    let control = &world.control;
    let mut served = Served::join(&world).await;
    let listener = listeners::create(control, new(&world).await).await.unwrap().arn.clone();
    let first = served.until("the default one", |tls| names(tls) == ["shop.example"]).await;
    assert_eq!(first.policy, SSL_POLICY_DEFAULT);
    assert!(first.certificates[0].key.reveal().contains("PRIVATE KEY"));
    assert_eq!(first.certificates[0].chain.matches("BEGIN CERTIFICATE").count(), 2, "with its authority's");

    let imported = certificates::import(control, own(None)).await.unwrap();
    listeners::add_certificates(control, &listener, std::slice::from_ref(&imported)).await.unwrap();
    let two = served.until("another", |tls| names(tls) == ["shop.example", "own.example"]).await;
    certificates::import(control, own(Some(&imported))).await.unwrap();
    let renewed = |tls: &TlsRoutes| tls.certificates[1] != two.certificates[1];
    let after = served.until("a new one in its place", renewed).await;
    assert_eq!(after.certificates[0], two.certificates[0]);

    let policy = "ELBSecurityPolicy-TLS13-1-3-2021-06";
    let change = ListenerChange {
        certificate: Some(imported.clone()),
        ssl_policy: Some(policy.to_owned()),
        ..ListenerChange::default()
    };
    listeners::modify(control, &listener, change).await.unwrap();
    let changed = served.until("another default one", |tls| names(tls) == ["own.example"]).await;
    assert_eq!(changed.policy, policy);
}

#[tokio::test]
async fn a_listener_that_could_not_speak_is_refused() {
    let world = World::new().await;
    let control = &world.control;
    let good = new(&world).await;
    let known = good.certificate.clone().unwrap();
    let unknown: Arn = "arn:aws:acm:us-east-1:123456789012:certificate/x".parse().unwrap();
    let refused = async |change: fn(&mut NewListener)| {
        let mut new = good.clone();
        change(&mut new);
        listeners::create(control, new).await.unwrap_err()
    };
    assert!(matches!(refused(|new| new.certificate = None).await, Error::Validation(_)));
    assert!(matches!(refused(|new| new.protocol = ListenerProtocol::Http).await, Error::Validation(_)));
    let policy = refused(|new| new.ssl_policy = Some("ELBSecurityPolicy-2099-01".to_owned())).await;
    assert!(matches!(policy, Error::SslPolicyNotFound(_)));
    let none = NewListener { certificate: Some(unknown.clone()), ..good.clone() };
    assert!(matches!(listeners::create(control, none).await, Err(Error::CertificateNotFound(_))));

    let listener = listeners::create(control, good.clone()).await.unwrap().arn.clone();
    let add = async |given: &[Arn]| listeners::add_certificates(control, &listener, given).await;
    assert!(matches!(add(&[unknown]).await, Err(Error::CertificateNotFound(_))));
    // One that is there is not there twice.
    let known_only = std::slice::from_ref(&known);
    assert_eq!(add(known_only).await.unwrap().certificates, known_only);
    let gone = listeners::remove_certificates(control, &listener, known_only).await;
    assert!(matches!(gone, Err(Error::OperationNotPermitted(_))));
    let mut many = Vec::new();
    for number in 0..=CERTIFICATES_MAX {
        many.push(certificate(&world, &format!("{number}.example")).await);
    }
    assert!(matches!(add(&many).await, Err(Error::TooManyCertificates(_))));
    assert_eq!(add(&many[1..]).await.unwrap().certificates.len(), CERTIFICATES_MAX + 1);
    assert!(certificates::delete(control, &known.to_string()).await.is_err(), "it is in use");
}

#[tokio::test]
async fn calls_of_grpc_need_a_listener_with_tls() {
    let world = World::new().await;
    let control = &world.control;
    let group = NewTargetGroup {
        name: "calls".into(),
        port: 80,
        protocol_version: ProtocolVersion::Grpc,
        vpc: control.store().view().list::<Vpc>("")[0].id.clone(),
        health_check: HealthCheck::of(ProtocolVersion::Grpc),
        tags: Vec::new(),
    };
    let group = target_groups::create(control, group).await.unwrap().arn.clone();
    let calls = Action::Forward { target_groups: vec![(group, 1)], sticky_secs: None };
    let https = NewListener { default_action: calls, ..new(&world).await };
    let http = NewListener { port: 80, protocol: ListenerProtocol::Http, certificate: None, ..https.clone() };
    assert!(matches!(listeners::create(control, http).await, Err(Error::InvalidConfiguration(_))));
    let listener = listeners::create(control, https).await.unwrap();
    let plain = ListenerChange { protocol: Some(ListenerProtocol::Http), ..ListenerChange::default() };
    assert!(matches!(
        listeners::modify(control, &listener.arn, plain).await,
        Err(Error::InvalidConfiguration(_))
    ));
}
