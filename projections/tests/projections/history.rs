//! What was said about a case: comments, what support asks and proposes, and the notes that support alone reads.

use dossier_domain::VisibilityScope;
use dossier_domain::case::{
    CaseEvent, InformationKind, InformationRequested, SolutionKind, SolutionParticulars, SolutionProposed,
};
use dossier_eventlog::Audience;
use dossier_projections::case_history::{
    AttachmentQueries, BlobReferences, CommentRow, FeedOrder, FeedQueries, NoteQueries, SolutionDetails,
};
use proptest::prelude::*;

use crate::engines::block_on_each_engine;
use crate::samples::*;
use crate::world::{Running, World};

async fn running_with(facts: &[Fact]) -> (World, Running) {
    let world = World::given(facts).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    (world, running)
}

async fn said(running: &Running) -> Vec<CommentRow> {
    let page = running.comments().list(&all_of("acme"), &acme(), case(0), None, 99).await.unwrap();
    page.expect("the case is in scope").comments
}

/// Texts of the notes that a scope shows, by pages of two; nothing where it shows none at all.
async fn notes(running: &Running, scope: &VisibilityScope) -> Option<Vec<String>> {
    let queries = NoteQueries::new(running.models.database().clone());
    let (mut texts, mut after) = (Vec::new(), None);
    loop {
        let page = queries.list(scope, &acme(), case(0), after, 2).await.unwrap()?;
        texts.extend(page.notes.into_iter().map(|note| note.body.unwrap()));
        after = page.next_after;
        if after.is_none() {
            return Some(texts);
        }
    }
}

/// Names of the files that a scope shows of a note, by pages of two; nothing where it shows no such note.
async fn files(running: &Running, scope: &VisibilityScope, on: u64) -> Option<Vec<String>> {
    let queries = NoteQueries::new(running.models.database().clone());
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = queries.attachments(scope, &acme(), case(0), note_id(on), after, 2).await.unwrap()?;
        names.extend(page.attachments.into_iter().map(|file| file.filename.unwrap()));
        after = page.next_after;
        if after.is_none() {
            return Some(names);
        }
    }
}

fn solution(solution: SolutionKind, particulars: SolutionParticulars) -> Fact {
    Fact::of_case(0, SolutionProposed { solution, particulars, ..solved(1) })
}

/// R-COMMENT-1.
async fn r_comment_1_what_support_asks_and_proposes_stands_among_the_comments_with_its_particulars() {
    let url = |name: &str| Some(format!("https://status.support.example/{name}"));
    let information = InformationKind::TroubleshootingProcedure;
    let facts = [
        filed(0),
        Fact::of_case(0, InformationRequested { information, ..asked() }),
        commented(0, 1),
        solution(
            SolutionKind::MissingFeature,
            SolutionParticulars { idea_url: url("idea"), ..Default::default() },
        ),
        solution(
            SolutionKind::NotReproducible,
            SolutionParticulars { recommendations: Some(text("update")), ..Default::default() },
        ),
        solution(
            SolutionKind::ThirdParty,
            SolutionParticulars { third_party_contact: Some(text("them")), ..Default::default() },
        ),
        solution(
            SolutionKind::Outage,
            SolutionParticulars { outage_url: url("outage"), ..Default::default() },
        ),
        // R-COMMENT-3: whatever it is, for support it is not shown.
        Fact::of_case(0, asked()).for_support(),
        Fact::of_case(0, solved(2)).for_support(),
    ];
    let (world, running) = running_with(&facts).await;
    let rows = said(&running).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| (&*row.kind, row.detail.as_deref(), row.body.as_deref().unwrap(), &*row.side))
        .collect();
    assert_eq!(
        told,
        [
            ("request", Some("troubleshooting_procedure"), "how?", "support"),
            ("comment", None, "comment 1", "customer"),
            ("solution", Some("missing_feature"), "so 1", "support"),
            ("solution", Some("not_reproducible"), "so 1", "support"),
            ("solution", Some("third_party"), "so 1", "support"),
            ("solution", Some("outage"), "so 1", "support"),
        ]
    );
    assert_eq!(rows[0].author_name.as_deref(), Some("agent"));
    let details = |index: usize| rows[index].solution();
    assert_eq!((details(0), details(1)), (SolutionDetails::default(), SolutionDetails::default()));
    assert_eq!(details(2), SolutionDetails { idea_url: url("idea"), ..Default::default() });
    assert_eq!(details(3), SolutionDetails { recommendations: Some("update".into()), ..Default::default() });
    assert_eq!(
        details(4),
        SolutionDetails { third_party_contact: Some("them".into()), ..Default::default() }
    );
    assert_eq!(details(5), SolutionDetails { outage_url: url("outage"), ..Default::default() });
    // Each is got by the id that it is listed under, which a rebuild does not change.
    assert!(running.models.rebuild("case_history", &|_| {}).await.unwrap());
    assert_eq!(said(&running).await, rows);
    for row in &rows {
        let id = row.comment_id.parse().unwrap();
        let got = running.comments().get(&all_of("acme"), &acme(), case(0), id).await.unwrap();
        assert_eq!(got.as_ref(), Some(row));
    }
    // Erased, the particulars are left out.
    world.sealer.erase(alice().as_str()).await.unwrap();
    assert!(running.models.rebuild("case_history", &|_| {}).await.unwrap());
    let rows = said(&running).await;
    assert_eq!((&rows[3].body, rows[3].solution()), (&None, SolutionDetails::default()));
    assert_eq!(rows[2].solution().idea_url, url("idea"), "which is nobody's");
}

