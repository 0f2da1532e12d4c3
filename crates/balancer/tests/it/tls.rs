//! Listeners with TLS: which certificate a client gets, what it agrees on, and what targets are told of it.

use crate::world::{Server, World, name, status};
use rcgen::{CertificateParams, DnType, KeyPair};
use std::{
    net::SocketAddrV4,
    sync::{Arc, LazyLock},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore, SupportedProtocolVersion,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
        version::{TLS12, TLS13},
    },
};
use wharf_model::{
    routing::{Action, CertificateRoutes, TlsRoutes},
    secret::Plain,
    tls::SSL_POLICY_DEFAULT,
};

/// Certificates that vouch for themselves, each with its key, PEM.
static SHOP: LazyLock<[String; 2]> = LazyLock::new(|| issue(&["shop.example"]));
static WILD: LazyLock<[String; 2]> = LazyLock::new(|| issue(&["*.example.org", "example.org"]));

pub(crate) fn issue(names: &[&str]) -> [String; 2] {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(names.clone()).unwrap();
    params.distinguished_name.push(DnType::CommonName, names[0].clone());
    [params.self_signed(&key).unwrap().pem(), key.serialize_pem()]
}

pub(crate) fn certificate(names: &[&str], [chain, key]: &[String; 2]) -> CertificateRoutes {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateRoutes { names, chain: chain.clone(), key: Plain::new(key.as_str()) }
}

pub(crate) fn tls() -> TlsRoutes {
    let wild = certificate(&["*.example.org", "example.org"], &WILD);
    TlsRoutes {
        policy: SSL_POLICY_DEFAULT.to_owned(),
        certificates: vec![certificate(&["shop.example"], &SHOP), wild],
    }
}

pub(crate) fn set(world: &mut World, tls: Option<TlsRoutes>) {
    world.table.load_balancers[0].listeners[0].tls = tls;
}

