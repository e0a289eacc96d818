//! What support does with a case over HTTP, what of it the customer side learns, and what comes after a solution.

use dossier_tests::people::{AGENT, AGENT_SOUTH, ALICE, BOB, CAROL, ENGINEER};
use dossier_tests::server::{case_path, file_case};
use dossier_tests::{Answer, Client, Server};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

const OUTAGE_URL: &str = "https://status.support.example/incidents/7";

/// A case of alice's at one server, and who works on it.
struct Desk {
    server: Server,
    case: String,
    alice: Client,
    north: Client,
    south: Client,
}

impl Desk {
    async fn open() -> Self {
        let server = Server::start().await;
        let [alice, north, south] = [ALICE, AGENT, AGENT_SOUTH].map(|who| server.client(who));
        Self { case: file_case(&alice, "acme").await, server, alice, north, south }
    }

    async fn act(&self, who: &Client, verb: &str, body: &Value) -> Answer {
        who.post(&format!("{}:{verb}", self.case), body).await
    }

    /// The agent who has the case does something that is accepted.
    async fn done(&self, verb: &str, body: &Value) -> Value {
        self.act(&self.north, verb, body).await.ok()
    }

    async fn close(&self) {
        self.act(&self.alice, "close", &json!({})).await.ok();
    }

    async fn outage(&self) {
        let outage = json!({"kind": "OUTAGE", "text": "It was us.", "outageUrl": OUTAGE_URL});
        self.done("proposeSolution", &outage).await;
    }

    /// The case as the customer sees it, with its etag.
    async fn customers(&self) -> (Value, String) {
        let answer = self.alice.get(&self.case).await;
        (answer.ok(), answer.header("etag").unwrap().to_owned())
    }

    /// The case's name.
    fn name(&self) -> &str {
        self.case.trim_start_matches("/v2/")
    }

    /// What anybody but support's agents is told by support's endpoints.
    async fn is_for_agents_only(&self, verb: &str, body: &Value) {
        let before = self.server.deeds().await;
        for who in [ALICE, ENGINEER] {
            self.act(&self.server.client(who), verb, body).await.refused(403, "NOT_FOR_YOU");
        }
        // Of a case that is with another provider there is nothing to learn.
        self.act(&self.south, verb, body).await.refused(404, "CASE_NOT_FOUND");
        assert_eq!(self.server.deeds().await, before);
    }
}

fn hand_over() -> Value {
    json!({"provider": "south", "reason": "They know this machine."})
}

fn question() -> Value {
    json!({"information": "LOGS_AND_HEADERS", "text": "Please send the logs."})
}

fn assert_no_trace(case: &Value) {
    assert_eq!(case["support"], Value::Null, "{case}");
}

#[tokio::test]
async fn r_case_3_an_agent_takes_a_new_case_up_and_the_customer_learns_only_that_it_is_in_progress() {
    let desk = Desk::open().await;
    desk.is_for_agents_only("assign", &json!({})).await;
    let case = desk.done("assign", &json!({})).await;
    let account = desk.server.actor(AGENT).account;
    assert_eq!(case["state"], "IN_PROGRESS_GOOGLE_SUPPORT");
    assert_eq!(case["support"]["provider"], "north");
    assert_eq!(case["support"]["assignee"]["name"], format!("accounts/{account}"));
    assert_eq!(case["support"]["assignee"]["email"], AGENT);
    let (before, etag) = desk.customers().await;
    assert_eq!(before["state"], "IN_PROGRESS_GOOGLE_SUPPORT");
    assert_no_trace(&before);
    // From here on nothing of it is the customer's.
    desk.server.clock.advance(SignedDuration::from_secs(60));
    let free = desk.done("unassign", &json!({})).await;
    assert_eq!(free["support"]["assignee"], Value::Null);
    desk.done("assign", &json!({"assignee": format!("accounts/{account}")})).await;
    assert_eq!(desk.customers().await, (before, etag));
}

