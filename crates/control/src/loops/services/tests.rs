//! A service that is kept in a world where things go wrong, by many seeds. What decides and writes is the real thing, from
//! the loop's pass to the addresses; the node and the clock are played.
//!
//! Ids are random, so a seed alone does not always tell the same story: the story is in the message.

use super::*;
use crate::{
    links::agent::record,
    operations::{
        capacity_providers::Capacity,
        networks,
        services::{CreateService, UpdateService, create, update},
        task_definitions::{self, NewDefinition},
        tasks,
        world::control,
    },
};
use std::{collections::BTreeSet, fmt::Write, sync::Arc, time::Duration};
use tempfile::TempDir;
use wharf_model::{
    ClusterName, CpuUnits, Mebibytes, NodeId,
    network::{NetworkInterface, Subnet},
    node::Node,
    placement::Placement,
    service::{AwsvpcConfiguration, CircuitBreaker, Controller, PropagateTags, Scheduling},
    task::{ContainerStatus, DesiredStatus, HealthStatus, StopCode, Task, TaskStatus, TaskTimes},
    task_definition::{ContainerDefinition, LaunchType},
};
use wharf_nodelink::agent::{ContainerReport, TaskReport};
use wharf_plan::service::{Bounds, Health};
use wharf_store::Draft;

const SEEDS: u64 = 40;
const STEPS: usize = 80;
/// A deployment waits at most a quarter of an hour for its next start.
const ROUNDS: usize = 40;
const KEY: &str = "default/shop";
const BOUNDS: [(u32, u32); 4] = [(100, 200), (50, 100), (50, 150), (0, 100)];

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

struct Story {
    seed: u64,
    control: Control,
    _dir: TempDir,
    dice: Dice,
    now: Timestamp,
    told: String,
}

fn cluster() -> ClusterName {
    "default".parse().unwrap()
}

fn node() -> NodeId {
    "0123456789abcdef0123456789abcdef".parse().unwrap()
}

