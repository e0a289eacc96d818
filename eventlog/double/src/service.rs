//! The calls.

use std::collections::HashMap;
use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Request, Response, Status, Streaming};
use uuid::Uuid;

use crate::faults::{Faults, Lost};
use crate::log::{Decision, Expected, Log, Proposed, Record};
use crate::protocol::event_store::client as wire;
use crate::protocol::event_store::client::gossip::gossip_server::Gossip;
use crate::protocol::event_store::client::gossip::{ClusterInfo, EndPoint, MemberInfo, member_info};
use crate::protocol::event_store::client::server_features::server_features_server::ServerFeatures;
use crate::protocol::event_store::client::server_features::{SupportedMethod, SupportedMethods};
use crate::protocol::event_store::client::streams::streams_server::Streams;
use crate::protocol::event_store::client::streams::{
    self as s, append_req, append_resp, batch_append_req, batch_append_resp, read_req, read_resp,
};
use crate::protocol::google::rpc;
use crate::reading::{Selection, of_all, of_stream, stream_name};

/// Answers that may wait for the client.
const BUFFERED: usize = 64;
/// Events passed over after which a subscription tells how far it is.
const CHECKPOINT_EVERY: usize = 32;

type Answers<T> = BoxStream<'static, Result<T, Status>>;

/// All services over one log.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) log: Arc<Log>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) port: u16,
}

#[tonic::async_trait]
impl ServerFeatures for Service {
    async fn get_supported_methods(
        &self,
        _: Request<wire::Empty>,
    ) -> Result<Response<SupportedMethods>, Status> {
        let methods = ["append", "batchappend", "read"].map(|method| SupportedMethod {
            method_name: method.to_owned(),
            service_name: "event_store.client.streams.streams".to_owned(),
            features: vec![],
        });
        let event_store_server_version = "25.1.0".to_owned();
        Ok(Response::new(SupportedMethods { methods: methods.into(), event_store_server_version }))
    }
}

#[tonic::async_trait]
impl Gossip for Service {
    async fn read(&self, _: Request<wire::Empty>) -> Result<Response<ClusterInfo>, Status> {
        let itself = MemberInfo {
            instance_id: Some(uuid_to_wire(Uuid::from_u64_pair(0, 1))),
            time_stamp: 0,
            state: member_info::VNodeState::Leader.into(),
            is_alive: true,
            http_end_point: Some(EndPoint { address: "127.0.0.1".to_owned(), port: self.port.into() }),
        };
        Ok(Response::new(ClusterInfo { members: vec![itself] }))
    }
}

#[tonic::async_trait]
impl Streams for Service {
    type ReadStream = Answers<s::ReadResp>;
    type BatchAppendStream = Answers<s::BatchAppendResp>;

    async fn read(&self, request: Request<s::ReadReq>) -> Result<Response<Self::ReadStream>, Status> {
        self.lead(request.metadata())?;
        let missing = || Status::invalid_argument("Required argument missing");
        let options = request.into_inner().options.ok_or_else(missing)?;
        let _ = options.uuid_option.as_ref().ok_or_else(missing)?;
        let count = match options.count_option.ok_or_else(missing)? {
            read_req::options::CountOption::Subscription(_) => {
                return self.subscribe(&options).map(Response::new);
            }
            read_req::options::CountOption::Count(count) => count,
        };
        let answers = match options.stream_option.as_ref().ok_or_else(missing)? {
            read_req::options::StreamOption::Stream(of) => match of_stream(&self.log, &options, of, count) {
                Some(records) => records.into_iter().map(event).collect(),
                None => vec![read_resp::Content::StreamNotFound(read_resp::StreamNotFound {
                    stream_identifier: of.stream_identifier.clone(),
                })],
            },
            read_req::options::StreamOption::All(of) => {
                of_all(&self.log, &options, *of, count)?.into_iter().map(event).collect()
            }
        };
        Ok(Response::new(stream::iter(answers.into_iter().map(|content| Ok(read_answer(content)))).boxed()))
    }

