//! Who wants mails about a case, beside what it says itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::notification::RecipientKey;
use crate::personal::personal_fields;

/// How somebody said what mails they want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationsChannel {
    /// Signed in.
    SignedIn,
    /// By the link of a mail, which names the case and them.
    Link,
}

/// Somebody wants no mails about the case any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationsStopped {
    /// What stands for them: an account, or the pseudonym of an address.
    pub recipient: RecipientKey,
    /// How they said so.
    #[schemars(extend("x-analytics" = true))]
    pub via: NotificationsChannel,
}
personal_fields!(NotificationsStopped {});

/// They want them again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationsResumed {
    /// What stands for them.
    pub recipient: RecipientKey,
    /// How they said so.
    #[schemars(extend("x-analytics" = true))]
    pub via: NotificationsChannel,
}
personal_fields!(NotificationsResumed {});
