//! The help articles of the sample data: in English, French and Japanese, for the products of the built-in catalogue.

/// Names of files and what they hold.
pub(super) const BUILT_IN: &[(&str, &str)] = &[
    ("account-sign-in.en.md", include_str!("../../articles/account-sign-in.en.md")),
    ("account-sign-in.fr.md", include_str!("../../articles/account-sign-in.fr.md")),
    ("account-sign-in.ja.md", include_str!("../../articles/account-sign-in.ja.md")),
    ("billing-invoice.en.md", include_str!("../../articles/billing-invoice.en.md")),
    ("billing-invoice.fr.md", include_str!("../../articles/billing-invoice.fr.md")),
    ("billing-invoice.ja.md", include_str!("../../articles/billing-invoice.ja.md")),
    ("compute-disk-full.en.md", include_str!("../../articles/compute-disk-full.en.md")),
    ("compute-disk-full.fr.md", include_str!("../../articles/compute-disk-full.fr.md")),
    ("compute-disk-full.ja.md", include_str!("../../articles/compute-disk-full.ja.md")),
    ("compute-restart.en.md", include_str!("../../articles/compute-restart.en.md")),
    ("compute-restart.fr.md", include_str!("../../articles/compute-restart.fr.md")),
    ("compute-restart.ja.md", include_str!("../../articles/compute-restart.ja.md")),
    ("compute-slow.en.md", include_str!("../../articles/compute-slow.en.md")),
    ("compute-slow.fr.md", include_str!("../../articles/compute-slow.fr.md")),
    ("compute-slow.ja.md", include_str!("../../articles/compute-slow.ja.md")),
    ("identity-sync.en.md", include_str!("../../articles/identity-sync.en.md")),
    ("identity-sync.fr.md", include_str!("../../articles/identity-sync.fr.md")),
    ("plans-channels.en.md", include_str!("../../articles/plans-channels.en.md")),
    ("storage-denied.en.md", include_str!("../../articles/storage-denied.en.md")),
    ("storage-denied.fr.md", include_str!("../../articles/storage-denied.fr.md")),
    ("storage-denied.ja.md", include_str!("../../articles/storage-denied.ja.md")),
    ("storage-upload.en.md", include_str!("../../articles/storage-upload.en.md")),
    ("storage-upload.fr.md", include_str!("../../articles/storage-upload.fr.md")),
    ("storage-upload.ja.md", include_str!("../../articles/storage-upload.ja.md")),
];