    async fn append(
        &self,
        request: Request<Streaming<s::AppendReq>>,
    ) -> Result<Response<s::AppendResp>, Status> {
        self.lead(request.metadata())?;
        let mut parts = request.into_inner();
        let (mut header, mut events) = (None, vec![]);
        while let Some(part) = parts.message().await? {
            match part.content {
                Some(append_req::Content::Options(options)) => header = Some(options),
                Some(append_req::Content::ProposedMessage(message)) => {
                    events.push(proposed(
                        message.id,
                        message.metadata,
                        message.custom_metadata,
                        message.data,
                    )?);
                }
                None => {}
            }
        }
        let header = header.ok_or_else(|| Status::invalid_argument("no options"))?;
        let expected = match header.expected_stream_revision {
            Some(append_req::options::ExpectedStreamRevision::Revision(revision)) => {
                Expected::Revision(revision)
            }
            Some(append_req::options::ExpectedStreamRevision::NoStream(_)) => Expected::NoStream,
            Some(append_req::options::ExpectedStreamRevision::StreamExists(_)) => Expected::StreamExists,
            _ => Expected::Any,
        };
        let stream = stream_name(header.stream_identifier.as_ref());
        let result = match self.log.append(&stream, expected, &events) {
            Decision::Written { last_revision, position }
            | Decision::Idempotent { last_revision, position } => {
                append_resp::Result::Success(append_resp::Success {
                    current_revision_option: Some(
                        append_resp::success::CurrentRevisionOption::CurrentRevision(last_revision),
                    ),
                    position_option: Some(append_resp::success::PositionOption::Position(
                        append_resp::Position { commit_position: position, prepare_position: position },
                    )),
                })
            }
            Decision::WrongExpectedVersion { current } => {
                use append_resp::wrong_expected_version::CurrentRevisionOption as Current;
                append_resp::Result::WrongExpectedVersion(append_resp::WrongExpectedVersion {
                    current_revision_option: Some(
                        current.map_or(Current::CurrentNoStream(wire::Empty {}), Current::CurrentRevision),
                    ),
                    ..append_resp::WrongExpectedVersion::default()
                })
            }
            Decision::CorruptedIdempotency => return Err(Status::unknown("CorruptedIdempotency")),
        };
        Ok(Response::new(s::AppendResp { result: Some(result) }))
    }

