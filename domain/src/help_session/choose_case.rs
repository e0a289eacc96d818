//! Saying that it is about one of the recent cases (R-HELP-2). Whether they see that case is asked before.

use super::{HelpSessionEvent, HelpSessionRejection, RecentCaseChosen, Session};
use crate::ids::{CaseId, ProductId};

/// Says which case it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChooseRecentCase {
    /// The case, one of those that were asked about.
    pub case: CaseId,
    /// Its product.
    pub product: ProductId,
}

impl ChooseRecentCase {
    pub(super) fn decide(&self, session: &Session) -> Result<HelpSessionEvent, HelpSessionRejection> {
        if !session.recent_cases.contains(&self.case) {
            return Err(HelpSessionRejection::invalid("case", "it is none of the recent cases; name one"));
        }
        Ok(RecentCaseChosen { case: self.case, product: self.product.clone() }.into())
    }
}
