//! The keys of a task's role: they work, for little, for as long as the task runs, and for nobody else.

use crate::hello::{container, log, network, process, text, until};
use serde_json::json;
use std::{process::Command, time::Duration};
use wharf_e2e::{Aws, Wharf, within};

/// Signs as SDKs do, and says what came of each call.
const SCRIPT: &str = r#"
import datetime, hashlib, hmac, json, os, time, urllib.request as u, urllib.error
base = 'http://169.254.170.2'
def get(path, data=None, headers={}):
    try:
        with u.urlopen(u.Request(base + path, data, headers)) as answer: return answer.status, answer.read()
    except urllib.error.HTTPError as error: return error.code, error.read()
path = os.environ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']
keys = json.loads(get(path)[1])
def call(service, target, body, keys=keys):
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime('%Y%m%dT%H%M%SZ'), now.strftime('%Y%m%d')
    body = json.dumps(body).encode()
    headers = {'content-type': 'application/x-amz-json-1.1', 'host': '169.254.170.2', 'x-amz-date': stamp,
               'x-amz-security-token': keys['Token'], 'x-amz-target': target}
    signed = ';'.join(sorted(headers))
    lines = ''.join(f'{k}:{headers[k]}\n' for k in sorted(headers))
    request = f'POST\n/\n\n{lines}\n{signed}\n{hashlib.sha256(body).hexdigest()}'
    scope = f'{day}/us-east-1/{service}/aws4_request'
    text = f'AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}'
    key = ('AWS4' + keys['SecretAccessKey']).encode()
    for part in (day, 'us-east-1', service, 'aws4_request', text): key = hmac.new(key, part.encode(), 'sha256').digest()
    headers['authorization'] = f"AWS4-HMAC-SHA256 Credential={keys['AccessKeyId']}/{scope}, SignedHeaders={signed}, Signature={key.hex()}"
    status, answer = get('/', body, headers)
    answer = json.loads(answer or b'{}')
    return status, answer.get('__type', 'ok').split('#')[-1], answer
ecs, logs = 'AmazonEC2ContainerServiceV20141113.', 'Logs_20140328.'
def say(name, result): print(name, *result[:2], flush=True)
say('list', call('ecs', ecs + 'ListTasks', {}))
say('stop', call('ecs', ecs + 'StopTask', {'task': 'x'}))
say('make', call('logs', logs + 'CreateLogStream', {'logGroupName': '/ecs/tests', 'logStreamName': 'own'}))
event = {'timestamp': int(time.time() * 1000), 'message': 'by the task itself'}
say('put', call('logs', logs + 'PutLogEvents', {'logGroupName': '/ecs/tests', 'logStreamName': 'own', 'logEvents': [event]}))
say('read', call('logs', logs + 'GetLogEvents', {'logGroupName': '/ecs/tests', 'logStreamName': 'own'}))
say('other', call('logs', logs + 'CreateLogStream', {'logGroupName': '/other', 'logStreamName': 'own'}))
say('images', call('ecr', 'AmazonEC2ContainerRegistry_V20150921.DescribeRepositories', {}))
say('forged', call('ecs', ecs + 'ListTasks', {}, {**keys, 'SecretAccessKey': 'x' * 40}))
say('token', call('ecs', ecs + 'ListTasks', {}, {**keys, 'Token': keys['Token'][:-4] + 'AAAA'}))
say('plain', get('/', b'{}', {'x-amz-target': ecs + 'ListTasks', 'content-type': 'application/x-amz-json-1.1'}))
other = os.environ.get('OTHER_PATH')
if other:
    print('theirs', get(other)[0], flush=True)
    say('stolen', call('ecs', ecs + 'ListTasks', {}, json.loads(os.environ['OTHER_KEYS'])))
print('ready', json.dumps(keys), path, flush=True)
time.sleep(600)
"#;

fn run(aws: &Aws, family: &str, image: &str, environment: serde_json::Value) -> String {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let file = dir.path().join("containers.json");
    let more = json!({"command": ["python3", "-c", SCRIPT], "environment": environment, "stopTimeout": 2});
    let containers = json!([container(family, image, more)]);
    std::fs::write(&file, containers.to_string()).expect("a temporary file can be written");
    aws.json(&format!(
        "ecs register-task-definition --family {family} --network-mode awsvpc --requires-compatibilities FARGATE \
         --cpu 256 --memory 512 --execution-role-arn arn:aws:iam::123456789012:role/run \
         --task-role-arn arn:aws:iam::123456789012:role/app --container-definitions file://{}",
        file.display()
    ));
    let run = aws.json(&format!(
        "ecs run-task --task-definition {family} --launch-type FARGATE --network-configuration {}",
        network(aws)
    ));
    text(&run["tasks"][0]["taskArn"])
}

