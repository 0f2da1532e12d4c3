use std::sync::atomic::{AtomicUsize, Ordering};

use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use wharf_aws::sigv4::Signer;

use super::*;
use crate::services::Call;
use crate::{Answer, Fault, answer, sts};

const TARGET: &str = "AmazonEC2ContainerServiceV20141113";

static SLOW_BEGAN: Notify = Notify::const_new();
static SLOW_MAY_END: Notify = Notify::const_new();

/// A service with a few operations of its own in ECS's place.
async fn play(call: Call) -> Result<Answer, Fault> {
    let Call { service, operation, caller, body } = call;
    if service == wharf_aws::Service::Sts {
        return sts::dispatch(&caller, &operation, body).await;
    }
    match operation.as_str() {
        "Echo" => answer(body, async |input: serde_json::Value| Ok::<_, Fault>(input)).await,
        "Slow" => {
            SLOW_BEGAN.notify_one();
            SLOW_MAY_END.notified().await;
            answer(body, async |input: serde_json::Value| Ok::<_, Fault>(input)).await
        }
        "Panic" => panic!("an operation panics"),
        _ => Err(Fault::unknown_operation()),
    }
}

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    fn start(change: impl FnOnce(Api) -> Api) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let api = Api::over(Auth::root("AKID", "secret"), Box::new(|call| Box::pin(play(call))));
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(change(api).serve(listener, async move {
            let _ = stopped.await;
        }));
        Running { address, stop, served }
    }

    /// Sends bytes and returns everything that comes back.
    async fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    /// Sends a signed JSON request.
    async fn json(&self, operation: &str, body: &str) -> String {
        self.raw(&signed(self.address, operation, body)).await
    }
}

fn signed(address: SocketAddr, operation: &str, body: &str) -> Vec<u8> {
    let request = Request::post("/")
        .header("host", address.to_string())
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("{TARGET}.{operation}"));
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let signer = Signer { access_key: "AKID", secret: "secret", region: "us-east-1", service: "ecs" };
    signer.sign(&mut parts, body.as_bytes(), OffsetDateTime::now_utc()).unwrap();
    let mut text = "POST / HTTP/1.1\r\n".to_owned();
    for (name, value) in &parts.headers {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    text.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()));
    text.into_bytes()
}

#[tokio::test]
async fn a_signed_request_is_answered_with_a_request_id() {
    let api = Running::start(|api| api);
    let answer = api.json("Echo", r#"{"a":1}"#).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("x-amzn-requestid: "), "{answer}");
    assert!(answer.contains("content-type: application/x-amz-json-1.1"), "{answer}");
    assert!(answer.ends_with(r#"{"a":1}"#), "{answer}");
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    let api = Running::start(|api| api);
    let answer = api.json("Panic", "{}").await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    assert!(answer.contains("ServerException"), "{answer}");
    assert!(api.json("Echo", "{}").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn bad_input_gets_an_aws_error() {
    let api = Running::start(|api| api);
    for (operation, body, code) in [
        ("Echo", "{", "SerializationException"),
        ("Echo", "[]", "SerializationException"),
        ("Nothing", "{}", "UnknownOperationException"),
    ] {
        let answer = api.json(operation, body).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(answer.contains(&format!(r#""__type":"{code}""#)), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let api = Running::start(|api| api);
    let body = format!(r#"{{"a":"{}"}}"#, "x".repeat(2 * 1024 * 1024));
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    let (mut read, mut write) = stream.split();
    let request = signed(api.address, "Echo", &body);
    let mut answer = [0; 4096];
    let (_, size) = tokio::join!(write.write_all(&request), read.read(&mut answer));
    let answer = String::from_utf8_lossy(&answer[..size.unwrap()]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("RequestEntityTooLargeException"), "{answer}");
}

#[tokio::test]
async fn health_needs_no_signature_and_reset_needs_ephemeral() {
    let resets = Arc::new(AtomicUsize::new(0));
    let get = b"GET /_wharf/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let post = b"POST /_wharf/reset HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let api = Running::start(|api| api);
    assert!(api.raw(get).await.starts_with("HTTP/1.1 200"));
    let answer = api.raw(post).await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("--ephemeral"), "{answer}");

    let counted = Arc::clone(&resets);
    let api = Running::start(|api| {
        api.reset(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Ok(()) }
        })
    });
    assert!(api.raw(post).await.starts_with("HTTP/1.1 200"));
    assert_eq!(resets.load(Ordering::SeqCst), 1);
    // A page of another site can make a browser on this machine send this.
    let page = b"POST /_wharf/reset HTTP/1.1\r\nhost: x\r\norigin: https://example.com\r\n\
                 content-length: 0\r\nconnection: close\r\n\r\n";
    assert!(api.raw(page).await.starts_with("HTTP/1.1 403"));
    assert_eq!(resets.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_registry_asks_for_its_password() {
    let tokens = RegistryTokens::new("registry");
    let api = Running::start(|api| {
        api.registry(tokens, |_request| async {
            Response::new(http_body_util::Full::new(Bytes::from("hello")))
        })
    });
    let plain = b"GET /v2/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = api.raw(plain).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.to_lowercase().contains("www-authenticate: basic"), "{answer}");
    // AWS:registry
    let known =
        b"GET /v2/ HTTP/1.1\r\nhost: x\r\nauthorization: Basic QVdTOnJlZ2lzdHJ5\r\nconnection: close\r\n\r\n";
    assert!(api.raw(known).await.ends_with("hello"));
}

#[tokio::test]
async fn one_callers_flood_is_throttled() {
    let api = Running::start(|api| api.rate(Rate { per_second: 0.001, burst: 2.0 }));
    assert!(api.json("Echo", "{}").await.starts_with("HTTP/1.1 200"));
    assert!(api.json("Echo", "{}").await.starts_with("HTTP/1.1 200"));
    let answer = api.json("Echo", "{}").await;
    assert!(answer.contains("ThrottlingException") && answer.contains("Rate exceeded"), "{answer}");
}

#[tokio::test]
async fn a_stop_lets_requests_under_way_end() {
    let api = Running::start(|api| api);
    let mut stream = TcpStream::connect(api.address).await.unwrap();
    stream.write_all(&signed(api.address, "Slow", r#"{"b":2}"#)).await.unwrap();
    SLOW_BEGAN.notified().await;
    api.stop.send(()).unwrap();
    // The listener goes at once, the connection only when it has its answer.
    while TcpStream::connect(api.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    SLOW_MAY_END.notify_one();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with(r#"{"b":2}"#), "{answer}");
    api.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn authentication_is_only_off_on_loopback() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let api = Api::over(Auth::off(), Box::new(|call| Box::pin(play(call))));
    let outcome = api.serve(listener, std::future::pending()).await;
    assert!(matches!(outcome, Err(ServeError::Exposed(_))));
}

#[tokio::test]
async fn without_authentication_foreign_web_pages_are_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let api = Api::over(Auth::off(), Box::new(|call| Box::pin(play(call))));
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(api.serve(listener, async move {
        let _ = stopped.await;
    }));
    let api = Running { address, stop, served };
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    let head = format!(
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\nconnection: close\r\n",
        form.len()
    );
    let answer = api.raw(format!("{head}\r\n{form}").as_bytes()).await;
    assert!(answer.contains("<Account>123456789012</Account>"), "{answer}");
    let answer = api.raw(format!("{head}origin: https://example.com\r\n\r\n{form}").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}
