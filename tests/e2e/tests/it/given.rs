//! What a container is given beyond its image: secrets, environment files, logins, volumes, a disk. Seen from inside.

use crate::hello::{container, describe, log, network, run_task, text, until};
use serde_json::{Value, json};
use std::{fs, process::Command, time::Duration};
use wharf_e2e::{Aws, Wharf, run, within};

/// Registers a definition from its JSON, with a role for its secrets.
fn register(aws: &Aws, family: &str, containers: Value, more: Value) -> Value {
    let mut definition = json!({
        "family": family, "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        "containerDefinitions": containers,
    });
    if let (Value::Object(definition), Value::Object(more)) = (&mut definition, more) {
        definition.extend(more);
    }
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let file = dir.path().join("definition.json");
    fs::write(&file, definition.to_string()).expect("a temporary file can be written");
    aws.json(&format!("ecs register-task-definition --cli-input-json file://{}", file.display()))
        ["taskDefinition"]
        .clone()
}

/// Runs a task as on a container instance and returns its ARN.
fn start(aws: &Aws, family: &str, more: &str) -> String {
    let network = network(aws).replace(",assignPublicIp=ENABLED", "");
    let run = aws.json(&format!(
        "ecs run-task --task-definition {family} --launch-type EC2 --network-configuration {network} {more}"
    ));
    assert_eq!(run["failures"], json!([]), "{run:#}");
    text(&run["tasks"][0]["taskArn"])
}

/// Runs a task to its end and returns it; its containers must all have ended well.
fn finish(aws: &Aws, family: &str, more: &str) -> Value {
    let arn = start(aws, family, more);
    let task = until(aws, &arn, "STOPPED");
    for container in task["containers"].as_array().expect("a list") {
        assert_eq!(container["exitCode"], 0, "{family}: {task:#}\n{}", log(aws));
    }
    task
}

fn logged(aws: &Aws, what: &str) -> String {
    within(Duration::from_secs(20), format!("the log says {what}"), || {
        Some(log(aws)).filter(|log| log.contains(what))
    })
}

/// A container that runs a script to its end.
fn script(name: &str, image: &str, script: &str, more: Value) -> Value {
    let mut container = container(name, image, json!({"command": ["sh", "-ec", script], "memory": 128}));
    if let (Value::Object(container), Value::Object(more)) = (&mut container, more) {
        container.extend(more);
    }
    container
}