/// Agrees on TLS with what listens there, as a host of this name.
async fn connect(
    at: SocketAddrV4,
    host: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> std::io::Result<TlsStream<TcpStream>> {
    offer(at, host, versions, &[]).await
}

/// Agrees on TLS and on one of these protocols.
pub(crate) async fn offer(
    at: SocketAddrV4,
    host: &str,
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    for [pem, _] in [&*SHOP, &*WILD] {
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_protocol_versions(versions).unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let host = ServerName::try_from(host.to_owned()).unwrap();
    let tcp = TcpStream::connect(at).await?;
    timeout(Duration::from_secs(5), TlsConnector::from(Arc::new(config)).connect(host, tcp)).await.unwrap()
}

/// Sends a request and returns all that comes back until the connection ends.
async fn ask(at: SocketAddrV4, host: &str, request: &str) -> String {
    let mut connection = connect(at, host, &[&TLS12, &TLS13]).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(Duration::from_secs(10), connection.read_to_end(&mut answer)).await.unwrap().unwrap();
    String::from_utf8(answer).unwrap()
}

async fn serving(tls: TlsRoutes) -> (World, Server, SocketAddrV4) {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.table.target_groups[0].health_check.enabled = false;
    set(&mut world, Some(tls));
    assert_eq!(world.apply().await, []);
    (world, a, at)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_pass_on_both_ways_and_targets_are_told() {
    let (mut world, _a, at) = serving(tls()).await;
    let get =
        "GET /x HTTP/1.1\r\nHost: shop.example\r\nX-Amzn-Tls-Version: none\r\nConnection: close\r\n\r\n";
    let post = "POST /x HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    for request in [get, post] {
        let answer = ask(at, "shop.example", request).await;
        assert_eq!((status(&answer), name(&answer)), (200, "a"), "{answer}");
        assert!(answer.contains("x-forwarded-proto: https\n"), "{answer}");
    }
    world.table.load_balancers[0].attributes.tls_headers = true;
    world.apply().await;
    for request in [get, post] {
        let answer = ask(at, "shop.example", request).await;
        assert!(answer.contains("x-amzn-tls-version: TLSv1.3\n"), "{answer}");
        assert!(answer.contains("x-amzn-tls-cipher-suite: TLS_AES_128_GCM_SHA256\n"), "{answer}");
        assert!(!answer.contains("x-amzn-tls-version: none"), "{answer}");
    }
    // Without TLS there is nothing to hear.
    let mut plain = TcpStream::connect(at).await.unwrap();
    plain.write_all(get.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    let _ = timeout(Duration::from_secs(5), plain.read_to_end(&mut heard)).await.unwrap();
    assert!(!String::from_utf8_lossy(&heard).contains("HTTP/1.1"), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_serves_request_after_request_however_large() {
    let (_world, _a, at) = serving(tls()).await;
    let mut connection = connect(at, "shop.example", &[&TLS13]).await.unwrap();
    for size in [0, 10, 300_000, 1] {
        let head = format!("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {size}\r\n\r\n");
        connection.write_all(head.as_bytes()).await.unwrap();
        connection.write_all(&vec![b'x'; size]).await.unwrap();
        connection.flush().await.unwrap();
        let (mut answer, mut bytes) = (String::new(), vec![0; 64 << 10]);
        let whole = loop {
            let count = timeout(Duration::from_secs(10), connection.read(&mut bytes)).await.unwrap().unwrap();
            assert!(count > 0, "{size}: {} bytes", answer.len());
            answer.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
            if let Some((head, body)) = answer.split_once("\r\n\r\n") {
                let lower = head.to_lowercase();
                let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next());
                if body.len() == length.unwrap().parse::<usize>().unwrap() {
                    break body.to_owned();
                }
            }
        };
        assert_eq!(whole.split_once("\n\n").unwrap().1.len(), size);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_the_certificate_of_the_host_it_names() {
    let (mut world, _a, at) = serving(tls()).await;
    let get = "GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    for host in ["shop.example", "www.example.org", "example.org"] {
        assert_eq!(status(&ask(at, host, get).await), 200, "{host}");
    }
    // Nobody's host gets the default one, which is not for it.
    for host in ["other.example", "a.b.example.org"] {
        let error = connect(at, host, &[&TLS13]).await.unwrap_err().to_string();
        assert!(error.contains("certificate"), "{host}: {error}");
    }
    let mut old = connect(at, "shop.example", &[&TLS13]).await.unwrap();
    let only = TlsRoutes { certificates: tls().certificates.split_off(1), ..tls() };
    set(&mut world, Some(only));
    world.apply().await;
    assert!(connect(at, "shop.example", &[&TLS13]).await.is_err(), "its certificate is gone");
    assert_eq!(status(&ask(at, "example.org", get).await), 200);
    // A connection lives on with what was agreed.
    old.write_all(get.as_bytes()).await.unwrap();
    let mut answer = String::new();
    old.read_to_string(&mut answer).await.unwrap();
    assert_eq!(status(&answer), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_decides_on_versions_and_what_cannot_be_spoken_is_told() {
    let newest = "ELBSecurityPolicy-TLS13-1-3-2021-06".to_owned();
    let (mut world, _a, at) = serving(TlsRoutes { policy: newest, ..tls() }).await;
    assert!(connect(at, "shop.example", &[&TLS13]).await.is_ok());
    assert!(connect(at, "shop.example", &[&TLS12]).await.is_err());
    set(&mut world, Some(TlsRoutes { policy: "ELBSecurityPolicy-FS-1-2-Res-2020-10".to_owned(), ..tls() }));
    world.apply().await;
    assert!(connect(at, "shop.example", &[&TLS12]).await.is_ok());
    assert!(connect(at, "shop.example", &[&TLS13]).await.is_err());
    let mut broken = tls();
    broken.certificates[0].key = Plain::new("no key");
    set(&mut world, Some(broken));
    let problems = world.apply().await;
    assert!(problems.len() == 1 && problems[0].reason.contains("TLS cannot be spoken"), "{problems:?}");
    assert!(connect(at, "shop.example", &[&TLS12]).await.is_err());
    // And never without it.
    let mut plain = TcpStream::connect(at).await.unwrap();
    assert_eq!(plain.read(&mut [0; 16]).await.unwrap_or(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn load_balancers_that_share_an_address_are_told_apart_by_name_and_do_not_harm_each_other() {
    let (mut world, _a, at) = serving(tls()).await;
    let b = Server::new("b").await;
    let action = world.group("other", &[b.address]);
    world.table.target_groups[1].health_check.enabled = false;
    world.listen("other", at, action);
    let certificates = tls().certificates;
    let policy = || SSL_POLICY_DEFAULT.to_owned();
    let shop = TlsRoutes { policy: policy(), certificates: certificates[..1].to_vec() };
    let wild = TlsRoutes { policy: policy(), certificates: certificates[1..].to_vec() };
    let other =
        |world: &mut World, tls: TlsRoutes| world.table.load_balancers[1].listeners[0].tls = Some(tls);
    set(&mut world, Some(shop));
    other(&mut world, wild.clone());
    assert_eq!(world.apply().await, []);
    let asked = async |host: &str| {
        let get = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        name(&ask(at, host, &get).await).to_owned()
    };
    assert_eq!(
        (asked("shop.example").await, asked("www.example.org").await),
        ("a".to_owned(), "b".to_owned())
    );

    // A certificate more that cannot be used is left out; without its default one a listener is.
    let broken = CertificateRoutes { key: Plain::new("no key"), ..certificates[1].clone() };
    let mut more = wild.clone();
    more.certificates.push(broken.clone());
    other(&mut world, more);
    assert_eq!(world.apply().await, []);
    assert_eq!(asked("www.example.org").await, "b");
    other(&mut world, TlsRoutes { certificates: vec![broken], ..wild });
    for _ in 0..2 {
        let problems = world.apply().await;
        assert!(problems.len() == 1 && problems[0].listener.resource.contains("other"), "{problems:?}");
        assert_eq!(asked("shop.example").await, "a");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_and_a_redirect_know_of_tls() {
    let (mut world, _a, at) = serving(tls()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    world.table.target_groups[0].targets[0].address = crate::world::target(&listener);
    world.apply().await;
    tokio::spawn(async move {
        let (mut target, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(target.read_u8().await.unwrap());
        }
        let answer =
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello";
        target.write_all(answer).await.unwrap();
        let mut said = [0; 5];
        target.read_exact(&mut said).await.unwrap();
        target.write_all(&said).await.unwrap();
    });
    let mut client = connect(at, "shop.example", &[&TLS13]).await.unwrap();
    let offer = "GET /ws HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nthere";
    client.write_all(offer.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    timeout(Duration::from_secs(5), client.read_to_end(&mut heard)).await.unwrap().unwrap();
    let heard = String::from_utf8(heard).unwrap();
    assert!(heard.starts_with("HTTP/1.1 101 ") && heard.ends_with("\r\n\r\nhellothere"), "{heard}");

    let part = |text: &str| text.to_owned();
    world.table.load_balancers[0].listeners[0].default_action = Action::Redirect {
        status_code: 301,
        protocol: part("#{protocol}"),
        host: part("#{host}"),
        port: part("#{port}"),
        path: part("/new"),
        query: part("#{query}"),
    };
    world.apply().await;
    let get = "GET /old HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n";
    let answer = ask(at, "shop.example", get).await;
    assert!(answer.contains(&format!("https://shop.example:{}/new\r\n", at.port())), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_balancer_speaks_tls_without_control_and_saves_no_key_in_the_clear() {
    let (mut world, _a, at) = serving(tls()).await;
    let saved = std::fs::read_to_string(world.state().join("table.json")).unwrap();
    assert!(saved.contains("BEGIN CERTIFICATE") && !saved.contains("PRIVATE KEY"), "{saved}");
    world.stop_control().await;
    world.kill_balancer();
    while TcpStream::connect(at).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.start_balancer();
    while TcpStream::connect(at).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let get = "GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    for host in ["shop.example", "www.example.org"] {
        assert_eq!(status(&ask(at, host, get).await), 200, "{host}");
    }
}
