//! A target group as requests see it: which of its targets is next, and how clients are kept with it.

use crate::{
    choose::{Drawn, Draws, anomaly, choose, draw, weighted},
    forwarded::random,
    sticky::{self, Mark, Marker},
    tally::GroupTally,
    target::{Recent, Target},
};
use pingora_core::upstreams::peer::HttpPeer;
use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};
use wharf_model::{
    Arn,
    attributes::{StickinessType, TargetGroupAttributes},
    routing::TargetGroupRoutes,
    target_group::ProtocolVersion,
};

/// What a request is answered that speaks another version of HTTP than its target group.
pub(crate) const INCOMPATIBLE: u16 = 464;

/// What outlives the tables that name a group.
#[derive(Debug)]
pub(crate) struct Group {
    /// Its ARN.
    pub(crate) arn: Arn,
    /// What is counted of it.
    pub(crate) tally: GroupTally,
    mark: Mark,
    turn: AtomicUsize,
    /// Whether so few targets are healthy that all get requests.
    open: AtomicBool,
    recent: Recent,
}

/// A target group, as one load balancer reaches it.
#[derive(Debug)]
pub(crate) struct Route {
    /// The group.
    pub(crate) group: Arc<Group>,
    /// How requests go to its targets.
    pub(crate) version: ProtocolVersion,
    attributes: TargetGroupAttributes,
    backends: Vec<Backend>,
}

/// A target, as one load balancer reaches it.
#[derive(Debug)]
pub(crate) struct Backend {
    /// The target.
    pub(crate) target: Arc<Target>,
    /// How pingora connects to it.
    pub(crate) peer: HttpPeer,
    /// The address that connections to it come from.
    pub(crate) source: Option<Ipv4Addr>,
}

/// Groups that requests are forwarded to, by weight.
#[derive(Debug)]
pub(crate) struct Forward {
    routes: Vec<(u32, Arc<Route>)>,
    sticky_secs: Option<u32>,
}

/// What a request says of where it wants to go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish<'a> {
    /// Its `Cookie` headers.
    pub(crate) cookies: &'a [&'a str],
    /// The time.
    pub(crate) now_secs: u64,
    /// Whether it came by TLS.
    pub(crate) secure: bool,
    /// The targets that failed for it already.
    pub(crate) tried: &'a [u64],
}

/// `Set-Cookie` headers for an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Keeping {
    /// Those for every answer.
    pub(crate) always: Vec<String>,
    /// The application's cookie, and the header for an answer that sets it.
    pub(crate) beside: Option<(String, String)>,
}

impl Group {
    /// Makes a group.
    pub(crate) fn new(arn: &Arn, marker: &Marker) -> Group {
        let mark = marker.mark(&arn.to_string());
        let (turn, open) = (AtomicUsize::new(0), AtomicBool::new(false));
        Group { arn: arn.clone(), tally: GroupTally::default(), mark, turn, open, recent: Recent::default() }
    }

    /// Looks whether enough of the targets are healthy.
    pub(crate) fn look(
        &self,
        attributes: &TargetGroupAttributes,
        targets: impl Iterator<Item = Arc<Target>>,
    ) {
        let (mut all, mut healthy) = (0_u64, 0_u64);
        for target in targets.filter(|target| !target.is_leaving()) {
            all += 1;
            healthy += u64::from(target.serves());
        }
        let few = healthy < u64::from(attributes.healthy_min_count)
            || attributes.healthy_min_percent.is_some_and(|percent| healthy * 100 < all * u64::from(percent));
        self.open.store(few, Relaxed);
    }

    /// Counts an answer of one of its targets, or that there was none.
    pub(crate) fn note(&self, target: &Target, failed: bool) {
        self.recent.note(failed);
        target.recent().note(failed);
    }

    /// Counts that one of its targets could not be connected to.
    pub(crate) fn unreached(&self, target: &Target) {
        self.note(target, true);
        self.tally.unreached();
    }
}

impl Route {
    /// Makes a route.
    pub(crate) fn new(group: Arc<Group>, sent: &TargetGroupRoutes, backends: Vec<Backend>) -> Route {
        Route { group, version: sent.protocol_version, attributes: sent.attributes.clone(), backends }
    }

