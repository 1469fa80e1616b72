//! What the names of members say of the values under them: secrets, people, somebody's words, explanations. It must not look at values.

/// Parts of member names whose values are secrets.
const SECRET: [&str; 9] = ["token", "secret", "signature", "password", "apikey", "api_key", "authorization", "cookie", "proof"];

/// Member names whose values are people's numbers and ids.
pub(super) const PERSON: [&str; 15] = [
    "phone",
    "phonenumber",
    "phone_number",
    "msisdn",
    "mobile",
    "tel",
    "recipient",
    "recipient_id",
    "user_id",
    "user_id_by_app",
    "user_ids",
    "userid",
    "psid",
    "admin_id",
    "uid",
];

/// Member names under which the two sides of a message stand.
const PARTY: [&str; 7] = ["sender", "recipient", "follower", "user", "users", "from", "to"];

/// Member names whose values customers or senders wrote, or that say where somebody is: whatever stands under them, however deep.
const WORDS: [&str; 53] = [
    "text",
    "title",
    "name",
    "display_name",
    "first_name",
    "last_name",
    "full_name",
    "fullname",
    "customer_name",
    "user_name",
    "username",
    "user_alias",
    "user_external_id",
    "avatar",
    "profile_pic",
    "thumbnail",
    "url",
    "link",
    "links",
    "html",
    "body",
    "content",
    "description",
    "caption",
    "comment",
    "note",
    "feedback",
    "feedbacks",
    "metadata",
    "info",
    "nlp",
    "entities",
    "template_data",
    "templatedata",
    "tempdata",
    "params",
    "parameters",
    "otp",
    "birthday",
    "gender",
    "location",
    "place",
    "lat",
    "lng",
    "lon",
    "long",
    "city",
    "district",
    "ward",
    "province",
    "country",
    "street",
    "zip",
];

/// Parts of such names, wherever they stand in a name.
const WORDS_PARTS: [&str; 7] = ["payload", "email", "e_mail", "address", "coordinate", "latitude", "longitude"];

/// Member names of which only texts and numbers are somebody's words: what is built under them also holds ids, times and codes.
const WORDS_LEAVES: [&str; 3] = ["message", "value", "data"];

/// Member names that say something of a customer in a callback, and are the sender's own reference where we speak.
const WORDS_OF_CALLBACKS: [&str; 2] = ["ref", "user_ref"];

/// Member names of a provider's explanations, in its own documents.
pub(super) const EXPLAINS: [&str; 6] = ["text", "message", "errormessage", "type", "status", "detail"];

/// Where a timeline's details keep members of a callback that nobody knows: what stands there may be anybody's.
const UNKNOWN: &str = "other";

/// Who wrote a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::present::report) enum From {
    /// It may hold what a customer or the sender wrote.
    Callback,
    /// It is the provider's own word: an answer, or a detail of a timeline. Its texts explain and stay.
    Provider,
}

/// Where a value stands: what the names above it say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Within {
    /// Under a side of a message.
    pub party: bool,
    /// Under a name whose values somebody wrote: nothing stays that is not known.
    pub hidden: bool,
    /// Who wrote it.
    pub from: From,
}

impl Within {
    /// At the top of a document.
    pub(super) fn whole(from: From) -> Within {
        Within { party: false, hidden: false, from }
    }

    /// Under one name more.
    pub(super) fn under(self, name: &str) -> Within {
        Within {
            party: self.party || is_one_of(name, &PARTY),
            hidden: self.hidden || self.is_words(name),
            from: if name == UNKNOWN { From::Callback } else { self.from },
        }
    }

    /// Everything under this name is somebody's words. The provider's own texts explain and stay.
    fn is_words(self, name: &str) -> bool {
        let explains = self.from == From::Provider && is_one_of(name, &EXPLAINS);
        !explains && (is_one_of(name, &WORDS) || has_part(name, &WORDS_PARTS))
    }

    /// A text or number under this name is somebody's words.
    pub(super) fn is_leaf_words(self, name: &str) -> bool {
        match self.from {
            From::Callback => is_one_of(name, &WORDS_LEAVES) || is_one_of(name, &WORDS_OF_CALLBACKS),
            From::Provider => is_one_of(name, &WORDS_LEAVES) && !is_one_of(name, &EXPLAINS),
        }
    }
}

/// A name, in whatever case, is one of these.
pub(super) fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|n| name.eq_ignore_ascii_case(n))
}

fn has_part(name: &str, parts: &[&str]) -> bool {
    let name = name.to_ascii_lowercase();
    parts.iter().any(|part| name.contains(part))
}

/// What stands under it is a secret.
pub(super) fn is_secret(name: &str) -> bool {
    has_part(name, &SECRET) || is_one_of(name, &["key", "sign"])
}

/// A name that may stand for itself; another one may be what somebody typed.
pub(super) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

/// What stands under it is an id.
pub(super) fn is_id_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["id", "ids", "mid", "mids"].iter().any(|end| name.ends_with(end))
}

/// The provider's reasons: what a code means in its own words.
pub(super) fn is_reason(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("error") || name == "reason"
}
