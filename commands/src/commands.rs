//! Executing commands.

use std::sync::Arc;

use dossier_domain::access::{self, Access, AccessCommand, AccessRejection, TransferManagement};
use dossier_domain::account::{Account, EmailClaim};
use dossier_domain::account_recovery::AccountRecovery;
use dossier_domain::case::{
    self, AssignCase, Assignee, CaseCommand, CaseRejection, CaseState, ReceiveMergedCase, ReturnMergedCase,
};
use dossier_domain::domain_claim::DomainClaim;
use dossier_domain::event_subscription::EventSubscription;
use dossier_domain::export::{self, Export, RecordExport};
use dossier_domain::feedback::Feedback;
use dossier_domain::help_session::HelpSession;
use dossier_domain::known_issue::KnownIssueState;
use dossier_domain::phone_call::PhoneCall;
use dossier_domain::saved_view::SavedView;
use dossier_domain::webhook::Webhook;
use dossier_domain::{
    AccessRefusal, AccountId, Aggregate, CaseId, Catalogue, Context, ExportId, OrganizationId,
};
use dossier_eventlog::{AppendError, EventStore, Guard, Revision, Sealer, StreamName};
use jiff::Timestamp;

use crate::Clock;
use crate::append::{Decided, take_in};
use crate::error::{CommandError, LoadError};
use crate::fold::{Folded, Loaded};
use crate::repository::Repository;
use crate::request::Request;
use crate::standpoint::{Freshness, account_stream};
pub(crate) use crate::streams::{access_stream, case_stream, stream_name};

/// How often a command is decided again because something it relied on has moved.
pub(crate) const MAX_ATTEMPTS: usize = 10;

/// An organization's access as it stood when it was asked for.
#[derive(Clone, Debug)]
pub struct AccessView {
    /// The state.
    pub access: Arc<Access>,
    /// Its revision; `None` when the organization has no event.
    pub revision: Option<Revision>,
}

impl AccessView {
    fn of(folded: &Folded<Access>) -> Self {
        Self { access: folded.state.clone(), revision: folded.revision }
    }
}

/// A case as it stood when it was asked for.
#[derive(Clone, Debug)]
pub struct CaseView {
    /// The state, personal values open; nothing where the organization has no such case.
    pub state: Arc<CaseState>,
    /// Its revision; `None` where there is no such case.
    pub revision: Option<Revision>,
}

/// What a command did.
#[derive(Clone, Debug)]
pub struct Outcome<A: Aggregate> {
    /// The resource right after the command, whatever has happened since.
    pub folded: Folded<A>,
    /// The command's events, open; none when it changed nothing.
    pub events: Vec<A::Event>,
    /// When they were recorded.
    pub at: Timestamp,
    /// Whether this is the answer to a repeat.
    pub replayed: bool,
}

/// What a command on a case did.
pub type CaseOutcome = Outcome<CaseState>;
/// What a command on an organization's access did.
pub type AccessOutcome = Outcome<Access>;
/// What recording an export did.
pub type ExportOutcome = Outcome<Export>;

/// The write side.
pub struct Commands {
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) sealer: Arc<Sealer>,
    catalogue: Arc<Catalogue>,
    clock: Clock,
    pub(crate) cases: Repository<CaseState>,
    pub(crate) access: Repository<Access>,
    exports: Repository<Export>,
    pub(crate) accounts: Repository<Account>,
    pub(crate) account_recoveries: Repository<AccountRecovery>,
    pub(crate) saved_views: Repository<SavedView>,
    pub(crate) feedback: Repository<Feedback>,
    pub(crate) help_sessions: Repository<HelpSession>,
    pub(crate) email_claims: Repository<EmailClaim>,
    pub(crate) domain_claims: Repository<DomainClaim>,
    pub(crate) event_subscriptions: Repository<EventSubscription>,
    pub(crate) webhooks: Repository<Webhook>,
    pub(crate) known_issues: Repository<KnownIssueState>,
    pub(crate) phone_calls: Repository<PhoneCall>,
}

