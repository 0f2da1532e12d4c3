//! The nouns of Wharf: values only. Nothing here asks for the time, a random number, a file or a socket.
//!
//! Reading order: names and ARNs, units and time, then what ECS, EC2 and Elastic Load Balancing call things,
//! and last the table that the load balancer routes by.

pub mod arn;
pub mod name;
pub mod time;
pub mod units;
pub mod word;

pub mod account;
pub mod attributes;
pub mod capacity;
pub mod certificate;
pub mod cluster;
pub mod file_system;
pub mod instance;
pub mod load_balancer;
pub mod logs;
pub mod measures;
pub mod network;
pub mod node;
pub mod placement;
pub mod repository;
pub mod routing;
pub mod rule;
pub mod secret;
pub mod service;
pub mod tag;
pub mod target_group;
pub mod task;
pub mod task_definition;
pub mod tls;

pub use arn::{Arn, Place};
pub use name::{
    AllocationId, ClusterName, DeploymentId, EniId, Family, FlowLogId, InternetGatewayId, InvalidName,
    NatGatewayId, NodeId, PrefixListId, RepositoryName, RouteTableAssociationId, RouteTableId,
    SecurityGroupId, SecurityGroupRuleId, ServiceName, SubnetId, TaskId, VpcId,
};
pub use time::Timestamp;
pub use units::{CpuUnits, Mebibytes};
pub use word::Word;
