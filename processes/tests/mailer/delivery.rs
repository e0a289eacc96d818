//! What becomes of messages when the server refuses, is slow, or goes away at any step.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use dossier_processes::notifications::ledger::{AttemptOutcome, LedgerEntry, MessageState};
use jiff::SignedDuration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::rig::{self, Rig, Words, address, attempts, message, settled, wait_until};
use crate::smtp::MailServer;

fn states(entries: &[LedgerEntry]) -> Vec<MessageState> {
    entries.iter().map(|entry| entry.state).collect()
}

fn count(server: &MailServer, number: u64) -> usize {
    server.mails().iter().filter(|mail| mail.to() == address(number)).count()
}

async fn started(server: &MailServer, messages: u64) -> Rig {
    Rig::start(&server.url(), messages, Words::default(), |_| ()).await
}

#[tokio::test]
async fn mails_arrive_as_they_were_meant_over_one_connection() {
    let mut server = MailServer::start().await;
    let rig = started(&server, 20).await;
    assert_eq!(states(&rig.settled().await), [MessageState::Sent; 20]);
    let mails = server.mails();
    let readers: Vec<_> = mails.iter().map(|mail| mail.to().to_owned()).collect();
    assert_eq!(readers, (1..=20).map(address).collect::<Vec<_>>(), "in the order of the log");
    let mail = &mails[0];
    assert_eq!(mail.subject(), "New comment: Mail is late");
    assert!(mail.text().contains("The support team wrote:"), "{}", mail.text());
    assert!(mail.html().contains("<h1"), "{}", mail.html());
    assert_eq!(mail.defects(), &serde_json::json!([]));
    let id = format!("<{}@dossier.example>", message(1).id);
    assert_eq!(mail.header("Message-ID"), Some(id.as_str()));
    assert_eq!(mail.header("In-Reply-To"), Some("<case-1@dossier.example>"));
    assert_eq!(mail.header("Auto-Submitted"), Some("auto-generated"));
    assert_eq!(mail.header("List-Unsubscribe"), Some("<https://support.example/unsubscribe/1>"));
    let connections = server.steps().iter().filter(|step| *step == "CONNECT").count();
    assert_eq!(connections, 1);
    assert_eq!(attempts(&rig.tried(3, 1).await), [(AttemptOutcome::Sent, "250 queued as 3")]);
}

/// R-NOTIFY-2.
#[tokio::test]
async fn r_notify_2_a_refused_address_does_not_stop_the_others() {
    let mut server = MailServer::start().await;
    server.fault("RCPT", 0, "550_5.1.1_<reader-3@acme.example>_unknown", "reader-3@").await;
    server.fault("RCPT", 1, "451_greylisted", "reader-5@").await;
    let rig = started(&server, 10).await;
    let entries =
        wait_until(&*rig.work, |entries| entries.iter().filter(|entry| settled(entry)).count() == 9).await;
    let wanted = |number| match number {
        3 => MessageState::Failed,
        5 => MessageState::Intended,
        _ => MessageState::Sent,
    };
    assert_eq!(states(&entries), (1..=10).map(wanted).collect::<Vec<_>>());
    assert_eq!(attempts(&entries[2]), [(AttemptOutcome::Failed, "550 5.1.1 (address) unknown")]);
    assert_eq!(attempts(&entries[4]), [(AttemptOutcome::Retry, "451 greylisted")]);
    let again = entries[4].due.unwrap().as_second();
    assert!((30..=60).contains(&again), "after about a minute: {again} s");
    rig.clock.forward(SignedDuration::from_secs(61));
    let entries = rig.settled().await;
    assert_eq!(attempts(&entries[4])[1].0, AttemptOutcome::Sent);
    assert_eq!((count(&server, 3), count(&server, 5), server.mails().len()), (0, 1, 9));
}

