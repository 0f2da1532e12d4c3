//! What the load balancer changes in heads on pingora's way.

use super::{Underway, now_secs, status};
use crate::{
    forwarded::{client, forwarded_for, random, trace_id},
    head::{Dress, TLS_CIPHER, TLS_VERSION},
    host,
    rewrite::Unfit,
    sticky,
};
use http::header::{COOKIE, HOST, HeaderName, HeaderValue, SET_COOKIE};
use pingora_core::Result;
use pingora_http::{RequestHeader, ResponseHeader};
use tokio::time::Instant;
use wharf_model::attributes::ForwardedFor;

/// Tells a target of the client, and rewrites the request by its rule.
pub(super) fn request(request: &mut RequestHeader, underway: &mut Underway) -> Result<()> {
    let (Some(of), Some((_, listener, decided))) = (&underway.client, &underway.chosen) else {
        return Ok(());
    };
    let settings = &listener.settings;
    if settings.drop_invalid_header_fields {
        let odd = |name: &&HeaderName| {
            !name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let odd: Vec<HeaderName> = request.headers.keys().filter(odd).cloned().collect();
        for name in odd {
            request.remove_header(&name);
        }
    }
    if of.way.tls.as_ref().is_some_and(|tls| tls.http2) {
        downgrade(request)?;
    }
    let came = request.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let came = came.collect::<Vec<_>>().join(", ");
    match settings.forwarded_for {
        ForwardedFor::Append => {
            let client = client(of.way.from, settings.forwarded_for_port);
            request.insert_header("X-Forwarded-For", forwarded_for(Some(&came), &client))?;
        }
        ForwardedFor::Preserve => {}
        ForwardedFor::Remove => {
            request.remove_header("x-forwarded-for");
        }
    }
    request.insert_header("X-Forwarded-Proto", if of.way.tls.is_some() { "https" } else { "http" })?;
    if settings.tls_headers {
        request.remove_header(TLS_VERSION);
        request.remove_header(TLS_CIPHER);
        if let Some(tls) = &of.way.tls {
            request.insert_header(TLS_VERSION, tls.agreed.version.as_str())?;
            request.insert_header(TLS_CIPHER, tls.agreed.cipher.as_str())?;
        }
    }
    request.insert_header("X-Forwarded-Port", listener.port.to_string())?;
    let name = HeaderName::from_static("x-amzn-trace-id");
    let came = request.headers.get(&name).and_then(|value| value.to_str().ok());
    let trace = trace_id(came, now_secs(), (random(), random()));
    request.insert_header("X-Amzn-Trace-Id", trace.as_str())?;
    underway.trace = Some(trace);
    underway.sent_at = Some(Instant::now());
    let unfit = |Unfit| status(500, "the rewritten request is none");
    let host = match request.headers.get(HOST).and_then(|host| host.to_str().ok()) {
        Some(host) => {
            let rewritten = listener.rewrites(*decided).map(|rewrites| rewrites.host(host));
            let rewritten = rewritten.transpose().map_err(unfit)?.flatten();
            underway.rewritten[0].clone_from(&rewritten);
            let told = || host::told(rewritten.as_deref().unwrap_or(host), listener.port);
            let told = if settings.preserve_host_header { None } else { told() };
            told.or(rewritten)
        }
        // HTTP/1.0 goes on as HTTP/1.1, which must have one.
        None => Some(listener.dns_name.clone()),
    };
    if let Some(host) = host {
        request.insert_header(HOST, host)?;
    }
    let url = request.uri.path_and_query().map_or("/", |url| url.as_str());
    let rewritten = listener.rewrites(*decided).map(|rewrites| rewrites.url(url.as_bytes()));
    if let Some(url) = rewritten.transpose().map_err(unfit)?.flatten() {
        underway.rewritten[1] = Some(String::from_utf8_lossy(&url).into_owned());
        let url = http::Uri::try_from(url);
        request.set_uri(url.map_err(|_| status(500, "the rewritten path is none"))?);
    }
    Ok(())
}

/// Puts what HTTP/2 says otherwise where everybody looks for it: the host, and cookies that came one by one.
fn downgrade(request: &mut RequestHeader) -> Result<()> {
    if !request.headers.contains_key(HOST)
        && let Some(authority) = request.uri.authority()
    {
        let host = authority.as_str().to_owned();
        request.insert_header(HOST, host)?;
    }
    let mut cookies = request.headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    if let (Some(first), Some(second)) = (cookies.next(), cookies.next()) {
        let all: Vec<&[u8]> = [first, second].into_iter().chain(cookies).collect();
        let all = HeaderValue::from_bytes(&all.join(b"; ".as_slice()));
        request.insert_header(COOKIE, all.map_err(|_| status(400, "cookies that cannot be joined"))?)?;
    }
    Ok(())
}

/// Gives an answer the headers of its listener and what keeps the client with its target.
pub(super) fn answer(answer: &mut ResponseHeader, underway: &Underway) -> Result<()> {
    let Some((_, listener, _)) = &underway.chosen else { return Ok(()) };
    let dress = Dress { attributes: &listener.attributes, keeping: &underway.keeping };
    let hidden: Vec<HeaderName> =
        answer.headers.keys().filter(|name| dress.hides(name.as_str().as_bytes())).cloned().collect();
    for name in hidden {
        answer.remove_header(&name);
    }
    for (name, value) in &listener.attributes.response_headers {
        answer.insert_header(name.clone(), value.as_str())?;
    }
    let beside = underway.keeping.beside.as_ref().filter(|(cookie, _)| {
        let mut set = answer.headers.get_all(SET_COOKIE).iter();
        set.any(|header| sticky::sets(header.as_bytes(), cookie))
    });
    let headers = underway.keeping.always.iter().chain(beside.map(|(_, header)| header));
    for header in headers {
        answer.append_header(SET_COOKIE, header.as_str())?;
    }
    Ok(())
}