#[tokio::test]
async fn r_route_1_a_case_that_is_handed_over_is_the_other_providers_alone_and_the_customer_learns_nothing() {
    let desk = Desk::open().await;
    desk.is_for_agents_only("route", &hand_over()).await;
    desk.done("assign", &json!({})).await;
    let before = desk.customers().await;
    desk.server.clock.advance(SignedDuration::from_secs(60));
    let case = desk.done("route", &hand_over()).await;
    assert_eq!(case["support"], json!({"provider": "south", "warningTime": case["support"]["warningTime"]}));
    assert_eq!(desk.customers().await, before);
    // Whoever handed it over sees it no more.
    desk.north.get(&desk.case).await.refused(404, "CASE_NOT_FOUND");
    desk.act(&desk.north, "assign", &json!({})).await.refused(404, "CASE_NOT_FOUND");
    let case = desk.act(&desk.south, "assign", &json!({})).await.ok();
    assert_eq!(case["support"]["assignee"]["email"], AGENT_SOUTH);
}

#[tokio::test]
async fn r_route_1_a_hand_over_needs_a_provider_of_the_catalogue_and_a_reason() {
    let desk = Desk::open().await;
    for (body, field) in [
        (json!({"provider": "south"}), "reason"),
        (json!({"provider": "nowhere", "reason": "why"}), "provider"),
        (json!({"reason": "why"}), "provider"),
    ] {
        let refused = desk.act(&desk.north, "route", &body).await;
        let error = refused.refused(400, "INVALID_FIELD");
        let violations = error["details"].as_array().unwrap().iter();
        assert!(
            violations.into_iter().any(|detail| detail["fieldViolations"][0]["field"] == field),
            "{error}"
        );
    }
    let before = desk.server.deeds().await;
    desk.done("route", &json!({"provider": "north", "reason": "It is here."})).await;
    assert_eq!(desk.server.deeds().await, before, "it has it already");
}

#[tokio::test]
async fn r_inforeq_1_support_asks_and_the_case_waits_for_the_customer() {
    let desk = Desk::open().await;
    desk.is_for_agents_only("requestInformation", &question()).await;
    for kind in ["EXACT_STEPS", "PROCEDURE", "LOGS_AND_HEADERS"] {
        let case = desk.done("requestInformation", &json!({"information": kind, "text": "Please."})).await;
        assert_eq!(case["state"], "ACTION_REQUIRED", "{kind}");
    }
    assert_eq!(desk.customers().await.0["state"], "ACTION_REQUIRED");
    let nothing = desk.act(&desk.north, "requestInformation", &json!({"information": 1})).await;
    nothing.refused(400, "INVALID_FIELD");
    desk.act(&desk.north, "requestInformation", &json!({"text": "Well?"}))
        .await
        .refused(400, "INVALID_FIELD");
    desk.close().await;
    desk.act(&desk.north, "requestInformation", &question()).await.refused(400, "CASE_CLOSED");
}

#[tokio::test]
async fn r_resolve_1_each_kind_of_solution_needs_its_particulars_and_nothing_of_another_kind() {
    let desk = Desk::open().await;
    let solved = json!({"kind": "SOLVED", "text": "Restart it."});
    desk.is_for_agents_only("proposeSolution", &solved).await;
    let with = |kind: &str, field: &str, value: &str| json!({"kind": kind, "text": "There.", field: value});
    for body in [
        solved,
        with("MISSING_FEATURE", "ideaUrl", "https://community.support.example/1"),
        with("NOT_REPRODUCIBLE", "recommendations", "Update it."),
        with("THIRD_PARTY", "thirdPartyContact", "help@cables.example"),
        json!({"kind": "OUT_OF_SCOPE", "text": "We do not repair cables."}),
        with("OUTAGE", "outageUrl", OUTAGE_URL),
    ] {
        assert_eq!(desk.done("proposeSolution", &body).await["state"], "SOLUTION_PROVIDED", "{body}");
    }
    for (body, field) in [
        (json!({"kind": "OUTAGE", "text": "It was us."}), "outageUrl"),
        (json!({"kind": "THIRD_PARTY", "text": "Ask them."}), "thirdPartyContact"),
        (json!({"kind": "NOT_REPRODUCIBLE", "text": "No."}), "recommendations"),
        (with("SOLVED", "outageUrl", OUTAGE_URL), "outageUrl"),
        (json!({"text": "There."}), "kind"),
        (json!({"kind": "SOLVED"}), "text"),
    ] {
        let error = desk.act(&desk.north, "proposeSolution", &body).await.refused(400, "INVALID_FIELD");
        assert!(error["message"].as_str().unwrap().contains(field), "{body} {error}");
    }
}

