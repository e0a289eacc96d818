//! By which channel a case may be filed (R-PHONE-1): the web always, mail, chat and phone as the plan brings them, and chat
//! and phone only while somebody who would get the case is there.

use jiff::Timestamp;

use super::rejection::CaseRejection;
use crate::catalogue::{Capability, Channel};
use crate::context::Context;
use crate::ids::ProductId;
use crate::routing::{Exclusion, RoutingFacts, route};

/// Whether a channel is to be had for a case now.
pub(super) fn check(facts: &RoutingFacts<'_>, context: &Context<'_>) -> Result<(), CaseRejection> {
    if facts.channel == Channel::Web {
        return Ok(());
    }
    if !offered(facts.product, facts.channel, context) {
        return Err(not_offered(facts.channel, context));
    }
    match open(facts, facts.channel, context) {
        Open::Now => Ok(()),
        Open::Later(opens_at) => {
            let others = Channel::ALL.into_iter().filter(|&channel| {
                channel == Channel::Web
                    || (offered(facts.product, channel, context)
                        && matches!(open(facts, channel, context), Open::Now))
            });
            Err(CaseRejection::ChannelClosed { channel: facts.channel, opens_at, open: others.collect() })
        }
    }
}

fn offered(product: &ProductId, channel: Channel, context: &Context<'_>) -> bool {
    let plans = context.access.plans_in_force(product, context.catalogue, context.now);
    plans.iter().any(|plan| plan.offered_channels().contains(&channel))
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

/// Whether somebody who would get the case by a channel is there. Mail waits for whoever gets the case.
fn open(facts: &RoutingFacts<'_>, channel: Channel, context: &Context<'_>) -> Open {
    if matches!(channel, Channel::Web | Channel::Email) {
        return Open::Now;
    }
    let catalogue = context.catalogue;
    let Some(routing) = route(&RoutingFacts { channel, ..*facts }, catalogue) else {
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
