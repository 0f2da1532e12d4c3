//! The stories of deployments, and the revisions that they deploy.

use super::{Described, Error, Failure, clusters, pinned_images, references, services};
use crate::{Control, ids, look::Look};
use std::{collections::BTreeMap, sync::Arc};
use wharf_model::{
    Arn, ClusterName, Place, ServiceName, Timestamp,
    service::{
        Deployment, DeploymentState, RolledBack, Rollout, Service, ServiceDeployment, ServiceRevision,
    },
    task::Task,
};
use wharf_plan::service::{breaker, words};
use wharf_store::Draft;

/// How many stories of a service are kept.
const KEPT: usize = 100;
/// The most ARNs of one request.
const DESCRIBED_MAX: usize = 20;

/// A service deployment with the numbers of its revisions' tasks.
#[derive(Debug, Clone)]
pub struct DeploymentDetail {
    /// The story.
    pub story: Arc<ServiceDeployment>,
    /// The tasks of each revision: how many are wanted, run, and will.
    pub counts: BTreeMap<Arn, (usize, usize, usize)>,
    /// How many failed tasks are counted.
    pub failures: u32,
}

/// Which service deployments are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Those that are in one of these states; all when there are none.
    pub states: Vec<DeploymentState>,
    /// Those that were made after this.
    pub after: Option<Timestamp>,
    /// Those that were made before this.
    pub before: Option<Timestamp>,
}

/// How a deployment is to be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopType {
    /// Its tasks stay as they are.
    Abort,
    /// The service returns to what worked before.
    Rollback,
}

/// Begins the story of a deployment that replaces those of its service, and writes down the revision that it deploys.
pub(crate) fn begin(
    draft: &mut Draft<'_>,
    place: &Place,
    service: &Service,
    deployment: &mut Deployment,
    now: Timestamp,
) {
    let (cluster, name) = (&service.cluster, &service.name);
    let id = ids::decimal(19);
    let revision = ServiceRevision {
        arn: revision_arn(place, cluster, name, &id),
        id: id.clone(),
        cluster: cluster.clone(),
        service: name.clone(),
        definition: deployment.definition.clone(),
        launch_type: service.launch_type,
        network: deployment.network.clone(),
        terms: deployment.terms.clone(),
        images: BTreeMap::new(),
        created_at: now,
    };
    deployment.terms.revision = Some(id);
    let sources = service.deployments.iter().filter_map(|older| older.terms.revision.as_ref());
    let id = ids::service_deployment();
    let story = ServiceDeployment {
        arn: place.arn("ecs", format_args!("service-deployment/{cluster}/{name}/{id}")),
        id: id.clone(),
        cluster: cluster.clone(),
        service: name.clone(),
        deployment: deployment.id.clone(),
        sources: sources.map(|id| revision_arn(place, cluster, name, id)).collect(),
        target: revision.arn.clone(),
        state: DeploymentState::InProgress,
        reason: None,
        bounds: service.deployment_bounds,
        circuit_breaker: service.circuit_breaker,
        failures: (0, breaker::threshold(service.circuit_breaker.threshold, service.desired_count)),
        broken: false,
        rollback: None,
        created_at: now,
        updated_at: now,
        finished_at: None,
        stopped_at: None,
    };
    deployment.told_by = Some(id);
    draft.put(revision);
    draft.put(story);
    forget_old(draft, service);
}

/// Ends the story of a deployment that was not done; does nothing to one that has ended.
pub(crate) fn stop(
    draft: &mut Draft<'_>,
    service: &Service,
    deployment: &Deployment,
    state: DeploymentState,
    reason: &str,
    now: Timestamp,
) {
    tell(draft, service, deployment, now, |story| {
        if story.state.is_open() {
            story.state = state;
            story.reason = Some(reason.to_owned());
            story.stopped_at = Some(now);
            story.finished_at = Some(now);
        }
    });
}

/// Says that a deployment is done.
pub(crate) fn complete(draft: &mut Draft<'_>, service: &Service, deployment: &Deployment, now: Timestamp) {
    tell(draft, service, deployment, now, |story| {
        story.state = match story.state {
            DeploymentState::RollbackInProgress => DeploymentState::RollbackSuccessful,
            DeploymentState::InProgress => DeploymentState::Successful,
            ended => ended,
        };
        story.finished_at.get_or_insert(now);
    });
}

