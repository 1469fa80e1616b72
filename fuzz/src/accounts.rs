//! The accounts against which everything is tried. Secrets and ids are those of the fixtures' READMEs.

use std::path::Path;
use std::sync::OnceLock;

use baophat::config::{Config, Env};

/// The Zalo app and the secret key of its OA.
pub const ZALO_APP: &str = "4100200300400500600";
pub const ZALO_KEY: &str = "vector-oa-key-01";

/// The app secrets of Facebook, and the token of its handshake.
pub const FACEBOOK_SECRETS: [&str; 2] = ["giay-bao-phat-demo-key-A1", "giay-bao-phat-demo-key-B2"];
pub const VERIFY_TOKEN: &str = "xac-nhan-demo-2026";

/// The callback token of eSMS.
pub const ESMS_TOKEN: &str = "fixture-token-0123456789";

/// The key of the query API.
pub const API_KEY: &str = "integration-key-0123456789";

/// The account of a provider stands at this place.
pub const PROVIDERS: [&str; 3] = ["zalo", "facebook", "esms"];

/// The configuration, read once.
pub fn config() -> &'static Config {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    CONFIG.get_or_init(|| load(tempfile::tempdir().unwrap().path()))
}

/// The configuration of a store in this folder.
pub fn load(folder: &Path) -> Config {
    let path = folder.join("baophat.toml");
    let database = folder.join("baophat.db");
    let [first, second] = FACEBOOK_SECRETS;
    let text = format!(
        r#"listen = "127.0.0.1:0"
database = "sqlite:{}"
api_keys = ["{API_KEY}"]
limits.workers = 1

[[account]]
id = "shop-oa"
provider = "zalo"
app_id = "{ZALO_APP}"
oa_secret_key = "{ZALO_KEY}"
oa_ids = ["9100200300400500601", "9100200300400500602"]

[[account]]
id = "shop-page"
provider = "facebook"
app_id = "550011122233344"
app_secret = ["{first}", "{second}"]
verify_token = "{VERIFY_TOKEN}"
page_ids = ["104417700031337", "104417700031338"]

[[account]]
id = "shop-sms"
provider = "esms"
callback_token = "{ESMS_TOKEN}"
"#,
        database.display()
    );
    std::fs::write(&path, text).unwrap();
    Config::load(Some(&path), &Env::default()).unwrap()
}
