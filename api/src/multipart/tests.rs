//! What the official clients send, byte for byte, and what is refused.

use proptest::prelude::*;

use super::*;

const LF: &str = "multipart/related; boundary=\"===============0162==\"";
const CRLF: &str = "multipart/related; boundary=4f1c6a3e-1b7d-4c39-9f0e-7a5d2b8c9e11";
const NODE: &str = "4f1c6a3e-1b7d-4c39-9f0e-7a5d2b8c9e11";

/// The content of each part with its headers; pieces of content are joined.
type Parts = Vec<(Headers, Vec<u8>)>;

/// Pushes a body cut at the given places.
fn read(content_type: &str, body: &[u8], cuts: &[usize]) -> Result<Parts, ApiError> {
    let mut related = Related::new(content_type)?;
    let mut pieces = vec![];
    let mut from = 0;
    for cut in cuts.iter().copied().chain([body.len()]) {
        pieces.extend(related.push(Bytes::copy_from_slice(&body[from..cut]))?);
        from = cut;
        let most = related.marker.len() - 2 + 5;
        if matches!(related.state, State::Data { .. }) {
            assert!(related.held.len() <= most, "{} bytes are held back", related.held.len());
        }
    }
    related.finish()?;
    Ok(parts(pieces))
}

fn parts(pieces: Vec<Piece>) -> Parts {
    let mut parts = Parts::new();
    let (mut open, mut ended) = (false, false);
    for piece in pieces {
        assert!(!ended, "{piece:?} after the end");
        match piece {
            Piece::PartHeaders(headers) => {
                assert!(!std::mem::replace(&mut open, true), "a part in a part");
                parts.push((headers, vec![]));
            }
            Piece::Data(bytes) => {
                assert!(open && !bytes.is_empty());
                parts.last_mut().expect("a part is open").1.extend_from_slice(&bytes);
            }
            Piece::PartEnd => assert!(std::mem::replace(&mut open, false), "no part to end"),
            Piece::End => ended = true,
        }
    }
    assert!(ended && !open);
    parts
}

fn refused(content_type: &str, body: &[u8]) -> ApiError {
    let error = read(content_type, body, &[]).expect_err("refused");
    assert_eq!(error.code(), crate::status::Code::InvalidArgument);
    error
}

fn discovery(content: &[u8]) -> Vec<u8> {
    [
        b"--===============0162==\nContent-Type: application/json\nMIME-Version: 1.0\n\n{\"attachment\": \
          {\"filename\": \"up.png\"}}\n--===============0162==\nContent-Type: image/png\nMIME-Version: 1.0\n\
          Content-Transfer-Encoding: binary\n\n",
        content,
        b"\n--===============0162==--\n",
    ]
    .concat()
}

