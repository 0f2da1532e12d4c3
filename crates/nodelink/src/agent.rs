//! Control and agent.

use crate::provisions::Provisions;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};
use wharf_model::{
    Arn, ClusterName, CpuUnits, EniId, Mebibytes, NodeId, SecurityGroupId, ServiceName, SubnetId, TaskId,
    Timestamp, VpcId,
    logs::LogEvent,
    network::{Cidr, FlowLog, MacAddress, Permission, SubnetRoutes},
    task::{ContainerStatus, DesiredStatus, HealthStatus, NetworkBinding, StopCode, TaskStatus, TaskTimes},
    task_definition::{ContainerDefinition, IpcMode, LaunchType, NetworkMode, PidMode, Revision, Volume},
};

/// From control to the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ToAgent {
    /// The answer to `Hello`, and again whenever it changes.
    Settings(NodeSettings),
    /// Every task of this node. Sent once after `Settings`; a task the agent has and this does not name is stopped
    /// and removed.
    Everything(Vec<Assignment>),
    /// What a task is given, or why it cannot be had. Comes before the task, and is never written down.
    Provide {
        /// The task.
        task: TaskId,
        /// What it is given, or the reason that it stops for.
        provisions: Box<Result<Provisions, String>>,
    },
    /// A task that is new, or whose assignment changed.
    Assign(Box<Assignment>),
    /// The task's stop was recorded; the agent may forget it.
    Forget(TaskId),
    /// A command is to be run in a container. The agent connects once more, says [`FromAgent::Session`] with the same
    /// ticket, and that connection carries [`crate::exec`] from then on.
    Exec(Box<ExecOrder>),
    /// The batch is durable.
    LogsStored {
        /// The batch's number.
        batch: u64,
    },
    /// The digests of images that deployments are pinned to: they stay on the node though no task has them now.
    PinnedImages(BTreeSet<String>),
    /// What a task was to be told.
    Answer {
        /// The question's number.
        number: u64,
        /// The answer.
        answer: TaskAnswer,
    },
}

/// What a task asks control, through its node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskAsk {
    /// Temporary keys for its role.
    Credentials,
    /// Whether it is protected from being stopped by its service; with a change, to protect it or not any more.
    Protection(Option<ProtectionChange>),
}

/// A change of a task's protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectionChange {
    /// Whether it is to be protected.
    pub enabled: bool,
    /// For how long.
    pub minutes: Option<u32>,
}

/// What a task is told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskAnswer {
    /// Its keys.
    Credentials {
        /// Its role.
        role_arn: String,
        /// The key's id.
        access_key_id: String,
        /// What signs.
        secret_access_key: String,
        /// The session token.
        token: String,
        /// The end of their life.
        expires_at: Timestamp,
    },
    /// Its protection.
    Protection {
        /// Until when it is protected; nothing when it is not.
        until: Option<Timestamp>,
    },
    /// It cannot be done for this task: a code as the API has it, and why.
    Failed {
        /// The code.
        reason: String,
        /// Why.
        detail: Option<String>,
    },
    /// The question makes no sense: a code as the API has it, and why.
    Refused {
        /// The code.
        code: String,
        /// Why.
        message: String,
    },
}

impl std::fmt::Debug for TaskAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // Never into a log.
            TaskAnswer::Credentials { role_arn, .. } => write!(f, "Credentials({role_arn})"),
            TaskAnswer::Protection { until } => write!(f, "Protection({until:?})"),
            TaskAnswer::Failed { reason, detail } => write!(f, "Failed({reason}, {detail:?})"),
            TaskAnswer::Refused { code, message } => write!(f, "Refused({code}, {message})"),
        }
    }
}

