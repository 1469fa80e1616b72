//! What strangers may try on an open port: thousands of connections, requests that never end or end early, heads that two readers
//! understand in two ways, bombs, floods. Nothing unproven is stored, every connection ends, and the signed callbacks go on.

mod bombs;
mod crowd;
mod floods;
mod framing;
mod heads;
mod smuggling;
mod wire;
