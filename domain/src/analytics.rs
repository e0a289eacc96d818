//! What analytics may see of a payload (R-ANALYTICS-1): the fields that its published schema marks with
//! `"x-analytics": true`, and no others.
//!
//! A mark on a field that holds an object lets out what is marked inside it. A personal value has no marked field inside,
//! and is refused by its type's `x-personal` besides, so that a mark put on one by mistake lets nothing out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::Schema;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

/// The keyword that marks a field.
pub const MARK: &str = "x-analytics";
/// The keyword that every personal value's type carries.
const PERSONAL: &str = "x-personal";

/// The fields of one version of an event that analytics may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalyticsFields {
    kept: BTreeMap<String, Kept>,
    schema: Value,
}

/// What is kept of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kept {
    /// A text, a number, a truth value or nothing.
    Scalar,
    /// What is kept of each item.
    List(Box<Kept>),
    /// The marked fields.
    Object(BTreeMap<String, Kept>),
}

impl AnalyticsFields {
    /// The marked fields of a payload's schema.
    pub fn of(schema: &Schema) -> Self {
        let root = schema.as_value();
        match marked(root, root) {
            Some((Kept::Object(kept), schema)) => Self { kept, schema },
            _ => Self {
                kept: BTreeMap::new(),
                schema: json!({"type": "object", "additionalProperties": false}),
            },
        }
    }

    /// What leaves of a payload in the same version.
    ///
    /// # Errors
    /// When it is not JSON, or a marked field holds something else than its schema says.
    pub fn filter(&self, payload: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(payload);
        let value = ObjectSeed(&self.kept).deserialize(&mut reader)?;
        reader.end()?;
        match value {
            Value::Object(fields) => Ok(fields),
            _ => Err(serde_json::Error::custom("a payload is an object")),
        }
    }

    /// The schema of what leaves, complete in itself.
    pub fn schema(&self) -> &Value {
        &self.schema
    }
}

/// What is kept of values of a schema, and the schema of that; `None`: nothing.
fn marked(schema: &Value, root: &Value) -> Option<(Kept, Value)> {
    if schema.get(PERSONAL).is_some() {
        return None;
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let (kept, target) = marked(root.pointer(reference.strip_prefix('#')?)?, root)?;
        return Some((kept, described(target, schema)));
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let mut plain = choices.iter().filter(|choice| choice["type"] != "null");
        let (kept, target) = plain.next().and_then(|choice| marked(choice, root))?;
        let whole = json!({"anyOf": [target, {"type": "null"}]});
        return plain.next().is_none().then_some((kept, described(whole, schema)));
    }
    if let Some(properties) = schema["properties"].as_object() {
        let fields = properties.iter().filter(|(_, property)| property[MARK] == true);
        let (kept, shown): (BTreeMap<_, _>, Map<_, _>) = fields
            .filter_map(|(name, property)| Some((name, marked(property, root)?)))
            .map(|(name, (kept, schema))| ((name.clone(), kept), (name.clone(), schema)))
            .unzip();
        let required = schema["required"].as_array().into_iter().flatten();
        let required: Vec<_> =
            required.filter(|name| name.as_str().is_some_and(|name| kept.contains_key(name))).collect();
        let target = json!({
            "type": "object",
            "properties": shown,
            "required": required,
            "additionalProperties": false,
        });
        return Some((Kept::Object(kept), described(target, schema)));
    }
    if let Some(items) = schema.get("items") {
        let (kept, items) = marked(items, root)?;
        let target = json!({"type": "array", "items": items});
        return Some((Kept::List(Box::new(kept)), described(target, schema)));
    }
    is_scalar(schema).then(|| {
        let mut target = schema.clone();
        if let Some(keywords) = target.as_object_mut() {
            keywords.remove(MARK);
        }
        (Kept::Scalar, target)
    })
}

/// A schema with the description of another, where that has one.
fn described(mut target: Value, of: &Value) -> Value {
    if let Some(description) = of.get("description") {
        target["description"] = description.clone();
    }
    target
}

fn is_scalar(schema: &Value) -> bool {
    let plain =
        |one: &Value| ["string", "integer", "number", "boolean", "null"].iter().any(|name| one == name);
    match (&schema["type"], schema["oneOf"].as_array()) {
        (Value::Array(types), _) => types.iter().all(plain),
        (Value::Null, Some(choices)) => choices.iter().all(|choice| plain(&choice["type"])),
        (one, _) => plain(one),
    }
}

struct ObjectSeed<'a>(&'a BTreeMap<String, Kept>);
struct KeptSeed<'a>(&'a Kept);

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> DeserializeSeed<'de> for KeptSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.0 {
            Kept::Scalar => deserializer.deserialize_any(ScalarVisitor),
            Kept::List(item) => deserializer.deserialize_any(ListVisitor(item)),
            Kept::Object(fields) => deserializer.deserialize_any(ObjectSeed(fields)),
        }
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or null")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<Cow<'_, str>>()? {
            match self.0.get(name.as_ref()) {
                Some(kept) => {
                    let value = map.next_value_seed(KeptSeed(kept))?;
                    fields.insert(name.into_owned(), value);
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Value::Object(fields))
    }
}

struct ListVisitor<'a>(&'a Kept);

impl<'de> Visitor<'de> for ListVisitor<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array or null")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(KeptSeed(self.0))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }
}

struct ScalarVisitor;

impl Visitor<'_> for ScalarVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a truth value or null")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
}

#[cfg(test)]
mod tests;