/// From the agent to control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FromAgent {
    /// The first frame.
    Hello {
        /// [`crate::VERSION`].
        version: u32,
        /// The node.
        node: NodeId,
        /// The kernel's boot id.
        boot_id: String,
        /// The processors it offers.
        cpu: CpuUnits,
        /// The memory it offers.
        memory: Mebibytes,
    },
    /// The only frame of its kind on a connection that is a command's.
    Session {
        /// The order's.
        ticket: String,
    },
    /// Where a task stands. Sent at each change, and for every task after a reconnect.
    Report(Box<TaskReport>),
    /// Log lines for a log group; answered with `LogsStored` when they are durable, and repeated after a reconnect
    /// until then.
    Logs {
        /// Grows with each batch of this agent process.
        batch: u64,
        /// The log group.
        group: String,
        /// The stream, made when it is not there.
        stream: String,
        /// Whether a group that is not there is made too.
        create_group: bool,
        /// The lines, oldest first.
        events: Vec<LogEvent>,
    },
    /// A task asks something; answered with `Answer`. Control answers only for tasks of this node.
    Ask {
        /// Grows with each question of this agent process.
        number: u64,
        /// The task.
        task: TaskId,
        /// What it asks.
        ask: TaskAsk,
    },
}

/// A command to be run in a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecOrder {
    /// Known to nobody else; the agent repeats it.
    pub ticket: String,
    /// The task.
    pub task: TaskId,
    /// The container's name.
    pub container: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Whether it gets a terminal.
    pub terminal: bool,
}

/// What a node needs besides its tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeSettings {
    /// The region shown to applications.
    pub region: String,
    /// The account.
    pub account: String,
    /// Where the own image registry answers, `host:port`, plain HTTP.
    pub registry: String,
    /// The password for user `AWS` there.
    pub registry_password: String,
    /// The address that the node has towards its tasks.
    #[serde(default)]
    pub host_address: Option<Ipv4Addr>,
    /// The VPCs, the default one first.
    #[serde(default)]
    pub vpcs: Vec<ServedVpc>,
    /// The block that public addresses are taken from.
    pub public_cidr: Cidr,
    /// The subnets with their ways out.
    #[serde(default)]
    pub subnets: Vec<SubnetRoutes>,
    /// Every security group.
    pub security_groups: Vec<GroupRules>,
    /// The addresses of load balancers on this node.
    #[serde(default)]
    pub balancers: Vec<BalancerAddress>,
    /// Whose traffic is written down.
    #[serde(default)]
    pub flow_logs: Vec<FlowLog>,
}

/// A VPC as its nodes need it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServedVpc {
    /// Its id.
    pub id: VpcId,
    /// Its block.
    pub cidr: Cidr,
    /// Whether the resolver of its tasks answers.
    pub dns_support: bool,
}

/// What a security group allows, prefix lists written out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupRules {
    /// The group.
    pub id: SecurityGroupId,
    /// What may come in.
    pub ingress: Vec<Permission>,
    /// What may go out.
    pub egress: Vec<Permission>,
}

/// An address of a load balancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BalancerAddress {
    /// The load balancer's name.
    #[serde(default)]
    pub name: String,
    /// The address.
    pub ip: Ipv4Addr,
    /// Its VPC.
    pub vpc: VpcId,
    /// Its interface with the interface's subnet.
    #[serde(default)]
    pub interface: Option<(EniId, SubnetId)>,
    /// Its security groups.
    pub groups: Vec<SecurityGroupId>,
}

