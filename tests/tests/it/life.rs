//! The life of a case, told over HTTP with a clock that the test moves.

use std::collections::BTreeSet;

use dossier_commands::CaseOutcome;
use dossier_domain::case::{
    AcknowledgeEscalation, CaseCommand, InformationKind, ProposeSolution, RequestInformation, SolutionKind,
    SolutionParticulars,
};
use dossier_domain::{OrganizationId, Personal};
use dossier_eventlog::RecordedEvent;
use dossier_tests::log::comes_along;
use dossier_tests::people::{AGENT, ALICE, BOB};
use dossier_tests::server::file_case;
use dossier_tests::{Answer, Client, Server};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const THIRTY_DAYS: SignedDuration = SignedDuration::from_secs(2_592_000);

/// A case at one server, and who talks about it.
struct Talk {
    server: Server,
    case: String,
    alice: Client,
    bob: Client,
    agent: Client,
}

impl Talk {
    async fn begin() -> Self {
        let server = Server::start().await;
        let (alice, bob, agent) = (server.client(ALICE), server.client(BOB), server.client(AGENT));
        Self { case: file_case(&alice, "acme").await, server, alice, bob, agent }
    }

    async fn comment(&self, who: &Client, body: &str) -> Answer {
        who.post(&format!("{}/comments", self.case), &json!({"body": body})).await
    }

    async fn close(&self) -> Value {
        self.alice.post(&format!("{}:close", self.case), &json!({})).await.ok()
    }

    async fn escalate(&self, who: &Client) -> Answer {
        let body = json!({"escalation": {"reason": "BUSINESS_IMPACT", "justification": "We sell nothing."}});
        who.post(&format!("{}:escalate", self.case), &body).await
    }

    async fn read(&self) -> Value {
        self.alice.get(&self.case).await.ok()
    }

    async fn state(&self) -> String {
        self.read().await["state"].as_str().unwrap().to_owned()
    }

    /// The events of the case.
    async fn events(&self) -> Vec<RecordedEvent> {
        let id = self.case.rsplit('/').next().unwrap();
        let stream = format!("case-{id}");
        let events = self.server.events().await;
        events.into_iter().filter(|event| event.stream.as_str() == stream).collect()
    }

    /// What was said and done.
    async fn told(&self) -> Vec<RecordedEvent> {
        self.events().await.into_iter().filter(|event| !comes_along(event)).collect()
    }

    async fn types(&self) -> Vec<String> {
        self.told().await.iter().map(|event| event.event_type.to_string()).collect()
    }

    /// What support does and no endpoint offers yet.
    async fn support(&self, number: u128, command: CaseCommand) -> CaseOutcome {
        let acme = OrganizationId::new("acme").unwrap();
        let case = self.case.rsplit('/').next().unwrap().parse().unwrap();
        let request = self.server.request(AGENT, number);
        let app = self.server.app();
        let outcome = app.commands.case(&request, &acme, Some(case), &command).await.unwrap();
        let patience = std::time::Duration::from_secs(30);
        app.read_models.wait_for(outcome.folded.position, patience).await.unwrap();
        outcome
    }

    fn agents_words(&self, text: &str) -> Personal<String> {
        Personal::new(self.server.actor(AGENT).contact.subject().clone(), text.to_owned())
    }
}

#[tokio::test]
async fn a_day_in_the_life_of_a_case() {
    let talk = Talk::begin().await;
    assert_eq!(talk.state().await, "NEW");
    talk.comment(&talk.bob, "It is worse now.").await.ok();
    assert_eq!(talk.state().await, "NEW", "only support takes a case up");
    talk.server.clock.advance(SignedDuration::from_hours(1));
    talk.comment(&talk.agent, "We look into it.").await.ok();
    assert_eq!(talk.state().await, "IN_PROGRESS_GOOGLE_SUPPORT");
    assert_eq!(talk.escalate(&talk.bob).await.ok()["escalated"], true);
    talk.server.clock.advance(SignedDuration::from_hours(3));
    talk.comment(&talk.agent, "It should work now.").await.ok();
    let closed = talk.close().await;
    assert_eq!((&closed["state"], &closed["escalated"]), (&json!("CLOSED"), &json!(false)));
    let history = talk.alice.get(&format!("{}/comments", talk.case)).await.ok();
    let said: Vec<_> =
        history["comments"].as_array().unwrap().iter().map(|said| said["body"].clone()).collect();
    assert_eq!(said, ["It is worse now.", "We look into it.", "It should work now."]);
    assert_eq!(
        talk.types().await,
        [
            "CaseFiled",
            "CommentAdded",
            "CommentAdded",
            "CaseStateChanged",
            "CaseEscalated",
            "CommentAdded",
            "CaseClosed"
        ]
    );
}

