//! What the compose file and the manifests tell the nodes is a configuration that the binary takes.

use std::collections::{BTreeMap, BTreeSet};

use dossier_api::config::Role;
use dossier_tests::process::{self, command};
use serde_json::Value;

use super::{files, read, sources, words, yaml};

/// Variables that the compose file reads itself.
const OF_COMPOSE: [&str; 1] = ["DOSSIER_IMAGE"];
/// Programs that read variables of their own.
const OF_OTHERS: [&str; 3] = ["examples/", "conformance", "private-server"];
/// Names of streams.
const STREAMS: [&str; 1] = ["DOSSIER_ANALYTICS"];

type Environment = BTreeMap<String, String>;

/// A node as it is started.
#[derive(Debug)]
struct Node {
    name: String,
    arguments: Vec<String>,
    environment: Environment,
}

impl Node {
    fn roles(&self) -> &str {
        let at = self.arguments.iter().position(|argument| argument == "--roles").expect("roles");
        &self.arguments[at + 1]
    }

    /// Has the binary check the configuration.
    async fn check(&self) {
        assert_eq!(self.arguments[0], "serve", "{self:?}");
        let arguments: Vec<&str> =
            ["check-config"].into_iter().chain(self.arguments[1..].iter().map(String::as_str)).collect();
        let mut command = command(&arguments);
        command.envs(&self.environment);
        let finished = process::finish(command).await;
        assert!(finished.success, "{}: {}", self.name, finished.stderr);
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn environment(fields: &Value) -> Environment {
    let fields = fields.as_object().unwrap().iter();
    fields.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

/// `${NAME}`, `${NAME:-default}` and `${NAME:?complaint}` in a text; what has neither value nor default fails.
fn interpolated(text: &str, values: &Environment) -> String {
    let Some((before, rest)) = text.split_once("${") else { return text.to_owned() };
    let (inside, after) = rest.split_once('}').expect("a closing brace");
    let (name, default) = match inside.split_once(':') {
        Some((name, default)) => (name, default.strip_prefix('-')),
        None => (inside, None),
    };
    let given = values.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let value = given.or(default).unwrap_or_else(|| panic!("{name} is not set"));
    format!("{before}{value}{}", interpolated(after, values))
}

/// The lines of the example, and its second choice of a log with `postgres`.
fn example(postgres: bool) -> Environment {
    let text = read("compose.env.example");
    let mut values = Environment::new();
    for line in text.lines() {
        let line = line.strip_prefix('#').filter(|_| postgres).unwrap_or(line);
        if let Some((name, value)) = line.split_once('=').filter(|(name, _)| !name.contains(' ')) {
            let value = if name.ends_with("PASSWORD") { "secret" } else { value };
            values.insert(name.to_owned(), value.to_owned());
        }
    }
    values
}

fn of_compose(values: &Environment) -> Vec<Node> {
    let compose = &yaml("compose.yaml")[0]["services"];
    let services = compose.as_object().unwrap().iter();
    let nodes = services.filter(|(_, service)| service["environment"]["DOSSIER_NODE"].is_string());
    let nodes = nodes.map(|(name, service)| Node {
        name: name.clone(),
        arguments: texts(&service["command"]),
        environment: environment(&service["environment"])
            .into_iter()
            .map(|(name, value)| (name, interpolated(&value, values)))
            .collect(),
    });
    nodes.collect()
}

fn of_kubernetes() -> Vec<Node> {
    let kustomization = &yaml("kubernetes/kustomization.yaml")[0];
    let literals = texts(&kustomization["configMapGenerator"][0]["literals"]);
    let literals = literals.iter().map(|literal| literal.split_once('=').unwrap());
    let mut shared = environment(&yaml("kubernetes/secret.example.yaml")[0]["stringData"]);
    shared.extend(literals.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let mut nodes = Vec::new();
    for path in texts(&kustomization["resources"]) {
        for document in yaml(&format!("kubernetes/{path}")) {
            if document["kind"] == "Deployment" {
                let name = document["metadata"]["name"].as_str().unwrap().to_owned();
                let arguments = texts(&document["spec"]["template"]["spec"]["containers"][0]["args"]);
                let mut environment = shared.clone();
                environment.insert("DOSSIER_NODE".to_owned(), format!("{name}-5d4f8c7b6-x2x4z"));
                nodes.push(Node { name, arguments, environment });
            }
        }
    }
    nodes
}

/// Each role runs in some node, and none is left out.
fn assert_all_roles(nodes: &[Node]) {
    let roles: BTreeSet<&str> = nodes.iter().flat_map(|node| node.roles().split(',')).collect();
    assert_eq!(roles, Role::ALL.map(Role::name).into_iter().collect());
}

#[tokio::test]
async fn the_nodes_of_the_compose_file_take_their_configuration_with_either_log() {
    for postgres in [false, true] {
        let values = example(postgres);
        let log = if postgres { "postgres://" } else { "kurrentdb://" };
        assert!(values["DOSSIER_EVENT_STORE_URL"].starts_with(log), "{values:?}");
        let nodes = of_compose(&values);
        assert_all_roles(&nodes);
        for node in nodes {
            node.check().await;
        }
    }
}

#[tokio::test]
async fn the_deployments_take_their_configuration() {
    let nodes = of_kubernetes();
    assert_all_roles(&nodes);
    for node in nodes {
        node.check().await;
    }
}

#[test]
fn every_variable_that_is_mentioned_is_one_of_the_configuration() {
    let sources = sources();
    let mut known: BTreeSet<&str> = words(&sources, "DOSSIER_")
        .into_iter()
        .filter(|word| sources.contains(&format!("[env: {word}]")))
        .collect();
    assert!(known.contains("DOSSIER_EVENT_STORE_URL"), "{known:?}");
    known.extend(OF_COMPOSE);
    known.extend(STREAMS);
    for path in files("").iter().filter(|path| !OF_OTHERS.iter().any(|other| path.starts_with(other))) {
        let Ok(text) = std::fs::read_to_string(super::folder().join(path)) else { continue };
        for word in words(&text, "DOSSIER_") {
            assert!(known.contains(word) || word == "DOSSIER_", "{path} mentions {word}");
        }
    }
}

#[test]
fn the_units_keep_the_data_where_they_may_write_and_leave_time_to_stop() {
    for path in ["dossier.service", "dossier@.service"] {
        let unit = read(path);
        let value =
            |name: &str| unit.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).unwrap();
        let data = format!(" --data /var/lib/{}", value("StateDirectory"));
        assert!(value("ExecStart").ends_with(&data), "{path}");
        assert!(value("TimeoutStopSec").parse::<u64>().unwrap() >= 20, "{path}");
        assert_eq!(value("CapabilityBoundingSet"), "", "{path}");
    }
}
