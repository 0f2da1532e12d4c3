//! The control process: opens the state, serves the API, runs the loops.

use crate::{
    backup::{self, Backup},
    ca,
    credentials::Credentials,
    hosts_file,
    node::{self, stop_signal},
    options::{Auth, Options, claim_state},
};
use anyhow::Context;
use camino::Utf8Path;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::{collections::BTreeSet, net::TcpListener, os::fd::AsFd, time::Duration};
use tokio::{net::UnixListener, sync::watch};
use wharf_api::{Api, RegistryTokens};
use wharf_control::{Config, Control, simulated};
use wharf_model::{Place, load_balancer::LoadBalancer};
use wharf_nodelink::local::{FromControl, ToControl};
use wharf_store::{Store, schema};

/// Runs until it is asked to end.
pub(crate) fn run(options: &Options, listen_on_stdin: bool) -> anyhow::Result<()> {
    node::run(Box::pin(serve(options, listen_on_stdin)))
}

async fn serve(options: &Options, listen_on_stdin: bool) -> anyhow::Result<()> {
    let stop_asked = stop_signal()?;
    let listener = if listen_on_stdin {
        let socket =
            std::io::stdin().as_fd().try_clone_to_owned().context("take over the endpoint's socket")?;
        TcpListener::from(socket)
    } else {
        TcpListener::bind(options.endpoint).with_context(|| format!("listen on {}", options.endpoint))?
    };
    let (credentials, _) = Credentials::ensure(options)?;
    claim_state(options)?;
    if options.is_simulated() {
        allow_many_files().context("allow a connection for each simulated node")?;
    }
    let store = Store::open(options.state_file().as_std_path(), schema()).context("open the state")?;
    let config = Config {
        place: Place { region: options.region.clone(), account: wharf_api::ACCOUNT.to_owned() },
        endpoint: options.endpoint,
        state_dir: options.state_dir.clone(),
        vpc_cidr: options.vpc_cidr,
        public_cidr: options.public_cidr,
        host_addresses: options.host_addresses.clone(),
        registry_password: credentials.registry_secret.clone(),
        healthy_after_secs: options.healthy_after_secs(),
        simulated: options.is_simulated(),
    };
    let control = Control::new(store, config).context("open the control plane's state")?;
    ca::keep(options, &control).await?;
    let node_socket = listen(&options.node_socket())?;
    let balancer_socket = listen(&options.balancer_socket())?;
    let local_socket = listen(&options.control_socket())?;
    tokio::spawn(wharf_nodelink::local::serve(local_socket, {
        let (control, options) = (control.clone(), options.clone());
        move |asked| answer_locally(control.clone(), options.clone(), asked)
    }));

    let (stop, stopping) = watch::channel(false);
    let stopped = |mut stopping: watch::Receiver<bool>| async move {
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    let api = api(options, &control, &credentials);
    let api = tokio::spawn(api.serve(listener, stopped(stopping.clone())));
    let loops = tokio::spawn(wharf_control::serve(
        control.clone(),
        node_socket,
        balancer_socket,
        stopped(stopping.clone()),
    ));
    if let Some(fleet) = options.simulated.fleet() {
        let (control, socket) = (control.clone(), options.node_socket());
        tokio::spawn(async move { simulated::run(control, socket.as_std_path(), fleet).await });
    }
    if !options.no_hosts_file {
        tokio::spawn(keep_hosts_file(control.clone(), options.clone()));
    }
    tokio::pin!(stop_asked, api, loops);
    tokio::select! {
        () = &mut stop_asked => {}
        ended = &mut api => return ended.context("serve the API")?.context("serve the API"),
        ended = &mut loops => return ended.context("run the control plane")?.context("run the control plane"),
    }
    stop.send_replace(true);
    // Requests under way are answered first; the server bounds how long that takes.
    api.await.context("serve the API")?.context("serve the API")?;
    loops.await.context("run the control plane")?.context("run the control plane")
}

fn api(options: &Options, control: &Control, credentials: &Credentials) -> Api {
    let auth = match options.auth {
        Auth::On => wharf_api::Auth::root(&credentials.access_key_id, &credentials.secret_access_key),
        Auth::Off => wharf_api::Auth::off(),
    };
    let registry = control.registry().clone();
    let tokens = RegistryTokens::new(&credentials.registry_secret);
    let api = Api::new(control.clone(), auth).registry(tokens, move |request| {
        let registry = registry.clone();
        async move { registry.handle(request).await }
    });
    if !options.ephemeral {
        return api;
    }
    let control = control.clone();
    api.reset(move || {
        let control = control.clone();
        async move { control.reset().await.map_err(Into::into) }
    })
}

/// Answers the command line of this machine.
async fn answer_locally(control: Control, options: Options, asked: ToControl) -> FromControl {
    match asked {
        ToControl::Backup { path, with_registry, with_logs } => {
            let asked = Backup { file: path.into(), with_registry, with_logs };
            backup::answer(options, control.store().clone(), asked).await
        }
        asked => wharf_control::local::answer(control, asked).await,
    }
}

fn listen(path: &Utf8Path) -> anyhow::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("remove old socket {path}")),
    }
    let listener = UnixListener::bind(path).with_context(|| format!("listen on {path}"))?;
    let root_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, root_only).with_context(|| format!("protect {path}"))?;
    Ok(listener)
}

/// Lets this process open as many files as it may.
fn allow_many_files() -> nix::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)
}

/// Keeps the names of load balancers and of the image registry in the hosts file.
async fn keep_hosts_file(control: Control, options: Options) {
    let mut bell = control.store().watch();
    let config = control.config();
    let registry = format!("{}.dkr.ecr.{}.localhost", config.place.account, config.place.region);
    let mut written = BTreeSet::new();
    loop {
        let mut names: BTreeSet<String> = {
            let view = control.store().view();
            view.list::<LoadBalancer>("").iter().map(|balancer| balancer.dns_name.clone()).collect()
        };
        names.insert(registry.clone());
        if names != written {
            match hosts_file::set(Utf8Path::new(hosts_file::HOSTS), &options.run_dir, &names) {
                Ok(()) => written = names,
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "names of load balancers are not kept")
                }
            }
        }
        if bell.changed().await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
