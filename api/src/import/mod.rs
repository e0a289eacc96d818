//! `dossier import`: takes over the history of cases from a file of JSON lines ([`line::ImportedCase`]).
//!
//! It works on the stores themselves, as the operator of the machine: whoever may read their keys. With servers that is right
//! beside running servers, which follow the log; a log in SQLite has one process, so the server is stopped meanwhile.
//!
//! Each case is one append: it is there with all that happened, or not at all. The id of its command is made of source and
//! external id, so that a file can be imported again after whatever ended it: what is there is skipped, and a line that tells
//! an imported case otherwise is refused. A line is known by its words: those name its files and do not hold their content, so a
//! repeat needs no file and is one though a file has changed, as whatever was imported stays. Several cases are on their way at
//! once, because the log stores in groups.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Write};
use std::ops::Deref;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dossier_commands::{CommandError, Commands, ImportCheck, LoadError, Request, identity};
use dossier_domain::case::CaseRejection;
use dossier_domain::{Actor, CaseId, StaffRole};
use dossier_processes::reactor::system_actor;
use futures::{StreamExt as _, TryStreamExt as _, stream};

pub use self::files::Files;
use self::files::Unstored;
use self::line::ImportedCase;
use self::lines::{Lines, Raw};
use self::people::{People, Unread};

mod files;
pub mod line;
mod lines;
mod people;

/// Streams whose folds are kept while importing: those of organizations and people are needed again and again.
pub const CACHED_STREAMS: usize = 4_096;
/// Who imports, in the events.
const ACTOR: &str = "import";
/// Lines that are looked at together.
const BATCH_LINES: usize = 512;
/// Cases on their way to the log at once.
const IN_FLIGHT: usize = 128;

/// How far an import is, or what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the file that were read.
    pub bytes: u64,
    /// Cases that were imported.
    pub imported: u64,
    /// Cases that were there already, just so.
    pub repeated: u64,
    /// Lines that were refused.
    pub refused: u64,
}

/// Why a line was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stable reason.
    pub reason: &'static str,
    /// In words.
    pub message: String,
}

impl Refusal {
    fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    fn person_erased() -> Self {
        Self::new("PERSON_ERASED", "somebody in it was erased here for good; leave them out")
    }
}

/// What an import tells while it is at work.
#[derive(Debug)]
pub enum Told<'a> {
    /// A line was refused.
    Refused(u64, &'a Refusal),
    /// So far it is.
    Progress(&'a Progress),
}

/// Why an import ended early. What was imported stays, and is skipped the next time.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is not readable, or that of the refused lines not writable.
    #[error("{path}: {cause}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// A store failed.
    #[error("stopped at line {line}: {why}; import the file again, what is there is skipped")]
    Stopped {
        /// The first line that was not stored, as far as is known.
        line: u64,
        /// What failed.
        why: String,
    },
}

/// Where the lines of a file are kept that were refused.
pub fn refused_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".refused.jsonl");
    PathBuf::from(name)
}

