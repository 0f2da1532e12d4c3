//! Access logs and connection logs, as they come to lie in their buckets.

use crate::world::{Server, World, get, send, status};
use flate2::read::GzDecoder;
use std::{
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, sleep};
use wharf_model::{
    attributes::LogDelivery,
    routing::Action,
    rule::{Condition, Patterns},
};

/// Returns the log files below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { vec![entry.path()] })
        .filter(|path| path.extension().is_some_and(|ending| ending == "gz"))
        .collect()
}

/// Returns the lines of the logs whose names hold this, once there are so many.
async fn lines(world: &World, holding: &str, count: usize) -> Vec<String> {
    let start = Instant::now();
    loop {
        let of = files(&world.buckets()).into_iter().filter(|path| path.to_str().unwrap().contains(holding));
        let mut lines = Vec::new();
        for path in of {
            let mut text = String::new();
            GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
            lines.extend(text.lines().map(str::to_owned));
        }
        if lines.len() >= count {
            return lines;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{count} lines of {holding}: {lines:#?}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_a_line_in_the_bucket_that_the_attributes_name() {
    let mut world = World::new().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.table.target_groups[0].health_check.enabled = false;
    let redirect = Action::Redirect {
        status_code: 302,
        protocol: "HTTPS".to_owned(),
        host: "#{host}".to_owned(),
        port: "443".to_owned(),
        path: "/#{path}".to_owned(),
        query: "#{query}".to_owned(),
    };
    let away = Condition::PathPattern(Patterns::Wildcards(vec!["/away".to_owned()]));
    world.rule(vec![away], redirect);
    let delivery =
        |prefix: &str| LogDelivery { enabled: true, bucket: "my-logs".to_owned(), prefix: prefix.to_owned() };
    let attributes = &mut world.table.load_balancers[0].attributes;
    (attributes.access_logs, attributes.connection_logs) = (delivery("access"), delivery("connections"));
    world.apply().await;
    assert_eq!(status(&get(at, "/short?x=1").await), 200);
    let chunked = "POST /long HTTP/1.1\r\nHost: t\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    assert_eq!(status(&send(at, chunked).await), 200);
    assert_eq!(status(&get(at, "/away").await), 302);
    world.table.target_groups[0].targets.clear();
    world.apply().await;
    assert_eq!(status(&get(at, "/nobody").await), 503);

    let said = lines(&world, "my-logs/access/AWSLogs/123456789012/elasticloadbalancing/us-east-1/", 4).await;
    let of = |path: &str| {
        let holding = format!(":{}{path} HTTP/1.1\"", at.port());
        let line = said.iter().find(|line| line.contains(&holding));
        line.unwrap_or_else(|| panic!("{path} in {said:#?}"))
            .split(' ')
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for (path, method, bytes) in [("/short?x=1", "GET", 62), ("/long", "POST", 96)] {
        let fields = of(path);
        assert_eq!((fields[0].as_str(), fields[2].as_str()), ("http", "app/web/1"), "{fields:?}");
        assert!(fields[3].starts_with("127.0.0.1:") && fields[4] == a.address.to_string(), "{fields:?}");
        assert!(fields[5..8].iter().all(|time| time.parse::<f64>().unwrap() >= 0.0), "{fields:?}");
        assert_eq!(fields[8..10], ["200", "200"], "{fields:?}");
        assert!(fields[10].parse::<u64>().unwrap().abs_diff(bytes) <= 10, "{bytes}: {fields:?}");
        assert!(fields[11].parse::<u64>().unwrap() > 150, "{fields:?}");
        assert_eq!(fields[12], format!("\"{method}"), "{fields:?}");
        assert!(fields.iter().any(|field| field.starts_with("\"Root=1-")), "{fields:?}");
    }
    let line = of("/away").join(" ");
    assert!(
        line.contains(" - -1 -1 -1 302 - ") && line.contains(" 1 ") && line.contains("\"redirect\""),
        "{line}"
    );
    assert!(line.contains("\"https://test:443/away\""), "{line}");
    assert!(of("/nobody").join(" ").contains(" - -1 -1 -1 503 - "));
    let connections = lines(&world, "my-logs/connections/", 4).await;
    assert!(connections[0].contains(&format!(" {} - - - \"-\" - - - TID_", at.port())), "{connections:?}");
    let names = files(&world.buckets());
    let name = |holding: &str| {
        names.iter().any(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(&format!("{holding}123456789012_elasticloadbalancing_us-east-1_app.web.1_"))
                && name.ends_with(".log.gz")
        })
    };
    assert!(name("") && name("conn_log."), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_a_killed_balancer_are_delivered_by_the_next() {
    let mut world = World::new().await;
    world.set_log_every(Duration::from_secs(600));
    world.forget();
    world.kill_balancer();
    world.start_balancer();
    world.hello().await;
    let a = Server::new("a").await;
    let at = world.balance("web", &[a.address]);
    world.table.target_groups[0].health_check.enabled = false;
    let delivery = LogDelivery { enabled: true, bucket: "my-logs".to_owned(), prefix: String::new() };
    world.table.load_balancers[0].attributes.access_logs = delivery;
    world.apply().await;
    assert_eq!(status(&get(at, "/kept").await), 200);
    // Until the thread has written the line.
    sleep(Duration::from_millis(200)).await;
    world.kill_balancer();
    assert!(files(&world.buckets()).is_empty());
    world.start_balancer();
    assert!(lines(&world, "my-logs/AWSLogs/", 1).await[0].contains("/kept HTTP/1.1\""));
}
