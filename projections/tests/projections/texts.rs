//! What free text finds, on both engines the same.

use dossier_domain::Side;
use dossier_domain::case::{CaseFiled, CaseRenamed, InformationRequested, SolutionProposed, Status};
use dossier_projections::cases::{CaseCondition, Compared, Moment};
use proptest::prelude::*;

use crate::engines::block_on_each_engine;
use crate::samples::*;
use crate::world::{Running, World};

fn titled(number: u8, title: &str) -> Fact {
    Fact::of_case(number, CaseRenamed { title: text(title) })
}

fn said(number: u8, id: u64, body: &str) -> Fact {
    Fact::of_case(number, comment(id, body))
}

async fn running_with(facts: &[Fact]) -> (World, Running) {
    let world = World::given(facts).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    (world, running)
}

/// Numbers of the cases of acme that fulfil a condition, newest first, by pages.
async fn found(running: &Running, condition: &CaseCondition, size: u32) -> Vec<u8> {
    let (mut before, mut numbers) = (None, Vec::new());
    loop {
        let page =
            running.cases().list(&all_of("acme"), Some(&acme()), condition, before, size).await.unwrap();
        assert!(
            page.next_before.is_none() || page.cases.len() == size as usize,
            "only the last page is short"
        );
        numbers.extend(page.cases.iter().map(|row| {
            (0..60).find(|number| case(*number).to_string() == row.case_id).expect("a case of the test")
        }));
        before = page.next_before;
        if before.is_none() {
            return numbers;
        }
    }
}

async fn found_by(running: &Running, text: &str) -> Vec<u8> {
    found(running, &CaseCondition::Text(text.to_owned()), 9).await
}

async fn words_are_found_in_title_description_and_comments_in_any_case_and_without_accents() {
    let facts = [
        filed(0),
        filed(1),
        titled(0, "100 % of ÉCRANS_black, Straße"),
        said(1, 7, "the comment: needle's eye"),
        said(0, 8, "ディスクに障害が発生"),
        said(0, 9, "for support: haystack").for_support(),
        Fact::of_case(0, InformationRequested { text: text("thimble, please"), ..asked() }),
        Fact::of_case(1, SolutionProposed { text: text("a new bobbin"), ..solved(1) }),
        Fact::of_case(0, note(10, "haystack")).heard(),
    ];
    let (_world, running) = running_with(&facts).await;
    for (text, cases) in [
        ("écrans black", &[0][..]),
        ("ecrans_BLACK", &[0]),
        ("STRASSE", &[0]),
        ("100 of", &[0]),
        ("description", &[1, 0]),
        ("THE comment needle s", &[1]),
        // The last word as somebody types it; a short one, or one that has ended, is whole.
        ("need", &[1]),
        ("the comment nee", &[1]),
        ("ne", &[]),
        ("need ", &[]),
        ("eedle", &[]),
        // In this order, next to each other, in one text.
        ("needle comment", &[]),
        ("comment eye", &[]),
        ("description needle", &[]),
        // No spaces in between.
        ("障害", &[0]),
        ("ディスク", &[0]),
        ("害障", &[]),
        // R-COMMENT-1: support's answers too.
        ("thimble please", &[0]),
        ("bobbin", &[1]),
        // A title that was replaced.
        ("title", &[1]),
        // R-COMMENT-3.
        ("haystack", &[]),
        // No character means anything.
        ("100%", &[0]),
        ("%", &[]),
        ("", &[]),
        ("\"", &[]),
        ("needle\" OR \"black", &[]),
        ("o:acme", &[]),
        ("acme", &[]),
    ] {
        assert_eq!(found_by(&running, text).await, cases, "{text:?}");
    }
}

async fn a_case_is_found_once_however_many_of_its_texts_match_and_pages_go_on_after_it() {
    let mut facts: Vec<Fact> = (0..5).map(filed).collect();
    facts.extend((0..40).map(|id| said(u8::try_from(id % 4).unwrap(), id, "needle")));
    let (world, running) = running_with(&facts).await;
    for size in 1..6 {
        let by_text = CaseCondition::Text("needle".to_owned());
        assert_eq!(found(&running, &by_text, size).await, [3, 2, 1, 0], "{size} a page");
    }
    // A rebuild finds the same.
    assert!(running.models.rebuild("cases", &|_| {}).await.unwrap());
    assert_eq!(found_by(&running, "needle").await, [3, 2, 1, 0]);
    world.append(&[said(4, 99, "needle"), titled(0, "needle")]).await;
    running.caught_up(world.store_head().await).await;
    assert_eq!(found_by(&running, "needle").await, [4, 3, 2, 1, 0]);
}

async fn very_long_texts_and_words_are_found_too() {
    let long = format!("{} {} end", "y".repeat(5_000), "word ".repeat(20_000));
    let distinct = (0..8_000).map(|number| format!("w{number}")).collect::<Vec<_>>().join(" ");
    let facts = [filed(0), filed(1), said(0, 1, &long), said(1, 2, &distinct)];
    let (_world, running) = running_with(&facts).await;
    assert_eq!(found_by(&running, "word word end").await, [0]);
    assert_eq!(found_by(&running, &"y".repeat(3_000)).await, [0]);
    assert_eq!(found_by(&running, &"y".repeat(5_001)).await, [0; 0]);
    assert_eq!(found_by(&running, "w7998 w7999").await, [1]);
}