/// R-NOTIFY-2.
#[tokio::test]
async fn r_notify_2_a_definite_refusal_at_any_step_is_known_as_such() {
    let cases = [
        ("MAIL", "451_later", MessageState::Intended),
        ("MAIL", "550_not_from_you", MessageState::Intended),
        ("RCPT", "421_closing", MessageState::Intended),
        ("DATA", "451_later", MessageState::Intended),
        ("DATA", "554_no_valid_recipients", MessageState::Failed),
        ("CONTENT", "452_disk_full", MessageState::Intended),
        ("CONTENT", "554_spam", MessageState::Failed),
    ];
    for (step, reply, wanted) in cases {
        let mut server = MailServer::start().await;
        server.fault(step, 1, reply, "").await;
        let rig = started(&server, 2).await;
        let entry = rig.tried(1, 1).await;
        assert_eq!(
            (entry.state, attempts(&entry)[0].1),
            (wanted, &*reply.replace('_', " ")),
            "{step} {reply}"
        );
        rig.clock.forward(SignedDuration::from_secs(61));
        let entries = rig.settled().await;
        let sent = 1 + usize::from(wanted == MessageState::Intended);
        assert_eq!((entries[1].state, server.mails().len()), (MessageState::Sent, sent), "{step} {reply}");
    }
}

/// R-NOTIFY-2.
#[tokio::test]
async fn r_notify_2_a_connection_lost_before_the_content_left_is_tried_again() {
    for step in ["CONNECT", "MAIL", "RCPT", "DATA"] {
        let mut server = MailServer::start().await;
        server.fault(step, 2, "close", "").await;
        let rig = started(&server, 5).await;
        // The first has to wait; the clock goes on while the others come.
        let clock = rig.clock.clone();
        let entries = wait_until(&*rig.work, |entries| {
            clock.forward(SignedDuration::from_secs(30));
            entries.iter().all(settled)
        })
        .await;
        assert_eq!(states(&entries), [MessageState::Sent; 5], "{step}");
        let readers: BTreeSet<_> = server.mails().iter().map(|mail| mail.to().to_owned()).collect();
        assert_eq!((readers.len(), server.mails().len()), (5, 5), "{step}: each once");
        let lost =
            entries.iter().flat_map(attempts).filter(|attempt| attempt.0 == AttemptOutcome::Retry).count();
        assert_eq!(lost, if step == "CONNECT" { 0 } else { 2 }, "{step}: no attempt was made in vain");
    }
}

/// R-NOTIFY-2.
#[tokio::test]
async fn r_notify_2_a_connection_cut_after_data_leaves_the_message_unknown_until_an_operator_decides() {
    for (step, accepted) in [("CONTENT", 0), ("ACCEPTED", 1)] {
        let mut server = MailServer::start().await;
        server.fault(step, 1, "close", "reader-2@").await;
        let rig = started(&server, 3).await;
        let entries = rig.settled().await;
        assert_eq!(
            states(&entries),
            [MessageState::Sent, MessageState::Unknown, MessageState::Sent],
            "{step}"
        );
        let made = attempts(&entries[1]);
        assert_eq!((made.len(), made[0].0), (1, AttemptOutcome::Unknown));
        assert!(made[0].1.starts_with("the content was sent, and no answer came: "), "{}", made[0].1);
        rig.clock.forward(SignedDuration::from_hours(24));
        rig.work.recover(rig.clock.now()).await.unwrap();
        assert_eq!(count(&server, 2), accepted, "{step}: not by itself");
        assert!(rig.work.retry(message(2).id, rig.clock.now()).await.unwrap());
        assert_eq!(rig.settled().await[1].state, MessageState::Sent);
        assert_eq!(count(&server, 2), accepted + 1, "{step}");
        let ids: BTreeSet<_> =
            server.mails().iter().map(|mail| mail.header("Message-ID").unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 3, "the same message has the same id");
    }
}

