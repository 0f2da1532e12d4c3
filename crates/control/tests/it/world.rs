//! A control plane to play with.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{net::UnixListener, sync::oneshot};
use wharf_control::{
    Config, Control,
    operations::{
        capacity_providers::Capacity,
        run_task::RunTask,
        services::{self, CreateService, ServiceDetail},
        task_definitions::{self, NewDefinition},
        tasks,
    },
};
use wharf_model::{
    ClusterName, CpuUnits, Mebibytes, Place, TaskId,
    network::Subnet,
    placement::Placement,
    service::{
        AwsvpcConfiguration, CircuitBreaker, Controller, PropagateTags, Scheduling, Service,
        ServiceLoadBalancer,
    },
    task::{Task, TaskOverride, TaskStatus},
    task_definition::{ContainerDefinition, LaunchType, PortMapping},
};
use wharf_store::{Store, schema};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) control: Control,
    dir: Arc<tempfile::TempDir>,
    stop: Option<oneshot::Sender<()>>,
    served: Option<tokio::task::JoinHandle<()>>,
}

impl World {
    /// A control plane with a state file, serving its two sockets.
    pub(crate) async fn new() -> World {
        World::over(Arc::new(tempfile::tempdir().unwrap())).await
    }

    async fn over(dir: Arc<tempfile::TempDir>) -> World {
        let store = Store::open(&dir.path().join("state"), schema()).unwrap();
        let config = Config {
            place: Place { region: "us-east-1".into(), account: "123456789012".into() },
            endpoint: "127.0.0.1:4566".parse().unwrap(),
            state_dir: dir.path().join("more").to_str().unwrap().into(),
            vpc_cidr: "172.31.0.0/16".parse().unwrap(),
            public_cidr: "198.18.0.0/16".parse().unwrap(),
            host_addresses: vec![Ipv4Addr::LOCALHOST],
            registry_password: "secret".into(),
            healthy_after_secs: 0,
            simulated: false,
        };
        let control = Control::new(store, config).unwrap();
        let listen = |name: &str| {
            let path = dir.path().join(name);
            let _ = std::fs::remove_file(&path);
            UnixListener::bind(path).unwrap()
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = wharf_control::serve(control.clone(), listen("node"), listen("balancer"), async {
            let _ = stopped.await;
        });
        let served = tokio::spawn(async { serve.await.unwrap() });
        let world = World { control, dir, stop: Some(stop), served: Some(served) };
        world.until("there is a network", |world| !world.subnets().is_empty()).await;
        world
    }

    /// The file with everything that is kept.
    pub(crate) fn state_file(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Ends the control plane and starts another one over the same state.
    pub(crate) async fn restart(mut self) -> World {
        drop(self.stop.take());
        self.served.take().unwrap().await.unwrap();
        let dir = Arc::clone(&self.dir);
        drop(self);
        World::over(dir).await
    }

    pub(crate) fn socket(&self, name: &str) -> PathBuf {
        Path::new(self.dir.path()).join(name)
    }

    fn subnets(&self) -> Vec<Arc<Subnet>> {
        self.control.store().view().list("")
    }

    pub(crate) fn network(&self) -> AwsvpcConfiguration {
        AwsvpcConfiguration {
            subnets: self.subnets().iter().map(|subnet| subnet.id.clone()).collect(),
            security_groups: Vec::new(),
            assign_public_ip: false,
        }
    }

    /// Registers a revision of `web`: one container that listens on port 80.
    pub(crate) async fn define(&self) -> String {
        let container = ContainerDefinition {
            environment: vec![("COLOUR".into(), "blue".into())],
            port_mappings: vec![PortMapping::tcp(80)],
            ..ContainerDefinition::new("app", "hello")
        };
        let registered_by = "arn:aws:iam::123456789012:root".into();
        let new = NewDefinition {
            cpu: Some(CpuUnits(256)),
            memory: Some(Mebibytes(512)),
            placement_constraints: Vec::new(),
            requires_compatibilities: vec![LaunchType::Fargate],
            ..NewDefinition::new("web".parse().unwrap(), vec![container], registered_by)
        };
        task_definitions::register(&self.control, new).await.unwrap().name().to_string()
    }

    pub(crate) fn request(&self, count: u32) -> RunTask {
        RunTask {
            cluster: cluster(),
            definition: "web".into(),
            count,
            capacity: Capacity::Launch(LaunchType::Fargate),
            placement: Placement::default(),
            network: Some(self.network()),
            overrides: TaskOverride::default(),
            group: None,
            started_by: None,
            client_token: None,
            tags: Vec::new(),
            propagate_from_definition: false,
            managed_tags: false,
            enable_execute_command: false,
        }
    }

    pub(crate) fn service(
        &self,
        desired_count: u32,
        load_balancers: Vec<ServiceLoadBalancer>,
    ) -> CreateService {
        CreateService {
            cluster: cluster(),
            name: "shop".parse().unwrap(),
            definition: Some("web".into()),
            desired_count: Some(desired_count),
            capacity: Capacity::Launch(LaunchType::Fargate),
            placement: Placement::default(),
            scheduling: Scheduling::Replica,
            controller: Controller::Ecs,
            zone_rebalancing: false,
            healthy_min_percent: None,
            live_max_percent: None,
            circuit_breaker: CircuitBreaker::default(),
            load_balancers,
            network: Some(self.network()),
            grace_secs: 0,
            client_token: None,
            propagate_tags: PropagateTags::None,
            managed_tags: false,
            enable_execute_command: false,
            tags: Vec::new(),
            created_by: "arn:aws:iam::123456789012:root".into(),
        }
    }

    pub(crate) fn shop(&self) -> ServiceDetail {
        let described = services::describe(&self.control, &cluster(), &["shop".into()]).unwrap();
        described.found.into_iter().next().unwrap()
    }

    /// The messages of the service's events, oldest first, without ids.
    pub(crate) fn events(&self) -> Vec<String> {
        let service = self.shop().service;
        service.events.iter().rev().map(|event| event.message.clone()).collect()
    }

    /// Returns whether the service has one deployment, done, and what it wants: what the waiter asks.
    pub(crate) fn is_stable(&self) -> bool {
        let shop = self.shop();
        let wanted = usize::try_from(shop.service.desired_count).unwrap();
        shop.service.deployments.len() == 1 && shop.total().running == wanted
    }

    /// Returns whether the last that the service said is that it has what it wants.
    pub(crate) fn is_steady(&self) -> bool {
        self.events().last().is_some_and(|event| event.ends_with("has reached a steady state."))
    }

    pub(crate) fn task(&self, id: &TaskId) -> Arc<Task> {
        let described = tasks::describe(&self.control, &cluster(), &[id.to_string()]).unwrap();
        Arc::clone(&described.found[0].task)
    }

    pub(crate) fn tasks(&self, status: TaskStatus) -> Vec<Arc<Task>> {
        let mut tasks = self.control.store().view().list::<Task>("");
        tasks.retain(|task| task.last_status == status);
        tasks
    }

    /// Waits until something holds.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&World) -> bool) {
        let mut bell = self.control.store().watch();
        let waiting = async {
            while !holds(self) {
                // Some things become true without a change, by the clock.
                let _ = tokio::time::timeout(Duration::from_millis(50), bell.changed()).await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            let view = self.control.store().view();
            let mut story = Vec::new();
            for service in view.list::<Service>("") {
                story.push(format!("{:#?}", service.deployments));
                story.extend(service.events.iter().map(|event| event.message.clone()));
            }
            for task in view.list::<Task>("") {
                story.push(format!("{} {:?} {:?}", task.id, task.desired_status, task.last_status));
            }
            panic!("not within {PATIENCE:?}: {what}\n{}", story.join("\n"));
        }
    }
}

pub(crate) fn cluster() -> ClusterName {
    "default".parse().unwrap()
}
