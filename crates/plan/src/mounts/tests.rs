use super::*;
use wharf_model::task_definition::VolumeFrom;

/// Returns a container written `name: volume@/path, volume@/path:ro, <other, <other:ro`.
fn container(text: &str) -> ContainerDefinition {
    let (name, rest) = text.split_once(':').unwrap();
    let mut container = ContainerDefinition::new(name, "image");
    for part in rest.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (part, read_only) = part.strip_suffix(":ro").map_or((part, None), |part| (part, Some(true)));
        match part.strip_prefix('<') {
            Some(other) => {
                container.volumes_from.push(VolumeFrom { source_container: other.to_owned(), read_only })
            }
            None => {
                let (volume, path) = part.split_once('@').unwrap();
                container.mount_points.push(MountPoint {
                    source_volume: volume.to_owned(),
                    container_path: path.to_owned(),
                    read_only,
                });
            }
        }
    }
    container
}

/// Checks what the last container sees.
fn check(containers: &[&str], sees: &str) {
    let containers: Vec<_> = containers.iter().map(|text| container(text)).collect();
    let containers: Vec<_> = containers.iter().collect();
    let shown: Vec<String> = of(&containers, containers.len() - 1)
        .iter()
        .map(|seen| format!("{}@{}{}", seen.volume, seen.path, if seen.read_only { ":ro" } else { "" }))
        .collect();
    assert_eq!(shown.join(", "), sees, "{containers:?}");
}

#[test]
fn a_container_sees_its_own_mount_points_and_those_it_has_from_others() {
    check(&["a: data@/data"], "data@/data");
    check(&["a: data@/data, logs@/logs:ro", "b: <a"], "data@/data, logs@/logs:ro");
    check(&["a: data@/data", "b: <a:ro"], "data@/data:ro");
    check(&["a: data@/data", "b: <a", "c: <b:ro"], "data@/data:ro");
}

#[test]
fn its_own_mount_point_goes_before_that_of_another_at_the_same_path() {
    check(&["a: data@/data", "b: own@/data/, <a"], "own@/data/");
}

#[test]
fn a_circle_is_found_and_does_no_harm() {
    let circle_of = |texts: &[&str]| {
        let containers: Vec<_> = texts.iter().map(|text| container(text)).collect();
        circle(&containers.iter().collect::<Vec<_>>()).map(str::to_owned)
    };
    assert_eq!(circle_of(&["a: <b", "b: x@/x"]), None);
    assert_eq!(circle_of(&["c: <a", "a: <b", "b: <a"]), Some("a".to_owned()));
    assert_eq!(circle_of(&["a: <a"]), Some("a".to_owned()));
    check(&["a: x@/x, <b", "b: <a"], "x@/x");
}
