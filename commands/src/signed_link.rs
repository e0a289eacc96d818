//! Links that let whoever has them do one small thing without signing in: answer the survey of a closing, stop the mails of a
//! case. A token says what for, in bytes, and ends with a code under the key store's secret; it holds no address.
//!
//! Mail scanners fetch links: what a link opens must change nothing before it is posted. Whether the thing can still be done
//! is not in the token: the one who verifies asks the domain.

use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use dossier_domain::{AccountId, CaseId, EmailKey, OrganizationId};
use dossier_eventlog::{AUTHENTICATION_BYTES, Sealer};
use ulid::Ulid;

/// First byte of every token: how the rest is laid out.
const VERSION: u8 = 1;
/// Longest token that is looked at, in characters; the longest that is made is shorter.
const MAX_TOKEN_CHARS: usize = 256;
/// What the code is made for, apart from all else that is made under the secret.
const PURPOSE: &str = "signed link";

/// What a link is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedLink {
    /// Answer the survey of a closing (R-SURVEY-1).
    Survey {
        /// The case's organization.
        organization: OrganizationId,
        /// The case.
        case: CaseId,
        /// Which closing of it, from 1.
        closing: u32,
    },
    /// Receive no more mails of a case.
    StopCaseMails {
        /// The case's organization.
        organization: OrganizationId,
        /// The case.
        case: CaseId,
        /// Who receives them now.
        recipient: LinkRecipient,
    },
    /// Receive no more mails of a known issue.
    StopIssueMails {
        /// The issue's id.
        issue: Ulid,
        /// Who receives them now.
        account: AccountId,
    },
    /// Say that a known issue does not concern one.
    NotAffected {
        /// The issue's id.
        issue: Ulid,
        /// Whom it does not concern.
        account: AccountId,
    },
}

/// To whom a mail goes, without the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRecipient {
    /// Somebody with an account.
    Account(AccountId),
    /// A subscriber's address, by its pseudonym ([`crate::identity::email_key`]).
    Address(EmailKey),
}

/// A token that is not one of ours, or no longer whole. Nothing more is said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the link is incomplete or was changed; open it from the mail as it came")]
pub struct InvalidLink;

/// The token of a link: letters, digits, `-` and `_`. The same link always has the same token.
pub fn sign(sealer: &Sealer, link: &SignedLink) -> String {
    let mut bytes = vec![VERSION];
    link.write(&mut bytes);
    let code = sealer.authentication_code(PURPOSE, &bytes);
    bytes.extend_from_slice(&code);
    BASE64URL_NOPAD.encode(&bytes)
}

/// The link of a token.
///
/// # Errors
/// [`InvalidLink`] for whatever [`sign`] did not make under the same secret.
pub fn verify(sealer: &Sealer, token: &str) -> Result<SignedLink, InvalidLink> {
    if token.len() > MAX_TOKEN_CHARS {
        return Err(InvalidLink);
    }
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| InvalidLink)?;
    let (signed, code) = bytes.split_last_chunk::<AUTHENTICATION_BYTES>().ok_or(InvalidLink)?;
    if !sealer.is_authentic(PURPOSE, signed, code) {
        return Err(InvalidLink);
    }
    match signed.split_first() {
        Some((&VERSION, rest)) => SignedLink::read(rest).ok_or(InvalidLink),
        _ => Err(InvalidLink),
    }
}