#[tokio::test]
async fn r_resolve_1_after_an_outage_the_customer_asks_for_credit_and_report_once_each() {
    let desk = Desk::open().await;
    let (bob, carol) = (desk.server.client(BOB), desk.server.client(CAROL));
    for verb in ["requestServiceCredit", "requestIncidentReport"] {
        desk.act(&bob, verb, &json!({})).await.refused(400, "NO_OUTAGE");
    }
    desk.outage().await;
    for verb in ["requestServiceCredit", "requestIncidentReport"] {
        desk.act(&carol, verb, &json!({})).await.refused(403, "ROLE_TOO_LOW");
        desk.act(&desk.north, verb, &json!({})).await.refused(403, "NOT_FOR_YOU");
        assert_no_trace(&desk.act(&bob, verb, &json!({})).await.ok());
        desk.act(&desk.alice, verb, &json!({})).await.refused(400, "ALREADY_REQUESTED");
    }
}

#[tokio::test]
async fn r_esc_2_support_takes_an_escalation_up_and_finishes_it() {
    let desk = Desk::open().await;
    for verb in ["acknowledgeEscalation", "resolveEscalation"] {
        desk.act(&desk.north, verb, &json!({})).await.refused(400, "NO_ESCALATION");
    }
    let why = json!({"escalation": {"reason": "BUSINESS_IMPACT", "justification": "We sell nothing."}});
    desk.act(&desk.alice, "escalate", &why).await.ok();
    for (verb, escalated) in [("acknowledgeEscalation", true), ("resolveEscalation", false)] {
        desk.is_for_agents_only(verb, &json!({})).await;
        assert_eq!(desk.done(verb, &json!({})).await["escalated"], escalated);
        let before = desk.server.deeds().await;
        desk.done(verb, &json!({})).await;
        assert_eq!(desk.server.deeds().await, before, "{verb} again changes nothing");
    }
    assert_eq!(desk.customers().await.0["escalated"], false);
}

#[tokio::test]
async fn r_prio_1_support_changes_a_priority_with_a_reason_only() {
    let desk = Desk::open().await;
    let change = json!({"priority": "P1", "reason": "Nothing works."});
    desk.is_for_agents_only("changePriority", &change).await;
    desk.act(&desk.north, "changePriority", &json!({"priority": "P1"})).await.refused(400, "REASON_REQUIRED");
    desk.act(&desk.north, "changePriority", &json!({"reason": "why"})).await.refused(400, "INVALID_FIELD");
    assert_eq!(desk.done("changePriority", &change).await["priority"], "P1");
    assert_eq!(desk.customers().await.0["priority"], "P1");
}

#[tokio::test]
async fn r_comment_3_a_note_is_support_s_own_and_moves_nothing_that_the_customer_sees() {
    let desk = Desk::open().await;
    let note = json!({"body": "It is the cable, unmistakably."});
    desk.is_for_agents_only("addInternalNote", &note).await;
    let before = desk.customers().await;
    desk.server.clock.advance(SignedDuration::from_secs(60));
    let answer = desk.act(&desk.north, "addInternalNote", &note).await;
    assert!(answer.ok()["updateTime"].as_str() > before.0["updateTime"].as_str());
    assert_ne!(answer.header("etag").unwrap(), before.1);
    assert_eq!(desk.customers().await, before);
    let comments = desk.alice.get(&format!("{}/comments", desk.case)).await.ok();
    assert!(!comments.to_string().contains("unmistakably"), "{comments}");
    desk.act(&desk.north, "addInternalNote", &json!({})).await.refused(400, "INVALID_FIELD");
}