#[test]
fn secrets_files_and_logins_reach_the_container_and_no_record() {
    let wharf = Wharf::start(&["--healthy-after=1"]);
    let aws = wharf.aws();
    let image = wharf.push("fastapi");
    let made = aws.json(
        "secretsmanager create-secret --name prod/db --secret-string \
         '{\"user\":\"app\",\"password\":\"first-pw\",\"port\":5432}'",
    );
    let secret = text(&made["ARN"]);
    aws.json(
        "secretsmanager put-secret-value --secret-id prod/db --secret-string \
         '{\"user\":\"app\",\"password\":\"second-pw\",\"port\":5433}'",
    );
    aws.json("ssm put-parameter --name /prod/token --type SecureString --value token-in-no-record");
    let bucket = wharf.state_dir().join("buckets/config/prod");
    fs::create_dir_all(&bucket).expect("a bucket is a directory");
    fs::write(bucket.join("web.env"), "# web\nA=web\nB=web\nC=web\n").expect("an object is a file");
    fs::write(bucket.join("more.env"), "A=more\nD=more\nPATHLESS\n").expect("an object is a file");

    let says = "echo \"pw=$PW old=$OLD port=$PORT whole=$WHOLE token=$TOKEN\"; echo \"A=$A B=$B C=$C D=$D\"; \
                cat $(find / -xdev -name config.json 2>/dev/null) /dev/null | grep -c token-in || true; sleep 2";
    let given = json!({
        "secrets": [
            {"name": "PW", "valueFrom": format!("{secret}:password::")},
            {"name": "OLD", "valueFrom": format!("{secret}:password:AWSPREVIOUS:")},
            {"name": "PORT", "valueFrom": format!("{secret}:port::")},
            {"name": "WHOLE", "valueFrom": secret},
            {"name": "TOKEN", "valueFrom": "/prod/token"},
        ],
        "environment": [{"name": "B", "value": "definition"}],
        "environmentFiles": [
            {"type": "s3", "value": "arn:aws:s3:::config/prod/web.env"},
            {"type": "s3", "value": "arn:aws:s3:::config/prod/more.env"},
        ],
    });
    let definition = register(&aws, "told", json!([script("app", &image, says, given)]), json!({}));
    assert_eq!(definition["containerDefinitions"][0]["secrets"][4]["valueFrom"], "/prod/token");
    let arn = start(&aws, "told", "");
    let log = logged(&aws, "D=more");
    assert!(log.contains("pw=second-pw old=first-pw port=5433 whole={"), "{log}");
    assert!(log.contains("token=token-in-no-record"), "{log}");
    assert!(log.contains("A=web B=definition C=web D=more"), "{log}");
    // While it runs: what it printed itself is the only trace.
    let state = wharf.state_dir();
    let held =
        Command::new("grep").args(["-rl", "token-in-no-record", state.as_str()]).output().expect("grep");
    let held = String::from_utf8_lossy(&held.stdout).into_owned();
    let own = |path: &&str| !path.ends_with("output.log") && !path.contains("/logs/");
    assert_eq!(held.lines().filter(own).collect::<Vec<_>>(), [""; 0]);
    assert!(!describe(&aws, &arn).to_string().contains("token-in-no-record"));
    until(&aws, &arn, "STOPPED");

    // An override replaces the files, and its variables go before everything.
    let overrides = "--overrides '{\"containerOverrides\":[{\"name\":\"app\",\"environment\":[{\"name\":\"A\",\"value\":\
                     \"run\"}],\"environmentFiles\":[{\"type\":\"s3\",\"value\":\
                     \"arn:aws:s3:::config/prod/more.env\"}]}]}'";
    finish(&aws, "told", overrides);
    logged(&aws, "A=run B=definition C= D=more");
    let refused = aws.error(&format!(
        "ecs run-task --task-definition told --network-configuration {} --overrides \
         '{{\"containerOverrides\":[{{\"name\":\"app\",\"environment\":[{{\"name\":\"PW\",\"value\":\"x\"}}]}}]}}'",
        network(&aws)
    ));
    assert!(refused.contains("The secret name must be unique"), "{refused}");

    for (value, why) in [
        (format!("{secret}:missing::"), "did not contain json key missing"),
        ("/prod/missing".to_owned(), "invalid parameters: /prod/missing"),
        (secret.replace("prod/db", "prod/none"), "Secrets Manager can't find the specified secret."),
    ] {
        let given = json!({"secrets": [{"name": "X", "valueFrom": value}]});
        register(&aws, "missing", json!([script("app", &image, "true", given)]), json!({}));
        let task = until(&aws, &start(&aws, "missing", ""), "STOPPED");
        assert_eq!(task["stopCode"], "TaskFailedToStart", "{task:#}");
        let reason = text(&task["stoppedReason"]);
        let begin = "ResourceInitializationError: unable to pull secrets or registry auth: ";
        assert!(reason.starts_with(begin) && reason.contains(why), "{reason}");
    }

    // A registry that is not the own one as far as names go, and asks for a password.
    let password = aws.text("ecr get-login-password");
    let port = wharf.endpoint().rsplit(':').next().expect("a port").to_owned();
    let private = format!("localhost:{port}/fastapi:latest");
    for (name, password, ends) in
        [("good", password.trim(), "EssentialContainerExited"), ("bad", "no", "TaskFailedToStart")]
    {
        let login = format!("{{\"username\":\"AWS\",\"password\":\"{password}\"}}");
        let made = aws.json(&format!("secretsmanager create-secret --name {name} --secret-string '{login}'"));
        let credentials = json!({"repositoryCredentials": {"credentialsParameter": made["ARN"]}});
        register(&aws, name, json!([script("app", &private, "true", credentials)]), json!({}));
        let task = until(&aws, &start(&aws, name, ""), "STOPPED");
        assert_eq!(task["stopCode"], ends, "{task:#}");
    }
    wharf.down();
}