impl SignedLink {
    fn write(&self, bytes: &mut Vec<u8>) {
        let mut ids = |purpose: u8, ids: &[Ulid]| {
            bytes.push(purpose);
            for id in ids {
                bytes.extend_from_slice(&id.to_bytes());
            }
        };
        match self {
            Self::Survey { organization, case, closing } => {
                ids(1, &[case.0]);
                bytes.extend_from_slice(&closing.to_be_bytes());
                bytes.extend_from_slice(organization.as_str().as_bytes());
            }
            Self::StopCaseMails { organization, case, recipient } => {
                match recipient {
                    LinkRecipient::Account(account) => ids(2, &[case.0, account.0]),
                    LinkRecipient::Address(key) => ids(3, &[case.0, key.0]),
                }
                bytes.extend_from_slice(organization.as_str().as_bytes());
            }
            Self::StopIssueMails { issue, account } => ids(4, &[*issue, account.0]),
            Self::NotAffected { issue, account } => ids(5, &[*issue, account.0]),
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (&purpose, rest) = bytes.split_first()?;
        let (first, rest) = id(rest)?;
        if purpose == 1 {
            let (closing, organization) = rest.split_first_chunk()?;
            let (case, closing) = (CaseId(first), u32::from_be_bytes(*closing));
            return Some(Self::Survey { organization: name(organization)?, case, closing });
        }
        let (second, rest) = id(rest)?;
        let account = AccountId(second);
        let of_case = |recipient| {
            let organization = name(rest)?;
            Some(Self::StopCaseMails { organization, case: CaseId(first), recipient })
        };
        match purpose {
            2 => of_case(LinkRecipient::Account(account)),
            3 => of_case(LinkRecipient::Address(EmailKey(second))),
            4 if rest.is_empty() => Some(Self::StopIssueMails { issue: first, account }),
            5 if rest.is_empty() => Some(Self::NotAffected { issue: first, account }),
            _ => None,
        }
    }
}

fn id(bytes: &[u8]) -> Option<(Ulid, &[u8])> {
    let (id, rest) = bytes.split_first_chunk()?;
    Some((Ulid::from_bytes(*id), rest))
}

fn name(bytes: &[u8]) -> Option<OrganizationId> {
    OrganizationId::from_str(str::from_utf8(bytes).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dossier_eventlog::MemoryKeyStore;
    use proptest::prelude::*;

    use super::*;

    fn sealer(secret: u8) -> Sealer {
        let keys = MemoryKeyStore::new(uuid::Uuid::nil(), zeroize::Zeroizing::new([secret; 32]));
        Sealer::new(Arc::new(keys), Arc::new(|bytes| bytes.fill(7)))
    }

    fn any_link() -> impl Strategy<Value = SignedLink> {
        let parts = (0_u8..5, any::<[u128; 2]>(), any::<u32>(), "[a-z0-9][a-z0-9-]{0,62}");
        parts.prop_map(|(purpose, [first, second], closing, organization)| {
            let organization = OrganizationId::new(&organization).unwrap();
            let (case, account) = (CaseId(Ulid::from(first)), AccountId(Ulid::from(second)));
            let recipient = match purpose {
                1 => LinkRecipient::Account(account),
                _ => LinkRecipient::Address(EmailKey(account.0)),
            };
            match purpose {
                0 => SignedLink::Survey { organization, case, closing },
                1 | 2 => SignedLink::StopCaseMails { organization, case, recipient },
                3 => SignedLink::StopIssueMails { issue: case.0, account },
                _ => SignedLink::NotAffected { issue: case.0, account },
            }
        })
    }

    proptest! {
        #[test]
        fn a_token_names_its_link_and_is_safe_and_short_in_an_address(link in any_link()) {
            let token = sign(&sealer(1), &link);
            prop_assert_eq!(verify(&sealer(1), &token), Ok(link));
            prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert!(token.len() <= 152 && token.len() <= MAX_TOKEN_CHARS, "{}", token.len());
        }

        #[test]
        fn a_token_with_any_changed_bit_is_refused(link in any_link(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let token = sign(&sealer(1), &link);
            let mut bytes = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap();
            let byte = at.index(bytes.len());
            bytes[byte] ^= 1 << bit;
            prop_assert_eq!(verify(&sealer(1), &BASE64URL_NOPAD.encode(&bytes)), Err(InvalidLink));
            // The text of it, too: no second spelling of the same bytes.
            let mut text = token.into_bytes();
            let at = at.index(text.len());
            text[at] ^= 1 << (bit % 7);
            let text = String::from_utf8(text).unwrap();
            prop_assert_eq!(verify(&sealer(1), &text), Err(InvalidLink));
        }

        #[test]
        fn whatever_is_sent_is_read_without_panic(text in "\\PC{0,300}", bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            prop_assert_eq!(verify(&sealer(1), &text), Err(InvalidLink));
            let _ = SignedLink::read(&bytes);
        }
    }

    #[test]
    fn no_other_secret_makes_a_token_and_no_other_purpose_its_code() {
        let (case, account) = (CaseId(Ulid::from(1_u128)), AccountId(Ulid::from(2_u128)));
        let link = SignedLink::NotAffected { issue: case.0, account };
        assert_eq!(verify(&sealer(1), &sign(&sealer(2), &link)), Err(InvalidLink));
        let mut bytes = vec![VERSION];
        link.write(&mut bytes);
        let code = sealer(1).authentication_code("something else", &bytes);
        let token = BASE64URL_NOPAD.encode(&[bytes.as_slice(), &code].concat());
        assert_eq!(verify(&sealer(1), &token), Err(InvalidLink));
    }

    #[test]
    fn a_shortened_or_lengthened_token_is_refused_and_so_is_an_unknown_version() {
        let link = SignedLink::Survey {
            organization: OrganizationId::new("acme").unwrap(),
            case: CaseId(Ulid::from(1_u128)),
            closing: 1,
        };
        let token = sign(&sealer(1), &link);
        for end in 0..token.len() {
            assert_eq!(verify(&sealer(1), &token[..end]), Err(InvalidLink), "{end}");
        }
        assert_eq!(verify(&sealer(1), &format!("{token}AAAA")), Err(InvalidLink));
        let mut bytes = vec![VERSION + 1];
        link.write(&mut bytes);
        let code = sealer(1).authentication_code(PURPOSE, &bytes);
        bytes.extend_from_slice(&code);
        assert_eq!(verify(&sealer(1), &BASE64URL_NOPAD.encode(&bytes)), Err(InvalidLink));
    }
}
