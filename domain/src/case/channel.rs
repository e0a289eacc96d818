//! By which channel a case may be filed (R-PHONE-1): the web always, mail, chat and phone as the plan brings them, and chat
//! and phone only while somebody who would get the case is there.

use jiff::Timestamp;

use super::rejection::CaseRejection;
use crate::access::Access;
use crate::catalogue::{Capability, Catalogue, Channel};
use crate::context::Context;
use crate::routing::{Exclusion, RoutingFacts, route};

/// Whether a case could be filed by the facts' channel now.
pub fn channel_is_open(facts: &RoutingFacts<'_>, access: &Access, catalogue: &Catalogue) -> bool {
    facts.channel == Channel::Web
        || (offered(facts, access, catalogue) && matches!(open(facts, catalogue), Open::Now))
}

/// Whether a channel is to be had for a case now.
pub(super) fn check(facts: &RoutingFacts<'_>, context: &Context<'_>) -> Result<(), CaseRejection> {
    let (access, catalogue) = (context.access, context.catalogue);
    if facts.channel == Channel::Web {
        return Ok(());
    }
    if !offered(facts, access, catalogue) {
        return Err(not_offered(facts.channel, context));
    }
    match open(facts, catalogue) {
        Open::Now => Ok(()),
        Open::Later(opens_at) => {
            let is_open =
                |&channel: &Channel| channel_is_open(&RoutingFacts { channel, ..*facts }, access, catalogue);
            let others = Channel::ALL.into_iter().filter(is_open);
            Err(CaseRejection::ChannelClosed { channel: facts.channel, opens_at, open: others.collect() })
        }
    }
}

fn offered(facts: &RoutingFacts<'_>, access: &Access, catalogue: &Catalogue) -> bool {
    let plans = access.plans_in_force(facts.product, catalogue, facts.at);
    plans.iter().any(|plan| plan.offered_channels().contains(&facts.channel))
}

fn not_offered(channel: Channel, context: &Context<'_>) -> CaseRejection {
    let plans = context.catalogue.plans.iter();
    let offering =
        plans.filter(|plan| plan.offered_channels().contains(&channel)).map(|plan| plan.id.clone()).collect();
    if channel == Channel::Phone {
        CaseRejection::CapabilityMissing { capability: Capability::Phone, plans: offering }
    } else {
        CaseRejection::ChannelNotOffered { channel, plans: offering }
    }
}

enum Open {
    Now,
    /// When, where it ever is.
    Later(Option<Timestamp>),
}

/// Whether somebody who would get the case by the facts' channel is there. Mail waits for whoever gets the case.
fn open(facts: &RoutingFacts<'_>, catalogue: &Catalogue) -> Open {
    if matches!(facts.channel, Channel::Web | Channel::Email) {
        return Open::Now;
    }
    let Some(routing) = route(facts, catalogue) else {
        return Open::Later(None);
    };
    if !routing.default_queue {
        return Open::Now;
    }
    let closed = routing.considered.iter().filter(|one| one.excluded == [Exclusion::Closed]);
    let openings = closed.filter_map(|one| {
        let provider = catalogue.provider(&one.provider)?;
        catalogue.calendar(&provider.calendar)?.next_opening(facts.at)
    });
    Open::Later(openings.min())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use crate::case::{CaseCommand, CaseRejection};
    use crate::catalogue::Channel;
    use crate::testing::{Given, acme, at, file_case, supported_catalogue};

    /// Wednesday 10:00 in Paris.
    const OPEN: i64 = 38_800;

    fn file(given: Given, channel: Channel, language: &str, second: i64) -> Result<usize, CaseRejection> {
        let mut command = file_case();
        command.channel = Some(channel);
        language.clone_into(&mut command.language);
        let outcome = given.when("alice", second, &CaseCommand::File(Box::new(command)));
        outcome.result().map(|events| events.len())
    }

    fn supported() -> Given {
        Given::nothing().in_catalogue(supported_catalogue())
    }

    /// R-PHONE-1.
    #[test]
    fn r_phone_1_filing_by_phone_outside_the_hours_is_refused_with_the_next_opening_and_what_is_open() {
        assert!(file(supported(), Channel::Phone, "fr", OPEN).is_ok());
        let refused = file(supported(), Channel::Phone, "fr", 0).unwrap_err();
        assert_eq!((refused.reason(), refused.field()), ("CHANNEL_CLOSED", Some("channel")));
        let opening = at(OPEN).checked_sub(SignedDuration::from_hours(1)).unwrap().to_string();
        let metadata = refused.metadata();
        assert_eq!(metadata[1..], [("openChannels", "web, email".to_owned()), ("nextOpening", opening)]);
        assert!(refused.to_string().contains("opens at 2023-11-15T08:00:00Z"), "{refused}");
        for written in [Channel::Web, Channel::Email] {
            assert!(file(supported(), written, "fr", 0).is_ok());
        }
    }

    /// R-PHONE-1.
    #[test]
    fn r_phone_1_where_nobody_answers_in_that_language_the_phone_never_opens() {
        let refused = file(supported(), Channel::Phone, "ja", OPEN).unwrap_err();
        assert_eq!(refused.reason(), "CHANNEL_CLOSED");
        assert!(refused.metadata().iter().all(|(name, _)| *name != "nextOpening"));
        assert!(file(Given::nothing(), Channel::Phone, "en", OPEN).is_err(), "without providers");
    }

    /// R-PLAN-3.
    #[test]
    fn r_plan_3_phone_and_chat_need_a_plan_that_brings_them_and_the_web_none() {
        let silver =
            || supported().in_access(acme().without_entitlements().entitled("compute", "silver").build());
        let refused = file(silver(), Channel::Phone, "en", OPEN).unwrap_err();
        assert_eq!(refused.metadata()[1], ("plans", "gold, platinum".to_owned()));
        assert_eq!(refused.reason(), "CAPABILITY_MISSING");
        let chat = file(silver(), Channel::Chat, "en", OPEN).unwrap_err();
        assert_eq!((chat.reason(), chat.field()), ("CHANNEL_NOT_OFFERED", Some("channel")));
        assert!(file(silver(), Channel::Web, "en", OPEN).is_ok());
    }
}
