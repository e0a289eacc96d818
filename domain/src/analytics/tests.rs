//! What is marked, and that nothing else leaves.

use schemars::{JsonSchema, schema_for};
use serde::Serialize;

use super::*;
use crate::category::CATEGORIES;
use crate::personal::{Personal, Subject};

#[derive(Serialize, JsonSchema)]
struct Inner {
    #[schemars(extend("x-analytics" = true))]
    size: Option<u32>,
    words: String,
}

#[derive(Serialize, JsonSchema)]
struct Outer {
    #[schemars(extend("x-analytics" = true))]
    id: String,
    #[schemars(extend("x-analytics" = true))]
    inner: Option<Inner>,
    #[schemars(extend("x-analytics" = true))]
    list: Vec<Inner>,
    #[schemars(extend("x-analytics" = true))]
    marked_by_mistake: Personal<String>,
    #[schemars(extend("x-analytics" = true))]
    all_marked_by_mistake: Vec<Personal<String>>,
    #[schemars(extend("x-analytics" = true))]
    free: BTreeMap<String, String>,
    unmarked: Inner,
}

fn inner() -> Inner {
    Inner { size: Some(3), words: "canary".to_owned() }
}

fn outer() -> Outer {
    let personal = Personal::new(Subject::contact(1), "canary".to_owned());
    Outer {
        id: "o".to_owned(),
        inner: Some(inner()),
        list: vec![inner()],
        marked_by_mistake: personal.clone(),
        all_marked_by_mistake: vec![personal],
        free: BTreeMap::from([("canary".to_owned(), "canary".to_owned())]),
        unmarked: inner(),
    }
}

/// R-ANALYTICS-1: an unlisted field never leaves, and a personal value cannot be listed.
#[test]
fn r_analytics_1_only_marked_fields_leave_and_a_mark_on_a_personal_value_lets_nothing_out() {
    let fields = AnalyticsFields::of(&schema_for!(Outer));
    let payload = serde_json::to_vec(&outer()).unwrap();
    let left = Value::Object(fields.filter(&payload).unwrap());
    assert_eq!(left, json!({"id": "o", "inner": {"size": 3}, "list": [{"size": 3}]}));
    let names: Vec<_> = fields.schema()["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["id", "inner", "list"]);
    assert!(!fields.schema().to_string().contains("words"));
}

#[test]
fn a_marked_field_that_holds_something_else_is_an_error_and_does_not_leave() {
    let fields = AnalyticsFields::of(&schema_for!(Outer));
    for payload in
        [r#"{"id": {"canary": 1}}"#, r#"{"list": 1}"#, r#"{"inner": [1]}"#, "[]", "null", "{", "{}x"]
    {
        assert!(fields.filter(payload.as_bytes()).is_err(), "{payload}");
    }
    assert!(fields.filter(br#"{"id": null, "new": {"a": [1]}}"#).is_ok(), "what is unknown is dropped");
}

/// Every property of a schema that carries a mark, with the schema it lies in.
fn marks(schema: &Value, found: &mut Vec<(String, Value)>) {
    match schema {
        Value::Object(keywords) => {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                if property.get(MARK).is_some() {
                    found.push((name.clone(), property.clone()));
                }
            }
            keywords.values().for_each(|value| marks(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| marks(item, found)),
        _ => {}
    }
}

/// Plain texts that analytics may see: ids, and names that the catalogue or this release gives.
const PLAIN_TEXTS: [&str; 2] = ["id", "language"];

/// R-ANALYTICS-1.
#[test]
fn r_analytics_1_no_published_schema_marks_a_personal_value_or_a_text_that_somebody_wrote() {
    let mut count = 0;
    for schema in CATEGORIES.iter().flat_map(|category| (category.schemas)()) {
        let root = schema.schema.as_value();
        let mut found = Vec::new();
        marks(root, &mut found);
        for (name, property) in found {
            let place = format!("{} version {}: {name}", schema.event_type, schema.version);
            assert_eq!(property[MARK], true, "{place}");
            assert!(marked(&property, root).is_some(), "{place}: a mark that lets nothing out");
            let text = property["type"].to_string();
            let plain = text.contains("string") && property.get("format").is_none();
            assert!(!plain || PLAIN_TEXTS.contains(&name.as_str()), "{place} is a free text");
            count += 1;
        }
        let published = AnalyticsFields::of(&schema.schema).schema().to_string();
        for word in ["sealed", PERSONAL, ":null", "\"$ref\"", "email\":", "display_name", "filename"] {
            assert!(!published.contains(word), "{} publishes {word}: {published}", schema.event_type);
        }
    }
    assert!(count > 40, "only {count} marks: looking in the wrong place");
}

/// What the system does for itself is not for analytics.
#[test]
fn an_export_marks_nothing() {
    for schema in crate::category::Category::named("export").map(|category| (category.schemas)()).unwrap() {
        assert_eq!(AnalyticsFields::of(&schema.schema).schema()["properties"], json!({}));
    }
}