impl Commands {
    /// The write side on a log, with room for the folds of so many streams of each kind.
    pub fn new(
        store: Arc<dyn EventStore>,
        sealer: Arc<Sealer>,
        catalogue: Arc<Catalogue>,
        clock: Clock,
        cached_streams: usize,
    ) -> Self {
        Self {
            cases: Repository::new(store.clone(), sealer.clone(), cached_streams, true),
            access: Repository::new(store.clone(), sealer.clone(), cached_streams, false),
            exports: Repository::new(store.clone(), sealer.clone(), cached_streams, false),
            accounts: Repository::new(store.clone(), sealer.clone(), cached_streams, true),
            account_recoveries: Repository::new(store.clone(), sealer.clone(), cached_streams, true),
            saved_views: Repository::new(store.clone(), sealer.clone(), cached_streams, true),
            feedback: Repository::new(store.clone(), sealer.clone(), cached_streams, true),
            help_sessions: Repository::new(store.clone(), sealer.clone(), cached_streams, true),
            email_claims: Repository::new(store.clone(), sealer.clone(), cached_streams, false),
            domain_claims: Repository::new(store.clone(), sealer.clone(), cached_streams, false),
            event_subscriptions: Repository::new(store.clone(), sealer.clone(), cached_streams, false),
            webhooks: Repository::new(store.clone(), sealer.clone(), cached_streams, true),
            known_issues: Repository::new(store.clone(), sealer.clone(), cached_streams, true),
            phone_calls: Repository::new(store.clone(), sealer.clone(), cached_streams, false),
            store,
            sealer,
            catalogue,
            clock,
        }
    }

