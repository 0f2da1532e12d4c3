//! What is answered here: names of load balancers, and of the VPC's addresses in both directions.

use crate::message::{Kind, Question, Record};
use std::{collections::BTreeMap, net::Ipv4Addr};
use wharf_model::network::Cidr;

/// Where load balancers' names end.
const BALANCERS: &str = ".elb.localhost";

/// Everything that resolvers of one node answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The region, which is a part of many names.
    pub region: String,
    /// The block of public addresses.
    pub public: Cidr,
    /// The VPCs by their ids.
    pub vpcs: BTreeMap<String, VpcNames>,
    /// The load balancers' addresses by their names, which are in lower case.
    pub balancers: BTreeMap<String, Vec<Ipv4Addr>>,
}

/// What the resolver of a VPC knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VpcNames {
    /// Its block.
    pub cidr: Cidr,
    /// Whether its resolver answers at all (`enableDnsSupport`).
    pub answers: bool,
}

/// What there is to say to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// These records; none when there are others of this name.
    Records(Vec<Record>),
    /// There is no such name.
    NoName,
    /// Others know.
    Elsewhere,
    /// Nobody answers here.
    Refused,
}

impl Names {
    /// Returns what is said to a question from a VPC, or from a task without one.
    pub(crate) fn find(&self, vpc: Option<&str>, question: &Question) -> Found {
        let vpc = vpc.and_then(|id| self.vpcs.get(id));
        if vpc.is_some_and(|vpc| !vpc.answers) {
            return Found::Refused;
        }
        let name = question.name.as_str();
        if name.ends_with(BALANCERS) {
            return match self.balancers.get(name) {
                Some(addresses) => self.addresses(question, addresses),
                None => Found::NoName,
            };
        }
        if name == "localhost" || name.ends_with(".localhost") {
            if let Some(public) = self.public_address(name) {
                return self.addresses(question, &[public]);
            }
            return self.addresses(question, &[Ipv4Addr::LOCALHOST]);
        }
        if let Some(host) = name.strip_suffix(&format!(".{}.compute.internal", self.region)) {
            let address = host.strip_prefix("ip-").and_then(dashed);
            // A task without a VPC has no address of this kind, and still may ask for those of others.
            let inside = |address: &Ipv4Addr| match vpc {
                Some(vpc) => vpc.cidr.contains(*address),
                None => self.vpcs.values().any(|vpc| vpc.cidr.contains(*address)),
            };
            return match address.filter(inside) {
                Some(address) => self.addresses(question, &[address]),
                None => Found::NoName,
            };
        }
        if let Some(address) = name.strip_suffix(".in-addr.arpa").and_then(reversed)
            && vpc.is_some_and(|vpc| vpc.cidr.contains(address))
        {
            let [a, b, c, d] = address.octets();
            let own = format!("ip-{a}-{b}-{c}-{d}.{}.compute.internal", self.region);
            return Found::Records(match question.kind {
                Kind::Ptr | Kind::Any => vec![Record::Ptr(own)],
                Kind::A | Kind::Other => Vec::new(),
            });
        }
        Found::Elsewhere
    }

    fn public_address(&self, name: &str) -> Option<Ipv4Addr> {
        let host = name.strip_suffix(&format!(".{}.compute.localhost", self.region))?;
        dashed(host.strip_prefix("ec2-")?).filter(|address| self.public.contains(*address))
    }

    fn addresses(&self, question: &Question, addresses: &[Ipv4Addr]) -> Found {
        Found::Records(match question.kind {
            Kind::A | Kind::Any => addresses.iter().copied().map(Record::A).collect(),
            Kind::Ptr | Kind::Other => Vec::new(),
        })
    }
}

/// Reads `10-0-0-1`.
fn dashed(text: &str) -> Option<Ipv4Addr> {
    text.replace('-', ".").parse().ok()
}

/// Reads `1.0.0.10` as 10.0.0.1.
fn reversed(text: &str) -> Option<Ipv4Addr> {
    let [a, b, c, d] = text.parse::<Ipv4Addr>().ok()?.octets();
    Some(Ipv4Addr::new(d, c, b, a))
}

#[cfg(test)]
mod tests;