#[tokio::test]
async fn a_slow_server_is_waited_for_and_one_that_says_nothing_is_not_waited_for_for_ever() {
    let mut server = MailServer::start().await;
    for (step, what, number) in
        [("RCPT", "hang", 1), ("ACCEPTED", "hang", 2), ("ACCEPTED", "wait:0.1", 3), ("RCPT", "wait:0.1", 4)]
    {
        server.fault(step, 1, what, &format!("reader-{number}@")).await;
    }
    let rig = Rig::start(&server.url(), 4, Words::default(), |mailer| {
        mailer.server.answer_timeout = Duration::from_millis(900);
        mailer.server.acceptance_timeout = Duration::from_millis(900);
    })
    .await;
    rig.tried(4, 1).await;
    rig.clock.forward(SignedDuration::from_secs(61));
    let entries = rig.settled().await;
    let wanted = [MessageState::Sent, MessageState::Unknown, MessageState::Sent, MessageState::Sent];
    assert_eq!(states(&entries), wanted);
    assert_eq!(attempts(&entries[0])[0], (AttemptOutcome::Retry, "no answer within 900ms"));
    assert_eq!(server.mails().len(), 4);
}

#[tokio::test]
async fn a_server_that_cannot_be_used_costs_no_attempt_and_is_told() {
    let server = MailServer::start_for("dossier", "right").await;
    let url = |password: &str| format!("smtp://dossier:{password}@127.0.0.1:{}?tls=none", server.port);
    let plain = MailServer::start().await;
    let cases = [
        (url("wrong"), "535"),
        (format!("{}?tls=required", plain.url()), "does not offer STARTTLS"),
        ("smtp://127.0.0.1:1".to_owned(), "refused"),
    ];
    for (url, wanted) in cases {
        let mut rig = Rig::start(&url, 1, Words::default(), |_| ()).await;
        let told = |status: &rig::Status| status.last_error.as_ref().is_some_and(|why| why.contains(wanted));
        let waiting = tokio::time::timeout(rig::PATIENCE, rig.status.wait_for(told)).await.is_ok();
        assert!(waiting, "{url}: {:?}", rig.status.borrow());
        let entries = rig::entries(&*rig.work).await;
        assert_eq!((entries[0].state, entries[0].attempts.len()), (MessageState::Intended, 0), "{url}");
    }
    let mut rig = Rig::start(&url("right"), 1, Words::default(), |_| ()).await;
    assert_eq!(states(&rig.settled().await), [MessageState::Sent]);
    assert_eq!(rig.status.borrow_and_update().last_error, None);
    assert_eq!((server.mails().len(), plain.mails().len()), (1, 0));
}

#[tokio::test]
async fn a_message_that_is_refused_for_two_days_is_given_up() {
    let mut server = MailServer::start().await;
    server.fault("RCPT", 0, "451_full", "").await;
    let rig = started(&server, 1).await;
    let clock = rig.clock.clone();
    let entries = wait_until(&*rig.work, |entries| {
        clock.forward(SignedDuration::from_mins(10));
        entries.iter().all(settled)
    })
    .await;
    assert_eq!(entries[0].state, MessageState::Failed);
    let made = attempts(&entries[0]);
    let last = made.last().unwrap().1;
    assert!(last.starts_with("given up after ") && last.ends_with(" tries in 48 hours: 451 full"), "{last}");
    assert!(made[..made.len() - 1].iter().all(|attempt| *attempt == (AttemptOutcome::Retry, "451 full")));
}