    async fn batch_append(
        &self,
        request: Request<Streaming<s::BatchAppendReq>>,
    ) -> Result<Response<Self::BatchAppendStream>, Status> {
        self.lead(request.metadata())?;
        let (sender, answers) = mpsc::channel(BUFFERED);
        let (service, metadata) = (self.clone(), request.metadata().clone());
        let mut requests = request.into_inner();
        tokio::spawn(async move {
            while let Ok(Some(request)) = requests.message().await {
                let answer = match service.lead(&metadata) {
                    Ok(()) => service.one_of_batch(request).await,
                    Err(status) => Err(status),
                };
                service.faults.end_append();
                let answer = match answer {
                    Ok(None) => continue,
                    Ok(Some(answer)) => Ok(answer),
                    Err(status) => Err(status),
                };
                let broken = answer.is_err();
                if sender.send(answer).await.is_err() || broken {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(answers).boxed()))
    }

    async fn delete(&self, _: Request<s::DeleteReq>) -> Result<Response<s::DeleteResp>, Status> {
        Err(Status::unimplemented("nothing is deleted here"))
    }

    async fn tombstone(&self, _: Request<s::TombstoneReq>) -> Result<Response<s::TombstoneResp>, Status> {
        Err(Status::unimplemented("nothing is deleted here"))
    }
}

impl Service {
    /// Refuses a call that wants the leader when another is.
    fn lead(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let wants_leader = metadata.get("requires-leader").is_some_and(|value| value == "true");
        let Some(leader) = self.faults.leader().filter(|_| wants_leader) else { return Ok(()) };
        let mut place = MetadataMap::new();
        place.insert("exception", MetadataValue::from_static("not-leader"));
        place.insert("leader-endpoint-host", MetadataValue::from_static("127.0.0.1"));
        place.insert("leader-endpoint-port", leader.into());
        Err(Status::with_metadata(Code::NotFound, "Leader info available", place))
    }

    /// Answers one append of a batch; `None` says nothing, an error ends the call.
    async fn one_of_batch(&self, request: s::BatchAppendReq) -> Result<Option<s::BatchAppendResp>, Status> {
        let options = request.options.ok_or_else(|| Status::invalid_argument("an append in parts"))?;
        let lost = self.faults.take_lost();
        let stream = stream_name(options.stream_identifier.as_ref());
        self.faults.hold(&stream).await;
        let delay = self.faults.append_delay();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let broken = || Status::unavailable("the double was told to break");
        match lost {
            Some(Lost::BrokenBefore) => return Err(broken()),
            Some(Lost::SilentBefore) => return Ok(None),
            _ => {}
        }
        let result = match self.faults.take_refusal(&stream) {
            Some(message) => failure(refusal_code(message), message),
            None => self.apply(&stream, &options, request.proposed_messages)?,
        };
        match lost {
            Some(Lost::AppliedThenBroken) => return Err(broken()),
            Some(Lost::AppliedThenSilent) => return Ok(None),
            _ => {}
        }
        Ok(Some(s::BatchAppendResp {
            correlation_id: request.correlation_id,
            stream_identifier: options.stream_identifier,
            expected_stream_position: None,
            result: Some(result),
        }))
    }

    fn apply(
        &self,
        stream: &str,
        options: &batch_append_req::Options,
        messages: Vec<batch_append_req::ProposedMessage>,
    ) -> Result<batch_append_resp::Result, Status> {
        use batch_append_req::options::ExpectedStreamPosition as Position;
        use batch_append_resp::success::{CurrentRevisionOption, PositionOption};
        let expected = match options.expected_stream_position {
            Some(Position::StreamPosition(revision)) => Expected::Revision(revision),
            Some(Position::NoStream(())) => Expected::NoStream,
            Some(Position::StreamExists(())) => Expected::StreamExists,
            _ => Expected::Any,
        };
        let events = messages
            .into_iter()
            .map(|message| proposed(message.id, message.metadata, message.custom_metadata, message.data))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(match self.log.append(stream, expected, &events) {
            Decision::Written { last_revision, position }
            | Decision::Idempotent { last_revision, position } => {
                batch_append_resp::Result::Success(batch_append_resp::Success {
                    current_revision_option: Some(CurrentRevisionOption::CurrentRevision(last_revision)),
                    position_option: Some(PositionOption::Position(wire::AllStreamPosition {
                        commit_position: position,
                        prepare_position: position,
                    })),
                })
            }
            Decision::WrongExpectedVersion { .. } => {
                failure(rpc::Code::AlreadyExists, "WrongExpectedVersion")
            }
            Decision::CorruptedIdempotency => failure(rpc::Code::Unknown, "Unknown"),
        })
    }

    fn subscribe(&self, options: &read_req::Options) -> Result<Answers<s::ReadResp>, Status> {
        let Some(read_req::options::StreamOption::All(of)) = &options.stream_option else {
            return Err(Status::unimplemented("only $all is subscribed to"));
        };
        let mut next = match of.all_option {
            Some(read_req::options::all_options::AllOption::Position(position)) => {
                let (index, exact) = self.log.find(position.commit_position);
                // What begins exactly there was seen before.
                index + usize::from(exact && index < *self.log.length().borrow())
            }
            Some(read_req::options::all_options::AllOption::End(_)) => *self.log.length().borrow(),
            _ => 0,
        };
        let selection = Selection::new(options)?;
        let (log, mut ended) = (Arc::clone(&self.log), self.faults.begin_subscription());
        let (sender, answers) = mpsc::channel(BUFFERED);
        tokio::spawn(async move {
            let confirmation =
                read_resp::SubscriptionConfirmation { subscription_id: Uuid::nil().to_string() };
            let mut waiting = vec![read_resp::Content::Confirmation(confirmation)];
            let mut length = log.length();
            let mut passed_over = 0;
            loop {
                length.borrow_and_update();
                for record in log.beginning_at(next) {
                    next += 1;
                    if selection.takes(&record) {
                        waiting.push(event(record));
                        continue;
                    }
                    passed_over += 1;
                    if passed_over % CHECKPOINT_EVERY == 0 {
                        waiting.push(checkpoint(record.position));
                    }
                }
                for content in waiting.drain(..) {
                    if sender.send(Ok(read_answer(content))).await.is_err() {
                        return;
                    }
                }
                tokio::select! {
                    _ = length.changed() => {}
                    _ = ended.changed() => return,
                    () = sender.closed() => return,
                }
            }
        });
        Ok(ReceiverStream::new(answers).boxed())
    }
}

fn read_answer(content: read_resp::Content) -> s::ReadResp {
    s::ReadResp { content: Some(content) }
}

fn checkpoint(position: u64) -> read_resp::Content {
    read_resp::Content::Checkpoint(read_resp::Checkpoint {
        commit_position: position,
        prepare_position: position,
        timestamp: Some(prost_types::Timestamp::default()),
    })
}

fn event(record: Record) -> read_resp::Content {
    let metadata = [
        ("type", record.event.event_type),
        ("content-type", record.event.content_type),
        ("created", "0".into()),
    ];
    let recorded = read_resp::read_event::RecordedEvent {
        id: Some(uuid_to_wire(record.event.id)),
        stream_identifier: Some(wire::StreamIdentifier { stream_name: record.stream.into_bytes() }),
        stream_revision: record.revision,
        prepare_position: record.position,
        commit_position: record.position,
        metadata: metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
        custom_metadata: record.event.custom_metadata,
        data: record.event.data,
    };
    read_resp::Content::Event(read_resp::ReadEvent {
        event: Some(recorded),
        link: None,
        position: Some(read_resp::read_event::Position::CommitPosition(record.position)),
    })
}

fn failure(code: rpc::Code, message: &str) -> batch_append_resp::Result {
    let details = Some(prost_types::Any::default());
    batch_append_resp::Result::Error(rpc::Status { code: code.into(), message: message.to_owned(), details })
}

/// With which code the server sends its messages.
fn refusal_code(message: &str) -> rpc::Code {
    match message {
        "AccessDenied" => rpc::Code::PermissionDenied,
        "Timeout" => rpc::Code::DeadlineExceeded,
        "StreamDeleted" => rpc::Code::NotFound,
        "BadRequest" | "MaximumAppendSizeExceeded" => rpc::Code::InvalidArgument,
        "Unknown" => rpc::Code::Unknown,
        // It leaves the code out.
        _ => rpc::Code::Ok,
    }
}

fn proposed(
    id: Option<wire::Uuid>,
    mut metadata: HashMap<String, String>,
    custom_metadata: bytes::Bytes,
    data: bytes::Bytes,
) -> Result<Proposed, Status> {
    let id = id.and_then(|id| uuid_from_wire(&id)).ok_or_else(|| Status::invalid_argument("no event id"))?;
    let mut take = |key: &str| {
        metadata
            .remove(key)
            .ok_or_else(|| Status::invalid_argument(format!("Required metadata {key} missing")))
    };
    Ok(Proposed { id, event_type: take("type")?, content_type: take("content-type")?, custom_metadata, data })
}

fn uuid_to_wire(id: Uuid) -> wire::Uuid {
    wire::Uuid { value: Some(wire::uuid::Value::String(id.to_string())) }
}

fn uuid_from_wire(id: &wire::Uuid) -> Option<Uuid> {
    match id.value.as_ref()? {
        wire::uuid::Value::String(text) => text.parse().ok(),
        wire::uuid::Value::Structured(pair) => Some(Uuid::from_u64_pair(
            pair.most_significant_bits.cast_unsigned(),
            pair.least_significant_bits.cast_unsigned(),
        )),
    }
}
