//! What a filter means on subscriptions to events: `pub_sub_topic="projects/p/topics/t" AND state=WORKING`.

use dossier_projections::event_delivery::{ShownState, SubscriptionCondition};

use super::{Filter, Op, invalid};
use crate::status::{ApiError, excerpt};

const PARAMETER: &str = "filter";

/// Reads a filter; an absent or empty one is fulfilled by everything.
///
/// # Errors
/// 400 with reason INVALID_FILTER naming the offset and what would do.
pub fn subscription_condition(text: Option<&str>) -> Result<SubscriptionCondition, ApiError> {
    match Filter::parse(PARAMETER, text.unwrap_or_default())? {
        None => Ok(SubscriptionCondition::And(Vec::new())),
        Some(filter) => check(filter),
    }
}

fn check(filter: Filter) -> Result<SubscriptionCondition, ApiError> {
    let each = |list: Vec<Filter>| list.into_iter().map(check).collect::<Result<Vec<_>, _>>();
    match filter {
        Filter::And(list) => each(list).map(SubscriptionCondition::And),
        Filter::Or(list) => each(list).map(SubscriptionCondition::Or),
        Filter::Term { field, op: Op::Equals, value, offset } => match field.as_str() {
            "pub_sub_topic" | "pubSubTopic" => Ok(SubscriptionCondition::Topic(value)),
            "state" => state(&value, offset).map(SubscriptionCondition::State),
            other => Err(unknown(other, offset)),
        },
        Filter::Term { field, op, offset, .. } => match field.as_str() {
            "pub_sub_topic" | "pubSubTopic" | "state" => {
                let what = format!("{field} is compared with = only, not with {}", op.symbol());
                Err(invalid(PARAMETER, offset, &what))
            }
            other => Err(unknown(other, offset)),
        },
        Filter::Text { value, offset } => {
            let what = format!("{} stands alone; write state=WORKING", excerpt(&value));
            Err(invalid(PARAMETER, offset, &what))
        }
    }
}

fn unknown(field: &str, offset: usize) -> ApiError {
    let what = format!("unknown field {}; the fields are pub_sub_topic and state", excerpt(field));
    invalid(PARAMETER, offset, &what)
}

fn state(value: &str, offset: usize) -> Result<ShownState, ApiError> {
    match value {
        "WORKING" => Ok(ShownState::Working),
        "FAILING" => Ok(ShownState::Failing),
        "DELETED" => Ok(ShownState::Deleted),
        other => {
            let what = format!("state {} is none of WORKING, FAILING, DELETED", excerpt(other));
            Err(invalid(PARAMETER, offset, &what))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_shapes_are_read() {
        let topic = SubscriptionCondition::Topic("projects/p/topics/t".to_owned());
        let working = SubscriptionCondition::State(ShownState::Working);
        let read = |text| subscription_condition(Some(text)).unwrap();
        assert_eq!(read(""), SubscriptionCondition::And(Vec::new()));
        assert_eq!(subscription_condition(None).unwrap(), SubscriptionCondition::And(Vec::new()));
        assert_eq!(read("state=WORKING"), working);
        assert_eq!(read(r#"pub_sub_topic="projects/p/topics/t""#), topic);
        let both = SubscriptionCondition::And(vec![topic, working]);
        assert_eq!(read(r#"pub_sub_topic="projects/p/topics/t" AND state=WORKING"#), both);
        let either = [ShownState::Failing, ShownState::Deleted].map(SubscriptionCondition::State);
        assert_eq!(read("state=FAILING OR state=DELETED"), SubscriptionCondition::Or(either.to_vec()));
    }

    #[test]
    fn what_is_not_understood_is_refused_and_never_ignored() {
        for text in [
            "state=OPEN",
            "state>WORKING",
            "state:WORKING",
            "name=x",
            "WORKING",
            "\"projects/p/topics/t\"",
            "state=WORKING AND",
            "pub_sub_topic>\"x\"",
        ] {
            let error = subscription_condition(Some(text)).expect_err(text);
            assert_eq!(
                (error.code().http_status().as_u16(), error.reason()),
                (400, "INVALID_FILTER"),
                "{text}"
            );
        }
    }
}