/// Says that a deployment's story goes on with a return to an earlier revision, or ends because there is none.
pub(crate) fn break_off(
    draft: &mut Draft<'_>,
    service: &Service,
    deployment: &Deployment,
    rollback: Option<RolledBack>,
    now: Timestamp,
) {
    tell(draft, service, deployment, now, |story| {
        story.broken = true;
        story.failures.0 = deployment.failures;
        story.reason = Some(words::BROKEN.to_owned());
        story.state = match (story.state, &rollback) {
            (DeploymentState::RollbackInProgress, _) => DeploymentState::RollbackFailed,
            (_, Some(_)) => DeploymentState::RollbackInProgress,
            (_, None) => DeploymentState::Stopped,
        };
        if !story.state.is_open() {
            story.stopped_at = Some(now);
            story.finished_at = Some(now);
        }
        story.rollback = rollback.or(story.rollback.take());
    });
}

/// Writes down what the images of a deployment turned out to be.
pub(crate) fn resolve(draft: &mut Draft<'_>, task: &Task, images: &BTreeMap<String, String>) {
    let Some((name, deployment)) = &task.service else { return };
    let service = draft.get::<Service>(&format!("{}/{name}", task.cluster));
    let part =
        service.as_ref().and_then(|service| services::parts(service).find(|part| part.id == *deployment));
    let Some(id) = part.and_then(|part| part.terms.revision.as_ref()) else { return };
    let Some(known) = draft.get::<ServiceRevision>(&format!("{}/{name}/{id}", task.cluster)) else { return };
    draft.put(ServiceRevision { images: images.clone(), ..(*known).clone() });
}

/// Returns the ARN of a deployment's revision.
pub fn revision_arn(place: &Place, cluster: &ClusterName, service: &ServiceName, id: &str) -> Arn {
    place.arn("ecs", format_args!("service-revision/{cluster}/{service}/{id}"))
}

/// Returns the ARN of the story of a service's open deployment.
pub fn current(service: &Service, place: &Place) -> Option<Arn> {
    let primary = service.deployments.first().filter(|primary| primary.rollout == Rollout::InProgress)?;
    let (cluster, name, id) = (&service.cluster, &service.name, primary.told_by.as_ref()?);
    Some(place.arn("ecs", format_args!("service-deployment/{cluster}/{name}/{id}")))
}

/// Lists a service's deployments, the newest first.
pub fn list(
    control: &Control,
    cluster: &ClusterName,
    given: &str,
    filter: &Filter,
) -> Result<Vec<Arc<ServiceDeployment>>, Error> {
    let view = control.store().view();
    clusters::active(&view, cluster)?;
    let name = references::service(given, cluster, &control.config().place)?;
    view.get::<Service>(&format!("{cluster}/{name}")).ok_or(Error::ServiceNotFound)?;
    let mut found = view.list::<ServiceDeployment>(&format!("{cluster}/{name}/"));
    found.retain(|story| {
        (filter.states.is_empty() || filter.states.contains(&story.state))
            && filter.after.is_none_or(|after| story.created_at > after)
            && filter.before.is_none_or(|before| story.created_at < before)
    });
    found.sort_by_key(|story| (std::cmp::Reverse(story.created_at), story.id.clone()));
    Ok(found)
}

/// Describes service deployments by their ARNs.
pub fn describe(control: &Control, given: &[String]) -> Result<Described<DeploymentDetail>, Error> {
    check_number(given)?;
    let place = &control.config().place;
    let view = control.store().view();
    let described = given.iter().map(|given| {
        let key = key(given, "service-deployment", place);
        let story = key.and_then(|key| view.get::<ServiceDeployment>(&key));
        let story = story.ok_or_else(|| Failure::missing(given))?;
        Ok(DeploymentDetail {
            counts: counts(&view, &story, place),
            failures: failures(&view, &story),
            story,
        })
    });
    Ok(described.collect())
}

