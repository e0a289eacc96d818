//! Compiles the server's side of the protocol from the `.proto` files that the client's crate ships, so that the double
//! speaks exactly what the client does. No `protoc` is needed.

use std::error::Error;
use std::path::PathBuf;

use cargo_metadata::MetadataCommand;

/// The services that the event store's adapter calls.
const SERVICES: [&str; 3] = ["streams.proto", "gossip.proto", "serverfeatures.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    let protos = protos()?;
    let descriptors = protox::compile(SERVICES, [&protos])?;
    tonic_build::configure()
        .build_client(false)
        .bytes([
            "BatchAppendReq.ProposedMessage.custom_metadata",
            "BatchAppendReq.ProposedMessage.data",
            "AppendReq.ProposedMessage.custom_metadata",
            "AppendReq.ProposedMessage.data",
            "ReadEvent.RecordedEvent.custom_metadata",
            "ReadEvent.RecordedEvent.data",
        ])
        .include_file("protocol.rs")
        .compile_fds(descriptors)?;
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", protos.display());
    Ok(())
}

/// Where the client's crate lies, as cargo resolved it. Asked for this platform only, and not offline: on a new machine cargo has
/// fetched nothing but what it builds.
fn protos() -> Result<PathBuf, Box<dyn Error>> {
    let platform = std::env::var("TARGET")?;
    let metadata = MetadataCommand::new()
        .other_options(["--locked".to_owned(), "--filter-platform".to_owned(), platform])
        .exec()?;
    let client = metadata.packages.iter().find(|package| package.name == "kurrentdb");
    let manifest = &client.ok_or("the crate `kurrentdb` is not among the dependencies")?.manifest_path;
    Ok(manifest.with_file_name("protos").into())
}