    /// Returns the target of a request: the one that its client is kept with, or the one whose turn it is.
    pub(crate) fn choose(&self, wish: &Wish<'_>) -> Option<&Backend> {
        let open = self.group.open.load(Relaxed);
        let candidate = |backend: &Backend| {
            let mut candidate = backend.target.candidate(wish.tried.contains(&backend.target.id));
            candidate.healthy |= open;
            candidate
        };
        if let Some(mark) = self.kept(wish)
            && let Some(backend) = self.backends.iter().find(|backend| backend.target.mark == mark)
            && candidate(backend).is_ideal()
        {
            return Some(backend);
        }
        // When all are new, each still gets as much as the others.
        let weighs = self.attributes.slow_start_secs > 0 || self.attributes.anomaly_mitigation;
        let ideal = || self.backends.iter().filter(|backend| candidate(backend).is_ideal());
        let most = if weighs {
            ideal().map(|backend| self.share(&backend.target)).fold(f64::MIN_POSITIVE, f64::max)
        } else {
            1.0
        };
        let look = |index: usize| {
            let backend = &self.backends[index];
            candidate(backend).is_ideal().then(|| Drawn {
                share: if weighs { self.share(&backend.target) / most } else { 1.0 },
                in_flight: backend.target.outstanding(),
            })
        };
        let turn = || self.group.turn.fetch_add(1, Relaxed);
        let draws = Draws { turn: &turn, random: &random };
        let drawn = draw(self.backends.len(), self.attributes.algorithm, &draws, look);
        self.backends.get(match drawn {
            Some(index) => index,
            None => choose(self.backends.iter().map(candidate), turn())?,
        })
    }

    fn share(&self, target: &Target) -> f64 {
        let share = target.share(self.attributes.slow_start_secs);
        // With fewer there is no telling who is odd.
        if self.attributes.anomaly_mitigation && self.backends.len() >= 3 {
            share * anomaly(target.recent().failures(), self.group.recent.failures())
        } else {
            share
        }
    }

    /// Returns the mark of the target that the client is kept with.
    fn kept(&self, wish: &Wish<'_>) -> Option<Mark> {
        let TargetGroupAttributes { sticky, stickiness, app_cookie_name, .. } = &self.attributes;
        if !sticky || wish.cookies.is_empty() {
            return None;
        }
        match stickiness {
            StickinessType::LbCookie => sticky::marked(wish.cookies, &sticky::TARGET, wish.now_secs),
            StickinessType::AppCookie => {
                sticky::cookie(wish.cookies, app_cookie_name)?;
                sticky::marked(wish.cookies, &sticky::APP, wish.now_secs)
            }
        }
    }
}

impl Forward {
    /// Makes it of groups with their weights.
    pub(crate) fn new(routes: Vec<(u32, Arc<Route>)>, sticky_secs: Option<u32>) -> Forward {
        Forward { routes, sticky_secs }
    }

    /// Returns the group and the target of a request.
    pub(crate) fn choose(&self, wish: &Wish<'_>) -> Option<(&Arc<Route>, &Backend)> {
        if let [(_, only)] = self.routes.as_slice() {
            return only.choose(wish).map(|backend| (only, backend));
        }
        if self.sticky_secs.is_some()
            && let Some(mark) = sticky::marked(wish.cookies, &sticky::GROUP, wish.now_secs)
            && let Some((_, kept)) = self.routes.iter().find(|(_, route)| route.group.mark == mark)
            && let Some(backend) = kept.choose(wish)
        {
            return Some((kept, backend));
        }
        let index = weighted(self.routes.iter().map(|(weight, _)| *weight), random())?;
        let (_, route) = self.routes.get(index)?;
        route.choose(wish).map(|backend| (route, backend))
    }

    /// Returns what keeps the client of a request with its group and target.
    pub(crate) fn keeping(&self, route: &Route, target: &Target, wish: &Wish<'_>) -> Keeping {
        let mut keeping = Keeping::default();
        if let Some(secs) = self.sticky_secs {
            sticky::keep(&sticky::GROUP, &route.group.mark, secs, wish, &mut keeping.always);
        }
        let TargetGroupAttributes { sticky, stickiness, .. } = &route.attributes;
        match stickiness {
            _ if !sticky => {}
            StickinessType::LbCookie => {
                let secs = route.attributes.lb_cookie_secs;
                sticky::keep(&sticky::TARGET, &target.mark, secs, wish, &mut keeping.always);
            }
            StickinessType::AppCookie => {
                let mut headers = Vec::new();
                let secs = route.attributes.app_cookie_secs;
                sticky::keep(&sticky::APP, &target.mark, secs, wish, &mut headers);
                if route.kept(wish) == Some(target.mark) {
                    keeping.always.append(&mut headers);
                }
                keeping.beside =
                    headers.pop().map(|header| (route.attributes.app_cookie_name.clone(), header));
            }
        }
        keeping
    }
}
