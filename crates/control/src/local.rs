//! What the command line asks of the control plane: importing images, and where a task's output is.

use crate::{
    Control,
    log_store::{Direction, Range},
    operations::{log_groups, repositories, task_definitions},
};
use camino::Utf8Path;
use std::sync::Arc;
use wharf_image::{ImageName, Prepared, Start};
use wharf_model::{
    RepositoryName,
    task::{Task, TaskStatus},
    task_definition::{ContainerDefinition, LogDriver},
};
use wharf_nodelink::local::{ContainerOutput, FromControl, OutputPlace, ToControl};

/// Lines of one answer.
const PAGE_LINES: usize = 10_000;

/// Answers a request.
pub async fn answer(control: Control, asked: ToControl) -> FromControl {
    let answered = match asked {
        ToControl::ImportImage { path, name, target, command, env } => {
            let start = (!command.is_empty()).then_some(Start { command, env });
            Box::pin(import(&control, path, name, target, start)).await
        }
        ToControl::TaskOutput { task } => output(&control, &task),
        ToControl::LogPage { group, stream, from } => page(&control, &group, &stream, from).await,
        // Files beside the state go with it, and only the binary knows them.
        ToControl::Backup { .. } => {
            Err("backups are taken by the process, not by the control plane".to_owned())
        }
    };
    answered.unwrap_or_else(FromControl::Refused)
}

/// Returns an error with its causes on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}

async fn import(
    control: &Control,
    path: String,
    name: Option<String>,
    target: Option<String>,
    start: Option<Start>,
) -> Result<FromControl, String> {
    let registry = Arc::clone(control.registry());
    let prepared = tokio::task::spawn_blocking({
        let registry = Arc::clone(&registry);
        move || wharf_image::prepare(&registry, Utf8Path::new(&path), start.as_ref())
    });
    let prepared: Prepared = prepared.await.map_err(|error| chain(&error))?.map_err(|error| chain(&error))?;
    let known = name.as_deref().or_else(|| prepared.names().first().map(String::as_str));
    let (repository, tag) = target_of(target.as_deref(), known)?;
    match repositories::find(control, repository.as_str()) {
        Ok(_) => {}
        Err(repositories::Error::NotFound { .. }) => {
            let made = repositories::create(control, repository.clone(), false, Vec::new()).await;
            made.map_err(|error| chain(&error))?;
        }
        Err(error) => return Err(chain(&error)),
    }
    let imported = prepared.import(&registry, repository.as_str(), name.as_deref(), &tag).await;
    let digest = imported.map_err(|error| chain(&error))?.to_string();
    let uri = repositories::find(control, repository.as_str()).map_err(|error| chain(&error))?.uri.clone();
    Ok(FromControl::Imported { name: format!("{uri}:{tag}"), digest })
}

/// Returns the repository and tag that an image goes to: as asked for, or as it was named where it came from.
fn target_of(asked: Option<&str>, known: Option<&str>) -> Result<(RepositoryName, String), String> {
    let tag_alone = |name: &str| !name.contains(['/', ':']);
    let given = match (asked, known) {
        (Some(asked), _) => asked.to_owned(),
        (None, Some(known)) if !tag_alone(known) => known.to_owned(),
        (None, _) => {
            return Err(
                "the image has no name of its own: say with --as which repository it is for".to_owned()
            );
        }
    };
    let name: ImageName = given.parse().map_err(|error| chain(&error))?;
    let repository = name.repository().strip_prefix("library/").unwrap_or(name.repository());
    let has_tag = given.rsplit('/').next().is_some_and(|last| last.contains(':'));
    let tag = match (known, name.tag()) {
        (_, Some(tag)) if has_tag => tag.to_owned(),
        (Some(known), _) if tag_alone(known) => known.to_owned(),
        (Some(known), _) => known
            .rsplit('/')
            .next()
            .and_then(|last| last.split_once(':'))
            .map_or("latest", |(_, tag)| tag)
            .to_owned(),
        (None, tag) => tag.unwrap_or("latest").to_owned(),
    };
    Ok((repository.parse().map_err(|error| chain(&error))?, tag))
}

