//! Beginning a session with the help assistant (R-HELP-1).

use super::{HelpSession, HelpSessionEvent, HelpSessionRejection, HelpSessionStarted};
use crate::authority::{AccessRefusal, Action};
use crate::context::Context;
use crate::ids::{HelpSessionId, ProductId};

/// Begins a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartHelpSession {
    /// The language wished for (BCP 47); one that support does not speak becomes `en`.
    pub language: String,
    /// The product that it is about, where they know.
    pub product: Option<ProductId>,
}

impl StartHelpSession {
    pub(super) fn decide(
        &self,
        state: &HelpSession,
        context: &Context<'_>,
    ) -> Result<Vec<HelpSessionEvent>, HelpSessionRejection> {
        if state.started().is_some() {
            return Ok(Vec::new());
        }
        if let Some(product) = &self.product {
            if context.catalogue.product(product).is_none() {
                let why = "there is no such product; leave it out or name one of the support profile";
                return Err(HelpSessionRejection::invalid("product", why));
            }
            context.authority.require(Action::UseHelpAssistant, product)?;
        }
        let organization = context.organization.ok_or(AccessRefusal::NotAMember)?;
        Ok(vec![
            HelpSessionStarted {
                session: HelpSessionId::derived(context.command_id),
                organization: organization.clone(),
                user: context.actor.account,
                language: context.catalogue.language(&self.language),
                product: self.product.clone(),
            }
            .into(),
        ])
    }
}