fn lines(aws: &Aws, family: &str) -> Vec<String> {
    let ready = within(Duration::from_secs(40), format!("{family} has tried everything"), || {
        Some(log(aws)).filter(|log| {
            log.lines().any(|line| line.contains(&format!("t/{family}/")) && line.contains(" ready "))
        })
    });
    let own = ready.lines().filter(|line| line.contains(&format!("t/{family}/")));
    own.map(|line| line.split_once("  ").map_or(line, |(_, rest)| rest).to_owned())
        .map(|line| line.trim().to_owned())
        .collect()
}

#[test]
fn a_task_has_keys_for_its_own_log_group_and_for_reading_ecs_and_no_others() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("fastapi");
    aws.json("logs create-log-group --log-group-name /other");
    aws.json("logs create-log-group --log-group-name /ecs/tests");
    let first = run(&aws, "first", &image, json!([]));
    let said = lines(&aws, "first");
    let has = |said: &[String], line: &str| {
        assert!(said.iter().any(|known| known.ends_with(line)), "{line}: {said:#?}")
    };
    for line in [
        "list 200 ok",
        "stop 400 AccessDeniedException",
        "make 200 ok",
        "put 200 ok",
        "read 400 AccessDeniedException",
        "other 400 AccessDeniedException",
        "images 400 AccessDeniedException",
        "forged 400 InvalidSignatureException",
        "token 400 UnrecognizedClientException",
    ] {
        has(&said, line);
    }
    assert!(said.iter().any(|line| line.contains("plain 400")), "{said:#?}");
    let ready = said.iter().find_map(|line| line.split_once("ready ")).expect("its keys").1.to_owned();
    let (keys, path) = ready.rsplit_once(' ').expect("a path");
    assert!(aws.tail("/ecs/tests").contains("by the task itself"));

    // An SDK's own way to the keys, from inside the task's network.
    let id = first.rsplit('/').next().expect("an id");
    let ask = "import boto3; s = boto3.Session(region_name='us-east-1'); \
               print(s.client('sts').get_caller_identity()['Arn'], len(s.client('ecs').list_tasks()['taskArns']), \
               s.get_credentials().method)";
    let asked = Command::new("nsenter")
        .args(["-t", &process(id), "-n", "python", "-c", ask])
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap_or_default())
        .env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", path)
        .env("AWS_ENDPOINT_URL", "http://169.254.170.2")
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        .output()
        .expect("nsenter is installed");
    let answer = String::from_utf8_lossy(&asked.stdout);
    let expected = format!("arn:aws:sts::123456789012:assumed-role/app/{id} 1 container-role");
    assert_eq!(answer.trim(), expected, "{}", String::from_utf8_lossy(&asked.stderr));

    // Another task knows path and keys of the first one, and has nothing of it.
    let environment = json!([{"name": "OTHER_PATH", "value": path}, {"name": "OTHER_KEYS", "value": keys}]);
    run(&aws, "second", &image, environment);
    let said = lines(&aws, "second");
    has(&said, "list 200 ok");
    has(&said, "theirs 404");
    has(&said, "stolen 400 AccessDeniedException");

    // Keys end with their task.
    aws.json(&format!("ecs stop-task --task {first}"));
    until(&aws, &first, "STOPPED");
    let keys: serde_json::Value = serde_json::from_str(keys).expect("keys are JSON");
    let theirs = aws
        .with("AWS_ACCESS_KEY_ID", &text(&keys["AccessKeyId"]))
        .with("AWS_SECRET_ACCESS_KEY", &text(&keys["SecretAccessKey"]))
        .with("AWS_SESSION_TOKEN", &text(&keys["Token"]));
    assert!(theirs.error("ecs list-tasks").contains("UnrecognizedClientException"));
    wharf.down();
}

#[test]
fn without_authentication_a_task_still_may_no_more_than_its_role() {
    let wharf = Wharf::start(&["--ephemeral", "--auth=off"]);
    let aws = wharf.aws();
    let image = wharf.push("fastapi");
    aws.json("logs create-log-group --log-group-name /ecs/tests");
    run(&aws, "first", &image, json!([]));
    let said = lines(&aws, "first");
    for line in
        ["list 200 ok", "stop 400 AccessDeniedException", "put 200 ok", "images 400 AccessDeniedException"]
    {
        assert!(said.iter().any(|known| known.ends_with(line)), "{line}: {said:#?}");
    }
    wharf.down();
}