/// R-NOTIFY-3.
#[tokio::test]
async fn r_notify_3_what_may_not_be_said_any_more_is_withheld_and_what_cannot_be_said_now_waits() {
    let server = MailServer::start().await;
    let words = Words { withheld: 1, damaged: 2, away: AtomicU64::new(1), ..Words::default() };
    let rig = Rig::start(&server.url(), 4, words, |_| ()).await;
    rig.tried(3, 1).await;
    rig.clock.forward(SignedDuration::from_secs(61));
    let entries = rig.settled().await;
    let wanted = [MessageState::Withheld, MessageState::Failed, MessageState::Sent, MessageState::Sent];
    assert_eq!(states(&entries), wanted);
    assert_eq!(attempts(&entries[0]), [(AttemptOutcome::Withheld, "not_visible")]);
    assert_eq!(attempts(&entries[1]), [(AttemptOutcome::Failed, "of (address) nothing is left")]);
    assert_eq!(attempts(&entries[2])[0], (AttemptOutcome::Retry, "the log is away"));
    assert_eq!(server.mails().len(), 2);
}

#[tokio::test]
async fn what_people_wrote_stays_text_for_a_real_reader() {
    let server = MailServer::start().await;
    let attack =
        "x\r\nBcc: eve@evil.example\r\n\r\n<script>alert(1)</script>\r\n.\r\nMAIL FROM:<eve@evil.example>";
    let mut words = Words { name: Some(attack.to_owned()), ..Words::default() };
    words.values.title = attack.to_owned();
    words.values.actor = Some(attack.to_owned());
    words.values.text = Some(attack.to_owned());
    let rig = Rig::start(&server.url(), 2, words, |_| ()).await;
    assert_eq!(states(&rig.settled().await), [MessageState::Sent; 2]);
    let mails = server.mails();
    assert_eq!(mails.iter().map(|mail| mail.to().to_owned()).collect::<Vec<_>>(), [address(1), address(2)]);
    for mail in &mails {
        assert_eq!((mail.header("Bcc"), mail.defects()), (None, &serde_json::json!([])));
        assert!(mail.subject().contains("Bcc: eve@evil.example"), "{}", mail.subject());
        assert!(mail.text().contains("> .\n> MAIL FROM:<eve@evil.example>"), "{}", mail.text());
        assert!(!mail.html().contains("<script>"), "{}", mail.html());
    }
}

#[tokio::test]
async fn several_nodes_share_a_ledger_and_send_each_message_once() {
    let server = MailServer::start().await;
    let rig = Rig::start(&server.url(), 300, Words::default(), |mailer| {
        mailer.pace.connections = NonZeroUsize::new(3).unwrap();
    })
    .await;
    let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
    for node in ["node-2", "node-3"] {
        let mut other = rig::mailer(rig.work.clone(), &server.url(), Words::default(), &rig.clock);
        other.node = node.to_owned();
        other.start(&cancel, &mut tasks);
    }
    rig::keep(rig.work.clone(), &rig.clock, &cancel, &mut tasks);
    assert_eq!(states(&rig.settled().await), vec![MessageState::Sent; 300]);
    let readers: BTreeSet<_> = server.mails().iter().map(|mail| mail.to().to_owned()).collect();
    assert_eq!((readers.len(), server.mails().len()), (300, 300));
    cancel.cancel();
    while tasks.join_next().await.is_some() {}
}

/// R-NOTIFY-2.
#[tokio::test]
async fn r_notify_2_a_node_that_stops_leaves_what_it_had_not_begun_and_marks_what_it_had_handed_over() {
    let mut server = MailServer::start().await;
    server.fault("ACCEPTED", 1, "hang", "reader-2@").await;
    let mut rig = started(&server, 5).await;
    while server.next_step().await != format!("ACCEPTED {}", address(2)) {}
    rig.stop().await;
    let entries = rig::entries(&*rig.work).await;
    let again = MessageState::Intended;
    assert_eq!(states(&entries), [MessageState::Sent, MessageState::Sending, again, again, again]);
    assert_eq!(attempts(&entries[2]), [(AttemptOutcome::Retry, "not tried: the node was stopped")]);
    rig.recover().await;
    assert_eq!(rig::entries(&*rig.work).await[1].state, MessageState::Unknown);
    assert_eq!(server.mails().len(), 2);
}
