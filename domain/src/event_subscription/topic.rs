//! The topic that a subscription publishes to and a webhook serves: `projects/{project}/topics/{topic}`.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest id of a project or topic, in characters.
pub const MAX_TOPIC_PART_CHARS: usize = 255;

/// The name of a topic. It is a name of the customer's own: here it says which webhooks and which subject get a message.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Topic(String);

/// Why a text names no topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "wanted projects/PROJECT/topics/TOPIC, each of letters, digits and -_.~+% and at most 255 characters"
)]
pub struct InvalidTopic;

impl Topic {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Ids of project and topic.
    pub fn parts(&self) -> (&str, &str) {
        parts(&self.0).unwrap_or_default()
    }
}

fn parts(text: &str) -> Option<(&str, &str)> {
    let (project, topic) = text.strip_prefix("projects/")?.split_once("/topics/")?;
    (is_id(project, b"-_.:") && is_id(topic, b"-_.~+%")).then_some((project, topic))
}

fn is_id(text: &str, also: &[u8]) -> bool {
    text.len() <= MAX_TOPIC_PART_CHARS
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte))
}

impl FromStr for Topic {
    type Err = InvalidTopic;

    fn from_str(text: &str) -> Result<Self, InvalidTopic> {
        parts(text).map(|_| Self(text.to_owned())).ok_or(InvalidTopic)
    }
}

impl<'de> Deserialize<'de> for Topic {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_names_a_project_and_a_topic_and_nothing_else() {
        for good in
            ["projects/p/topics/t", "projects/123/topics/a.b~c+d%20", "projects/example.com:p-1/topics/t_1"]
        {
            assert_eq!(good.parse::<Topic>().map(|topic| topic.to_string()).as_deref(), Ok(good));
        }
        let long = format!("projects/p/topics/{}", "t".repeat(MAX_TOPIC_PART_CHARS + 1));
        for bad in [
            "",
            "t",
            "projects/p",
            "projects//topics/t",
            "projects/p/topics/",
            "projects/p/topics/t/x",
            "projects/p/q/topics/t",
            "projects/p/topics/-t",
            "projects/p/topics/ t",
            "projects/p/topics/t*",
            "projects/p/topics/t>",
            "projects/p/topics/t\n",
            "projects/p/topics/\u{e4}",
            "Projects/p/topics/t",
            "//pubsub.googleapis.com/projects/p/topics/t",
            &long,
        ] {
            assert_eq!(bad.parse::<Topic>(), Err(InvalidTopic), "{bad:?}");
        }
        assert_eq!("projects/p/topics/t".parse::<Topic>().unwrap().parts(), ("p", "t"));
    }
}