fn node(content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{NODE}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n{{\"attachment\":{{\"filename\":\"up.txt\"}}}}\
         \r\n--{NODE}\r\ncontent-type: text/plain\r\n\r\n"
    );
    [head.as_bytes(), content, format!("\r\n--{NODE}--").as_bytes()].concat()
}

fn content(content_type: &str, body: &[u8]) -> Vec<u8> {
    let parts = read(content_type, body, &[]).expect("read");
    assert_eq!(parts.len(), 2);
    parts.into_iter().nth(1).expect("two parts").1
}

#[test]
fn the_body_of_the_discovery_client_is_read() {
    let parts = read(LF, &discovery(b"\x89PNG\r\n\x1a\n\0bytes"), &[]).unwrap();
    assert_eq!(parts.len(), 2);
    assert!(parts[0].0.is_json());
    assert_eq!(parts[0].1, br#"{"attachment": {"filename": "up.png"}}"#);
    assert_eq!(parts[1].0.mime_type(), Some("image/png"));
    assert_eq!(parts[1].0.get("CONTENT-TRANSFER-ENCODING"), Some("binary"));
    assert_eq!(parts[1].1, b"\x89PNG\r\n\x1a\n\0bytes");
}

#[test]
fn the_body_of_the_node_client_is_read() {
    let parts = read(CRLF, &node(b"line\nline\r\n"), &[]).unwrap();
    assert_eq!(parts.len(), 2);
    assert!(parts[0].0.is_json(), "with a charset");
    assert_eq!(parts[0].1, br#"{"attachment":{"filename":"up.txt"}}"#);
    assert_eq!(parts[1].0.mime_type(), Some("text/plain"));
    assert_eq!(parts[1].1, b"line\nline\r\n");
}

#[test]
fn bytes_that_look_like_delimiters_are_content() {
    for tricky in [
        &b"\r\n--anything\r\n"[..],
        b"a\n--===============0162=",
        b"\n--===============0162==x\n",
        b"\n--===============0162==-x",
        b" --===============0162==--",
        b"\n\n--",
        b"\r",
        b"\n",
        b"\r\n",
        b"--",
        b"-",
        b"--===============0162==x",
    ] {
        assert_eq!(content(LF, &discovery(tricky)), tricky);
    }
    for tricky in [
        format!("\n--{NODE}--\n"),
        format!("\r--{NODE}\r\n"),
        format!("\r\n--{NODE}\n"),
        format!("\r\n--{NODE}\rx"),
        format!("\r\n--{NODE}x\r\n--anything"),
        format!("\r\n --{NODE}--"),
        "\r".to_owned(),
        "\r\n".to_owned(),
        "\r\n\r".to_owned(),
    ] {
        assert_eq!(content(CRLF, &node(tricky.as_bytes())), tricky.as_bytes());
    }
}

#[test]
fn a_cr_before_the_line_feed_of_a_delimiter_belongs_to_the_file() {
    assert_eq!(content(LF, &discovery(b"ends in CR\r")), b"ends in CR\r");
    assert_eq!(content(LF, &discovery(b"ends in CRLF\r\n")), b"ends in CRLF\r\n");
}

#[test]
fn an_empty_file_is_a_part_without_data() {
    assert_eq!(content(LF, &discovery(b"")), b"");
    assert_eq!(content(CRLF, &node(b"")), b"");
    // Without the line break that belongs to the delimiter, too: the headers' empty line ends a line as well.
    let tight = format!("--{NODE}\r\ncontent-type: a/b\r\n\r\n--{NODE}--");
    assert_eq!(read(CRLF, tight.as_bytes(), &[]).unwrap()[0].1, b"");
}

#[test]
fn a_part_may_have_no_headers_and_a_header_more_lines_than_one() {
    let body = format!("--{NODE}\r\n\r\nbare\r\n--{NODE}\r\nX-Long: one\r\n\ttwo \r\n\r\n\r\n--{NODE}--");
    let parts = read(CRLF, body.as_bytes(), &[]).unwrap();
    assert_eq!((parts[0].0.mime_type(), &parts[0].1[..]), (None, &b"bare"[..]));
    assert_eq!(parts[1].0.get("x-long"), Some("one two"));
}

#[test]
fn anything_may_follow_the_closing_delimiter_and_one_empty_line_come_before_the_first() {
    let body = [b"\r\n", &node(b"x")[..], b"\r\nepilogue --", &node(b"y")].concat();
    assert_eq!(content(CRLF, &body), b"x");
    let blanks = format!("--{NODE} \t\r\n\r\nx\r\n--{NODE}  \r\n\r\ny\r\n--{NODE}--  ");
    assert_eq!(read(CRLF, blanks.as_bytes(), &[]).unwrap().len(), 2);
}

#[test]
fn a_cut_body_is_told_apart_from_a_wrong_one() {
    for body in [discovery(b"content\r\n--"), node(b"content\r\n--")] {
        let content_type = if body.starts_with(b"--=") { LF } else { CRLF };
        let whole = body.iter().rposition(|byte| *byte == b'-').unwrap() + 1;
        for cut in 0..whole {
            assert_eq!(refused(content_type, &body[..cut]).reason(), BODY_CUT, "cut at {cut}");
        }
        read(content_type, &body[..whole], &[]).expect("nothing more is needed");
    }
}

#[test]
fn what_is_wrong_with_a_body_is_named() {
    let long = format!("--{NODE}\r\nx: {}\r\n\r\n", "y".repeat(9000));
    let endless = format!("--{NODE}\r\n{}", "y".repeat(9000));
    for (body, wanted) in [
        ("{}", "does not begin with the boundary"),
        ("\r\n\r\n--", "does not begin with the boundary"),
        ("--other\r\n\r\n", "does not begin with the boundary"),
        (&format!("--{NODE}--"), "no part"),
        (&format!("--{NODE}x\r\n"), "follows the boundary"),
        (&format!("--{NODE}\r\nno colon\r\n\r\n"), "no colon"),
        (&format!("--{NODE}\r\nno name\u{e9}: x\r\n\r\n"), "proper name"),
        (&format!("--{NODE}\r\n folded\r\n\r\n"), "begin with a blank"),
        (&format!("--{NODE}\r\nx: y\r\n--{NODE}--"), ""),
        (&format!("--{NODE}\r\nx: y\r\n--{NODE}\r\n"), "no empty line"),
        (&format!("--{NODE}\r\n\r\nx\r\n--{NODE} \n"), "end differently"),
        (&format!("--{NODE}\r\ncontent-transfer-encoding: base64\r\n\r\n"), "Content-Transfer-Encoding"),
        (&long, "longer than 8192"),
        (&endless, "longer than 8192"),
    ] {
        let error = refused(CRLF, body.as_bytes());
        assert!(error.message().contains(wanted), "{error}");
        assert_eq!(error.reason(), if wanted.is_empty() { BODY_CUT } else { INVALID_MULTIPART }, "{error}");
    }
    assert!(refused(CRLF, format!("--{NODE}\r\nx: \0\u{ff}\r\n").as_bytes()).reason() == BODY_CUT);
    let latin = [format!("--{NODE}\r\nx: ").as_bytes(), b"\xe9\r\n"].concat();
    assert!(refused(CRLF, &latin).message().contains("UTF-8"));
}

#[test]
fn a_refused_body_stays_refused() {
    let mut related = Related::new(CRLF).unwrap();
    let error = related.push(Bytes::from_static(b"{}")).unwrap_err();
    assert_eq!(related.push(Bytes::from(node(b""))), Err(error.clone()));
    assert_eq!(related.finish(), Err(error));
}

#[test]
fn boundaries_are_found_however_the_content_type_is_written() {
    for (content_type, wanted) in [
        (LF, "===============0162=="),
        ("Multipart/Related;BOUNDARY=x", "x"),
        ("multipart/related; type=\"a/b; boundary=no\"; boundary = \"a b\\\"c\" ; start=1", "a b\"c"),
        ("multipart/related; boundary===a==; x=y", "==a=="),
        ("multipart/related;; boundary=x;", "x"),
    ] {
        assert_eq!(boundary(content_type).unwrap(), wanted, "{content_type}");
    }
    let (longest, too_long) = ("b".repeat(70), "b".repeat(71));
    assert!(Related::new(&format!("multipart/related; boundary={longest}")).is_ok());
    for wrong in [
        "",
        "multipart/form-data; boundary=x",
        "multipart/related",
        "multipart/related; boundary",
        "multipart/related; boundary=",
        "multipart/related; boundary=\"\"",
        "multipart/related; boundary=\"x",
        "multipart/related; boundary=\"x\"y",
        "multipart/related; boundary=\"x\\",
        "multipart/related; boundary=\"x \"",
        "multipart/related; boundary=\"x\u{e9}\"",
        "multipart/related; boundary=\"x\n\"",
        "multipart/related; boundary=x; boundary=x",
        &format!("multipart/related; boundary={too_long}"),
    ] {
        assert_eq!(Related::new(wrong).expect_err(wrong).reason(), INVALID_MULTIPART);
    }
}

#[test]
fn large_content_is_passed_on_without_being_copied() {
    let mut related = Related::new(LF).unwrap();
    let body = Bytes::from(discovery(&vec![b'x'; 1 << 20]));
    let range = body.as_ptr_range();
    let pieces = related.push(body).unwrap();
    let large = pieces.iter().find_map(|piece| match piece {
        Piece::Data(data) if data.len() == 1 << 20 => Some(data),
        _ => None,
    });
    assert!(range.contains(&large.expect("in one piece").as_ptr()));
}

#[test]
fn a_body_that_almost_ends_everywhere_is_read_in_linear_time() {
    let almost = b"\n--===============0162=".repeat(200_000);
    let began = std::time::Instant::now();
    let body = discovery(&almost);
    // One byte at a time in the worst places, the rest in pieces of 8 KiB.
    let cuts = (1..body.len()).filter(|at| *at < 100_000 || at.is_multiple_of(8192)).collect::<Vec<_>>();
    assert_eq!(read(LF, &body, &cuts).unwrap()[1].1, almost);
    assert!(began.elapsed().as_secs() < 20, "took {:?}", began.elapsed());
}

#[test]
fn cut_at_any_one_place_a_body_reads_the_same() {
    for (content_type, body) in
        [(LF, discovery(b"\r\n--=\r")), (CRLF, node(format!("\r\r\n--{NODE}\r\r\n--{NODE}-").as_bytes()))]
    {
        let whole = read(content_type, &body, &[]).unwrap();
        for cut in 0..=body.len() {
            assert_eq!(read(content_type, &body, &[cut]).unwrap(), whole, "cut at {cut}");
        }
        let everywhere = (1..body.len()).collect::<Vec<_>>();
        assert_eq!(read(content_type, &body, &everywhere).unwrap(), whole);
    }
}

/// Bytes made of what delimiters are made of.
fn tricky() -> impl Strategy<Value = Vec<u8>> {
    let words = prop_oneof![
        Just(&b"\r"[..]),
        Just(&b"\n"[..]),
        Just(&b"\r\n"[..]),
        Just(&b"-"[..]),
        Just(&b"--"[..]),
        Just(&b"--b"[..]),
        Just(&b"b"[..]),
        Just(&b" "[..]),
        Just(&b"x: y"[..]),
    ];
    prop::collection::vec(words, 0..40).prop_map(|words| words.concat())
}

/// Whether the content holds a line that is a delimiter, so that nobody could send it with this boundary.
fn holds_delimiter(content: &[u8], line_end: &str) -> bool {
    let text = [line_end.as_bytes(), content, line_end.as_bytes()].concat();
    ["--".to_owned(), " ".to_owned(), "\t".to_owned(), line_end.to_owned()].iter().any(|after| {
        let delimiter = format!("{line_end}--b{after}");
        text.windows(delimiter.len()).any(|window| window == delimiter.as_bytes())
    })
}

proptest! {
    #[test]
    fn what_was_sent_is_what_is_read_however_it_was_cut(
        content in tricky(),
        cuts in prop::collection::btree_set(0_usize..200, 0..20),
        crlf: bool,
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        prop_assume!(!holds_delimiter(&content, end));
        let head = format!("--b{end}content-type: application/json{end}{end}{{}}{end}--b{end}content-type: a/b{end}{end}");
        let body = [head.as_bytes(), &content, end.as_bytes(), b"--b--"].concat();
        let cuts = cuts.into_iter().filter(|cut| *cut <= body.len()).collect::<Vec<_>>();
        let parts = read("multipart/related; boundary=b", &body, &cuts).unwrap();
        prop_assert_eq!(&parts[0].1, b"{}");
        prop_assert_eq!(&parts[1].1, &content);
    }

    #[test]
    fn any_bytes_give_the_same_whole_and_in_pieces_and_never_a_panic(
        body in prop_oneof![tricky(), tricky().prop_map(|rest| [b"--b\n", &rest[..]].concat()),
            tricky().prop_map(|rest| [b"--b\r\n\r\n", &rest[..]].concat()), prop::collection::vec(any::<u8>(), 0..200)],
        cuts in prop::collection::btree_set(0_usize..200, 0..40),
    ) {
        let content_type = "multipart/related; boundary=b";
        let cuts = cuts.into_iter().filter(|cut| *cut <= body.len()).collect::<Vec<_>>();
        prop_assert_eq!(read(content_type, &body, &[]), read(content_type, &body, &cuts));
    }

    #[test]
    fn any_content_type_is_answered_and_never_a_panic(content_type in "(multipart/related)?[;\"\\\\= a-z\u{e9}]{0,30}") {
        drop(Related::new(&content_type));
    }
}