async fn nobody_finds_words_of_what_their_scope_does_not_show() {
    let of_globex = CaseFiled { organization: organization("globex"), ..filing(1) };
    let of_storage = CaseFiled { product: product("storage"), ..filing(2) };
    let facts = [filed(0), Fact::of_case(1, of_globex), Fact::of_case(2, of_storage)];
    let (_world, running) = running_with(&facts).await;
    let condition = CaseCondition::Text("description".to_owned());
    let seen = async |scope, asked: Option<&str>| {
        let asked = asked.map(organization);
        let page = running.cases().list(&scope, asked.as_ref(), &condition, None, 9).await.unwrap();
        page.cases.into_iter().map(|row| row.case_id).collect::<Vec<_>>()
    };
    let ids = |numbers: &[u8]| numbers.iter().map(|number| case(*number).to_string()).collect::<Vec<_>>();
    assert_eq!(seen(all_of("acme"), Some("acme")).await, ids(&[2, 0]));
    assert_eq!(seen(all_of("acme"), None).await, ids(&[2, 0]));
    assert_eq!(seen(all_of("acme"), Some("globex")).await, ids(&[]));
    assert_eq!(seen(all_of("globex"), Some("globex")).await, ids(&[1]));
    assert_eq!(seen(products_of("acme", &["compute"]), Some("acme")).await, ids(&[0]));
    assert_eq!(seen(dossier_domain::VisibilityScope::Nothing, Some("acme")).await, ids(&[]));
}

/// The words of a text of few characters, told once more.
fn words(text: &str) -> Vec<String> {
    let spaced = text.to_lowercase().replace('é', "e").replace('障', " 障 ").replace('害', " 害 ");
    spaced.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn says(text: &str, asked: &str) -> bool {
    let (words, asked_for) = (words(text), words(asked));
    let Some((last, before)) = asked_for.split_last() else { return false };
    let may_go_on = last.chars().count() >= 3 && !asked.ends_with([' ', ',']);
    words.windows(asked_for.len()).any(|run| {
        let (found, found_before) = run.split_last().expect("as many as were asked for");
        found_before == before && (found == last || may_go_on && found.starts_with(last.as_str()))
    })
}

fn any_text() -> impl Strategy<Value = String> {
    "([abÉé]{1,4}|[ ,障害]){0,6}"
}

proptest! {
    #![proptest_config(few(24))]

    #[test]
    fn both_engines_find_the_cases_that_say_it(
        told in prop::collection::vec((0..6_u8, any_text(), prop::bool::ANY), 1..30),
        asked in prop::collection::vec(("([abÉé]{1,4}|[ ,障害]){1,3}", any_text(), 1..4_u32), 12),
    ) {
        let mut facts: Vec<Fact> = (0..6).map(filed).collect();
        let mut titles: Vec<String> = (0..6).map(|number| format!("title {number}")).collect();
        let mut bodies: Vec<Vec<String>> = vec![vec!["description".to_owned()]; 6];
        for ((number, said_so, is_title), id) in told.iter().zip(0..) {
            if *is_title {
                facts.push(titled(*number, said_so));
                titles[usize::from(*number)].clone_from(said_so);
            } else {
                facts.push(said(*number, id, said_so));
                bodies[usize::from(*number)].push(said_so.clone());
            }
        }
        let has = |number: u8, asked: &str| {
            let number = usize::from(number);
            says(&titles[number], asked) || bodies[number].iter().any(|body| says(body, asked))
        };
        let which = |fulfils: &dyn Fn(u8) -> bool| (0..6_u8).rev().filter(|number| fulfils(*number)).collect::<Vec<_>>();
        block_on_each_engine(async || {
            let (_world, running) = running_with(&facts).await;
            for (one, other, size) in &asked {
                let (text, more) = (CaseCondition::Text(one.clone()), CaseCondition::Text(other.clone()));
                let new = CaseCondition::Or(vec![CaseCondition::Status(Status::New), more.clone()]);
                let changed = CaseCondition::At(Moment::Updated(Side::Customer), Compared::After, at(0));
                assert_eq!(found(&running, &text, *size).await, which(&|number| has(number, one)), "{one:?}");
                let both = CaseCondition::And(vec![changed.clone(), text.clone(), CaseCondition::And(vec![more.clone()])]);
                let wanted = which(&|number| number > 0 && has(number, one) && has(number, other));
                assert_eq!(
                    found(&running, &both, *size).await.into_iter().filter(|number| *number > 0).collect::<Vec<_>>(),
                    wanted,
                    "{one:?} and {other:?}"
                );
                let either = CaseCondition::Or(vec![text.clone(), more]);
                let wanted = which(&|number| has(number, one) || has(number, other));
                assert_eq!(found(&running, &either, *size).await, wanted, "{one:?} or {other:?}");
                let open = CaseCondition::And(vec![CaseCondition::Open, text, new]);
                assert_eq!(found(&running, &open, *size).await, which(&|number| has(number, one)), "{one:?}, open");
            }
        });
    }
}

on_each_engine!(
    words_are_found_in_title_description_and_comments_in_any_case_and_without_accents,
    a_case_is_found_once_however_many_of_its_texts_match_and_pages_go_on_after_it,
    very_long_texts_and_words_are_found_too,
    nobody_finds_words_of_what_their_scope_does_not_show,
);
