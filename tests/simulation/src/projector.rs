//! A projector, in a runtime of its own, because SQLite's threads work in real time: it runs only in its turn, when nothing
//! else does, and the turn lasts until it waits.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dossier_projections::account_recovery::AccountRecoveries;
use dossier_projections::accounts::Accounts;
use dossier_projections::case_history::CaseHistory;
use dossier_projections::cases::Cases;
use dossier_projections::event_delivery::EventDelivery;
use dossier_projections::feedback::FeedbackModel;
use dossier_projections::help_sessions::HelpSessions;
use dossier_projections::known_issues::KnownIssues;
use dossier_projections::organizations::Organizations;
use dossier_projections::reseller_visibility::ResellerVisibility;
use dossier_projections::satisfaction::Satisfaction;
use dossier_projections::saved_views::SavedViews;
use dossier_projections::volume::Volume;
use dossier_projections::{LogFollower, ModelStatus, ReadLocation, ReadModel, ReadModels};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::mortal::Mortal;
use crate::nodes::{Ground, busy, rounds, spin, standing_still};
use crate::part::{Part, Place};
use crate::tally::Tally;

/// Real time after which a part that should only wait for SQLite counts as hung.
const HUNG: Duration = Duration::from_secs(20);
/// How much of its time passes at once.
const SLICE_MILLIS: u32 = 50;

/// The read models that are simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Model {
    /// One row per case.
    Cases,
    /// Comments and attachments.
    History,
    /// Whom customers let in.
    Visibility,
    /// Organizations and their people.
    Organizations,
    /// Accounts of people.
    Accounts,
    /// Accounts to recover.
    Recoveries,
    /// Answers to surveys.
    Satisfaction,
    /// Subscriptions to events, and webhooks.
    Delivery,
    /// Known issues.
    Issues,
    /// What the watch over the volume counts.
    Volume,
    /// Filters that people keep.
    SavedViews,
    /// What people think of the support centre.
    Feedback,
    /// Sessions with the help assistant.
    HelpSessions,
    /// What was taken in, and how often.
    Tally,
}

impl Model {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Cases,
        Self::History,
        Self::Visibility,
        Self::Organizations,
        Self::Accounts,
        Self::Recoveries,
        Self::Satisfaction,
        Self::Delivery,
        Self::Issues,
        Self::Volume,
        Self::SavedViews,
        Self::Feedback,
        Self::HelpSessions,
        Self::Tally,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cases => "cases",
            Self::History => "case_history",
            Self::Visibility => "reseller_visibility",
            Self::Organizations => "organizations",
            Self::Accounts => "accounts",
            Self::Recoveries => "account_recovery",
            Self::Satisfaction => "satisfaction",
            Self::Delivery => "event_delivery",
            Self::Issues => "known_issues",
            Self::Volume => "volume",
            Self::SavedViews => "saved_views",
            Self::Feedback => "feedback",
            Self::HelpSessions => "help_sessions",
            Self::Tally => "tally",
        }
    }

    fn boxed(self) -> Box<dyn ReadModel> {
        match self {
            Self::Cases => Box::new(Cases),
            Self::History => Box::new(CaseHistory),
            Self::Visibility => Box::new(ResellerVisibility),
            Self::Organizations => Box::new(Organizations),
            Self::Accounts => Box::new(Accounts),
            Self::Recoveries => Box::new(AccountRecoveries),
            Self::Satisfaction => Box::new(Satisfaction),
            Self::Delivery => Box::new(EventDelivery),
            Self::Issues => Box::new(KnownIssues),
            Self::Volume => Box::new(Volume),
            Self::SavedViews => Box::new(SavedViews),
            Self::Feedback => Box::new(FeedbackModel),
            Self::HelpSessions => Box::new(HelpSessions),
            Self::Tally => Box::new(Tally),
        }
    }
}

/// A process with the projector of one read model.
pub struct Projector {
    /// Its part.
    pub part: Arc<Part>,
    /// The model.
    pub model: Model,
    /// Its rows.
    pub models: Arc<ReadModels>,
    runtime: Runtime,
    tasks: JoinSet<()>,
}

impl Projector {
    /// A process that has just started, on a file that others may use too.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn start(ground: &Ground, name: &str, model: Model, folder: &Path) -> Result<Self, String> {
        let part = Part::by_turns(&ground.world, name);
        let runtime = standing_still();
        let follower = LogFollower {
            store: ground.log.seen_by(&part),
            bus: ground.bus.seen_by(&part),
            sealer: ground.sealer(&part),
        };
        let location = ReadLocation::sqlite(folder.join(format!("{}.db", model.name())));
        let opening = ReadModels::open_with(
            &location,
            follower,
            vec![Box::new(Mortal { model: model.boxed(), part: part.clone() })],
        );
        let models = runtime.block_on(busy(opening)).map_err(|error| format!("{name}: {error}"))?;
        let models = Arc::new(models);
        let tasks = runtime.block_on(async { models.start(&CancellationToken::new()) });
        Ok(Self { part, model, models, runtime, tasks })
    }

    /// Where it stands.
    pub fn status(&self) -> ModelStatus {
        self.models.statuses().remove(0).1
    }

    /// Lets its time pass, and lets it work until it waits or is held.
    ///
    /// # Errors
    /// When it has halted or hangs.
    pub fn turn(&self, millis: u32) -> Result<(), String> {
        self.part.rested();
        let mut left = millis;
        self.runtime.block_on(async {
            // In slices, so that what is due at different times does not come to be due at once.
            loop {
                let slice = left.min(SLICE_MILLIS);
                tokio::time::advance(Duration::from_millis(slice.into())).await;
                rounds(8).await;
                self.settled().await?;
                left -= slice;
                if left == 0 || !self.is_alive() {
                    return Ok(());
                }
            }
        })
    }

    /// Lets it work until it waits or is held.
    async fn settled(&self) -> Result<(), String> {
        let began = Instant::now();
        let mut quiet_since = began;
        let mut spins = 0_u32;
        while self.part.place() == Place::Running {
            let status = self.status();
            if let Some(why) = status.halted {
                return Err(format!("{} has halted: {why}", self.part.name));
            }
            if began.elapsed() > HUNG {
                return Err(format!("{} hangs: {status:?}", self.part.name));
            }
            // After trouble it sleeps: once SQLite must have done its part. Nobody else is on this runtime.
            if status.last_error.is_some() && quiet_since.elapsed() > self.part.quiet() {
                tokio::time::advance(Duration::from_millis(SLICE_MILLIS.into())).await;
                quiet_since = Instant::now();
            }
            spin(&mut spins).await;
        }
        Ok(())
    }

    /// Whether it did not die in the middle of a transaction.
    pub fn is_alive(&self) -> bool {
        self.part.place() != Place::Dead
    }

    /// Does something with its read models.
    pub fn with<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(busy(work))
    }
}

impl Drop for Projector {
    fn drop(&mut self) {
        // What a connection does when it is dropped needs the runtime.
        let _inside = self.runtime.enter();
        self.tasks.abort_all();
    }
}