/// Imports a file, with the files that its lines name. Its refused lines are kept as they were, to be corrected and imported by
/// themselves.
///
/// # Errors
/// [`ImportError`].
pub async fn import(
    commands: impl Deref<Target = Commands> + Send + Sync + 'static,
    file: &Path,
    files: Files,
    mut tell: impl FnMut(Told<'_>),
) -> Result<Progress, ImportError> {
    let unreadable = |cause| ImportError::File { path: file.to_path_buf(), cause };
    let mut lines = Lines::new(BufReader::new(File::open(file).map_err(unreadable)?));
    let mut refused = Refused { path: refused_path(file), file: None };
    let importer = Arc::new(Importer::new(commands, files));
    let mut progress = Progress::default();
    loop {
        let batch = batch(&mut lines).map_err(unreadable)?;
        if batch.is_empty() {
            break;
        }
        let done = stream::iter(batch)
            .map(|(raw, read)| {
                let importer = importer.clone();
                async move {
                    let number = raw.number;
                    let task = tokio::spawn(async move { (importer.line(read).await, raw) });
                    let why = |panic| ImportError::Stopped { line: number, why: format!("a fault: {panic}") };
                    task.await.map_err(why)
                }
            })
            .buffered(IN_FLIGHT);
        let done: Vec<_> = done.try_collect().await?;
        for (outcome, raw) in done {
            match outcome {
                Ok(Outcome::Imported) => progress.imported += 1,
                Ok(Outcome::Repeated) => progress.repeated += 1,
                Ok(Outcome::Refused(refusal)) => {
                    progress.refused += 1;
                    refused.keep(&raw)?;
                    tell(Told::Refused(raw.number, &refusal));
                }
                Err(why) => return Err(ImportError::Stopped { line: raw.number, why }),
            }
        }
        progress.bytes = lines.bytes_read();
        tell(Told::Progress(&progress));
    }
    refused.finish()?;
    Ok(progress)
}

type Read = Result<Box<ImportedCase>, Refusal>;

/// The next lines, no two of them about one case: the first one of those comes first.
fn batch(lines: &mut Lines<impl std::io::BufRead>) -> std::io::Result<Vec<(Raw, Read)>> {
    let mut batch = Vec::new();
    let mut cases = HashSet::new();
    while batch.len() < BATCH_LINES {
        let Some(raw) = lines.next()? else { break };
        let read = read(&raw.bytes);
        if let Ok(case) = &read
            && !cases.insert(CaseId::imported(&case.source, &case.external_id))
        {
            lines.push_back(raw);
            break;
        }
        batch.push((raw, read));
    }
    Ok(batch)
}

fn read(line: &[u8]) -> Read {
    serde_json::from_slice(line).map(Box::new).map_err(|error| {
        let message = format!("{error}; see schemas/import/case.json for what a line holds");
        Refusal::new("MALFORMED_LINE", message)
    })
}

/// What became of a line.
enum Outcome {
    Imported,
    Repeated,
    Refused(Refusal),
}

struct Importer<C> {
    commands: C,
    people: People,
    files: Files,
    actor: Actor,
}

impl<C: Deref<Target = Commands>> Importer<C> {
    fn new(commands: C, files: Files) -> Self {
        let actor = system_actor(commands.sealer(), ACTOR, [StaffRole::Operator]);
        Self { commands, people: People::default(), files, actor }
    }

    /// Imports a line.
    ///
    /// # Errors
    /// Why nothing more can be imported now.
    async fn line(&self, read: Read) -> Result<Outcome, String> {
        let line = match read {
            Ok(line) => line,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        let (organization, mut history) = match self.people.history(&line, &self.commands).await {
            Ok(history) => history,
            Err(Unread::Refused(refusal)) => return Ok(Outcome::Refused(refusal)),
            Err(Unread::Trouble(LoadError::Unavailable(why) | LoadError::Damaged(why))) => return Err(why),
        };
        let command_id = self.commands.import_id(&line.source, &line.external_id);
        // As it was understood, not as it was spelt: the same line in another layout is the same.
        let body = serde_json::to_vec(&*line).map_err(|error| error.to_string())?;
        let request = Request {
            command_id,
            fingerprint: identity::fingerprint(self.commands.sealer(), &body),
            actor: self.actor.clone(),
            acting_for: None,
            correlation_id: format!("import-{}", history.case()),
            causation_id: None,
            if_match: None,
        };
        if line.acts.iter().any(|act| !act.what.files().is_empty()) {
            match self.commands.check_import(&request, &organization, &history).await {
                Ok(ImportCheck::Fits) => {}
                Ok(ImportCheck::There) => return Ok(Outcome::Repeated),
                Err(error) => return refusal(error).map(Outcome::Refused),
            }
            match self.files.take_in(&line, &mut history).await {
                Ok(()) => {}
                Err(Unstored::Refused(refusal)) => return Ok(Outcome::Refused(refusal)),
                Err(Unstored::Stopped(why)) => return Err(why),
            }
        }
        match self.commands.import_case(&request, &organization, &history).await {
            Ok(outcome) if outcome.replayed || outcome.events.is_empty() => Ok(Outcome::Repeated),
            Ok(_) => Ok(Outcome::Imported),
            Err(error) => refusal(error).map(Outcome::Refused),
        }
    }
}

/// What speaks against a line; where it is not the line, why nothing goes on.
fn refusal(error: CommandError<CaseRejection>) -> Result<Refusal, String> {
    match error {
        CommandError::Rejected(rejection) => {
            let reason = match &rejection {
                CaseRejection::ImportRefused { why, .. } => why.reason(),
                other => other.reason(),
            };
            Ok(Refusal::new(reason, rejection.to_string()))
        }
        CommandError::KeyReused => Ok(Refusal::new(
            "IMPORTED_DIFFERENTLY",
            "this case was imported with another history, which stays; change it here",
        )),
        CommandError::TooLarge(why) => Ok(Refusal::new("HISTORY_TOO_LARGE", why)),
        error => Err(error.to_string()),
    }
}

/// The lines that were refused, as they were: for nobody else to read.
struct Refused {
    path: PathBuf,
    file: Option<std::io::BufWriter<File>>,
}

impl Refused {
    fn keep(&mut self, raw: &Raw) -> Result<(), ImportError> {
        let kept = if let Some(file) = &mut self.file {
            Ok(file)
        } else {
            let mut options = File::options();
            options.write(true).create(true).truncate(true).mode(0o600);
            options.open(&self.path).map(|file| self.file.insert(std::io::BufWriter::new(file)))
        };
        let kept = kept.and_then(|file| {
            file.write_all(&raw.bytes)?;
            file.write_all(b"\n")
        });
        kept.map_err(|cause| ImportError::File { path: self.path.clone(), cause })
    }

    /// Those of an earlier import of the file are gone when all of it is imported.
    fn finish(self) -> Result<(), ImportError> {
        let finished = match self.file {
            Some(mut file) => file.flush(),
            None => match std::fs::remove_file(&self.path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        };
        finished.map_err(|cause| ImportError::File { path: self.path, cause })
    }
}