/// A task as its node needs it: overrides applied, names resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Grows with each change of this assignment; an older one is ignored.
    pub generation: u64,
    /// The task.
    pub task: TaskId,
    /// Its ARN.
    pub arn: Arn,
    /// Its cluster.
    pub cluster: ClusterName,
    /// Its cluster's ARN.
    pub cluster_arn: Arn,
    /// The definition.
    pub definition: Revision,
    /// The launch type.
    pub launch_type: LaunchType,
    /// The service it belongs to.
    pub service: Option<ServiceName>,
    /// The group.
    pub group: String,
    /// The zone.
    pub zone: String,
    /// Whether it should run. `Stopped` is sent only when the load balancers no longer send to it.
    pub desired_status: DesiredStatus,
    /// Why it should stop: the code and the words that a report of its stop must carry.
    pub stop: Option<(StopCode, String)>,
    /// The CPU it holds of its node.
    pub cpu: CpuUnits,
    /// The memory it holds of its node.
    pub memory: Mebibytes,
    /// The task's CPU limit; absent where only its containers say what they want.
    #[serde(default)]
    pub cpu_limit: Option<CpuUnits>,
    /// The task's memory limit; absent where only its containers have some.
    #[serde(default)]
    pub memory_limit: Option<Mebibytes>,
    /// Whose processes its containers see.
    #[serde(default)]
    pub pid_mode: Option<PidMode>,
    /// Whose shared memory its containers see.
    #[serde(default)]
    pub ipc_mode: Option<IpcMode>,
    /// Its containers, overrides applied, each with its ARN.
    pub containers: Vec<(ContainerDefinition, Arn)>,
    /// What its containers may mount.
    #[serde(default)]
    pub volumes: Vec<Volume>,
    /// The size of the disk that its containers share, where one was asked for.
    #[serde(default)]
    pub ephemeral_storage_gib: Option<u32>,
    /// How it is connected.
    #[serde(default = "awsvpc")]
    pub network_mode: NetworkMode,
    /// Its interface; only tasks of network mode `awsvpc` have one.
    pub interface: Option<InterfaceAssignment>,
    /// The digests that its containers' images stand for, by container, where that is settled.
    #[serde(default)]
    pub pinned_images: BTreeMap<String, String>,
    /// The role whose keys its containers are given.
    #[serde(default)]
    pub task_role_arn: Option<String>,
    /// Its tags, for the metadata endpoint.
    pub tags: BTreeMap<String, String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

fn awsvpc() -> NetworkMode {
    NetworkMode::Awsvpc
}

/// A task's interface as its node needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InterfaceAssignment {
    /// Its id.
    pub id: EniId,
    /// Its address.
    pub private_ip: Ipv4Addr,
    /// The subnet's block; its router is the address after the first.
    pub subnet_cidr: Cidr,
    /// The VPC's block.
    pub vpc_cidr: Cidr,
    /// The VPC's id as text, for the metadata endpoint.
    pub vpc_id: String,
    /// Its hardware address.
    pub mac: MacAddress,
    /// Its public address.
    pub public_ip: Option<Ipv4Addr>,
    /// Its security groups.
    pub groups: Vec<SecurityGroupId>,
    /// `ip-172-31-0-10.us-east-1.compute.internal`: also the task's host name.
    pub private_dns_name: String,
}

/// Where a task stands, whole each time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskReport {
    /// The task.
    pub task: TaskId,
    /// The state; only moves forward.
    pub last_status: TaskStatus,
    /// The times reached.
    pub times: TaskTimes,
    /// Each container, in the assignment's order.
    pub containers: Vec<ContainerReport>,
    /// Why it stops or stopped, when the node knows the cause.
    pub stop: Option<(StopCode, String)>,
    /// How its essential containers are together; absent when none of them is checked.
    #[serde(default)]
    pub health: Option<HealthStatus>,
}

/// Where a container stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContainerReport {
    /// Its name.
    pub name: String,
    /// The state.
    pub last_status: ContainerStatus,
    /// The image's digest, once resolved.
    pub image_digest: Option<String>,
    /// The runtime's id, once made.
    pub runtime_id: Option<String>,
    /// The exit code, when known.
    pub exit_code: Option<i32>,
    /// What went wrong, `Name: message`.
    pub reason: Option<String>,
    /// Ports of the node that lead to it.
    #[serde(default)]
    pub network_bindings: Vec<NetworkBinding>,
    /// How it is.
    #[serde(default)]
    pub health: HealthStatus,
}
