use super::*;
use wharf_model::task_definition::PortMapping;

fn database() -> ContainerDefinition {
    ContainerDefinition {
        port_mappings: vec![PortMapping::tcp(5432)],
        environment: vec![("POSTGRES_DB".to_owned(), "shop".to_owned())],
        ..ContainerDefinition::new("database", "x")
    }
}

fn web(links: &[&str]) -> ContainerDefinition {
    ContainerDefinition {
        links: links.iter().map(|link| (*link).to_owned()).collect(),
        ..ContainerDefinition::new("web", "x")
    }
}

#[test]
fn a_link_is_a_container_and_what_it_is_called() {
    assert_eq!(read("database:db"), Some(Link { container: "database", alias: "db" }));
    assert_eq!(read("database"), Some(Link { container: "database", alias: "database" }));
    for odd in ["", ":db", "database:", "a b", "a:b:c"] {
        assert_eq!(read(odd), None, "{odd}");
    }
}

#[test]
fn a_linked_container_is_found_by_both_names() {
    let (web, database) = (web(&["database:db"]), database());
    assert_eq!(names(&[&web, &database], 0), ["db", "database"]);
    assert_eq!(places(&[&web, &database], 0), [1]);
    assert!(names(&[&web, &database], 1).is_empty(), "a link leads one way");
}

#[test]
fn its_ports_and_variables_are_told_as_docker_tells_them() {
    let (web, database) = (web(&["database:my-db"]), database());
    let told = variables(&[&web, &database], 0, Ipv4Addr::new(172, 17, 0, 2));
    let told: Vec<String> = told.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        told,
        [
            "MY_DB_NAME=/web/my-db",
            "MY_DB_PORT=tcp://172.17.0.2:5432",
            "MY_DB_PORT_5432_TCP=tcp://172.17.0.2:5432",
            "MY_DB_PORT_5432_TCP_ADDR=172.17.0.2",
            "MY_DB_PORT_5432_TCP_PORT=5432",
            "MY_DB_PORT_5432_TCP_PROTO=tcp",
            "MY_DB_ENV_POSTGRES_DB=shop",
        ]
    );
}
