//! What else is told of an imported case: the particulars of its problem, and how content its filer was.

use dossier_tests::people::{BOB, ENGINEER};

use super::*;

/// Of the customer side, and not who filed.
fn by_somebody(at: Timestamp, what: &Value) -> Value {
    json!({"at": at, "by": {"email": BOB}, "side": "customer", "what": what})
}

/// R-CASE-1.
#[tokio::test]
async fn r_case_1_the_particulars_of_a_problem_are_shown_and_wrong_ones_refused() {
    let import = Import::new().await;
    let with = |external_id: &str, problem: Value| {
        let mut line = filed(external_id, import.ago(DAY * 10), &[]);
        line["problem"] = problem;
        line.to_string()
    };
    let told = json!({
        "start": "2025-11-01T08:00:00Z",
        "end": "2025-11-01T09:00:00Z",
        "version": "1.2",
        "logEntries": "panicked at …",
        "reproducible": "no",
        "code": "fn main() {}",
        "applicationFlow": "a → b",
        "affectedUserPercent": 40,
        "userImpact": "nobody can sign in",
    });
    let lines = [
        with("1", told.clone()),
        with("2", json!({"start": "2025-11-02T00:00:00Z", "end": "2025-11-01T00:00:00Z"})),
        with("3", json!({"end": "2025-11-01T00:00:00Z"})),
        with("4", json!({"affectedUserPercent": 101})),
        with("5", json!({"affectedUserPercent": 1_000})),
        with("6", json!({"affected": 1})),
        with("7", json!({"reproducible": "often"})),
        with("8", json!("it is slow")),
        with("9", json!({"code": ""})),
    ];
    let (done, refused) = import.lines(&lines).await;
    let expected = [
        (2, "INVALID_FIELD"),
        (3, "INVALID_FIELD"),
        (4, "INVALID_FIELD"),
        (5, "INVALID_FIELD"),
        (6, "MALFORMED_LINE"),
        (7, "MALFORMED_LINE"),
        (8, "MALFORMED_LINE"),
    ];
    assert_eq!((counts(&done), &refused[..]), (progress(2, 0, 7), &expected[..]));
    let shown = import.get(ALICE, &path("1")).await["problem"].clone();
    let mut filed_here = told;
    filed_here["reproducible"] = json!("NO");
    assert_eq!(shown, filed_here);
}

/// R-SURVEY-1.
#[tokio::test]
async fn r_survey_1_an_answer_of_then_counts_in_its_month_and_leaves_no_room_for_another() {
    let import = Import::new().await;
    let at = |days: i32| import.ago(DAY * days);
    let answer = |rating: i32| json!({"type": "survey_answer", "rating": rating, "text": "Quick."});
    let again = || by_alice(at(50), &comment("Not yet."));
    let line = |external_id: &str, acts: &[Value]| filed(external_id, at(90), acts).to_string();
    let lines = [
        line("1", &[by_alice(at(80), &closing()), by_alice(at(45), &answer(2))]),
        line(
            "2",
            &[
                by_alice(at(85), &closing()),
                by_alice(at(80), &answer(4)),
                by_alice(at(60), &comment("Not yet.")),
                by_support(at(10), &closing()),
            ],
        ),
        line("3", &[by_alice(at(60), &answer(2))]),
        line("4", &[by_alice(at(60), &closing()), again(), by_alice(at(45), &answer(2))]),
        line(
            "5",
            &[by_alice(at(60), &closing()), by_alice(at(55), &answer(2)), by_alice(at(54), &answer(1))],
        ),
        line("6", &[by_alice(at(60), &closing()), by_support(at(55), &answer(2))]),
        line("7", &[by_alice(at(60), &closing()), by_alice(at(55), &answer(300))]),
        line("8", &[by_alice(at(60), &closing()), by_alice(at(55), &json!({"type": "survey_answer"}))]),
        line("9", &[by_alice(at(60), &closing()), by_alice(at(61), &answer(2))]),
        line("10", &[by_alice(at(60), &closing()), by_somebody(at(55), &answer(2))]),
    ];
    let (done, refused) = import.lines(&lines).await;
    let expected = [
        (3, "CLOSING_NOT_FOUND"),
        (4, "SURVEY_EXPIRED"),
        (5, "SURVEY_ANSWERED"),
        (6, "INVALID_FIELD"),
        (7, "INVALID_FIELD"),
        (8, "MALFORMED_LINE"),
        (9, "INVALID_FIELD"),
        (10, "NOT_THE_FILER"),
    ];
    assert_eq!((counts(&done), &refused[..]), (progress(2, 0, 8), &expected[..]));

    // As with an answer that is given here, but in its month, and of no provider's: none of ours had the case then.
    let month = |days| at(days).to_string()[..7].to_owned();
    let all = import.get(ENGINEER, "/v2/satisfaction").await;
    assert_eq!(all["total"]["ratings"], json!([0, 1, 0, 1, 0]), "{all}");
    for (of, rating) in [(month(45), 2), (month(80), 4)] {
        let groups = import.get(ENGINEER, &format!("/v2/satisfaction?month={of}")).await;
        let ratings = &groups["groups"][0]["ratings"];
        assert_eq!((&ratings[rating - 1], &groups["total"]["answers"]), (&json!(1), &json!(1)), "{groups}");
        assert!(groups["groups"][0].get("provider").is_none(), "{groups}");
    }
    let this_month = format!("/v2/satisfaction?month={}", month(0));
    assert_eq!(import.get(ENGINEER, &this_month).await["total"]["answers"], 0);

    // Each closing has one answer, wherever it was given.
    let alice = import.server.client(ALICE);
    let say = async |case: &str, closing: u32| {
        let answer = json!({"rating": 5, "closing": closing});
        alice.post(&format!("{}:answerSurvey", path(case)), &answer).await
    };
    say("1", 1).await.refused(400, "SURVEY_ANSWERED");
    say("2", 1).await.refused(400, "SURVEY_ANSWERED");
    say("2", 2).await.ok();
    say("2", 2).await.refused(400, "SURVEY_ANSWERED");
}
