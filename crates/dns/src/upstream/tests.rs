use super::*;

#[test]
fn the_first_three_name_servers_of_the_file_are_asked() {
    let text = "# stub\nnameserver 127.0.0.53\n nameserver 10.0.0.2\nnameserver ::1\nnameserver 10.0.0.3\nsearch x\n";
    let shown: Vec<String> = parse(text).iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["127.0.0.53:53", "10.0.0.2:53", "[::1]:53"]);
    assert_eq!(parse("nameserver here\n"), []);
}
