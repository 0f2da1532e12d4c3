//! Keeps the balancer's table up to date with the store.

use crate::Control;
use wharf_model::network::{InterfaceOwner, NetworkInterface};
use wharf_plan::routing::{self, Seen};
use wharf_store::View;

/// Builds the table anew whenever the store changes, for ever. A table that says nothing new goes nowhere.
pub async fn run(control: Control) {
    let mut bell = control.store().watch();
    loop {
        bell.mark_unchanged();
        let (revision, table) = {
            let view = control.store().view();
            (view.revision(), routing::table(&seen(&view, &control)))
        };
        control.balancer().publish(revision, table, control.now());
        if bell.changed().await.is_err() {
            return;
        }
    }
}

fn seen(view: &View<'_>, control: &Control) -> Seen {
    let load_balancers = view.list("");
    let addresses = if load_balancers.is_empty() {
        Default::default()
    } else {
        view.list::<NetworkInterface>("")
            .iter()
            .filter(|interface| matches!(interface.owner, InterfaceOwner::LoadBalancer(_)))
            .map(|interface| (interface.id.clone(), interface.private_ip))
            .collect()
    };
    Seen {
        load_balancers,
        addresses,
        listeners: view.list(""),
        rules: view.list(""),
        target_groups: view.list(""),
        targets: view.list(""),
        host_addresses: control.config().host_addresses.clone(),
    }
}
