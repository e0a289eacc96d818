//! Alerts and the dashboard ask for metrics that the sources count, with labels that they have.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{read, sources, yaml};

/// Labels that Prometheus adds.
const ADDED_LABELS: [&str; 3] = ["job", "instance", "le"];

/// A metric as the sources declare it.
#[derive(Debug, Default)]
struct Metric {
    histogram: bool,
    labels: BTreeSet<String>,
}

/// Every metric of the sources, by its name.
fn declared() -> BTreeMap<String, Metric> {
    let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
    let sources = sources();
    for kind in ["counter!(", "gauge!(", "histogram!("] {
        for call in sources.split(kind).skip(1) {
            let mut texts = call[..end_of_call(call)].split('"');
            let before = texts.next().unwrap_or_default();
            let Some(name) = texts.next().filter(|name| before.trim().is_empty() && !name.is_empty()) else {
                continue;
            };
            let metric = metrics.entry(name.to_owned()).or_default();
            metric.histogram |= kind == "histogram!(";
            let rest: Vec<&str> = texts.collect();
            let labels = rest.windows(2).filter(|pair| pair[1].trim_start().starts_with("=>"));
            metric.labels.extend(labels.map(|pair| pair[0].to_owned()));
        }
    }
    metrics
}

/// Where the parenthesis closes that was open at the beginning.
fn end_of_call(call: &str) -> usize {
    let mut depth = 1;
    let closes = call.char_indices().find(|(_, c)| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    });
    closes.map_or(call.len(), |(index, _)| index)
}

/// Every expression of the alerts and the dashboard.
fn expressions() -> Vec<String> {
    let mut found = Vec::new();
    for document in yaml("prometheus/alerts.yaml") {
        gather(&document, &mut found);
    }
    gather(&serde_json::from_str(&read("grafana/dossier.json")).unwrap(), &mut found);
    assert!(found.len() > 20, "{found:?}");
    found
}

fn gather(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if matches!(name.as_str(), "expr" | "query" | "definition") => {
                        found.push(text.clone());
                    }
                    value => gather(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| gather(value, found)),
        _ => {}
    }
}

/// Our metrics in an expression, each with the labels that it is selected by.
fn used(expression: &str) -> Vec<(String, Vec<String>)> {
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(start) = rest.find("dossier_") {
        let word = &rest[start..];
        let end = word.find(|c| !in_word(c)).unwrap_or(word.len());
        let (name, after) = word.split_at(end);
        let selector = after.strip_prefix('{').and_then(|selector| selector.split_once('}'));
        let mut labels = Vec::new();
        if let Some((selector, _)) = selector {
            // What stands between quotes is a value.
            let outside = selector.split('"').step_by(2).collect::<String>();
            let names = outside.split(['=', '!', '~', ',']).map(str::trim).filter(|name| !name.is_empty());
            labels.extend(names.map(str::to_owned));
        }
        found.push((name.to_owned(), labels));
        rest = after;
    }
    found
}

fn base_of<'a>(name: &'a str, metrics: &BTreeMap<String, Metric>) -> &'a str {
    let mut bases = ["_bucket", "_sum", "_count"].iter().filter_map(|ending| name.strip_suffix(ending));
    bases.find(|base| metrics.get(*base).is_some_and(|metric| metric.histogram)).unwrap_or(name)
}

#[test]
fn alerts_and_dashboard_use_metrics_that_are_counted_by_labels_that_they_have() {
    let metrics = declared();
    assert!(metrics.contains_key("dossier_http_request_seconds"), "{metrics:?}");
    let mut wrong = Vec::new();
    for expression in expressions() {
        for (name, labels) in used(&expression) {
            let Some(metric) = metrics.get(base_of(&name, &metrics)) else {
                wrong.push(format!("{name} is not counted: {expression}"));
                continue;
            };
            for label in labels {
                if !metric.labels.contains(&label) && !ADDED_LABELS.contains(&label.as_str()) {
                    wrong.push(format!("{name} has no {label}: {expression}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_selector_is_read_as_name_and_labels() {
    let read = used(r#"max by (model) (dossier_a{model!~"x,y=z",job="d"}) > rate(dossier_b[5m])"#);
    let labels = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(read, [("dossier_a".to_owned(), labels(&["model", "job"])), ("dossier_b".to_owned(), vec![])]);
}

#[test]
fn prometheus_asks_every_node_of_the_compose_file() {
    let compose = &yaml("compose.yaml")[0]["services"];
    let services = compose.as_object().unwrap().iter();
    let nodes = services.filter(|(_, service)| service["environment"]["DOSSIER_NODE"].is_string());
    let nodes: BTreeSet<String> = nodes.map(|(name, _)| format!("{name}:8080")).collect();
    let prometheus = &yaml("prometheus/prometheus.yaml")[0];
    let scraped = prometheus["scrape_configs"][0]["static_configs"][0]["targets"].as_array().unwrap();
    let scraped = scraped.iter().map(|target| target.as_str().unwrap().to_owned()).collect();
    assert_eq!(nodes, scraped);
    assert!(nodes.len() > 4, "{nodes:?}");
}