#[test]
fn volumes_are_shared_kept_and_given_back_and_a_disk_is_its_tasks_own() {
    let wharf = Wharf::start(&["--healthy-after=1"]);
    let aws = wharf.aws();
    let image = wharf.push("fastapi");
    let host = tempfile::tempdir().expect("a temporary directory can be made");
    fs::write(host.path().join("in"), "of the host").expect("a file can be written");
    let made = aws.json("efs create-file-system --creation-token tests");
    let file_system = text(&made["FileSystemId"]);
    let point = aws.json(&format!(
        "efs create-access-point --client-token tests --file-system-id {file_system} --posix-user Uid=4242,Gid=4343 \
         --root-directory 'Path=/app,CreationInfo={{OwnerUid=4242,OwnerGid=4343,Permissions=0750}}'"
    ));
    let volumes = json!({"volumes": [
        {"name": "scratch"},
        {"name": "host", "host": {"sourcePath": host.path()}},
        {"name": "kept", "dockerVolumeConfiguration": {"scope": "shared", "autoprovision": true, "driver": "local",
                                                       "labels": {"team": "harbour"}}},
        {"name": "memory", "dockerVolumeConfiguration": {"scope": "task", "driver": "local", "driverOpts":
            {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}}},
        {"name": "files", "efsVolumeConfiguration": {"fileSystemId": file_system}},
        {"name": "point", "efsVolumeConfiguration": {"fileSystemId": file_system, "transitEncryption": "ENABLED",
            "authorizationConfig": {"accessPointId": point["AccessPointId"]}}},
    ]});
    let at = |volume: &str, path: &str| json!({"sourceVolume": volume, "containerPath": path});
    let reads =
        |volume: &str, path: &str| json!({"sourceVolume": volume, "containerPath": path, "readOnly": true});
    let writer = "cat /host/in; (echo x > /host/no) 2>/dev/null && exit 1; \
                  echo kept >> /kept/file; echo shared > /memory/file; dd if=/dev/zero of=/memory/big bs=1M count=2 \
                  2>&1 | grep -o 'No space left'; echo files > /files/file; echo point > /point/file; \
                  stat -c 'owner %u' /point/file; echo scratch > /scratch/file; until test -e /scratch/read; do \
                  sleep 0.1; done; echo writer done";
    let reader = "until test -e /scratch/file; do sleep 0.1; done; cat /memory/file /scratch/file; \
                  (echo x > /kept/no) 2>/dev/null && exit 1; echo \"lines=$(wc -l < /kept/file)\"; touch /scratch/read; echo reader done";
    let containers = json!([
        script(
            "writer",
            &image,
            writer,
            json!({"mountPoints": [
                at("scratch", "/scratch"), reads("host", "/host"), at("kept", "/kept"), at("memory", "/memory"),
                at("files", "/files"), at("point", "/point"),
            ]})
        ),
        script(
            "reader",
            &image,
            reader,
            json!({"essential": false, "mountPoints": [
            at("scratch", "/scratch"), reads("kept", "/kept")],
            "volumesFrom": [{"sourceContainer": "writer"}]})
        ),
    ]);
    register(&aws, "volumes", containers, volumes);
    for lines in ["lines=1", "lines=2"] {
        finish_shared(&aws);
        let log = logged(&aws, lines);
        assert!(log.contains("of the host") && log.contains("No space left"), "{log}");
        // The agent finds its way after a crash, and the volume is still there.
        wharf.kill("agent");
    }
    let tree = wharf.state_dir().join("efs").join(&file_system);
    assert_eq!(fs::read_to_string(tree.join("file")).expect("in the tree"), "files\n");
    let made = fs::metadata(tree.join("app/file")).expect("below the access point's directory");
    assert_eq!(
        (owner(&made), fs::read_to_string(tree.join("app/file")).expect("text")),
        ((4242, 4343), "point\n".to_owned())
    );
    assert!(!host.path().join("no").exists());

    image_content_fills_a_new_volume(&aws, &image);
    a_disk_of_its_own_is_limited_and_survives_the_agent(&wharf, &aws, &image);
    wharf.down();
    assert_eq!(
        fs::read_to_string(host.path().join("in")).expect("the host's file is as it was"),
        "of the host"
    );
}

