//! What is written of a request on pingora's way.

use super::{Proxy, Underway};
use crate::{client::Client, entry::Entry, tally::Came};
use pingora_proxy::Session;
use std::{net::SocketAddrV4, time::SystemTime};

impl Proxy {
    /// Counts a request, and writes it into the access log if its load balancer has one.
    pub(super) fn log(&self, session: &Session, underway: &mut Underway) {
        let (Some((_, listener, decided)), Some(Client { way, upgrade, traffic })) =
            (&underway.chosen, &underway.client)
        else {
            return;
        };
        let times = underway.sent_at.zip(underway.answered);
        let times =
            times.map(|(sent, (answered, _))| [sent - way.start, answered - sent, answered.elapsed()]);
        let target_status = underway.answered.map(|(_, status)| status);
        // Without any, the client had left before the answer.
        let status = session.response_written().map_or(460, |answer| answer.status.as_u16());
        let [received, sent] = traffic.so_far();
        let bytes = match session.is_http2() {
            false => [received - way.before[0], sent - way.before[1]],
            // Other requests share the connection.
            true => [session.body_bytes_read() as u64, session.body_bytes_sent() as u64],
        };
        let answered = target_status.zip(times.map(|[_, thought, _]| thought));
        listener.tally.count(&Came { group: underway.group.as_deref(), status, answered, bytes });
        if !listener.settings.access_logs.enabled {
            return;
        }
        let request = session.req_header();
        let header = |name: &str| {
            let value = request.headers.get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let group = underway.group.as_ref().map(|group| group.arn.to_string());
        let target = underway.target.map(|target| SocketAddrV4::new(target.ip, target.port));
        let (priority, action) = listener.called(*decided);
        self.balancer.logs().request(Entry {
            listener: listener.clone(),
            calls: underway.calls,
            upgraded: *upgrade,
            tls: way.tls.clone(),
            client: way.from,
            target: target.zip(group),
            came: way.came,
            times,
            done: SystemTime::now(),
            status,
            target_status,
            bytes,
            request: [
                request.method.to_string(),
                request.uri.path_and_query().map_or("/", |url| url.as_str()).to_owned(),
                format!("{:?}", request.version),
            ],
            host: header("host"),
            agent: header("user-agent"),
            trace: underway.trace.take(),
            priority: Some(priority),
            action: Some(action),
            location: underway.location.take(),
            ambiguous: way.mended,
            connection: way.name(),
            rewritten: std::mem::take(&mut underway.rewritten),
        });
    }
}
