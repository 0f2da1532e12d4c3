//! Deployments one after the other while clients ask without pause.

use crate::hello::{deploy, text};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use wharf_e2e::{Client, Failure, Wharf, within};

#[test]
fn three_deployments_in_a_row_fail_no_request() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let hello = deploy(&wharf, 3);
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|number| {
            let (url, stop) = (hello.url.clone(), Arc::clone(&stop));
            std::thread::spawn(move || ask(number, &url, &stop))
        })
        .collect();
    let running =
        || -> BTreeSet<String> { hello.tasks().iter().map(|task| text(&task["taskArn"])).collect() };
    let mut seen = running();
    for _ in 0..3 {
        hello.aws.json("ecs update-service --service hello --force-new-deployment");
        within(Duration::from_secs(60), "the deployment is done", || hello.is_stable(3).then_some(()));
        let now = running();
        assert!(now.len() == 3 && now.is_disjoint(&seen), "{now:?} after {seen:?}");
        seen.extend(now);
    }
    stop.store(true, Ordering::Relaxed);
    let answers: Vec<_> =
        clients.into_iter().map(|client| client.join().expect("a client does not panic")).collect();
    let failures: Vec<&String> = answers.iter().flat_map(|(_, failures)| failures).collect();
    let asked: usize = answers.iter().map(|(asked, _)| asked).sum();
    assert!(failures.is_empty(), "{} of {asked} requests failed: {failures:#?}", failures.len());
    assert!(asked > 300, "only {asked} requests were made");
    wharf.down();
}

/// Asks until `stop`: every second client on connections of their own, every second request a POST.
fn ask(number: usize, url: &str, stop: &AtomicBool) -> (usize, Vec<String>) {
    let host = url.trim_start_matches("http://");
    let port = host.split(':').nth(1).expect("the listener has a port of its own");
    let connect = || Client::new(&format!("127.0.0.1:{port}"), host);
    let (mut asked, mut failures, mut client) = (0, Vec::new(), connect());
    while !stop.load(Ordering::Relaxed) {
        asked += 1;
        let (method, body): (_, &[u8]) = if asked % 2 == 0 { ("POST", b"body") } else { ("GET", b"") };
        let path = if asked % 10 == 0 { "/slow?ms=300" } else { "/" };
        if number.is_multiple_of(2) {
            client = connect();
        }
        let answer = match client.send(method, path, body) {
            // The balancer may close a connection that idles; a client opens another one.
            Err(Failure::ClosedIdle) => client.send(method, path, body),
            answer => answer,
        };
        match answer {
            Ok(answer) if answer.status == 200 => {}
            Ok(answer) => failures.push(format!("{method} {path}: {} {}", answer.status, answer.text())),
            Err(failure) => failures.push(format!("{method} {path}: {failure:?}")),
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    (asked, failures)
}