/// R-COMMENT-3.
async fn r_comment_3_notes_are_listed_for_support_alone_as_far_as_its_scope_goes() {
    let mut facts = vec![filed(0), filed(1), Fact::of_case(0, routed("north")).heard()];
    facts.extend((1..=5).map(|number| Fact::of_case(0, note(number, &format!("note {number}"))).heard()));
    facts.push(Fact::of_case(1, note(6, "of another case")).heard());
    let (_world, running) = running_with(&facts).await;
    let all = ["note 1", "note 2", "note 3", "note 4", "note 5"].map(str::to_owned).to_vec();
    assert_eq!(notes(&running, &of_provider(Some("north"), None)).await, Some(all.clone()));
    assert_eq!(notes(&running, &VisibilityScope::AllOrganizations).await, Some(all));
    assert_eq!(notes(&running, &of_provider(Some("south"), None)).await, None);
    assert_eq!(notes(&running, &of_provider(Some("north"), Some("globex"))).await, None);
    assert_eq!(notes(&running, &VisibilityScope::Nothing).await, None);
    // The case is theirs, the notes on it are not.
    assert_eq!(notes(&running, &all_of("acme")).await, None);
    assert_eq!(said(&running).await, []);
}

/// R-COMMENT-3: a file of a note is seen by whoever reads the note, and by nobody else in nothing.
async fn r_comment_3_files_of_notes_are_shown_to_support_alone_as_far_as_its_scope_goes() {
    let mut facts = vec![filed(0), filed(1), Fact::of_case(0, routed("north")).heard()];
    facts.extend([1, 2].map(|number| Fact::of_case(0, note(number, "see there")).heard()));
    facts.extend((1..=3).map(|number| Fact::of_case(0, note_attachment(1, number)).heard()));
    let (world, running) = running_with(&facts).await;
    let all = ["trace 1.log", "trace 2.log", "trace 3.log"].map(str::to_owned).to_vec();
    let (north, everything) = (of_provider(Some("north"), None), VisibilityScope::AllOrganizations);
    assert_eq!(files(&running, &north, 1).await, Some(all.clone()));
    assert_eq!(files(&running, &everything, 1).await, Some(all));
    assert_eq!(files(&running, &north, 2).await, Some(Vec::new()), "a note without files");
    assert_eq!(files(&running, &north, 9).await, None, "no such note");
    let notes = NoteQueries::new(running.models.database().clone());
    let got = async |scope: &VisibilityScope, of: u8, on: u64| {
        let (id, note) = (attachment_id(1), note_id(on));
        notes.attachment(scope, &acme(), case(of), note, id).await.unwrap()
    };
    let row = got(&north, 0, 1).await.expect("it is shown");
    assert_eq!((row.size_bytes, &*row.media_type, &*row.blob), (1, "text/plain", "cases/n/1"));
    assert_eq!((row.author_name.as_deref(), row.created_at_micros), (Some("agent"), micros(5)));
    assert_eq!((got(&north, 0, 2).await, got(&everything, 1, 1).await), (None, None), "of neither");
    // The case is shown to these, or is not; the notes on it and their files are shown to none.
    let reseller = VisibilityScope::Reseller {
        reseller: organization("nimbus"),
        customer: Some(acme()),
        products: [product("compute")].into(),
    };
    let south = of_provider(Some("south"), None);
    for scope in [all_of("acme"), reseller, south, VisibilityScope::Nothing] {
        assert_eq!(files(&running, &scope, 1).await, None, "{scope:?}");
        assert_eq!(got(&scope, 0, 1).await, None, "{scope:?}");
        assert!(!notes.exists(&scope, &acme(), case(0), note_id(1)).await.unwrap(), "{scope:?}");
    }
    // What shows customers their attachments shows none of these, not even to support.
    let attachments = AttachmentQueries::new(running.models.database().clone());
    let feeds = FeedQueries::new(running.models.database().clone());
    for scope in [all_of("acme"), everything] {
        let page = attachments.list(&scope, &acme(), case(0), None, 9).await.unwrap().unwrap();
        assert_eq!(page.attachments, []);
        assert_eq!(attachments.get(&scope, &acme(), case(0), attachment_id(1)).await.unwrap(), None);
        let order = FeedOrder::OldestFirst;
        let feed = feeds.read(&scope, &acme(), case(0), order, None, 9).await.unwrap().unwrap();
        assert_eq!(feed.items, []);
    }
    // Erased, what named a person is gone from the row; its content cannot be opened any more.
    world.sealer.erase(alice().as_str()).await.unwrap();
    assert!(running.models.rebuild("case_history", &|_| {}).await.unwrap());
    let erased = got(&north, 0, 1).await.expect("it is still there");
    assert_eq!((erased.filename, erased.sha256, erased.blob), (None, None, row.blob));
}

