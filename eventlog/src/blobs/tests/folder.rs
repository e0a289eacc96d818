//! What lies in the folder.

use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::contract::blob_store::{content, read, upload};

#[tokio::test]
async fn uploads_and_downloads_run_on_any_thread() {
    let (_folder, blobs) = in_folder();
    let store = blobs.store.clone();
    let run = tokio::spawn(async move {
        let stored = upload(&store, "case-1", "account-1", &content(10), 3).await?;
        read(&store, "case-1", "account-1", &stored, 0..10).await
    });
    assert_eq!(run.await.unwrap().unwrap(), content(10));
}

#[test]
fn any_range_of_any_size_is_what_a_slice_has() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (_folder, blobs) = in_folder();
    let ranges =
        (0_usize..300_000, any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1_usize..200_000);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(40));
    runner
        .run(&ranges, |(size, one, two, piece)| {
            let (one, two) = (one.index(size + 1), two.index(size + 1));
            let (start, end) = (one.min(two), one.max(two));
            let content = content(size);
            let read = runtime.block_on(async {
                let stored = upload(&blobs.store, "case-1", "account-1", &content, piece).await?;
                read(&blobs.store, "case-1", "account-1", &stored, start as u64..end as u64).await
            });
            prop_assert!(read.unwrap() == content[start..end]);
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn the_same_file_in_two_cases_shares_no_name_and_no_bytes() {
    let (folder, blobs) = in_folder();
    let content = content(100_000);
    for (case, subject) in [("case-1", "account-1"), ("case-2", "account-2"), ("case-3", "account-1")] {
        upload(&blobs.store, case, subject, &content, 1000).await.unwrap();
    }
    let files = files(folder.path());
    let names = files.iter().map(|file| file.file_name().unwrap()).collect::<HashSet<_>>();
    assert_eq!(names.len(), 3);
    let plain = content.windows(8).collect::<HashSet<_>>();
    let mut seen = plain.iter().map(|window| window.to_vec()).collect::<HashSet<_>>();
    for file in files {
        let stored = std::fs::read(&file).unwrap();
        let windows = stored.windows(8).map(<[u8]>::to_vec).collect::<HashSet<_>>();
        assert!(windows.is_disjoint(&seen), "{} shares bytes", file.display());
        seen.extend(windows);
    }
}

#[tokio::test]
async fn the_same_upload_again_is_sealed_to_other_bytes() {
    let (folder, blobs) = in_folder();
    let mut seen = HashSet::new();
    for _ in 0..3 {
        upload(&blobs.store, "case-1", "account-1", &content(10), 10).await.unwrap();
        let files = files(folder.path());
        assert_eq!(files.len(), 1);
        assert!(seen.insert(std::fs::read(&files[0]).unwrap()));
    }
}

#[tokio::test]
async fn a_dropped_upload_leaves_no_file() {
    let (folder, blobs) = in_folder();
    for size in [0, 10, 1_000_000] {
        let mut writer = blobs.store.writer("case-1", "account-1", u64::MAX).await.unwrap();
        writer.write(content(size)).await.unwrap();
        assert_eq!(files(folder.path()).len(), 1, "the temporary");
        drop(writer);
        for _ in 0..200 {
            if files(folder.path()).is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
    }
}

#[tokio::test]
async fn what_a_killed_process_left_is_swept_once_it_is_old() {
    let (folder, blobs) = in_folder();
    let stored = upload(&blobs.store, "case-1", "account-1", &content(10), 10).await.unwrap();
    let mut killed = blobs.store.writer("case-1", "account-1", u64::MAX).await.unwrap();
    killed.write(content(3_000_000)).await.unwrap();
    std::mem::forget(killed);
    // Complete, and killed before it was named.
    std::fs::write(folder.path().join("new/blobs/pending/0123"), b"complete").unwrap();
    assert_eq!(files(folder.path()).len(), 3);

    let known = async |_| Ok(true);
    assert_eq!(blobs.store.sweep(Timestamp::UNIX_EPOCH, known).await, Ok(Swept::default()));
    assert_eq!(blobs.store.sweep(Timestamp::MAX, known).await, Ok(Swept { pending: 2, blobs: 0 }));
    assert_eq!(files(folder.path()).len(), 1);
    assert!(read(&blobs.store, "case-1", "account-1", &stored, 0..10).await.is_ok());
}

#[tokio::test]
async fn what_is_uploaded_again_while_a_sweep_decides_is_spared() {
    let (folder, blobs) = in_folder();
    let stored = upload(&blobs.store, "case-1", "account-1", &content(10), 10).await.unwrap();
    let file = std::fs::File::options().write(true).open(&files(folder.path())[0]).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let store = &blobs.store;
    let uploads_again = async |_| {
        upload(store, "case-1", "account-1", &content(10), 10).await?;
        Ok(false)
    };
    let older_than = Timestamp::from_second(1_000_000_000).unwrap();
    assert_eq!(store.sweep(older_than, uploads_again).await, Ok(Swept::default()));
    assert_eq!(read(store, "case-1", "account-1", &stored, 0..10).await.unwrap(), content(10));
}

#[tokio::test]
async fn a_case_is_a_folder_whatever_its_name() {
    let (folder, blobs) = in_folder();
    for case in ["..", "a/b", "a#1", "ä %2F"] {
        let stored = upload(&blobs.store, case, "account-1", &content(10), 10).await.unwrap();
        assert_eq!(
            read(&blobs.store, case, "account-1", &stored, 0..10).await,
            Ok(content(10).to_vec()),
            "{case}"
        );
    }
    let cases = folder.path().join("new/blobs/cases");
    assert!(files(folder.path()).iter().all(|file| file.parent().unwrap().parent() == Some(&cases)));
}

#[test]
fn a_place_that_cannot_be_used_is_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let refused = |url: &str| BlobStore::open(url, sealer()).expect_err(url);
    for url in ["", "file:", "file", "/tmp", "http://x", "s3:bucket", "s3://"] {
        assert_eq!(refused(url), BlobOpenError::UnknownPlace { url: url.to_owned() });
    }
    assert!(matches!(refused(&format!("file:{}", file.display())), BlobOpenError::Unusable { .. }));
    #[cfg(not(feature = "s3"))]
    assert!(matches!(refused("s3://bucket/prefix"), BlobOpenError::WithoutS3 { .. }));
    let url = format!("file://{}", folder.path().join("slashes").display());
    BlobStore::open(&url, sealer()).unwrap();
    assert!(folder.path().join("slashes").is_dir());
}