fn finish_shared(aws: &Aws) {
    let arn = start(aws, "volumes", "");
    let task = until(aws, &arn, "STOPPED");
    let codes: Vec<&Value> =
        task["containers"].as_array().expect("a list").iter().map(|it| &it["exitCode"]).collect();
    assert!(codes.contains(&&json!(0)), "{task:#}\n{}", log(aws));
    let writer = task["containers"].as_array().expect("a list").iter().find(|it| it["name"] == "writer");
    assert_eq!(writer.expect("it is described")["exitCode"], 0, "{task:#}\n{}", log(aws));
}

fn owner(found: &fs::Metadata) -> (u32, u32) {
    use std::os::unix::fs::MetadataExt;
    (found.uid(), found.gid())
}

fn image_content_fills_a_new_volume(aws: &Aws, image: &str) {
    let says = "test -e /app/main.py; test -e /app/requirements.txt; echo x > /app/new; echo filled well";
    let mounts = json!({"mountPoints": [{"sourceVolume": "app", "containerPath": "/app"}]});
    register(
        aws,
        "filled",
        json!([script("app", image, says, mounts)]),
        json!({"volumes": [{"name": "app"}]}),
    );
    finish(aws, "filled", "");
    logged(aws, "filled well");
}

fn a_disk_of_its_own_is_limited_and_survives_the_agent(wharf: &Wharf, aws: &Aws, image: &str) {
    let says = "df -BG --output=size / | tail -1; fallocate -l 15G /one; fallocate -l 15G /two 2>&1 | grep -o 'No space \
                left' ; rm /one /two; echo y > /volume/file; echo started; until test -e /volume/go; do sleep 0.1; \
                done; cat /volume/file; echo disk done";
    let mounts = json!({"mountPoints": [{"sourceVolume": "own", "containerPath": "/volume"}]});
    let disk = json!({"volumes": [{"name": "own"}], "ephemeralStorage": {"sizeInGiB": 21}});
    register(aws, "disk", json!([script("app", image, says, mounts)]), disk);
    let before = loops();
    let arn = text(&run_task(aws, "disk", "")["taskArn"]);
    logged(aws, "started");
    let id = arn.rsplit('/').next().expect("an id").to_owned();
    let disk = wharf.run_dir().join("storage").join(&id);
    wharf.kill("agent");
    within(Duration::from_secs(10), "the disk is still mounted", || {
        disk.join("volumes/0/file").exists().then_some(())
    });
    fs::write(disk.join("volumes/0/go"), "").expect("the volume is on the disk");
    let log = logged(aws, "disk done");
    assert!(log.contains("21G") && log.contains("No space left"), "{log}");
    let task = until(aws, &arn, "STOPPED");
    assert_eq!(task["containers"][0]["exitCode"], 0, "{task:#}");
    within(Duration::from_secs(10), "the disk is given back", || {
        (!disk.exists() && loops() == before).then_some(())
    });
}

/// Returns the files that loop devices stand for.
fn loops() -> String {
    run(Command::new("sh").args(["-c", "cat /sys/block/loop*/loop/backing_file 2>/dev/null || true"]))
}
