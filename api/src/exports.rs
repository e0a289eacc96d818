//! Recording that history is read, before any of it leaves: once per account, kind, scope and day (UTC).

use std::sync::Arc;

use dossier_commands::{Request, identity};
use dossier_domain::export::{ExportKind, ExportScope, RecordExport};
use dossier_domain::{Actor, OrganizationId};
use jiff::civil::Date;
use jiff::{Timestamp, tz};

use crate::app::App;
use crate::call::Call;
use crate::refusals;
use crate::status::ApiError;

/// Somebody's reading of history.
#[derive(Clone)]
pub struct Exporter {
    app: Arc<App>,
    actor: Actor,
    correlation_id: String,
    organization: Option<OrganizationId>,
    kind: ExportKind,
    scope: ExportScope,
}

impl Exporter {
    /// The reading that a call asks for.
    pub fn new(call: &Call, kind: ExportKind, scope: ExportScope) -> Self {
        Self {
            app: call.app.clone(),
            actor: call.actor.clone(),
            correlation_id: call.correlation_id(),
            organization: call.parent.as_ref().map(|parent| parent.organization.clone()),
            kind,
            scope,
        }
    }

    /// Today, by the system's clock.
    pub fn today(&self) -> Date {
        self.app.commands.now().to_zoned(tz::TimeZone::UTC).date()
    }

    /// Makes sure that today's reading is in the log; answers the day. `from` and `at` say where it begins, and are kept of
    /// the day's first.
    ///
    /// # Errors
    /// 503 when it cannot be recorded: then nothing may leave.
    pub async fn record(&self, from: u64, at: Option<Timestamp>) -> Result<Date, ApiError> {
        let day = self.today();
        let sealer = self.app.commands.sealer();
        let scope =
            serde_json::to_string(&self.scope).map_err(|error| ApiError::internal(error.to_string()))?;
        let account = self.actor.account.to_string();
        let key = day.to_string();
        let request = Request {
            command_id: identity::command_id(sealer, &["export", &account, self.kind.as_str(), &scope], &key),
            fingerprint: identity::fingerprint(sealer, scope.as_bytes()),
            actor: self.actor.clone(),
            acting_for: None,
            correlation_id: self.correlation_id.clone(),
            causation_id: None,
            if_match: None,
        };
        let command = RecordExport { kind: self.kind, scope: self.scope.clone(), from, at };
        let (app, organization) = (self.app.clone(), self.organization.clone());
        // A caller that goes away does not stop it half way.
        let recorded = tokio::spawn(async move {
            app.commands.export(&request, organization.as_ref(), &command).await.map(drop)
        });
        recorded
            .await
            .map_err(|panic| {
                tracing::error!(%panic, "recording an export panicked");
                ApiError::internal("a fault on this side")
            })?
            .map_err(|error| refusals::command(&error, refusals::access))?;
        Ok(day)
    }
}