#[tokio::test]
async fn r_reopen_1_a_comment_within_30_days_reopens_the_case_with_one_append() {
    let talk = Talk::begin().await;
    talk.close().await;
    let closed_at = talk.events().await.last().unwrap().recorded_at;
    talk.server.clock.set(closed_at + THIRTY_DAYS - SignedDuration::from_secs(1));
    let answer = talk.comment(&talk.bob, "It is back.").await;
    assert_eq!(answer.ok()["body"], "It is back.");
    let offered = answer.header("dossier-follow-up-of").expect("R-REOPEN-4: the offer of a new case");
    assert_eq!(format!("/v2/{offered}"), talk.case);
    assert_eq!(talk.state().await, "IN_PROGRESS_GOOGLE_SUPPORT");
    let events = talk.told().await;
    let [comment, reopened] = &events[events.len() - 2..] else { panic!() };
    assert_eq!((&*comment.event_type, &*reopened.event_type), ("CommentAdded", "ReopenedWithin30Days"));
    assert_eq!(comment.recorded_at, reopened.recorded_at);
    assert_eq!(comment.metadata().unwrap().command_id, reopened.metadata().unwrap().command_id);
    assert_eq!(reopened.position.0, comment.position.0 + 1, "nothing can have come between");
}

#[tokio::test]
async fn r_reopen_2_a_second_after_30_days_the_comment_is_refused_with_the_end_and_a_follow_up() {
    let talk = Talk::begin().await;
    talk.close().await;
    let closed_at = talk.events().await.last().unwrap().recorded_at;
    let before = talk.told().await.len();
    talk.server.clock.set(closed_at + THIRTY_DAYS + SignedDuration::from_secs(1));
    let refused = talk.comment(&talk.alice, "It is back.").await;
    assert_eq!(refused.refused(400, "REOPEN_WINDOW_ENDED")["status"], "FAILED_PRECONDITION");
    assert_eq!(refused.metadata("windowEndedAt").parse::<Timestamp>().unwrap(), closed_at + THIRTY_DAYS);
    assert_eq!(format!("/v2/{}", refused.metadata("followUpOf")), talk.case);
    assert_eq!(talk.told().await.len(), before, "nothing is appended");
    assert_eq!(talk.state().await, "CLOSED");

    // The offer is good: it files a case as it stands.
    let follow_up = json!({
        "displayName": "Follow-up", "description": "As before.",
        "classification": {"id": refused.metadata("followUpClassification")},
        "languageCode": refused.metadata("followUpLanguage"),
        "priority": refused.metadata("followUpPriority"),
    });
    talk.alice.post("/v2/organizations/acme/cases", &follow_up).await.ok();
}

#[tokio::test]
async fn r_reopen_3_a_comment_of_support_does_not_reopen() {
    let talk = Talk::begin().await;
    talk.close().await;
    let answer = talk.comment(&talk.agent, "For the record: it was a cable.").await;
    answer.ok();
    assert_eq!(answer.header("dossier-follow-up-of"), None);
    assert_eq!(talk.state().await, "CLOSED");
    talk.server.clock.advance(THIRTY_DAYS + THIRTY_DAYS);
    talk.comment(&talk.agent, "Much later.").await.ok();
    assert_eq!(talk.state().await, "CLOSED");
}

#[tokio::test]
async fn r_reopen_3_a_case_is_closed_and_reopened_any_number_of_times_each_with_its_own_window() {
    let talk = Talk::begin().await;
    for round in 1..=4 {
        assert_eq!(talk.escalate(&talk.alice).await.ok()["escalated"], true, "round {round}");
        assert_eq!(talk.close().await["escalated"], false, "R-ESC-2: closing ends it");
        talk.server.clock.advance(SignedDuration::from_hours(24 * 20));
        talk.comment(&talk.alice, "Again.").await.ok();
        let case = talk.read().await;
        assert_eq!(
            (&case["state"], &case["escalated"]),
            (&json!("IN_PROGRESS_GOOGLE_SUPPORT"), &json!(false))
        );
    }
    let reopened = talk.types().await.iter().filter(|name| *name == "ReopenedWithin30Days").count();
    assert_eq!(reopened, 4, "80 days after the first closing, each within 30 of its own");
}

