//! Keeps the balancer's table up to date with the store.

use crate::{Control, operations::certificates};
use std::{collections::BTreeMap, sync::Arc};
use wharf_model::{
    load_balancer::{Listener, LoadBalancer},
    network::NetworkInterface,
    routing::CertificateRoutes,
};
use wharf_plan::routing::{self, Seen};
use wharf_store::View;

/// Builds the table anew whenever the store changes, for ever. A table that says nothing new goes nowhere.
pub async fn run(control: Control) {
    let mut bell = control.store().watch();
    loop {
        bell.mark_unchanged();
        let (revision, mut seen) = {
            let view = control.store().view();
            (view.revision(), seen(&view, &control))
        };
        // Looks into the store itself, so without a view: whoever waits to write would keep a second one waiting.
        seen.certificates = presented(&seen.listeners, &control);
        control.balancer().publish(revision, routing::table(&seen), control.now());
        if bell.changed().await.is_err() {
            return;
        }
    }
}

fn seen(view: &View<'_>, control: &Control) -> Seen {
    let load_balancers = view.list::<LoadBalancer>("");
    let addresses = if load_balancers.is_empty() {
        Default::default()
    } else {
        let of_balancers = load_balancers.iter().flat_map(|balancer| &balancer.subnets);
        of_balancers
            .filter_map(|(_, id)| view.get::<NetworkInterface>(id.as_str()))
            .map(|interface| (interface.id.clone(), interface.private_ip))
            .collect()
    };
    Seen {
        certificates: BTreeMap::new(),
        load_balancers,
        addresses,
        listeners: view.list(""),
        rules: view.list(""),
        target_groups: view.list(""),
        targets: view.list(""),
        host_addresses: control.config().host_addresses.clone(),
    }
}

/// Returns the certificates that listeners present, by ARN.
fn presented(listeners: &[Arc<Listener>], control: &Control) -> BTreeMap<String, CertificateRoutes> {
    let mut all = BTreeMap::new();
    for arn in listeners.iter().flat_map(|listener| &listener.certificates) {
        let key = arn.to_string();
        if all.contains_key(&key) {
            continue;
        }
        let found = certificates::find(control, &key)
            .and_then(|found| Ok((found.facts.names.clone(), certificates::presented(control, arn)?)));
        match found {
            Ok((names, presented)) => {
                let routes = CertificateRoutes { names, chain: presented.chain, key: presented.key };
                all.insert(key, routes);
            }
            Err(error) => tracing::error!(%arn, %error, "certificate cannot be presented"),
        }
    }
    all
}