    /// The catalogue that decisions use.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The sealer, for pseudonyms and fingerprints.
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// The clock.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// An organization's access, at least as new as anything acknowledged before the call. An organization that was
    /// never registered has an empty one.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn access_view(&self, organization: &OrganizationId) -> Result<AccessView, LoadError> {
        let stream = access_stream(organization)?;
        // Asked before the entry is locked: whoever reads this organization does not wait for the log in turn.
        let head = self.store.stream_head(&stream).await?;
        let entry = self.access.entry(&stream);
        let mut loaded = entry.lock().await;
        self.access.bring_up(&stream, &mut loaded, head).await?;
        Ok(AccessView::of(&loaded.folded))
    }

    /// The same for reading while the log may be away: then the access that this process saw last, because reads go on and
    /// nothing can be acknowledged meanwhile that would end it. Whoever sees only by somebody's leave must not be judged by it.
    ///
    /// # Errors
    /// [`LoadError`], also when this process has not seen the organization yet.
    pub async fn access_view_for_reading(
        &self,
        organization: &OrganizationId,
    ) -> Result<AccessView, LoadError> {
        match self.access_view(organization).await {
            Err(LoadError::Unavailable(why)) => {
                let seen = self.access.last_seen(&access_stream(organization)?);
                seen.map(|folded| AccessView::of(&folded)).ok_or(LoadError::Unavailable(why))
            }
            known => known,
        }
    }

    /// A case of an organization, at least as new as anything acknowledged before the call: what a command that names a
    /// second case is decided on. Who may see it is the command's to say.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn case_view(
        &self,
        organization: &OrganizationId,
        case: CaseId,
    ) -> Result<CaseView, LoadError> {
        let folded = self.cases.view(&case_stream(case)?, true).await?;
        let is_theirs = |case: &case::Case| case.organization == *organization;
        Ok(if folded.state.filed().is_some_and(is_theirs) {
            CaseView { state: folded.state, revision: folded.revision }
        } else {
            CaseView { state: Arc::default(), revision: None }
        })
    }

    /// Executes a command on a case of an organization; `case` is `None` for filing, which derives it. The target of a merge
    /// and the agent who is to have a case are loaded again, and must not move before it is stored.
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn case(
        &self,
        request: &Request,
        organization: &OrganizationId,
        case: Option<CaseId>,
        command: &CaseCommand,
    ) -> Result<CaseOutcome, CommandError<CaseRejection>> {
        let id = case.unwrap_or_else(|| CaseId::derived(request.command_id));
        match command {
            CaseCommand::MergeInto(merge) => self.merge_into(request, organization, id, merge, command).await,
            CaseCommand::ReceiveMergedCase(ReceiveMergedCase { source, .. })
            | CaseCommand::ReturnMergedCase(ReturnMergedCase { source, .. }) => {
                self.tell_target(request, organization, id, *source, command).await
            }
            CaseCommand::Assign(AssignCase { to: Some(agent) }) if agent.account != request.actor.account => {
                self.assign(request, organization, id, agent.account).await
            }
            _ => self.on_case(request, organization, id, command, &[]).await,
        }
    }

    async fn assign(
        &self,
        request: &Request,
        organization: &OrganizationId,
        id: CaseId,
        agent: AccountId,
    ) -> Result<CaseOutcome, CommandError<CaseRejection>> {
        for _ in 0..MAX_ATTEMPTS {
            let view = self.account_view(agent).await?;
            let guard = Guard { stream: account_stream(agent)?, revision: view.revision };
            let to = Some(Assignee::of(agent, &view.account));
            let command = CaseCommand::Assign(AssignCase { to });
            match self.on_case(request, organization, id, &command, &[guard]).await {
                // They signed in as somebody else, or are out: what they are now decides.
                Err(CommandError::Contention) => {}
                answer => return answer,
            }
        }
        Err(CommandError::Contention)
    }

    pub(crate) async fn on_case(
        &self,
        request: &Request,
        organization: &OrganizationId,
        id: CaseId,
        command: &CaseCommand,
        guards: &[Guard],
    ) -> Result<CaseOutcome, CommandError<CaseRejection>> {
        let stream = case_stream(id)?;
        let source = AccessSource::Guarded(organization);
        self.execute(&self.cases, &stream, request, Some(organization), source, guards, |state, context| {
            // A case is addressed under its organization: elsewhere there is no such case.
            if state.filed().is_some_and(|case| Some(&case.organization) != context.organization) {
                context.authority.open_to(command.action())?;
                return Err(CaseRejection::NotFound);
            }
            case::decide(state, command, context)
        })
        .await
    }

    /// Executes a command on an organization's access. Verifying a domain claims it first (R-ORG-1): see
    /// [`Commands::claim_domain`].
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn access(
        &self,
        request: &Request,
        organization: &OrganizationId,
        command: &AccessCommand,
    ) -> Result<AccessOutcome, CommandError<AccessRejection>> {
        let stream = access_stream(organization)?;
        let guards = match command {
            AccessCommand::VerifyDomain(command) => {
                self.claim_to_verify(request, organization, command).await?
            }
            _ => Vec::new(),
        };
        // Before the stream's lock is held: an organization stays a reseller.
        let manager = match command {
            AccessCommand::TransferManagement(TransferManagement { manager: Some(manager) })
                if manager != organization =>
            {
                Some(self.access_view(manager).await?)
            }
            _ => None,
        };
        let source = AccessSource::Own(AccessView::of);
        self.execute(&self.access, &stream, request, Some(organization), source, &guards, |state, context| {
            let events = access::decide(state, command, context)?;
            if let (AccessCommand::TransferManagement(command), Some(manager)) = (command, &manager) {
                command.check_manager(&manager.access)?;
            }
            Ok(events)
        })
        .await
    }

    /// Records that somebody reads history, of an organization or of all. The request's command id says who, what and on
    /// which day: so a repeat writes nothing.
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn export(
        &self,
        request: &Request,
        organization: Option<&OrganizationId>,
        command: &RecordExport,
    ) -> Result<ExportOutcome, CommandError<AccessRefusal>> {
        let stream = stream_name(&format!("export-{}", ExportId::derived(request.command_id)))?;
        let source = AccessSource::None;
        self.execute(&self.exports, &stream, request, organization, source, &[], |state, context| {
            export::decide(state, command, context)
        })
        .await
    }

    #[expect(clippy::too_many_arguments, reason = "one engine; a struct would only rename them")]
    pub(crate) async fn execute<A, R, D>(
        &self,
        repository: &Repository<A>,
        stream: &StreamName,
        request: &Request,
        organization: Option<&OrganizationId>,
        source: AccessSource<'_, A>,
        guards: &[Guard],
        decide: impl Fn(&A, &Context<'_>) -> Result<Vec<D>, R>,
    ) -> Result<Outcome<A>, CommandError<R>>
    where
        A: Aggregate,
        D: Into<Decided<A::Event>>,
    {
        let entry = repository.entry(stream);
        let mut loaded = entry.lock().await;
        let mut current = false;
        if loaded.folded.revision.is_none() {
            repository.refresh(stream, &mut loaded).await?;
            current = true;
        }
        for attempt in 0..MAX_ATTEMPTS {
            if attempt > 0 {
                metrics::counter!("dossier_command_attempts_repeated_total").increment(1);
            }
            if let Some(answer) = self.repeated(repository, stream, request, &loaded).await? {
                return Ok(answer);
            }
            let view = match source {
                AccessSource::None => AccessView { access: Arc::default(), revision: None },
                AccessSource::Own(view) => view(&loaded.folded),
                AccessSource::Guarded(organization) if current => self.access_view(organization).await?,
                AccessSource::Guarded(organization) => self.cached_access_view(organization).await?,
            };
            let folded = &loaded.folded;
            let now = (self.clock)().max(folded.recorded_at.unwrap_or(Timestamp::MIN));
            let freshness = if current { Freshness::Current } else { Freshness::Cached };
            let towards = organization.map(|organization| (organization, &view));
            let acts_for = request.acting_for.as_ref();
            let standpoint = self.standpoint_of(stream, &request.actor, acts_for, towards, freshness).await?;
            let towards = towards.map(|(organization, view)| (organization, &*view.access));
            let authority = standpoint.authority(&request.actor, towards, now);
            let context = Context {
                now,
                command_id: request.command_id,
                actor: &request.actor,
                authority: &authority,
                acting_for: standpoint.acting_for(),
                organization,
                access: &view.access,
                access_revision: view.revision.map(|revision| revision.0),
                catalogue: &self.catalogue,
            };
            let matches = request.precondition_holds(folded, authority.side());
            let decision = if matches { Some(decide(&folded.state, &context)) } else { None };
            let events: Vec<Decided<A::Event>> = match decision {
                Some(Ok(events)) if !events.is_empty() => events.into_iter().map(Into::into).collect(),
                // Whatever is not an append must hold on the log's head, not only on what is cached.
                _ if !current => {
                    repository.refresh(stream, &mut loaded).await?;
                    current = true;
                    continue;
                }
                None => return Err(CommandError::PreconditionFailed),
                Some(Err(rejection)) => return Err(CommandError::Rejected(rejection)),
                Some(Ok(_)) => {
                    let at = folded.customer_updated_at.unwrap_or(now);
                    return Ok(Outcome { folded: folded.clone(), events: Vec::new(), at, replayed: false });
                }
            };
            let mut append =
                self.append_of(stream, request, folded, organization, &source, &view, now, &events).await?;
            append.guards.extend(standpoint.guards().iter().chain(guards).cloned());
            match self.store.append(append).await {
                Ok(appended) => {
                    take_in(&mut loaded, request, &events, now, appended.last_position);
                    tracing::info!(
                        command_id = %request.command_id.0,
                        correlation_id = %request.correlation_id,
                        stream = %stream,
                        revision = appended.last_revision.0,
                        position = appended.last_position.0,
                        events = events.len(),
                        "command applied"
                    );
                    let events = events.into_iter().map(|decided| decided.event).collect();
                    return Ok(Outcome { folded: loaded.folded.clone(), events, at: now, replayed: false });
                }
                // What the caller guarded is the caller's to look at again.
                Err(AppendError::GuardMoved { stream, .. })
                    if guards.iter().any(|guard| guard.stream == stream) =>
                {
                    return Err(CommandError::Contention);
                }
                Err(
                    AppendError::Conflict { .. }
                    | AppendError::Duplicate { .. }
                    | AppendError::GuardMoved { .. },
                ) => {
                    repository.refresh(stream, &mut loaded).await?;
                    current = true;
                }
                Err(AppendError::Invalid(why)) => return Err(CommandError::TooLarge(why)),
                Err(error @ AppendError::Unavailable(_)) => {
                    return Err(CommandError::Unavailable(error.to_string()));
                }
                Err(AppendError::OutcomeUnknown(_)) => return Err(CommandError::OutcomeUnknown),
            }
        }
        Err(CommandError::Contention)
    }

    /// The answer to a command that was applied before: the resource as it stood right after it.
    async fn repeated<A: Aggregate, R>(
        &self,
        repository: &Repository<A>,
        stream: &StreamName,
        request: &Request,
        loaded: &Loaded<A>,
    ) -> Result<Option<Outcome<A>>, CommandError<R>> {
        let Some(receipt) = loaded.receipts.get(&request.command_id.0) else { return Ok(None) };
        if *receipt.fingerprint != *request.fingerprint {
            return Err(CommandError::KeyReused);
        }
        let (folded, events) = repository.replay(stream, receipt.first, receipt.last).await?;
        let at = folded.recorded_at.unwrap_or(Timestamp::MIN);
        Ok(Some(Outcome { folded, events, at, replayed: true }))
    }

    /// The access state as cached: good enough to decide on, because the append's guard checks it.
    pub(crate) async fn cached_access_view(
        &self,
        organization: &OrganizationId,
    ) -> Result<AccessView, LoadError> {
        let stream = access_stream(organization)?;
        let entry = self.access.entry(&stream);
        // An entry that is locked is being changed; one without an event may never have been loaded.
        if let Ok(loaded) = entry.try_lock()
            && loaded.folded.revision.is_some()
        {
            return Ok(AccessView::of(&loaded.folded));
        }
        self.access_view(organization).await
    }
}

/// Where the access state of a decision comes from.
pub(crate) enum AccessSource<'a, A: Aggregate> {
    /// From the access stream of an organization, which the append guards.
    Guarded(&'a OrganizationId),
    /// From the very stream that the command is on.
    Own(fn(&Folded<A>) -> AccessView),
    /// None is needed: only staff roles decide.
    None,
}
