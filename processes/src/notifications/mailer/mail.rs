//! A mail as it is sent: its headers and parts.

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};

use crate::notifications::ledger::IntendedMessage;
use crate::notifications::templates::{Rendered, one_line};

/// Most characters of a name.
const NAME_CHARACTERS: usize = 100;

/// A mail that may be sent: to whom, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingMail {
    /// The address.
    pub to: String,
    /// Whose it is, if that is known.
    pub to_name: Option<String>,
    /// What it says.
    pub rendered: Rendered,
    /// Where one click ends such mails (RFC 8058): http or https.
    pub unsubscribe_url: Option<String>,
}

/// A mail in the form in which it is handed over.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) envelope: Envelope,
    pub(super) to: Address,
    pub(super) content: Vec<u8>,
}

/// Puts a mail in its form. Whatever texts say stays within its header or part.
///
/// # Errors
/// Why there is nobody to send it to.
pub(super) fn letter(
    message: &IntendedMessage,
    mail: &OutgoingMail,
    from: &Mailbox,
    now: Timestamp,
) -> Result<Letter, String> {
    let to: Address = mail.to.parse().map_err(|_| "no mail can be sent to the address".to_owned())?;
    let name = mail.to_name.as_deref().map(|name| one_line(name, NAME_CHARACTERS));
    let name = name.filter(|name| !name.is_empty());
    let domain = from.email.domain();
    let thread = format!("<{}@{domain}>", message.stream);
    let mut builder = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(name, to.clone()))
        .date(SystemTime::from(now))
        .message_id(Some(format!("<{}@{domain}>", message.id)))
        .in_reply_to(thread.clone())
        .references(thread)
        .subject(one_line(&mail.rendered.subject, usize::MAX))
        // No answering machine answers to it (RFC 3834), and none of Exchange's.
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Auto-Response-Suppress", "All"))
        .raw_header(header("Content-Language", &mail.rendered.language));
    if let Some(url) = mail.unsubscribe_url.as_deref().filter(|url| is_address(url)) {
        // Neither folded nor encoded, which an address would not survive.
        let name = HeaderName::new_from_ascii_str("List-Unsubscribe");
        let value = format!("<{url}>");
        builder = builder
            .raw_header(HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value))
            .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
    }
    let envelope =
        Envelope::new(Some(from.email.clone()), vec![to.clone()]).map_err(|error| error.to_string())?;
    let Rendered { text, html, .. } = &mail.rendered;
    let part = |kind, text: &str| {
        // Always encoded: lines stay short and no boundary can occur in it.
        SinglePart::builder()
            .header(kind)
            .header(ContentTransferEncoding::QuotedPrintable)
            .body(text.to_owned())
    };
    let parts = MultiPart::alternative()
        .boundary(format!("=_{}", message.id))
        .singlepart(part(ContentType::TEXT_PLAIN, text))
        .singlepart(part(ContentType::TEXT_HTML, html));
    let message = builder.envelope(envelope.clone()).multipart(parts).map_err(|error| error.to_string())?;
    Ok(Letter { envelope, to, content: message.formatted() })
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn is_address(url: &str) -> bool {
    let begins = url.starts_with("https://") || url.starts_with("http://");
    begins
        && url.len() < 900
        && url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::ledger::MessageId;
    use crate::notifications::ledger::contract::mail as intended;

    fn outgoing() -> OutgoingMail {
        OutgoingMail {
            to: "jo@acme.example".to_owned(),
            to_name: Some("Jo Bloggs".to_owned()),
            rendered: Rendered {
                subject: "New comment: Mail is late".to_owned(),
                text: "Hello\n.\n..dots\n-- \nend\n".to_owned(),
                html: "<p>Hello</p>\n".to_owned(),
                language: "en".to_owned(),
            },
            unsubscribe_url: Some(format!("https://support.example/u/{}", "x".repeat(300))),
        }
    }

    fn written(mail: &OutgoingMail) -> String {
        let from: Mailbox = "Dossier Support <support@dossier.example>".parse().unwrap();
        let letter = letter(&intended(1), mail, &from, Timestamp::UNIX_EPOCH).unwrap();
        assert!(letter.content.is_ascii());
        String::from_utf8(letter.content).unwrap()
    }

    /// The headers, unfolded.
    fn headers(written: &str) -> Vec<(String, String)> {
        let (head, _) = written.split_once("\r\n\r\n").unwrap();
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        assert!(!unfolded.replace("\r\n", "").contains(['\r', '\n']));
        let lines = unfolded.split("\r\n").map(|line| line.split_once(": ").expect("a header"));
        lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn value<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
        let found: Vec<_> = headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name)).collect();
        assert_eq!(found.len(), 1, "{name} once");
        &found[0].1
    }

    #[test]
    fn a_mail_says_what_it_belongs_to_and_that_nobody_wrote_it() {
        let written = written(&outgoing());
        let headers = headers(&written);
        let id = MessageId::to_string(&intended(1).id);
        let url = outgoing().unsubscribe_url.unwrap();
        for (name, wanted) in [
            ("From", "\"Dossier Support\" <support@dossier.example>".to_owned()),
            ("To", "\"Jo Bloggs\" <jo@acme.example>".to_owned()),
            ("Subject", "New comment: Mail is late".to_owned()),
            ("Message-ID", format!("<{id}@dossier.example>")),
            ("References", "<case-1@dossier.example>".to_owned()),
            ("In-Reply-To", "<case-1@dossier.example>".to_owned()),
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("X-Auto-Response-Suppress", "All".to_owned()),
            ("List-Unsubscribe", format!("<{url}>")),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
            ("Content-Language", "en".to_owned()),
            ("Date", "Thu, 01 Jan 1970 00:00:00 +0000".to_owned()),
        ] {
            assert_eq!(value(&headers, name), wanted, "{name}");
        }
        assert!(written.lines().all(|line| line.len() < 998), "no line is longer than servers take");
        let again = self::written(&outgoing());
        assert_eq!(written, again, "the same however often it is put together");
    }

    #[test]
    fn no_text_gets_out_of_its_header() {
        let attack = "x\r\nBcc: all@example.com\r\n\r\nbody\n\rX-A: b\u{2028}c\0d\u{85}e";
        let mut mail = outgoing();
        mail.to_name = Some(attack.to_owned());
        mail.rendered.subject = attack.to_owned();
        mail.rendered.language = "en\r\nX-B: c".to_owned();
        mail.unsubscribe_url = Some("https://x/\r\nX-C: d".to_owned());
        let written = written(&mail);
        let plain = headers(&self::written(&outgoing()));
        let names = |headers: &[(String, String)]| {
            headers
                .iter()
                .map(|(name, _)| name.clone())
                .filter(|name| !name.starts_with("List-"))
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&headers(&written)), names(&plain));
        for line in ["Bcc:", "X-A:", "X-B:", "X-C:"] {
            assert!(!written.contains(&format!("\n{line}")), "{written}");
        }
    }

    #[test]
    fn no_text_gets_out_of_its_part() {
        let mut mail = outgoing();
        let boundary = format!("=_{}", intended(1).id);
        mail.rendered.text =
            format!("--{boundary}\r\nContent-Type: text/html\r\n\r\n<b>x</b>\r\n--{boundary}--\r\n");
        let written = written(&mail);
        assert_eq!(written.matches(&format!("\r\n--{boundary}\r\n")).count(), 2, "{written}");
        assert_eq!(written.matches(&format!("--{boundary}--")).count(), 1, "{written}");
    }

    #[test]
    fn names_and_titles_of_all_scripts_are_sent_in_ascii() {
        let mut mail = outgoing();
        mail.to_name = Some("山田 \"太郎\", <x@y>".to_owned());
        mail.rendered.subject = "新しいコメント: Große Störung ".repeat(9);
        let headers = headers(&written(&mail));
        assert!(value(&headers, "Subject").starts_with("=?utf-8?b?"));
        assert!(value(&headers, "To").ends_with("<jo@acme.example>"));
    }

    #[test]
    fn an_address_that_is_none_is_told_without_naming_it() {
        let from: Mailbox = "support@dossier.example".parse().unwrap();
        for bad in
            ["", "jo", "jo@acme.example, eve@evil.example", "jo@acme.example\r\nRCPT TO:<eve@evil.example>"]
        {
            let mail = OutgoingMail { to: bad.to_owned(), ..outgoing() };
            let refused = letter(&intended(1), &mail, &from, Timestamp::UNIX_EPOCH).err();
            assert_eq!(refused.as_deref(), Some("no mail can be sent to the address"), "{bad:?}");
        }
    }
}