#[tokio::test]
async fn of_two_agents_who_act_on_what_they_have_read_the_second_is_told_to_read_again() {
    let desk = Desk::open().await;
    let etag = desk.north.get(&desk.case).await.header("etag").unwrap().to_owned();
    let first = json!({"body": "mine"});
    let solved = json!({"kind": "SOLVED", "text": "Restart it."});
    let change = json!({"priority": "P1", "reason": "Nothing works."});
    let conditional = async |verb: &str, body: &Value| {
        let call = desk.north.call(Method::POST, &format!("{}:{verb}", desk.case));
        call.header("if-match", &etag).json(body).send().await
    };
    conditional("addInternalNote", &first).await.ok();
    let before = desk.server.deeds().await;
    for (verb, body) in [
        ("assign", &json!({})),
        ("route", &hand_over()),
        ("requestInformation", &question()),
        ("proposeSolution", &solved),
        ("changePriority", &change),
        ("addInternalNote", &first),
    ] {
        let refused = conditional(verb, body).await;
        refused.refused(409, "ETAG_MISMATCH");
        assert_eq!(refused.metadata("changes"), "InternalNoteAdded", "{verb}");
    }
    assert_eq!(desk.server.deeds().await, before);
    // The customer is told what they may know of it, and who sees no case is told nothing.
    let priority = json!({"priority": "P1", "reason": "Nothing works."});
    let read = desk.customers().await.1;
    desk.done("addInternalNote", &first).await;
    desk.done("changePriority", &priority).await;
    let close = async |who: &Client| {
        let call = who.call(Method::POST, &format!("{}:close", desk.case));
        call.header("if-match", &read).json(&json!({})).send().await
    };
    let refused = close(&desk.alice).await;
    refused.refused(409, "ETAG_MISMATCH");
    let changes = refused.metadata("changes");
    assert!(changes.contains("PriorityChanged") && !changes.contains("Note"), "{changes}");
    let stranger = close(&desk.south).await;
    assert!(!stranger.text().contains("changes"), "{}", stranger.text());
}

#[tokio::test]
async fn an_act_of_support_is_done_once_however_often_it_is_sent_with_its_key() {
    let desk = Desk::open().await;
    let send = async |verb: &str, key: &str, body: &Value| {
        let call = desk.north.call(Method::POST, &format!("{}:{verb}", desk.case));
        call.header("idempotency-key", key).json(body).send().await
    };
    for (key, verb, body) in [
        ("01ARZ3NDEKTSV4RRFFQ69G5FA1", "requestInformation", question()),
        // The repeat is answered, although the case is gone from where it was.
        ("01ARZ3NDEKTSV4RRFFQ69G5FA2", "route", hand_over()),
    ] {
        let first = send(verb, key, &body).await;
        first.ok();
        let before = desk.server.deeds().await;
        let again = send(verb, key, &body).await;
        assert_eq!((again.ok(), again.header("idempotent-replay")), (first.ok(), Some("true")), "{verb}");
        assert_eq!(desk.server.deeds().await, before, "{verb}");
    }
}

