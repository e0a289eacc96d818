//! Starting what tells people of things: the fan-out always, the mailer where there is a mail server.
//!
//! Without a mail server everything is written down all the same, so that support sees what would have been sent to whom; what
//! is two days old by the time there is one is not sent any more.

use std::sync::Arc;

use dossier_commands::Commands;
use dossier_eventlog::Entropy;
use dossier_processes::notifications::compose::{Composer, MailLinks, sender};
use dossier_processes::notifications::fan_out::FanOut;
use dossier_processes::notifications::keeper;
use dossier_processes::notifications::mailer::{MailPace, Mailer, MailerStatus, SmtpServer};
use dossier_processes::notifications::templates::{TemplateError, Templates};
use dossier_processes::reactor::ReactorStatus;
use dossier_projections::organizations::OrganizationQueries;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::Mail;
use crate::system::Edge;

/// How notifications get on, where this process makes or sends them.
pub struct Notifying {
    /// The fan-out.
    pub fan_out: watch::Receiver<ReactorStatus>,
    /// The mailer; `None`: there is no mail server.
    pub mailer: Option<watch::Receiver<MailerStatus>>,
}

/// Why mails cannot be sent as configured.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The templates.
    #[error("mail_templates: {0}")]
    Templates(#[from] TemplateError),
    /// The mail server or the sender, which the configuration had checked.
    #[error("smtp_url: {0}")]
    Server(String),
}

/// Starts them among other tasks.
///
/// # Errors
/// [`MailError`].
pub(crate) fn start(
    app: &App,
    commands: &Arc<Commands>,
    mail: Option<&Mail>,
    edge: &Edge,
    stop: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> Result<Notifying, MailError> {
    let (work, clock, node) = (app.fleet.work.clone(), edge.clock.clone(), app.fleet.node.clone());
    let mailer = match mail {
        Some(mail) => Some(mailer(mail, app, commands, edge.entropy.clone(), edge)?.start(stop, tasks)),
        None => None,
    };
    let fan_out = FanOut {
        store: app.store.clone(),
        work: work.clone(),
        commands: commands.clone(),
        organizations: Some(app.organizations.clone()),
        clock: clock.clone(),
        node,
    };
    keeper::start(work, clock, stop, tasks);
    Ok(Notifying { fan_out: fan_out.start(stop, tasks), mailer })
}

fn mailer(
    mail: &Mail,
    app: &App,
    commands: &Arc<Commands>,
    entropy: Entropy,
    edge: &Edge,
) -> Result<Mailer, MailError> {
    let templates = match &mail.templates {
        None => Templates::built_in(),
        Some(folder) => Templates::load(folder)?,
    };
    let links = MailLinks { public_url: mail.public_url.clone(), frontend_url: mail.frontend_url.clone() };
    let organizations: OrganizationQueries = app.organizations.clone();
    let server = SmtpServer::parse(mail.server.exposed());
    Ok(Mailer {
        work: app.fleet.work.clone(),
        compose: Arc::new(Composer::new(commands.clone(), Some(organizations), Arc::new(templates), links)),
        server: server.map_err(|error| MailError::Server(error.to_string()))?,
        from: sender(&mail.from).ok_or_else(|| MailError::Server("there is no sender".to_owned()))?,
        clock: edge.clock.clone(),
        entropy,
        node: app.fleet.node.clone(),
        pace: MailPace { per_second: mail.per_second, connections: mail.connections, ..MailPace::default() },
    })
}