/// Describes service revisions by their ARNs.
pub fn describe_revisions(
    control: &Control,
    given: &[String],
) -> Result<Described<Arc<ServiceRevision>>, Error> {
    check_number(given)?;
    let place = &control.config().place;
    let view = control.store().view();
    let described = given.iter().map(|given| {
        let key = key(given, "service-revision", place);
        key.and_then(|key| view.get::<ServiceRevision>(&key)).ok_or_else(|| Failure::missing(given))
    });
    Ok(described.collect())
}

/// Stops a deployment that is on its way.
pub async fn stop_by_request(control: &Control, given: &str, how: StopType) -> Result<Arn, Error> {
    let now = control.now();
    let place = &control.config().place;
    let stopped = control
        .store()
        .update(|draft| {
            let story = find(draft, place, given)?;
            if story.state != DeploymentState::InProgress {
                return Err(Error::Conflict(
                    "The service deployment cannot be stopped because it is not in progress.".to_owned(),
                    vec![story.arn.clone()],
                ));
            }
            let key = format!("{}/{}", story.cluster, story.service);
            let known = draft.get::<Service>(&key).ok_or(Error::ServiceNotFound)?;
            let mut service = (*known).clone();
            let primary = service.deployments.first().filter(|primary| primary.id == story.deployment);
            let primary = primary.cloned().ok_or(Error::ServiceNotActive)?;
            let reason = "The service deployment was stopped by a user.";
            match how {
                StopType::Abort => {
                    stop(draft, &service, &primary, DeploymentState::Stopped, reason, now);
                    if let Some(primary) = service.deployments.first_mut() {
                        primary.rollout = Rollout::Failed;
                        primary.rollout_reason = Some(reason.to_owned());
                        primary.updated_at = now;
                    }
                }
                StopType::Rollback => {
                    let back = roll_back(draft, &mut service, place, reason, now).ok_or_else(|| {
                        Error::invalid(
                            "The service deployment cannot be rolled back because there is no completed service \
                             deployment before it.",
                        )
                    })?;
                    tell(draft, &service, &primary, now, |story| {
                        story.state = DeploymentState::RollbackInProgress;
                        story.reason = Some(reason.to_owned());
                        story.rollback = Some(back);
                    });
                }
            }
            draft.put(service);
            Ok(story.arn.clone())
        })
        .await?;
    Ok(stopped)
}

/// Looks for a hook that a deployment waits at. There is none: a rolling deployment has no hooks.
pub fn continue_by_request(control: &Control, given: &str, hook: &str) -> Result<Arn, Error> {
    let story = find(&control.store().view(), &control.config().place, given)?;
    Err(Error::invalid(format!("The service deployment {} does not wait at a hook '{hook}'.", story.arn)))
}

/// Makes the last deployment that was done the newest once more, if there was another one; returns what the story says.
pub(crate) fn roll_back(
    draft: &mut Draft<'_>,
    service: &mut Service,
    place: &Place,
    reason: &str,
    now: Timestamp,
) -> Option<RolledBack> {
    let failed = service.deployments.first()?.clone();
    let last = service.last_completed.clone().filter(|last| last.id != failed.id)?;
    let name = service.name.clone();
    let mut again = services::deployment(last.definition, last.network, last.terms, now);
    again.rollout_reason = Some(match reason == words::BROKEN {
        true => format!("ECS deployment circuit breaker: rolling back to deploymentId {}.", last.id),
        false => format!("ECS deployment rolling back to deploymentId {}.", last.id),
    });
    again.told_by.clone_from(&failed.told_by);
    pinned_images::take_over(draft, &last.id, &again.id);
    let revision = again.terms.revision.clone().unwrap_or_default();
    let revision = revision_arn(place, &service.cluster, &name, &revision);
    if let Some(primary) = service.deployments.first_mut() {
        primary.rollout = Rollout::Failed;
        primary.rollout_reason.get_or_insert_with(|| reason.to_owned());
        primary.updated_at = now;
    }
    services::replace_primary(service, again);
    services::note(service, words::rolling_back(&name, &last.id), now);
    Some(RolledBack { reason: reason.to_owned(), started_at: now, revision })
}

fn tell(
    draft: &mut Draft<'_>,
    service: &Service,
    deployment: &Deployment,
    now: Timestamp,
    change: impl FnOnce(&mut ServiceDeployment),
) {
    let Some(id) = &deployment.told_by else { return };
    let key = format!("{}/{}/{id}", service.cluster, service.name);
    let Some(known) = draft.get::<ServiceDeployment>(&key) else { return };
    let mut story = (*known).clone();
    change(&mut story);
    if story != *known {
        story.updated_at = now;
        draft.put(story);
    }
}

