use super::*;

fn passed_on(head: &str) -> Option<String> {
    passed_on_by(head, &LoadBalancerAttributes::default())
}

fn passed_on_by(head: &str, settings: &LoadBalancerAttributes) -> Option<String> {
    let mut out = Vec::new();
    let asked = request(head.as_bytes(), &mut out)?;
    let told =
        Told { from: ([10, 0, 0, 9], 1234).into(), port: 80, trace: "Root=1-2-3", settings, tls: None };
    finish(&mut out, &asked, &told);
    Some(String::from_utf8(out).unwrap())
}

/// Returns what an answer to a GET is, and what the client gets.
fn answered(bytes: &str) -> Result<(Answer, String), Nonsense> {
    answered_as(bytes, &ListenerAttributes::default(), &Keeping::default())
}

fn answered_as(
    bytes: &str,
    attributes: &ListenerAttributes,
    keeping: &Keeping,
) -> Result<(Answer, String), Nonsense> {
    let mut out = Vec::new();
    let date = || http::HeaderValue::from_static("now");
    let dress = Dress { attributes, keeping };
    let answer = answer(bytes.as_bytes(), &Asked::default(), true, date, &dress, &mut out)?;
    Ok((answer, String::from_utf8(out).unwrap()))
}

#[test]
fn a_request_is_passed_on_with_the_client_in_it() {
    let head = "POST /a?b HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nX-Amzn-Trace-Id: Root=9\r\n\
                Content-Length: 2\r\nx-forwarded-for: 1.2.3.4\r\nX-Forwarded-Port: 1\r\n\r\n";
    let expected = "POST /a?b HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\nX-Forwarded-For: 1.2.3.4, 10.0.0.9\r\n\
                    X-Forwarded-Proto: http\r\nX-Forwarded-Port: 80\r\nX-Amzn-Trace-Id: Root=1-2-3\r\n\r\n";
    assert_eq!(passed_on(head).as_deref(), Some(expected));
    let asked = request(head.as_bytes(), &mut Vec::new()).unwrap();
    assert!(asked.close && !asked.idempotent && !asked.head_only);
    assert_eq!((asked.host, asked.trace), (Some("shop"), Some("Root=9")));
}

#[test]
fn requests_that_need_more_than_passing_on_are_left_alone() {
    for line in [
        "Connection: close, x-secret",
        "Upgrade: websocket",
        "Expect: 100-continue",
        "TE: trailers",
        "Trailer: x",
        "Keep-Alive: 5",
        "Proxy-Connection: close",
        "Proxy-Authorization: x",
        "HTTP2-Settings: x",
        "Transfer-Encoding: chunked",
    ] {
        assert_eq!(passed_on(&format!("GET / HTTP/1.1\r\nHost: t\r\n{line}\r\n\r\n")), None, "{line}");
    }
    assert_eq!(passed_on("GET http://t/ HTTP/1.1\r\nHost: t\r\n\r\n"), None);
    assert_eq!(passed_on("OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n"), None);
    assert_eq!(passed_on("GET / HTTP/1.0\r\nHost: t\r\n\r\n"), None);
}

#[test]
fn an_answers_connection_is_the_load_balancers_own() {
    let answer = "HTTP/1.0 404 \r\nConnection: keep-alive, x\r\nKeep-Alive: 5\r\nUpgrade: h2c\r\n\
                  Content-Length: 3\r\nDate: then\r\nX: y\r\n\r\nabc";
    let head = answer.len() - 3;
    let (parsed, out) = answered(answer).unwrap();
    assert_eq!(parsed, Answer::Final { status: 404, head, body: Extent::Length(3), reuse: true, keep: true });
    let expected =
        "HTTP/1.1 404 \r\nDate: then\r\nX: y\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\n";
    assert_eq!(out, expected);
}

#[test]
fn an_answers_extent_is_what_its_head_says() {
    let extent = |lines: &str| match answered(&format!("HTTP/1.1 {lines}\r\n\r\n")) {
        Ok((Answer::Final { body, reuse, keep, .. }, _)) => Some((body, reuse, keep)),
        _ => None,
    };
    assert_eq!(extent("200 OK"), Some((Extent::Close, false, false)));
    assert_eq!(extent("204 No Content"), Some((Extent::Length(0), true, true)));
    assert_eq!(extent("304 Not Modified\r\nContent-Length: 9"), Some((Extent::Length(0), true, true)));
    assert_eq!(extent("200 OK\r\nTransfer-Encoding: Chunked"), Some((Extent::Chunked, true, true)));
    assert_eq!(
        extent("200 OK\r\nContent-Length: 9\r\nConnection: close"),
        Some((Extent::Length(9), false, true))
    );
    let both = "200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked";
    assert_eq!(extent(both), Some((Extent::Chunked, false, true)));
    for wrong in [
        "200 OK\r\nContent-Length: 9\r\nContent-Length: 8",
        "200 OK\r\nContent-Length: +9",
        "200 OK\r\nContent-Length:",
        "200 OK\r\nTransfer-Encoding: gzip, chunked",
        "101 Switching Protocols\r\nUpgrade: websocket",
    ] {
        assert_eq!(extent(wrong), None, "{wrong}");
    }
}

