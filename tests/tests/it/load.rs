//! Clients that file, comment, close and rename, and remember every answer.

use std::sync::Arc;

use dossier_tests::server::sample_case;
use dossier_tests::{Answer, Client as Http};
use reqwest::Method;
use serde_json::{Value, json};

/// Reproducible randomness (SplitMix64).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }
}

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Filed,
    Commented { on_closed: bool },
    Closed,
    Renamed,
}

/// A command that was answered.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) effect: Effect,
    /// The case's path.
    pub(crate) case: String,
    pub(crate) answer: Value,
    pub(crate) position: u64,
    /// Whether an earlier request of the same key had done it.
    pub(crate) replayed: bool,
}

impl Done {
    /// The stream of its case.
    pub(crate) fn stream(&self) -> String {
        format!("case-{}", self.case.rsplit('/').next().expect("a case's path"))
    }

    /// Whether it reopened its case.
    pub(crate) fn reopened(&self) -> bool {
        self.effect == Effect::Commented { on_closed: true }
    }

    /// The types of the events it must have left.
    pub(crate) fn events(&self) -> &'static [&'static str] {
        match self.effect {
            Effect::Filed => &["CaseFiled"],
            Effect::Commented { on_closed: false } => &["CommentAdded"],
            Effect::Commented { on_closed: true } => &["CommentAdded", "ReopenedWithin30Days"],
            Effect::Closed => &["CaseClosed"],
            Effect::Renamed => &["CaseRenamed"],
        }
    }
}

/// A request that is sent until it is answered, always the same.
#[derive(Clone)]
pub(crate) struct Intention {
    effect: Effect,
    case: Option<usize>,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) key: String,
    pub(crate) body: Value,
}

/// A case of one client: only that client changes it.
struct Own {
    path: String,
    closed: bool,
}

/// One client with its own cases; all of them comment on a shared one, which nobody closes.
pub(crate) struct Client {
    number: usize,
    sent: u64,
    chance: Chance,
    shared: Arc<str>,
    cases: Vec<Own>,
    unanswered: Option<Intention>,
    pub(crate) done: Vec<Done>,
}

impl Client {
    pub(crate) fn new(number: usize, seed: u64, shared: &str) -> Self {
        let chance = Chance::new(seed);
        Self {
            number,
            sent: 0,
            chance,
            shared: shared.into(),
            cases: Vec::new(),
            unanswered: None,
            done: Vec::new(),
        }
    }

    /// Sends one command after another until the server is gone; what is unanswered then comes first next time.
    pub(crate) async fn work_until_cut_off(mut self, http: Http) -> Self {
        loop {
            let intention = match self.unanswered.take() {
                Some(intention) => intention,
                None => self.intend(),
            };
            if !self.send(&http, intention).await {
                return self;
            }
        }
    }

    /// Repeats what is unanswered.
    pub(crate) async fn finish(&mut self, http: &Http) {
        if let Some(intention) = self.unanswered.take() {
            assert!(self.send(http, intention).await, "this server is not killed");
        }
    }

    /// Whether it was answered.
    async fn send(&mut self, http: &Http, intention: Intention) -> bool {
        let call =
            http.call(intention.method.clone(), &intention.path).header("idempotency-key", &intention.key);
        let answered = call.json(&intention.body).try_send().await;
        if let Ok(answer) = &answered {
            self.take_in(&intention, answer);
        } else {
            self.unanswered = Some(intention);
        }
        answered.is_ok()
    }

    pub(crate) fn take_in(&mut self, intention: &Intention, answer: &Answer) {
        let body = answer.ok();
        let case = match (intention.case, intention.effect) {
            (Some(case), effect) => {
                match effect {
                    Effect::Closed => self.cases[case].closed = true,
                    Effect::Commented { on_closed: true } => self.cases[case].closed = false,
                    _ => {}
                }
                self.cases[case].path.clone()
            }
            (None, Effect::Filed) => {
                let path = format!("/v2/{}", body["name"].as_str().expect("a case has a name"));
                self.cases.push(Own { path: path.clone(), closed: false });
                path
            }
            (None, _) => self.shared.to_string(),
        };
        self.done.push(Done {
            effect: intention.effect,
            case,
            answer: body,
            position: answer.position(),
            replayed: answer.header("idempotent-replay") == Some("true"),
        });
    }

    pub(crate) fn intend(&mut self) -> Intention {
        self.sent += 1;
        let words = format!("client {} says {}", self.number, self.sent);
        let key = uuid::Uuid::from_u64_pair(self.number as u64 + 1, self.sent).to_string();
        let comment = |path: &str| (Method::POST, format!("{path}/comments"), json!({"body": words}));
        let what = self.chance.below(10);
        if self.cases.is_empty() || what < 2 {
            let mut body = sample_case();
            body["displayName"] = json!(words);
            let path = "/v2/organizations/acme/cases".to_owned();
            return Intention { effect: Effect::Filed, case: None, method: Method::POST, path, key, body };
        }
        if what < 4 {
            let (method, path, body) = comment(&self.shared);
            return Intention {
                effect: Effect::Commented { on_closed: false },
                case: None,
                method,
                path,
                key,
                body,
            };
        }
        let case = self.chance.below(self.cases.len());
        let own = &self.cases[case];
        let (effect, (method, path, body)) = match what {
            4 | 5 if !own.closed => {
                (Effect::Closed, (Method::POST, format!("{}:close", own.path), json!({})))
            }
            6 | 7 => {
                let path = format!("{}?updateMask=displayName", own.path);
                (Effect::Renamed, (Method::PATCH, path, json!({"displayName": words})))
            }
            _ => (Effect::Commented { on_closed: own.closed }, comment(&own.path)),
        };
        Intention { effect, case: Some(case), method, path, key, body }
    }
}