impl Story {
    async fn begin(seed: u64) -> Story {
        let (control, dir) = control();
        let dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let now = control.now();
        let mut story = Story { seed, control, _dir: dir, dice, now, told: String::new() };
        let machine = Node {
            id: node(),
            boot_id: "boot".to_owned(),
            cpu: CpuUnits(2048),
            memory: Mebibytes(4096),
            registered_at: now,
            connected: true,
        };
        let config = story.control.config().clone();
        let make = |draft: &mut Draft<'_>| {
            networks::make_default(draft, &config);
            draft.put(machine);
        };
        story.control.store().change(make).await.unwrap();
        let container = ContainerDefinition::new("app", "hello");
        let definition = NewDefinition {
            cpu: Some(CpuUnits(256)),
            memory: Some(Mebibytes(512)),
            requires_compatibilities: vec![LaunchType::Fargate],
            ..NewDefinition::new("web".parse().unwrap(), vec![container], "root".to_owned())
        };
        task_definitions::register(&story.control, definition).await.unwrap();
        let subnets = story.control.store().view().list::<Subnet>("");
        let (min, max) = BOUNDS[story.pick(BOUNDS.len())];
        let breaker = CircuitBreaker {
            enable: story.dice.below(2) == 0,
            rollback: story.dice.below(2) == 0,
            ..CircuitBreaker::default()
        };
        let new = CreateService {
            cluster: cluster(),
            name: "shop".parse().unwrap(),
            definition: Some("web".to_owned()),
            desired_count: Some(u32::try_from(story.dice.below(5)).unwrap()),
            capacity: Capacity::Launch(LaunchType::Fargate),
            placement: Placement::default(),
            scheduling: Scheduling::Replica,
            controller: Controller::Ecs,
            zone_rebalancing: story.dice.below(2) == 0,
            healthy_min_percent: Some(min),
            live_max_percent: Some(max),
            circuit_breaker: breaker,
            load_balancers: Vec::new(),
            network: Some(AwsvpcConfiguration {
                subnets: subnets.iter().map(|subnet| subnet.id.clone()).collect(),
                security_groups: Vec::new(),
                assign_public_ip: false,
            }),
            grace_secs: 0,
            client_token: None,
            propagate_tags: PropagateTags::None,
            managed_tags: false,
            enable_execute_command: false,
            tags: Vec::new(),
            created_by: "root".to_owned(),
        };
        story.tell(format!("{}% to {max}%, {breaker:?}, {:?} tasks", min, new.desired_count));
        create(&story.control, new).await.unwrap();
        story
    }

    fn tell(&mut self, what: impl std::fmt::Display) {
        let _ = writeln!(self.told, "{}: {what}", self.now.0);
    }

    fn assert(&self, holds: bool, what: &str) {
        assert!(holds, "{what}, seed {}\n{}", self.seed, self.told);
    }

    fn pick(&mut self, of: usize) -> usize {
        usize::try_from(self.dice.below(of as u64)).unwrap()
    }

    fn service(&self) -> Arc<Service> {
        self.control.store().view().get::<Service>(KEY).unwrap()
    }

    /// The tasks that are not gone yet.
    fn tasks(&self) -> Vec<Arc<Task>> {
        let mut tasks = self.control.store().view().list::<Task>("");
        tasks.retain(|task| task.last_status != TaskStatus::Stopped);
        tasks
    }

    /// How many tasks are healthy, and how many live.
    fn counts(&self) -> (usize, usize) {
        let (service, view) = (self.service(), self.control.store().view());
        let live = world::seen(&view, &service, self.control.config(), self.now).live;
        (live.iter().filter(|live| live.health == Health::Healthy).count(), live.len())
    }

    /// A pass of the loop; returns whether anything was due.
    async fn pass(&mut self) -> bool {
        let is_due = |key: &&str| look(&self.control, key, self.now).0;
        let due: Vec<&str> = [KEY].into_iter().filter(is_due).collect();
        let (healthy, live) = self.counts();
        for key in &due {
            reconcile(&self.control, key, self.now).await.unwrap();
        }
        let service = self.service();
        let bounds = Bounds::new(service.deployment_bounds, service.desired_count);
        let wanted = usize::try_from(service.desired_count).unwrap();
        let (still, more) = self.counts();
        self.assert(still >= healthy.min(bounds.healthy_min), "too few are healthy by our own doing");
        self.assert(more <= bounds.live_max.max(wanted).max(live), "too many are live");
        let mut addresses = BTreeSet::new();
        for task in self.tasks() {
            let id = task.interface.clone().expect("an interface");
            let interface = self.control.store().view().get::<NetworkInterface>(id.as_str());
            self.assert(interface.is_some(), "a task is without its interface");
            let fresh = interface.is_some_and(|interface| addresses.insert(interface.private_ip));
            self.assert(fresh, "two tasks are on one address");
        }
        !due.is_empty()
    }

    /// The node says where a task stands.
    async fn report(&mut self, task: &Task, status: TaskStatus, stop: Option<(StopCode, &str)>) {
        let runs =
            status >= TaskStatus::Running && stop.is_none_or(|(code, _)| code != StopCode::TaskFailedToStart);
        let report = TaskReport {
            task: task.id.clone(),
            last_status: status,
            times: TaskTimes {
                started_at: task.times.started_at.or(runs.then_some(self.now)),
                ..TaskTimes::default()
            },
            containers: vec![ContainerReport {
                name: "app".to_owned(),
                last_status: if runs { ContainerStatus::Running } else { ContainerStatus::Pending },
                image_digest: None,
                runtime_id: None,
                exit_code: None,
                reason: None,
                network_bindings: Vec::new(),
                health: HealthStatus::Unknown,
            }],
            stop: stop.map(|(code, why)| (code, why.to_owned())),
            health: None,
        };
        self.tell(format!("{} is {status:?} {stop:?}", task.id));
        let (node, now) = (node(), self.now);
        self.control.store().change(|draft| record(draft, &node, report, now)).await.unwrap();
    }

    /// A task goes on as it should.
    async fn progress(&mut self, task: &Task) {
        let next = match (task.desired_status, task.last_status) {
            (DesiredStatus::Running, TaskStatus::Provisioning) => TaskStatus::Pending,
            (DesiredStatus::Running, _) => TaskStatus::Running,
            (DesiredStatus::Stopped, status) if status < TaskStatus::Stopping => TaskStatus::Stopping,
            (DesiredStatus::Stopped, _) => TaskStatus::Stopped,
        };
        self.report(task, next, None).await;
    }

    async fn change(&mut self, request: UpdateService) {
        self.tell(format!("asked for {request:?}"));
        update(&self.control, &cluster(), "shop", request).await.unwrap();
    }

    /// Something happens: a task goes on or does not, a report comes twice, the owner wants something else.
    async fn mishap(&mut self) {
        let chance = self.dice.below(16);
        match chance {
            0 => {
                let force = UpdateService { force_new_deployment: true, ..UpdateService::default() };
                return self.change(force).await;
            }
            1 => {
                let desired_count = Some(u32::try_from(self.dice.below(5)).unwrap());
                return self.change(UpdateService { desired_count, ..UpdateService::default() }).await;
            }
            2 => {
                let (min, max) = BOUNDS[self.pick(BOUNDS.len())];
                let request = UpdateService {
                    healthy_min_percent: Some(min),
                    live_max_percent: Some(max),
                    ..UpdateService::default()
                };
                return self.change(request).await;
            }
            _ => {}
        }
        let tasks = self.tasks();
        if tasks.is_empty() {
            return;
        }
        let task = Arc::clone(&tasks[self.pick(tasks.len())]);
        match chance {
            3 if task.last_status < TaskStatus::Running => {
                let why = (StopCode::TaskFailedToStart, "CannotPullContainerError: no such image");
                self.report(&task, TaskStatus::Stopped, Some(why)).await;
            }
            3 | 4 => {
                let why = (StopCode::EssentialContainerExited, "Essential container in task exited");
                self.report(&task, TaskStatus::Stopped, Some(why)).await;
            }
            5 => {
                self.tell(format!("{} is stopped by its owner", task.id));
                tasks::stop(&self.control, &cluster(), task.id.as_str(), None).await.unwrap();
            }
            6 => self.report(&task, TaskStatus::Pending, None).await,
            _ => self.progress(&task).await,
        }
    }

    async fn go_wrong(&mut self) {
        for _ in 0..STEPS {
            self.now = self.now + Duration::from_millis(self.dice.below(20_000));
            self.mishap().await;
            // A pass may come late.
            if self.dice.below(3) > 0 {
                self.pass().await;
            }
        }
    }

    /// Nothing goes wrong any more, and what is wanted may move.
    async fn settle(&mut self) {
        let request = UpdateService {
            force_new_deployment: true,
            healthy_min_percent: Some(50),
            live_max_percent: Some(200),
            ..UpdateService::default()
        };
        self.change(request).await;
        for _ in 0..ROUNDS {
            self.now = self.now + Duration::from_secs(60);
            for task in self.tasks() {
                self.progress(&task).await;
            }
            self.pass().await;
        }
        let service = self.service();
        let (healthy, live) = self.counts();
        let wanted = usize::try_from(service.desired_count).unwrap();
        self.assert(
            (healthy, live, self.tasks().len()) == (wanted, wanted, wanted) && service.deployments.len() == 1,
            "it does not settle",
        );
        let due = self.pass().await;
        self.assert(!due, "something is due for a settled service");
    }
}

#[tokio::test]
async fn no_seed_breaks_the_bounds_or_shares_an_address_and_all_settle() {
    for seed in 0..SEEDS {
        let mut story = Story::begin(seed).await;
        story.go_wrong().await;
        story.settle().await;
    }
}
