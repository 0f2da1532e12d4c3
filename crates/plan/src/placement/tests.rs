use super::*;

fn node(letter: char) -> NodeId {
    letter.to_string().repeat(32).parse().unwrap()
}

/// A node with 2 processors and 4 GiB of which so much is taken.
fn room(letter: char, cpu: u64, memory: u64) -> Room {
    let offered = Size { cpu: CpuUnits(2048), memory: Mebibytes(4096) };
    Room { node: node(letter), offered, taken_cpu: cpu, taken_memory: memory, taken_ports: BTreeSet::new() }
}

fn size(cpu: u32, memory: u32) -> Size {
    Size { cpu: CpuUnits(cpu), memory: Mebibytes(memory) }
}

#[test]
fn a_task_goes_where_most_memory_is_left() {
    let rooms = [room('a', 0, 1024), room('b', 1024, 512)];
    assert_eq!(place(&rooms, size(1024, 512), &[], Holding::Reserved), Ok(node('b')));
    assert_eq!(place(&rooms, size(2048, 512), &[], Holding::Reserved), Ok(node('a')));
}

#[test]
fn what_is_short_is_named_with_the_node_that_comes_closest() {
    let rooms = [room('a', 2000, 0), room('b', 0, 4000)];
    assert_eq!(place(&rooms, size(256, 512), &[], Holding::Reserved), Err(NoRoom::Cpu(node('a'))));
    assert_eq!(place(&rooms, size(1, 8192), &[], Holding::Reserved), Err(NoRoom::Memory(node('a'))));
    assert_eq!(place(&[], size(1, 1), &[], Holding::Shared), Err(NoRoom::NoNode));
}

#[test]
fn tasks_that_share_a_node_may_ask_for_more_than_it_has_together_but_not_alone() {
    let rooms = [room('a', 8192, 8192)];
    assert_eq!(place(&rooms, size(256, 512), &[], Holding::Shared), Ok(node('a')));
    assert_eq!(place(&rooms, size(256, 8192), &[], Holding::Shared), Err(NoRoom::Memory(node('a'))));
}

#[test]
fn a_task_goes_where_its_ports_are_free() {
    let http = [(Transport::Tcp, 80)];
    let mut rooms = [room('a', 0, 0), room('b', 0, 1024)];
    rooms[0].take(size(256, 512), &http);
    assert_eq!(place(&rooms, size(256, 512), &http, Holding::Reserved), Ok(node('b')));
    assert_eq!(place(&rooms, size(256, 512), &[(Transport::Udp, 80)], Holding::Reserved), Ok(node('a')));
    rooms[1].take(size(256, 512), &http);
    let none = place(&rooms, size(256, 512), &http, Holding::Reserved).unwrap_err();
    assert_eq!((none.reason(), none.closest()), ("RESOURCE:PORTS", Some(&node('a'))));
}
