//! The ordinary AWS CLI, pointed at a Wharf.

use serde_json::Value;
use std::process::{Command, Output};

/// The CLI with an endpoint and an access key.
#[derive(Debug, Clone)]
pub struct Aws {
    environment: Vec<(String, String)>,
}

impl Aws {
    /// Returns the CLI with the environment that `wharf env` prints.
    pub fn new(exports: &str) -> Aws {
        let environment = exports
            .lines()
            .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Aws { environment }
    }

    /// Returns the same CLI with a variable changed.
    pub fn with(&self, name: &str, value: &str) -> Aws {
        let mut environment = self.environment.clone();
        environment.retain(|(known, _)| known != name);
        environment.push((name.to_owned(), value.to_owned()));
        Aws { environment }
    }

    /// Runs `aws` with the words of `line`; a word may hold spaces inside single quotes.
    pub fn output(&self, line: &str) -> Output {
        self.run(Command::new("aws").args(words(line)))
    }

    /// Returns what a log group holds, as `aws logs tail` shows it: with the AWS CLI of Debian, because only the
    /// second version has that command, or with the first version's FilterLogEvents where Debian's is not installed.
    pub fn tail(&self, group: &str) -> String {
        let endpoint = self.environment.iter().find(|(name, _)| name == "AWS_ENDPOINT_URL");
        let endpoint = endpoint.map_or("", |(_, url)| url.as_str());
        let second = "/usr/bin/aws";
        let said = |output: Output| String::from_utf8_lossy(&output.stdout).into_owned();
        if std::path::Path::new(second).exists() {
            let line = format!("--endpoint-url {endpoint} logs tail {group} --since 1h");
            return said(self.run(Command::new(second).args(words(&line))));
        }
        let found = self.output(&format!(
            "logs filter-log-events --log-group-name {group} --query events[].[logStreamName,message] --output text"
        ));
        // Two columns, parted as the second version parts them.
        said(found).replace('\t', "  ")
    }

    fn run(&self, command: &mut Command) -> Output {
        command
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_PAGER", "")
            .env("AWS_MAX_ATTEMPTS", "1")
            .env_remove("AWS_PROFILE")
            .output()
            .expect("the AWS CLI is installed by scripts/test")
    }

    /// Runs `aws` and returns what it printed, parsed; null when it printed nothing.
    ///
    /// # Panics
    /// When it fails or prints no JSON.
    pub fn json(&self, line: &str) -> Value {
        let text = self.text(line);
        if text.trim().is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("aws {line}: {error}: {text}"))
    }

    /// Runs `aws` and returns what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub fn text(&self, line: &str) -> String {
        let output = self.output(line);
        assert!(output.status.success(), "aws {line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs `aws`, which must fail, and returns what it said.
    ///
    /// # Panics
    /// When it succeeds.
    pub fn error(&self, line: &str) -> String {
        let output = self.output(line);
        assert!(
            !output.status.success(),
            "aws {line} succeeded: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        String::from_utf8_lossy(&output.stderr).trim().to_owned()
    }
}

fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' | '\n' if !quoted => words.push(String::new()),
            letter => words.last_mut().expect("never empty").push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
