//! What this Wharf calls the things it makes in the kernel, so that several on one machine do not meet.

use crate::options::Options;
use sha2::{Digest, Sha256};

/// The names of one Wharf's things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instance {
    /// What host ends of veth pairs begin with: five characters, none of which begins another Wharf's.
    pub(crate) veth_prefix: String,
    /// The device that holds the load balancers' addresses.
    pub(crate) balancer_device: String,
    /// The nftables table.
    pub(crate) firewall_table: String,
    /// The cgroup that tasks' cgroups are made in.
    pub(crate) cgroup_root: String,
}

impl Instance {
    /// Returns the names that belong to the run directory: plain ones for the usual directory.
    pub(crate) fn of(options: &Options) -> Instance {
        if options.run_dir == "/run/wharf" {
            return Instance {
                veth_prefix: "wharf".to_owned(),
                balancer_device: "wharf-lb".to_owned(),
                firewall_table: "wharf".to_owned(),
                cgroup_root: "/wharf".to_owned(),
            };
        }
        let digest = hex::encode(Sha256::digest(options.run_dir.as_str()));
        let tag = &digest[..4];
        Instance {
            veth_prefix: format!("w{tag}"),
            balancer_device: format!("wharf-lb-{tag}"),
            firewall_table: format!("wharf_{tag}"),
            cgroup_root: format!("/wharf-{tag}"),
        }
    }
}