#[tokio::test]
async fn r_survey_1_who_filed_a_case_answers_its_closing_once_until_it_is_reopened() {
    let desk = Desk::open().await;
    let answer = async |who: &Client, body: Value| desk.act(who, "answerSurvey", &body).await;
    answer(&desk.alice, json!({"rating": 5})).await.refused(404, "CLOSING_NOT_FOUND");
    desk.close().await;
    answer(&desk.server.client(BOB), json!({"rating": 5})).await.refused(403, "NOT_THE_FILER");
    answer(&desk.north, json!({"rating": 5})).await.refused(403, "NOT_FOR_YOU");
    for wrong in [json!({}), json!({"rating": 6}), json!({"rating": -1}), json!({"rating": 257})] {
        answer(&desk.alice, wrong).await.refused(400, "INVALID_FIELD");
    }
    answer(&desk.alice, json!({"rating": 4, "text": "Quick."})).await.ok();
    answer(&desk.alice, json!({"rating": 1})).await.refused(400, "SURVEY_ANSWERED");
    desk.alice.post(&format!("{}/comments", desk.case), &json!({"body": "Again."})).await.ok();
    desk.close().await;
    answer(&desk.alice, json!({"closing": 1, "rating": 1})).await.refused(400, "SURVEY_ANSWERED");
    answer(&desk.alice, json!({"rating": 1})).await.ok();
    answer(&desk.alice, json!({"closing": -1, "rating": 1})).await.refused(404, "CLOSING_NOT_FOUND");
}

#[tokio::test]
async fn r_reopen_4_a_follow_up_is_a_new_case_prefilled_and_linked_with_the_closed_one() {
    let desk = Desk::open().await;
    let again = json!({"description": "It is back."});
    desk.act(&desk.alice, "followUp", &again).await.refused(400, "CASE_OPEN");
    desk.close().await;
    desk.act(&desk.server.client(CAROL), "followUp", &again).await.refused(403, "ROLE_TOO_LOW");
    desk.act(&desk.alice, "followUp", &json!({})).await.refused(400, "INVALID_FIELD");
    desk.server.clock.advance(SignedDuration::from_hours(24 * 40));
    let answer = desk.act(&desk.server.client(BOB), "followUp", &again).await;
    let case = answer.ok();
    assert_ne!(case["name"], desk.name());
    assert_eq!(
        [&case["followUpOf"], &case["displayName"], &case["description"], &case["priority"], &case["state"]],
        [
            &json!(desk.name()),
            &json!("Machines do not start"),
            &json!("It is back."),
            &json!("P3"),
            &json!("NEW")
        ]
    );
    assert_eq!(
        (&case["creator"]["email"], &case["classification"]["id"]),
        (&json!(BOB), &json!("compute-vm"))
    );
    assert_eq!(desk.alice.get(&case_path(&answer)).await.ok(), case);
    let otherwise = json!({"displayName": "All of them", "description": "It is worse.", "priority": "P1"});
    let case = desk.act(&desk.alice, "followUp", &otherwise).await.ok();
    assert_eq!((&case["displayName"], &case["priority"]), (&json!("All of them"), &json!("P1")));
}

#[tokio::test]
async fn r_reopen_4_a_follow_up_is_filed_once_whatever_becomes_of_the_closed_case() {
    let desk = Desk::open().await;
    desk.close().await;
    let send = async || {
        let call = desk.alice.call(Method::POST, &format!("{}:followUp", desk.case));
        let call = call.header("idempotency-key", "01ARZ3NDEKTSV4RRFFQ69G5FA3");
        call.json(&json!({"description": "It is back."})).send().await
    };
    let first = send().await.ok();
    desk.alice.post(&format!("{}/comments", desk.case), &json!({"body": "Again."})).await.ok();
    let again = send().await;
    assert_eq!((again.ok(), again.header("idempotent-replay")), (first, Some("true")));
}

