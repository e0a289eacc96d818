//! Choosing a channel and a language, of those that the organization is entitled to and that are open (R-HELP-2).

use super::contact::options;
use super::{ContactChosen, HelpContact, HelpSessionEvent, HelpSessionRejection, Session};
use crate::catalogue::Channel;
use crate::context::Context;

/// Chooses how to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChooseContact {
    /// The channel.
    pub channel: Option<Channel>,
    /// The language; the session's where it is empty.
    pub language: String,
}

impl ChooseContact {
    pub(super) fn decide(
        &self,
        session: &Session,
        context: &Context<'_>,
    ) -> Result<HelpSessionEvent, HelpSessionRejection> {
        let options = options(context.access, context.catalogue, session.about(), context.now);
        let channel = self
            .channel
            .ok_or_else(|| HelpSessionRejection::invalid("channel", "name one of the contact options"))?;
        let option = options.iter().find(|option| option.channel == channel).ok_or_else(|| {
            let open: Vec<_> = options.iter().map(|option| option.channel.as_str()).collect();
            let why = format!("{} is not to be had now; open are: {}", channel.as_str(), open.join(", "));
            HelpSessionRejection::invalid("channel", why)
        })?;
        let language = if self.language.is_empty() { &session.language } else { &self.language };
        if !option.languages.contains(language) {
            let spoken: Vec<_> = option.languages.iter().map(String::as_str).collect();
            let why = format!("by {} one speaks {}; choose one", channel.as_str(), spoken.join(", "));
            return Err(HelpSessionRejection::invalid("languageCode", why));
        }
        Ok(ContactChosen { contact: HelpContact { channel, language: language.clone() } }.into())
    }
}
