//! Raising a suspicion (R-KI-1, R-KI-2).

use jiff::{SignedDuration, Timestamp};

use super::events::{KnownIssueEvent, KnownIssueSuspected, SuspicionSource};
use super::rejection::{KnownIssueRejection, text};
use super::{KnownIssueState, MAX_TEXT_CHARS};
use crate::authority::Action;
use crate::case::MAX_TITLE_CHARS;
use crate::context::Context;
use crate::ids::{KnownIssueId, ProductId};
use crate::volume_watch::VolumeFigures;

/// How long after the beginning of its hour a burst is still worth a suspicion, in hours: calls are recorded up to a day late.
const STALE_AFTER_HOURS: i64 = 48;

/// Raises the suspicion of a known issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuspectKnownIssue {
    /// The product.
    pub product: ProductId,
    /// What it is about.
    pub title: String,
    /// What made somebody suspect it.
    pub source: SuspicionSource,
    /// Where it was seen, and more about it.
    pub details: Option<String>,
    /// What it rests on: of the volume, which only the watch over it names.
    pub figures: Option<VolumeFigures>,
}

impl SuspectKnownIssue {
    /// The suspicion that the watch over the volume raises.
    pub fn by_volume(product: ProductId, figures: VolumeFigures) -> Self {
        let VolumeFigures { hour, count, threshold, .. } = &figures;
        let title =
            format!("{product}: {count} cases and calls in the hour from {hour}; {threshold} are unusual");
        Self { product, title, source: SuspicionSource::Volume, details: None, figures: Some(figures) }
    }

    /// What is suspected already stays as it is.
    pub(super) fn decide(
        &self,
        state: &KnownIssueState,
        context: &Context<'_>,
    ) -> Result<Vec<KnownIssueEvent>, KnownIssueRejection> {
        if state.suspected().is_some() {
            return Ok(Vec::new());
        }
        if context.catalogue.product(&self.product).is_none() {
            return Err(KnownIssueRejection::invalid("product", "no such product in the catalogue"));
        }
        let is_watch = context.authority.open_to(Action::ActAsSystem).is_ok();
        let is_of_volume = self.source == SuspicionSource::Volume;
        if is_of_volume != is_watch || is_of_volume != self.figures.is_some() {
            let why = "name INTERNAL_ALERT or COMMUNITY; the volume is watched by the system itself";
            return Err(KnownIssueRejection::invalid("source", why));
        }
        if self.figures.as_ref().is_some_and(|figures| is_stale(figures, context.now)) {
            return Ok(Vec::new());
        }
        let issue = KnownIssueId::derived(context.command_id);
        let details = self.details.as_ref();
        Ok(vec![
            KnownIssueSuspected {
                issue,
                product: self.product.clone(),
                title: text(issue, "title", &self.title, MAX_TITLE_CHARS)?,
                source: self.source,
                details: details
                    .map(|details| text(issue, "details", details, MAX_TEXT_CHARS))
                    .transpose()?,
                figures: self.figures.clone(),
            }
            .into(),
        ])
    }
}

/// Whether a burst is nobody's alarm any more: the watch looks at the past where it is deployed anew, or was away.
fn is_stale(figures: &VolumeFigures, now: Timestamp) -> bool {
    let until = figures.hour.saturating_add(SignedDuration::from_hours(STALE_AFTER_HOURS));
    until.is_ok_and(|until| until < now)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Given, suspect};
    use super::*;
    use crate::event::EventAudience;
    use crate::known_issue::KnownIssueCommand;
    use crate::testing::at;

    fn figures() -> VolumeFigures {
        VolumeFigures { hour: at(0), count: 12, threshold: 12, weeks_before: [4; 4] }
    }

    fn with(change: impl FnOnce(&mut SuspectKnownIssue)) -> KnownIssueCommand {
        let mut command = suspect();
        change(&mut command);
        KnownIssueCommand::Suspect(command)
    }

    /// R-KI-1.
    #[test]
    fn r_ki_1_an_alert_or_the_community_makes_support_suspect_an_issue_and_no_customer_learns_of_it() {
        for source in [SuspicionSource::InternalAlert, SuspicionSource::Community] {
            for who in ["agent-north", "engineer"] {
                let events = Given::nothing().when(who, 0, &with(|it| it.source = source)).events();
                let [event @ KnownIssueEvent::KnownIssueSuspected(suspected)] = &events[..] else {
                    panic!("{events:?}")
                };
                assert_eq!((suspected.source, suspected.figures.as_ref()), (source, None));
                assert_eq!(suspected.title.subject().as_str(), format!("known_issue-{}", suspected.issue));
                assert_eq!(event.audience(), EventAudience::Support);
            }
        }
        for who in ["alice", "operator", "auditor", "nina"] {
            assert_eq!(Given::nothing().when(who, 0, &with(|_| ())).reason(), "NOT_FOR_YOU", "{who}");
        }
        let again = Given::suspected().when("engineer", 1, &with(|_| ()));
        assert_eq!(again.events(), vec![]);
    }

    /// R-KI-1, R-KI-2.
    #[test]
    fn r_ki_1_the_volume_is_named_by_its_watch_alone_with_its_figures() {
        let product = suspect().product;
        let watch = KnownIssueCommand::Suspect(SuspectKnownIssue::by_volume(product, figures()));
        let events = Given::nothing().when("system", 0, &watch).events();
        let [KnownIssueEvent::KnownIssueSuspected(suspected)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(suspected.figures, Some(figures()));
        assert!(suspected.title.open().unwrap().contains("12 cases and calls"));
        assert_eq!(Given::nothing().when("engineer", 0, &watch).field(), Some("source"));
        let without = with(|it| it.source = SuspicionSource::Volume);
        assert_eq!(Given::nothing().when("system", 0, &without).field(), Some("source"));
        assert_eq!(Given::nothing().when("system", 0, &with(|_| ())).field(), Some("source"));
    }

    /// R-KI-2.
    #[test]
    fn r_ki_2_a_burst_of_days_ago_raises_nothing_so_that_the_watch_may_look_at_the_past() {
        let watch = KnownIssueCommand::Suspect(SuspectKnownIssue::by_volume(suspect().product, figures()));
        let last = STALE_AFTER_HOURS * 3_600;
        assert_eq!(Given::nothing().when("system", last, &watch).events().len(), 1);
        assert_eq!(Given::nothing().when("system", last + 1, &watch).events(), vec![]);
    }

    #[test]
    fn a_suspicion_of_no_product_or_without_a_title_is_refused_by_field() {
        let refused = |command: KnownIssueCommand| Given::nothing().when("engineer", 0, &command).field();
        assert_eq!(refused(with(|it| it.product = ProductId::new("toaster").unwrap())), Some("product"));
        assert_eq!(refused(with(|it| it.title = " ".to_owned())), Some("title"));
        assert_eq!(refused(with(|it| it.title = "ä".repeat(MAX_TITLE_CHARS + 1))), Some("title"));
        assert_eq!(refused(with(|it| it.details = Some(String::new()))), Some("details"));
    }
}