#[tokio::test]
async fn r_reopen_3_when_a_comment_and_the_closing_race_the_logs_order_decides() {
    let talk = Talk::begin().await;
    let mut seen = BTreeSet::new();
    for round in 0..12 {
        let (comment, close) = (format!("{}/comments", talk.case), format!("{}:close", talk.case));
        let (body, nothing) = (json!({"body": "racing"}), json!({}));
        // Whoever is named first is polled first: both orders are met.
        let (commented, closed) = if round % 2 == 0 {
            tokio::join!(talk.alice.post(&comment, &body), talk.bob.post(&close, &nothing))
        } else {
            let (closed, commented) =
                tokio::join!(talk.bob.post(&close, &nothing), talk.alice.post(&comment, &body));
            (commented, closed)
        };
        commented.ok();
        closed.ok();
        let last = talk.types().await.pop().unwrap();
        let expected = if last == "CaseClosed" { "CLOSED" } else { "IN_PROGRESS_GOOGLE_SUPPORT" };
        assert_eq!(talk.state().await, expected, "after {last}");
        assert_eq!(commented.header("dossier-follow-up-of").is_some(), last == "ReopenedWithin30Days");
        seen.insert(last);
        talk.comment(&talk.alice, "open again").await.ok();
    }
    assert!(
        seen.iter()
            .all(|last| ["CaseClosed", "ReopenedWithin30Days", "CommentAdded"].contains(&last.as_str()))
    );
}

#[tokio::test]
async fn r_esc_1_a_proposed_solution_that_is_escalated_goes_back_in_progress() {
    let talk = Talk::begin().await;
    let solution = ProposeSolution {
        solution: SolutionKind::Solved,
        text: talk.agents_words("Restart it."),
        particulars: SolutionParticulars::default(),
    };
    talk.support(1, CaseCommand::ProposeSolution(solution)).await;
    assert_eq!(talk.state().await, "SOLUTION_PROVIDED");
    assert_eq!(talk.escalate(&talk.bob).await.ok()["state"], "IN_PROGRESS_GOOGLE_SUPPORT");
    assert_eq!(talk.state().await, "IN_PROGRESS_GOOGLE_SUPPORT");
}

#[tokio::test]
async fn r_esc_1_a_closed_case_is_not_escalated() {
    let talk = Talk::begin().await;
    talk.close().await;
    let before = talk.server.events().await.len();
    assert_eq!(talk.escalate(&talk.bob).await.refused(400, "CASE_CLOSED")["status"], "FAILED_PRECONDITION");
    assert_eq!(talk.server.events().await.len(), before);
}

#[tokio::test]
async fn r_esc_2_a_second_escalation_while_one_is_active_changes_nothing_and_says_so() {
    let talk = Talk::begin().await;
    talk.escalate(&talk.alice).await.ok();
    let before = talk.server.events().await.len();
    talk.escalate(&talk.bob).await.refused(400, "ESCALATION_ACTIVE");
    assert_eq!(talk.server.events().await.len(), before);
    talk.support(1, CaseCommand::AcknowledgeEscalation(AcknowledgeEscalation {})).await;
    talk.escalate(&talk.bob).await.refused(400, "ESCALATION_ACTIVE");
    assert_eq!(talk.read().await["escalated"], true);
}

#[tokio::test]
async fn r_comment_1_a_comment_of_the_customer_answers_what_support_asked() {
    let talk = Talk::begin().await;
    let ask =
        RequestInformation { information: InformationKind::ExactSteps, text: talk.agents_words("How?") };
    talk.support(1, CaseCommand::RequestInformation(ask)).await;
    assert_eq!(talk.state().await, "ACTION_REQUIRED");
    talk.comment(&talk.bob, "Like this.").await.ok();
    assert_eq!(talk.state().await, "IN_PROGRESS_GOOGLE_SUPPORT");
}

#[tokio::test]
async fn r_close_1_support_closes_with_a_solution_only() {
    let talk = Talk::begin().await;
    let close = async || talk.agent.post(&format!("{}:close", talk.case), &json!({})).await;
    close().await.refused(400, "SOLUTION_REQUIRED");
    let solution = ProposeSolution {
        solution: SolutionKind::Solved,
        text: talk.agents_words("Restart it."),
        particulars: SolutionParticulars::default(),
    };
    talk.support(1, CaseCommand::ProposeSolution(solution)).await;
    assert_eq!(close().await.ok()["state"], "CLOSED");
}

#[tokio::test]
async fn update_time_moves_forward_with_every_change_and_create_time_never() {
    let talk = Talk::begin().await;
    let mut last = talk.read().await;
    talk.comment(&talk.alice, "one").await.ok();
    for step in 0..3 {
        let now = talk.read().await;
        assert!(now["updateTime"].as_str() > last["updateTime"].as_str(), "step {step}");
        assert_eq!(now["createTime"], last["createTime"]);
        last = now;
        match step {
            0 => drop(talk.escalate(&talk.alice).await.ok()),
            _ => drop(talk.close().await),
        }
    }
}

#[tokio::test]
async fn a_clock_that_goes_back_never_makes_an_event_earlier_than_the_one_before() {
    let talk = Talk::begin().await;
    let filed_at = talk.events().await[0].recorded_at;
    talk.server.clock.set(filed_at - SignedDuration::from_mins(30));
    talk.comment(&talk.alice, "half an hour before it was filed").await.ok();
    let events = talk.events().await;
    assert!(events[1].recorded_at >= filed_at);
    assert_eq!(talk.state().await, "NEW");
}
