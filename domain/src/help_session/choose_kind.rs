//! Saying what kind of problem it is, of the catalogue's kinds (R-HELP-2).

use super::{HelpSessionEvent, HelpSessionRejection, ProblemKindChosen};
use crate::context::Context;

/// Says what kind of problem it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChooseProblemKind {
    /// Key of the kind.
    pub kind: String,
}

impl ChooseProblemKind {
    pub(super) fn decide(&self, context: &Context<'_>) -> Result<HelpSessionEvent, HelpSessionRejection> {
        let kind = context.catalogue.problem_kind(&self.kind).ok_or_else(|| {
            HelpSessionRejection::invalid("kind", "there is no such kind; name one of the problem kinds")
        })?;
        let classification = kind.classification.as_deref();
        let product = classification
            .and_then(|id| context.catalogue.classification(id))
            .map(|classification| classification.product.clone());
        Ok(ProblemKindChosen { kind: kind.id.clone(), product }.into())
    }
}