#[test]
fn preliminary_answers_pass_but_for_100() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    assert_eq!(answered(hints), Ok((Answer::Interim(hints.len()), hints.to_owned())));
    assert_eq!(answered("HTTP/1.1 100 Continue\r\n\r\n"), Ok((Answer::Interim(25), String::new())));
    assert_eq!(answered("HTTP/1.1 20"), Ok((Answer::Partial, String::new())));
    assert_eq!(answered("nonsense\r\n\r\n"), Err(Nonsense));
}

#[test]
fn the_path_and_the_host_of_a_copy_can_be_changed() {
    let head = "GET /a?b HTTP/1.1\r\nX: y\r\nhost:shop\r\nZ: z\r\n\r\n";
    let mut out = Vec::new();
    let asked = request(head.as_bytes(), &mut out).unwrap();
    assert_eq!(asked.path_and_query(), (&b"/a"[..], &b"b"[..]));
    change(&mut out, &asked, Some(b"/longer/than?before"), Some("shop:8080"));
    let expected = "GET /longer/than?before HTTP/1.1\r\nX: y\r\nHost: shop:8080\r\nZ: z\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn x_forwarded_for_is_added_to_preserved_or_removed() {
    let head = "GET / HTTP/1.1\r\nHost: t\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n";
    let said = |mode, port| {
        let settings = LoadBalancerAttributes {
            forwarded_for: mode,
            forwarded_for_port: port,
            ..LoadBalancerAttributes::default()
        };
        let passed = passed_on_by(head, &settings).unwrap();
        passed.lines().find_map(|line| line.strip_prefix("X-Forwarded-For: ")).map(str::to_owned)
    };
    assert_eq!(said(ForwardedFor::Append, true).as_deref(), Some("1.2.3.4, 10.0.0.9:1234"));
    assert_eq!(said(ForwardedFor::Preserve, true).as_deref(), Some("1.2.3.4"));
    assert_eq!(said(ForwardedFor::Remove, false), None);
}

#[test]
fn cookies_and_odd_names_are_noticed() {
    let head = "GET / HTTP/1.1\r\nHost: t\r\nCookie: a=1; b=2\r\ncookie: c=3\r\nodd_name: 1\r\n\r\n";
    let asked = request(head.as_bytes(), &mut Vec::new()).unwrap();
    assert_eq!((asked.cookies.as_slice(), asked.odd_names), (&["a=1; b=2", "c=3"][..], true));
    assert!(Raw(head.as_bytes()).any("COOKIE", &mut |value| value == b"c=3"));
    assert!(!Raw(head.as_bytes()).any("get / http/1.1", &mut |_| true));
}

#[test]
fn a_listener_puts_headers_into_answers_and_hides_others() {
    let attributes = ListenerAttributes {
        server_header: false,
        response_headers: vec![("X-Frame-Options".to_owned(), "DENY".to_owned())],
    };
    let answer =
        "HTTP/1.1 200 OK\r\nserver: nginx\r\nx-frame-options: SAMEORIGIN\r\nContent-Length: 0\r\n\r\n";
    let (_, out) = answered_as(answer, &attributes, &Keeping::default()).unwrap();
    assert!(out.contains("\r\nX-Frame-Options: DENY\r\n"), "{out}");
    assert!(!out.contains("nginx") && !out.contains("SAMEORIGIN"), "{out}");
}

#[test]
fn cookies_are_set_always_or_beside_the_applications() {
    let keeping = Keeping {
        always: vec!["AWSALBTG=1".to_owned()],
        beside: Some(("sid".to_owned(), "AWSALBAPP-0=2".to_owned())),
    };
    let set = |lines: &str| {
        let answer = format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: 0\r\n\r\n");
        let (_, out) = answered_as(&answer, &ListenerAttributes::default(), &keeping).unwrap();
        out.lines().filter_map(|line| line.strip_prefix("Set-Cookie: ")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(set(""), "AWSALBTG=1");
    assert_eq!(set("Set-Cookie: sid=9\r\n"), "sid=9 AWSALBTG=1 AWSALBAPP-0=2");
}

#[test]
fn a_websocket_is_asked_for_and_agreed_to_in_one_way() {
    let head = "GET /ws HTTP/1.1\r\nHost: t\r\nConnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n\
                Sec-WebSocket-Key: x\r\n\r\n";
    let told = passed_on(head).unwrap();
    assert!(
        told.starts_with("GET /ws HTTP/1.1\r\nHost: t\r\nSec-WebSocket-Key: x\r\nX-Forwarded-For: "),
        "{told}"
    );
    assert!(
        told.ends_with("Trace-Id: Root=1-2-3\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
        "{told}"
    );
    let others =
        [head.replace("GET", "PUT"), head.replace(", Upgrade", ""), head.replace("WebSocket", "h2c")];
    for other in others {
        assert_eq!(passed_on(&other), None, "{other}");
    }

    let asked = request(head.as_bytes(), &mut Vec::new()).unwrap();
    let agreed = "HTTP/1.1 101 Switching Protocols\r\nconnection: x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: y\r\n\r\n";
    let (attributes, keeping) = Default::default();
    let dress = Dress { attributes: &attributes, keeping: &keeping };
    let mut out = Vec::new();
    let date = || http::HeaderValue::from_static("now");
    let bytes = format!("{agreed}first");
    let came = answer(bytes.as_bytes(), &asked, true, date, &dress, &mut out);
    assert_eq!(came, Ok(Answer::Switched(agreed.len())));
    let expected = "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: y\r\nConnection: Upgrade\r\n\
                    Upgrade: websocket\r\n\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    assert_eq!(answered(agreed), Err(Nonsense), "nobody asked for it");
}
