use super::*;

fn fleet() -> Fleet {
    Fleet {
        nodes: 3,
        cpu: CpuUnits(2048),
        memory: Mebibytes(4096),
        start: Duration::from_millis(100),
        spread: Duration::from_millis(50),
        failures: 0.1,
        unhealthy: 0.5,
        seed: 7,
    }
}

#[test]
fn the_same_seed_tells_the_same_story_and_another_one_another() {
    let story = |fleet: &Fleet| (0..100).map(|count| fleet.fate(1, count)).collect::<Vec<_>>();
    assert_eq!(story(&fleet()), story(&fleet()));
    assert_ne!(story(&fleet()), story(&Fleet { seed: 8, ..fleet() }));
    assert_ne!(fleet().fate(1, 1), fleet().fate(2, 1));
}

#[test]
fn chance_keeps_to_the_parts_that_were_asked_for() {
    let fates: Vec<Fate> = (0..10_000).map(|count| fleet().fate(0, count)).collect();
    let share = |holds: fn(&Fate) -> bool| fates.iter().filter(|fate| holds(fate)).count();
    assert!((900..1_100).contains(&share(|fate| fate.fails)), "{}", share(|fate| fate.fails));
    assert!((4_800..5_200).contains(&share(|fate| fate.unhealthy)));
    assert!((4_800..5_200).contains(&share(|fate| fate.start > Duration::from_millis(125))));
    assert!(fates.iter().all(|fate| fate.start >= fleet().start));
    assert!(fates.iter().all(|fate| fate.start < fleet().start + fleet().spread));
}

#[test]
fn each_node_has_an_id_of_its_own() {
    let ids: std::collections::BTreeSet<NodeId> = (0..5_000).map(Fleet::node).collect();
    assert_eq!(ids.len(), 5_000);
}
