//! What analytics may see of each event type, in its current version.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use dossier_domain::analytics::AnalyticsFields;
use dossier_domain::{CATEGORIES, Category};

/// What analytics may see of an event type.
#[derive(Debug)]
pub struct AnalyticsSchema {
    /// The category of its streams.
    pub category: &'static str,
    /// Type name.
    pub event_type: &'static str,
    /// Current version: older payloads are raised to it.
    pub version: u16,
    /// The fields.
    pub fields: AnalyticsFields,
}

impl AnalyticsSchema {
    /// Name of the schema, as events give it.
    pub fn data_schema(&self) -> String {
        data_schema(self.category, self.event_type, self.version)
    }
}

/// Name of the schema of a version of an event type: a URI, stable for ever.
pub fn data_schema(category: &str, event_type: &str, version: u16) -> String {
    format!("urn:dossier:events:{category}:{event_type}:{version}")
}

/// By category, then by type.
type ByName = BTreeMap<&'static str, BTreeMap<&'static str, AnalyticsSchema>>;

static SCHEMAS: LazyLock<ByName> = LazyLock::new(|| {
    let of = |category: &'static Category| {
        let mut current = BTreeMap::<_, AnalyticsSchema>::new();
        for schema in (category.schemas)() {
            let (event_type, version) = (schema.event_type, schema.version);
            if current.get(event_type).is_none_or(|known| known.version < version) {
                let fields = AnalyticsFields::of(&schema.schema);
                let schema = AnalyticsSchema { category: category.name, event_type, version, fields };
                current.insert(event_type, schema);
            }
        }
        (category.name, current)
    };
    CATEGORIES.iter().filter(|category| !category.is_internal).map(of).collect()
});

/// What analytics may see of a type of a category; `None` for one that this release does not know, or that the system keeps
/// for itself.
pub fn analytics_schema(category: &str, event_type: &str) -> Option<&'static AnalyticsSchema> {
    SCHEMAS.get(category)?.get(event_type)
}

/// All of them, by category and type.
pub fn analytics_schemas() -> impl Iterator<Item = &'static AnalyticsSchema> {
    SCHEMAS.values().flat_map(BTreeMap::values)
}