#[tokio::test]
async fn r_response_1_the_promises_are_explained_and_what_was_counted_is_told_support_alone() {
    let desk = Desk::open().await;
    let explain = async |who: &Client| who.get(&format!("{}:explainObjective", desk.case)).await;
    desk.server.clock.advance(SignedDuration::from_secs(60));
    desk.done("requestInformation", &question()).await;
    let told = explain(&desk.north).await.ok();
    let first = &told["objectives"][0];
    assert_eq!(
        (&first["kind"], &first["cause"], &first["priority"]),
        (&json!("FIRST"), &json!("FILING"), &json!("P3"))
    );
    assert_eq!((&first["outcome"], &first["calendar"]), (&json!("ANSWERED_ON_TIME"), &json!("paris")));
    let counted = first["counted"].as_array().unwrap();
    assert_eq!(counted.last().unwrap()["untilTime"], first["dueTime"], "{told}");
    assert_eq!(told["pauses"][0]["state"], "ACTION_REQUIRED");
    let customers = explain(&desk.alice).await.ok();
    let [theirs, ours] = [&customers, &told].map(|told| told["objectives"][0].as_object().unwrap().clone());
    for hidden in ["calendar", "counted", "passed", "warnedTime"] {
        assert!(!theirs.contains_key(hidden), "{hidden}");
    }
    assert!(theirs.iter().all(|(field, value)| ours[field] == *value), "{customers}");
    assert_eq!(customers["pauses"], told["pauses"]);
    explain(&desk.south).await.refused(404, "CASE_NOT_FOUND");
}

#[tokio::test]
async fn cases_are_linked_with_any_that_support_sees_and_the_customer_learns_nothing() {
    let desk = Desk::open().await;
    let other = file_case(&desk.alice, "acme").await;
    let link = json!({"case": other.trim_start_matches("/v2/"), "kind": "DUPLICATE"});
    desk.is_for_agents_only("linkCases", &link).await;
    let before = desk.customers().await;
    desk.done("linkCases", &link).await;
    assert_eq!(desk.customers().await, before);
    let head = desk.server.deeds().await;
    desk.done("linkCases", &link).await;
    assert_eq!(desk.server.deeds().await, head, "again changes nothing");
    for wrong in ["", "cases/1", "organizations/acme/cases/garbage", desk.name()] {
        let body = json!({"case": wrong, "kind": "RELATED"});
        for verb in ["linkCases", "unlinkCases"] {
            // Taking away what cannot be there is no mistake.
            if verb == "linkCases" || wrong != desk.name() {
                desk.act(&desk.north, verb, &body).await.refused(400, "INVALID_FIELD");
            }
        }
    }
    desk.is_for_agents_only("unlinkCases", &link).await;
    desk.done("unlinkCases", &link).await;
    let gone = desk.server.deeds().await;
    assert!(gone > head, "the link is away");
    desk.done("unlinkCases", &link).await;
    assert_eq!(desk.server.deeds().await, gone);
    assert_eq!(desk.customers().await, before);
}

#[tokio::test]
async fn a_case_goes_on_in_another_one_and_by_itself_again() {
    let desk = Desk::open().await;
    let other = file_case(&desk.alice, "acme").await;
    let into = json!({"case": other.trim_start_matches("/v2/")});
    desk.is_for_agents_only("mergeInto", &into).await;
    desk.act(&desk.north, "undoMerge", &json!({})).await.refused(400, "NOT_MERGED");
    let itself = json!({"case": desk.name()});
    desk.act(&desk.north, "mergeInto", &itself).await.refused(400, "MERGE_INTO_ITSELF");
    let nowhere = json!({"case": desk.name().replace("acme", "globex")});
    desk.act(&desk.north, "mergeInto", &nowhere).await.refused(404, "MERGE_TARGET_NOT_FOUND");
    let merged = desk.done("mergeInto", &into).await;
    assert_eq!((&merged["state"], &merged["mergedInto"]), (&json!("CLOSED"), &into["case"]));
    let comment = desk.alice.post(&format!("{}/comments", desk.case), &json!({"body": "And now?"})).await;
    comment.refused(400, "CASE_MERGED");
    desk.is_for_agents_only("undoMerge", &json!({})).await;
    let undone = desk.done("undoMerge", &json!({})).await;
    assert_eq!(
        (&undone["state"], &undone["mergedInto"]),
        (&json!("IN_PROGRESS_GOOGLE_SUPPORT"), &Value::Null)
    );
    desk.alice.post(&format!("{other}:close"), &json!({})).await.ok();
    desk.act(&desk.north, "mergeInto", &into).await.refused(400, "MERGE_TARGET_CLOSED");
}