fn find(look: &impl Look, place: &Place, given: &str) -> Result<Arc<ServiceDeployment>, Error> {
    let key = key(given, "service-deployment", place);
    key.and_then(|key| look.get::<ServiceDeployment>(&key)).ok_or(Error::ServiceDeploymentNotFound)
}

/// Returns the key of a record from its ARN, `kind/cluster/service/id`.
fn key(given: &str, kind: &str, place: &Place) -> Option<String> {
    let arn: Arn = given.parse().ok()?;
    let parts = arn.parts(kind).filter(|parts| parts.len() == 3 && arn.account == place.account)?;
    Some(parts.join("/"))
}

fn check_number(given: &[String]) -> Result<(), Error> {
    if given.is_empty() || given.len() > DESCRIBED_MAX {
        return Err(Error::invalid(format!("1 to {DESCRIBED_MAX} ARNs must be specified.")));
    }
    Ok(())
}

/// Returns how many failed tasks of a deployment are counted: until it ends, the service knows.
fn failures(look: &impl Look, story: &ServiceDeployment) -> u32 {
    let service = look.get::<Service>(&format!("{}/{}", story.cluster, story.service));
    let counted = service.and_then(|service| {
        let open = services::parts(&service).find(|part| part.id == story.deployment);
        open.map(|deployment| deployment.failures)
    });
    counted.unwrap_or(story.failures.0)
}

/// Returns the numbers of the tasks of a story's revisions.
fn counts(
    look: &impl Look,
    story: &ServiceDeployment,
    place: &Place,
) -> BTreeMap<Arn, (usize, usize, usize)> {
    let service = look.get::<Service>(&format!("{}/{}", story.cluster, story.service));
    service.map_or_else(BTreeMap::new, |service| of_revisions(&services::detail(look, service), place))
}

/// Returns the numbers of the tasks of a service's revisions: how many are wanted, run, and will.
pub fn of_revisions(detail: &services::ServiceDetail, place: &Place) -> BTreeMap<Arn, (usize, usize, usize)> {
    let service = &detail.service;
    let mut counts: BTreeMap<Arn, (usize, usize, usize)> = BTreeMap::new();
    for (rank, deployment) in service.deployments.iter().enumerate() {
        let Some(revision) = &deployment.terms.revision else { continue };
        let of = detail.of(&deployment.id);
        let wanted = match rank {
            0 => usize::try_from(service.desired_count).unwrap_or(usize::MAX),
            _ => of.wanted,
        };
        let sum = counts.entry(revision_arn(place, &service.cluster, &service.name, revision)).or_default();
        *sum = (sum.0 + wanted, sum.1 + of.running, sum.2 + of.pending);
    }
    counts
}

/// Forgets the oldest stories of a service, and the revisions that nobody can ask for any more.
fn forget_old(draft: &mut Draft<'_>, service: &Service) {
    let prefix = format!("{}/{}/", service.cluster, service.name);
    let mut stories = draft.list::<ServiceDeployment>(&prefix);
    if stories.len() <= KEPT {
        return;
    }
    stories.sort_by_key(|story| std::cmp::Reverse(story.created_at));
    for story in stories.iter().skip(KEPT) {
        draft.delete::<ServiceDeployment>(&format!("{prefix}{}", story.id));
    }
    let shown = |revision: &ServiceRevision| {
        stories.iter().take(KEPT).any(|story| {
            story.target == revision.arn
                || story.sources.contains(&revision.arn)
                || story.rollback.as_ref().is_some_and(|back| back.revision == revision.arn)
        }) || services::parts(service).any(|part| part.terms.revision.as_ref() == Some(&revision.id))
            || service
                .last_completed
                .as_ref()
                .is_some_and(|last| last.terms.revision.as_ref() == Some(&revision.id))
    };
    for revision in draft.list::<ServiceRevision>(&prefix) {
        if !shown(&revision) {
            draft.delete::<ServiceRevision>(&format!("{prefix}{}", revision.id));
        }
    }
}
