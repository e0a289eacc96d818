//! What mails say, in every language, whatever people wrote into them.

use super::words::{KINDS, REASONS};
use super::*;

const BUILT_IN: [&str; 6] = ["de", "en", "es", "fr", "ja", "pt"];

#[expect(clippy::unnecessary_wraps, reason = "it is what the values take")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn every_kind_renders_in_each_language_without_leftovers() {
    let templates = Templates::built_in();
    assert_eq!(templates.languages().collect::<Vec<_>>(), BUILT_IN);
    for language in BUILT_IN {
        for kind in KINDS {
            for values in [Values::everything(), Values::little()] {
                let Rendered { subject, text, html, .. } = templates.render(kind, language, &values).unwrap();
                for part in [&subject, &text, &html] {
                    let leftover = ["{{", "}}", "{%", "none", "None", "undefined", "\u{fffd}"]
                        .into_iter()
                        .find(|left| {
                            part.replace("display:none", "")
                                .replace("text-decoration:none", "")
                                .contains(left)
                        });
                    assert_eq!(leftover, None, "{kind} in {language}: {part}");
                    assert!(part.contains("Mail is late"), "{kind} in {language}: {part}");
                }
                assert!(!text.contains("\n\n\n"), "{kind} in {language}: {text}");
                assert!(!subject.contains("  ") && !text.contains("  \n"), "{kind} in {language}");
            }
        }
    }
}

#[test]
fn every_language_says_everything_in_its_own_words() {
    let templates = Templates::built_in();
    let said = |language: &str, kind: &str| templates.render(kind, language, &Values::everything()).unwrap();
    for language in BUILT_IN.into_iter().filter(|language| *language != "en") {
        for kind in KINDS {
            assert_ne!(said(language, kind).text, said("en", kind).text);
            assert_ne!(said(language, kind).html, said("en", kind).html);
            let (here, there) =
                (&templates.languages[language].kind[kind], &templates.languages["en"].kind[kind]);
            assert_ne!((&here.heading, &here.body), (&there.heading, &there.body), "{kind} in {language}");
            assert_eq!(here.after.is_empty(), there.after.is_empty(), "{kind} in {language}");
        }
        for reason in REASONS {
            assert_ne!(templates.languages[language].why[reason], templates.languages["en"].why[reason]);
        }
    }
}

#[test]
fn the_words_know_what_the_domain_knows() {
    use dossier_domain::case::Status;
    use dossier_domain::notification::{MessageKind, Reason};
    assert!(MessageKind::ALL.iter().all(|kind| KINDS.contains(&kind.as_str())));
    assert_eq!(MessageKind::ALL.len(), KINDS.len());
    assert!(Status::ALL.iter().all(|status| words::STATES.contains(&status.as_str())));
    assert!(
        REASONS.iter().filter(|reason| **reason != "other").all(|reason| Reason::from_name(reason).is_some())
    );
    for kind in words::SOLUTIONS {
        serde_json::from_str::<dossier_domain::case::SolutionKind>(&format!("\"{kind}\"")).unwrap();
    }
}

#[test]
fn what_people_wrote_is_never_read_as_html_or_as_a_template() {
    let templates = Templates::built_in();
    let attack = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> {{ title }}{% raw %}&amp;";
    let values = Values {
        title: attack.to_owned(),
        reference: attack.to_owned(),
        organization: some(attack),
        actor: some(attack),
        text: some(attack),
        priority: some(attack),
        previous_priority: some(attack),
        other: some(attack),
        partner: some(attack),
        reason: attack.to_owned(),
        url: some(&format!("https://example.com/{attack}")),
        survey_url: some("javascript:alert(1)"),
        not_affected_url: some("data:text/html,x"),
        unsubscribe_url: some("https://example.com/\" onmouseover=\"alert(1)"),
        ..Values::everything()
    };
    for kind in KINDS {
        let rendered = templates.render(kind, "en", &values).unwrap();
        let html = rendered.html;
        for bad in ["<script", "<img", "javascript:", "data:text", "onmouseover", "onerror=alert(1)>"] {
            assert!(!html.contains(bad), "{kind}: {bad} in {html}");
        }
        assert!(html.contains("&lt;script&gt;") && html.contains("{{ title }}"), "{kind}: shown as written");
        assert!(rendered.text.contains("<script>"), "{kind}: plain text is plain");
    }
}

#[test]
fn a_subject_is_one_line_whatever_the_title_is() {
    let templates = Templates::built_in();
    let title = "Late\r\nBcc: everybody@example.com\u{2028}X\u{0}Y\u{202e}Z\t";
    let values = Values { title: title.to_owned(), actor: some("A\nB"), ..Values::everything() };
    let rendered = templates.render("case_commented", "en", &values).unwrap();
    assert_eq!(rendered.subject, "New comment: Late Bcc: everybody@example.com X YZ");
    assert!(rendered.text.contains("A B wrote:"));
    let long = Values { title: "ä".repeat(5_000), ..Values::everything() };
    assert!(templates.render("case_commented", "en", &long).unwrap().subject.chars().count() <= 202);
}

#[test]
fn what_was_written_keeps_its_lines() {
    let values = Values { text: some("one\r\n\r\n  two\u{7}\r\n"), ..Values::everything() };
    let rendered = Templates::built_in().render("case_commented", "en", &values).unwrap();
    assert!(rendered.text.contains("> one\n> \n>   two\n"), "{}", rendered.text);
    assert!(rendered.html.contains("one<br><br>  two"), "{}", rendered.html);
}

