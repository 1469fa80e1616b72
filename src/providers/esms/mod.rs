//! eSMS (placeholder while the provider is being written).
use super::*;
/// Placeholder.
pub static SPEC: Spec = Spec {
    slug: "esms", title: "eSMS", families: &[], settings: &[], token_in_path: false, methods: &[], kept_headers: &[],
    has_threads: false, deadlines: &[], account: |_, _| Err(SettingError { key: "provider", problem: "not written".into() }),
    fold_message_id: str::to_owned, fold_recipient: str::to_owned, server_time_of_id: |_| None, lookup: |_, _, _| Vec::new(),
    stuck_cause: crate::domain::stuck::common_cause,
};