/// R-ATTACH-1, R-COMMENT-3: content is in use as long as an attachment of a case or of a note refers to it.
async fn r_comment_3_the_content_of_a_notes_file_is_in_use_as_that_of_a_cases() {
    let facts = [
        filed(0),
        Fact::of_case(0, attachment(1)),
        Fact::of_case(0, note(1, "see there")).heard(),
        Fact::of_case(0, note_attachment(1, 2)).heard(),
    ];
    let (_world, running) = running_with(&facts).await;
    let references = BlobReferences::new(running.models.database().clone());
    for (blob, in_use) in [("cases/c/1", true), ("cases/n/2", true), ("cases/c/2", false), ("", false)] {
        assert_eq!(references.refers_to(blob).await.unwrap(), in_use, "{blob}");
    }
}

/// As what a customer is shown it, if at all.
fn kind_of(fact: &Fact) -> Option<&'static str> {
    let FactEvent::Case(event) = &fact.event else { return None };
    let kind = match **event {
        CaseEvent::CommentAdded(_) => "comment",
        CaseEvent::InformationRequested(_) => "request",
        CaseEvent::SolutionProposed(_) => "solution",
        _ => return None,
    };
    (fact.audience == Audience::Customer).then_some(kind)
}

proptest! {
    #![proptest_config(few(12))]

    /// What is shown is what was said to customers, in the order of the log.
    #[test]
    fn the_history_of_a_case_is_what_was_said_in_the_order_of_the_log(facts in any_history(60)) {
        block_on_each_engine(async || {
            let (_world, running) = running_with(&facts).await;
            for number in 0..6 {
                let stream = format!("case-{}", case(number));
                let of_case = facts.iter().filter(|fact| fact.stream.as_str() == stream);
                let expected: Vec<&str> = of_case.filter_map(kind_of).collect();
                let whose = organization(if number % 3 == 2 { "globex" } else { "acme" });
                let everything = VisibilityScope::AllOrganizations;
                let page = running.comments().list(&everything, &whose, case(number), None, 99).await.unwrap();
                let shown = page.map(|page| page.comments).unwrap_or_default();
                assert_eq!(shown.iter().map(|row| &*row.kind).collect::<Vec<_>>(), expected, "{number}");
            }
        });
    }
}

on_each_engine!(
    r_comment_1_what_support_asks_and_proposes_stands_among_the_comments_with_its_particulars,
    r_comment_3_notes_are_listed_for_support_alone_as_far_as_its_scope_goes,
    r_comment_3_files_of_notes_are_shown_to_support_alone_as_far_as_its_scope_goes,
    r_comment_3_the_content_of_a_notes_file_is_in_use_as_that_of_a_cases,
);