#[test]
fn a_language_that_is_not_there_is_the_nearest_or_english() {
    let templates = Templates::built_in();
    for (wanted, found) in [("pt-BR", "pt"), ("de_AT", "de"), ("JA", "ja"), ("tlh", "en"), ("", "en")] {
        assert_eq!(templates.language(wanted), found, "{wanted}");
    }
    assert_eq!(templates.render("case_filed", "fr-CA", &Values::little()).unwrap().language, "fr");
    let unknown = templates.render("case_eaten", "en", &Values::little());
    assert_eq!(unknown, Err(TemplateError::UnknownKind("case_eaten".to_owned())));
}

#[test]
fn the_button_rates_what_was_closed_and_else_opens_it() {
    let templates = Templates::built_in();
    let text = |values: &Values| templates.render("case_closed", "en", values).unwrap().text;
    let closed = text(&Values::everything());
    assert!(closed.contains("Rate the support:\nhttps://support.example/survey/1"), "{closed}");
    assert!(closed.contains("Open the case:\nhttps://support.example/cases/1"), "{closed}");
    let other = text(&Values { survey_url: None, ..Values::everything() });
    assert_eq!(other.matches("Open the case:\nhttps://support.example/cases/1").count(), 1, "{other}");
    assert!(!text(&Values::little()).contains("http"));
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn a_file_in_the_folder_takes_the_place_of_the_one_built_in() {
    let english = LANGUAGES[0].1.replace("New comment:", "Fresh comment:");
    let italian = LANGUAGES[0].1.replace("New comment:", "Nuovo commento:");
    let layout = "<p>{{ heading }}</p>";
    let files = [("en.toml", &*english), ("it.toml", &*italian), ("layout.html", layout), ("notes.md", "{{")];
    let templates = Templates::load(folder(&files).path()).unwrap();
    let said = |language: &str| templates.render("case_commented", language, &Values::little()).unwrap();
    assert_eq!(said("en").subject, "Fresh comment: Mail is late");
    assert_eq!(said("it").subject, "Nuovo commento: Mail is late");
    assert_eq!(said("de").subject, "Neuer Kommentar: Mail is late");
    assert_eq!(said("en").html, "<p>There is a new comment</p>");
}

#[test]
fn a_bad_file_is_told_in_one_sentence() {
    let english = LANGUAGES[0].1;
    let cases = [
        ("en.toml", english.replace("open = \"Open the case\"\n", ""), "missing field `open` (line 1)"),
        (
            "de.toml",
            english.replace("[kind.case_merged]", "[kind.case_eaten]"),
            "kind.case_merged is missing",
        ),
        ("fr.toml", english.replace("filer = ", "filer ="), ""),
        ("fr.toml", english.replace("filer = \"", "filer = "), "line"),
        ("es.toml", english.replace("{{ title }}", "{{ titel }}"), "undefined value"),
        ("pt.toml", english.replace("{{ title }}", "{{ title"), "syntax error"),
        ("layout.html", "{{ heading }".to_owned(), "syntax error"),
        ("layout.txt", "a\n{{ headline }}".to_owned(), "undefined value"),
    ];
    for (file, text, wanted) in cases {
        let loaded = Templates::load(folder(&[(file, &text)]).path());
        if wanted.is_empty() {
            assert!(loaded.is_ok(), "{file}");
            continue;
        }
        let error = loaded.err().expect(file).to_string();
        let begin = format!("the mail template {file}");
        assert!(error.starts_with(&begin) && error.contains(wanted) && error.lines().count() == 1, "{error}");
        assert!(error.ends_with("correct it, or remove it to use the one built in"), "{error}");
    }
    let missing = Templates::load(Path::new("/nowhere/at/all")).err().unwrap().to_string();
    assert!(missing.starts_with("the folder of mail templates /nowhere/at/all cannot be read"), "{missing}");
}

/// Writes each kind as a page, to be looked at: `DOSSIER_WRITE_MAILS=folder`.
#[test]
fn mails_can_be_looked_at() {
    let Some(folder) = std::env::var_os("DOSSIER_WRITE_MAILS") else { return };
    let templates = Templates::built_in();
    let text = "The outbound queue of mx3 has been growing since 9:40.\n\nWe see:\n  451 4.7.1 try again later\nfor <all> recipients at https://example.com/a/very/long/address/that/does/not/break/anywhere/at/all/because/it/has/no/space/in/it";
    for kind in KINDS {
        let language = BUILT_IN[kind.len() % BUILT_IN.len()];
        for language in ["en", language] {
            let closed = kind == "case_closed";
            let known_issue = kind.starts_with("known_issue");
            let values = Values {
                title: "Outgoing mail is delayed by more than an hour for half of our branches".to_owned(),
                text: some(text),
                organization: (!known_issue).then(|| "Acme Industries".to_owned()),
                survey_url: Values::everything().survey_url.filter(|_| closed),
                not_affected_url: Values::everything().not_affected_url.filter(|_| known_issue),
                partner: Values::everything().partner.filter(|_| known_issue),
                state: Values::everything().state.filter(|_| !known_issue),
                priority: Values::everything().priority.filter(|_| !known_issue),
                reason: if known_issue { "known_issue_subscriber" } else { "subscriber" }.to_owned(),
                ..Values::everything()
            };
            let html = templates.render(kind, language, &values).unwrap().html;
            std::fs::write(Path::new(&folder).join(format!("{kind}.{language}.html")), html).unwrap();
        }
    }
}
