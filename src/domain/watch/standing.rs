//! How an account stands, and the reasons there are.

use crate::domain::failure::named;

named! {
    /// How an account stands.
    Standing {
        /// No valid callback was ever seen.
        Draft = "draft",
        /// Callbacks come as they should.
        Connected = "connected",
        /// Callbacks or receipts that should come do not.
        Silent = "silent",
        /// The provider does not accept the account's token or key any more.
        Expired = "expired",
        /// Callbacks come and cannot be accepted, or the provider has barred the account.
        Error = "error",
    }
}

impl Reason {
    /// Nothing comes in at all while it lasts: what was sent meanwhile may never be heard of. Of signatures that do not fit only where the
    /// judgement says so.
    pub const fn is_deaf(self) -> bool {
        matches!(self, Reason::WebhookSilent | Reason::TrafficStopped | Reason::SignaturesRefused)
    }
}

named! {
    /// Why an account stands as it does.
    Reason {
        /// Nothing ever came, and nothing was sent that should have made something come.
        NeverCalled = "never_called",
        /// All is well.
        Well = "well",
        /// Nothing at all comes in, though our own sends should bring callbacks.
        WebhookSilent = "webhook_silent",
        /// Callbacks come, and receipts never do.
        ReceiptsNotSubscribed = "receipts_not_subscribed",
        /// The traffic that usually comes at these hours has stopped.
        TrafficStopped = "traffic_stopped",
        /// Receipts come much later than they used to.
        ProviderSlow = "provider_slow",
        /// The send calls are refused for want of a valid token or key.
        TokenInvalid = "token_invalid",
        /// The token has reached its end by its own date.
        TokenExpired = "token_expired",
        /// The provider told that the permission was withdrawn.
        PermissionRevoked = "permission_revoked",
        /// Requests come whose signature or token does not fit.
        SignaturesRefused = "signatures_refused",
        /// The provider has barred or restricted the account.
        PolicyBlocked = "policy_blocked",
    }
}
