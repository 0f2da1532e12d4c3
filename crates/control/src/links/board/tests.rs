use super::*;

const NOW: Timestamp = Timestamp(1_000);

fn table(idle_timeouts: &[u32]) -> RoutingTable {
    use wharf_model::{Place, routing::BalancerRoutes};
    let place = Place { region: "us-east-1".to_owned(), account: "123456789012".to_owned() };
    let load_balancers = idle_timeouts.iter().map(|secs| BalancerRoutes {
        arn: place.arn("elasticloadbalancing", "loadbalancer/app/web/0"),
        dns_name: String::new(),
        addresses: Vec::new(),
        host_addresses: Vec::new(),
        idle_timeout_secs: *secs,
        attributes: Default::default(),
        listeners: Vec::new(),
    });
    RoutingTable { version: 0, load_balancers: load_balancers.collect(), target_groups: Vec::new() }
}

#[tokio::test]
async fn a_table_that_says_nothing_new_keeps_its_version() {
    let board = Board::default();
    board.publish(1, table(&[60]), NOW);
    let first = board.next_table(0).await.version;
    board.publish(2, table(&[60]), Timestamp(2_000));
    assert_eq!(board.next_table(0).await.version, first);
    board.publish(3, table(&[61]), Timestamp(0));
    assert_eq!(board.next_table(0).await.version, first + 1, "even when the clock went back");
}

#[tokio::test]
async fn who_waits_is_told_at_once_that_no_balancer_is_there() {
    let board = Board::default();
    board.publish(1, table(&[]), NOW);
    assert_eq!(board.served(1, Duration::from_secs(60)).await, Served::Away);
}

#[tokio::test]
async fn only_the_newest_connection_is_believed() {
    let board = Board::default();
    board.publish(1, table(&[60]), NOW);
    let (old, new) = (board.connect(0), board.connect(0));
    let version = board.next_table(0).await.version;
    assert!(board.applied(old, version, Vec::new()).is_none());
    assert_eq!(board.served(1, Duration::from_millis(1)).await, Served::Late);
    assert!(board.applied(new, version, Vec::new()).is_some());
    assert_eq!(board.served(1, Duration::from_secs(60)).await, Served::Applied(Vec::new()));
    board.disconnect(old);
    assert_eq!(board.served(1, Duration::from_secs(60)).await, Served::Applied(Vec::new()));
    board.disconnect(new);
    assert_eq!(board.served(1, Duration::from_secs(60)).await, Served::Away);
}
