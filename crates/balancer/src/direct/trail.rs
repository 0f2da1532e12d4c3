//! What is written of a request on the short way.

use super::{Passed, Request};
use crate::{entry::Entry, group::Group, head::Raw, rule::Headers, session::ClientStream, tally::Came};
use std::{
    net::SocketAddrV4,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// What the logs tell of a request.
#[derive(Debug, Default)]
pub(super) struct Trail {
    pub(super) target: Option<(SocketAddrV4, Arc<Group>)>,
    pub(super) times: Option<[Duration; 3]>,
    pub(super) target_status: Option<u16>,
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) trace: Option<String>,
    pub(super) rewritten: [Option<String>; 2],
}

impl Request<'_> {
    /// Counts the request, and writes it into the access log if its load balancer has one.
    pub(super) fn log(&mut self, stream: &ClientStream, passed: &Passed) {
        let Some((_, listener, decided)) = &self.chosen else { return };
        let [received, sent] = stream.traffic().so_far();
        // Later requests may have come with this one, unless it was the last.
        let [before_it, before_answer] = self.way.before;
        let received = match self.asked.upgrade {
            true => received - before_it,
            false => (self.head.len() + self.body.len()) as u64,
        };
        let unsaid = if let Passed::Failed(answer) = passed { answer.len() as u64 } else { 0 };
        let trail = std::mem::take(&mut self.trail);
        let came = Came {
            group: trail.target.as_ref().map(|(_, group)| &**group),
            // Without any, the client had left before the answer.
            status: if trail.status == 0 { 460 } else { trail.status },
            answered: trail.target_status.zip(trail.times.map(|[_, thought, _]| thought)),
            bytes: [received, sent - before_answer + unsaid],
        };
        listener.tally.count(&came);
        if !listener.settings.access_logs.enabled {
            return;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let Came { status, bytes, .. } = came;
        let (priority, action) = listener.called(*decided);
        let mut agent = None;
        Raw(self.head).any("user-agent", &mut |value| {
            agent = Some(text(value));
            true
        });
        self.balancer.logs().request(Entry {
            listener: listener.clone(),
            calls: false,
            upgraded: self.asked.upgrade,
            tls: self.way.tls.clone(),
            client: self.way.from,
            target: trail.target.map(|(address, group)| (address, group.arn.to_string())),
            came: self.way.came,
            times: trail.times,
            done: SystemTime::now(),
            status,
            target_status: trail.target_status,
            bytes,
            request: [text(self.asked.method), text(self.asked.url), "HTTP/1.1".to_owned()],
            host: self.asked.host.map(str::to_owned),
            agent,
            trace: trail.trace,
            priority: Some(priority),
            action: Some(action),
            location: trail.location,
            ambiguous: self.way.mended,
            connection: self.way.name(),
            rewritten: trail.rewritten,
        });
    }
}