fn output(control: &Control, given: &str) -> Result<FromControl, String> {
    let view = control.store().view();
    let id = given.rsplit('/').next().unwrap_or(given);
    let tasks = view.list::<Task>("");
    let mut found = tasks.iter().filter(|task| !id.is_empty() && task.id.as_str().starts_with(id));
    let task = match (found.next(), found.next()) {
        (Some(task), None) => task,
        (None, _) => {
            return Err(format!("no task '{given}' is known; one that stopped is forgotten after an hour"));
        }
        (Some(_), Some(_)) => return Err(format!("more than one task begins with '{given}'")),
    };
    let definition = task_definitions::get(&view, &task.definition);
    let definition = definition.ok_or_else(|| format!("the definition of task '{given}' is gone"))?;
    let containers =
        definition.containers.iter().zip(&task.containers).map(|(definition, container)| ContainerOutput {
            name: definition.name.clone(),
            runtime_id: container.runtime_id.clone(),
            place: place(definition, task, container.runtime_id.as_deref()),
        });
    Ok(FromControl::TaskOutput {
        task: task.id.to_string(),
        stopped: task.last_status == TaskStatus::Stopped,
        containers: containers.collect(),
    })
}

fn place(definition: &ContainerDefinition, task: &Task, runtime_id: Option<&str>) -> OutputPlace {
    let Some(log) = &definition.log_configuration else { return OutputPlace::Node };
    let option = |name: &str| log.options.get(name).cloned();
    match log.driver {
        LogDriver::JsonFile => OutputPlace::Node,
        LogDriver::Awslogs => OutputPlace::Stored {
            group: option("awslogs-group").unwrap_or_default(),
            stream: match option("awslogs-stream-prefix") {
                Some(prefix) => format!("{prefix}/{}/{}", definition.name, task.id),
                None => runtime_id.unwrap_or_default().to_owned(),
            },
        },
        driver @ (LogDriver::Syslog | LogDriver::Awsfirelens | LogDriver::None) => {
            OutputPlace::Elsewhere { driver: driver.as_str().to_owned() }
        }
    }
}

async fn page(control: &Control, group: &str, stream: &str, from: u64) -> Result<FromControl, String> {
    use crate::log_store::Error as E;
    let logs = control.logs();
    let range = log_groups::kept(control, group, Range::default());
    match logs.events(group, stream, range, Direction::Forward(from), PAGE_LINES).await {
        Ok(page) => {
            let events = page.events.into_iter().map(|event| wharf_model::logs::LogEvent {
                timestamp: event.timestamp,
                message: event.message,
            });
            Ok(FromControl::LogPage { events: events.collect(), next: page.end })
        }
        // Not there yet: the first line makes them.
        Err(E::GroupNotFound(_) | E::StreamNotFound(_)) => {
            Ok(FromControl::LogPage { events: Vec::new(), next: from })
        }
        Err(error @ (E::File { .. } | E::Closed)) => Err(chain(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::target_of;

    fn check(asked: Option<&str>, known: Option<&str>, expected: &str) {
        let (repository, tag) = target_of(asked, known).unwrap();
        assert_eq!(format!("{repository}:{tag}"), expected, "{asked:?} {known:?}");
    }

    #[test]
    fn an_image_goes_where_it_is_told_or_where_its_name_says() {
        check(Some("web:v2"), Some("docker.io/team/web:v1"), "web:v2");
        check(Some("web"), Some("docker.io/team/web:v1"), "web:v1");
        check(Some("team/web"), Some("v3"), "team/web:v3");
        check(Some("web"), None, "web:latest");
        check(None, Some("docker.io/library/nginx:1.27"), "nginx:1.27");
        check(None, Some("localhost/hello:latest"), "hello:latest");
        assert!(target_of(None, Some("latest")).unwrap_err().contains("--as"));
        assert!(target_of(None, None).is_err());
        assert!(target_of(Some("Not A Name"), None).is_err());
    }
}
