//! Composition: the one place that names a concrete store, starts threads and binds the socket, and that stops them in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web;

use crate::clock::{Clock, WallClock};
use crate::config::{Config, Database, Limits};
use crate::http::{ApiKeys, App, Examiner, Readers, Refusals, Room, Streams, Times, listen, new_key, routes, serve as serve_http};
use crate::ingest::{AccountRules, Health, Inbox, Nudge, Parts, Projector, ProjectorHandle, Signals, Writer};
use crate::metrics::{Metrics, Part as PartLabel};
use crate::outbox::{Courier, Outbox, OutboxHandle, Target, Teller};
use crate::store::StoreError;
use crate::store::sqlite::inbox::{InboxReader, InboxWriter};
use crate::store::sqlite::outbox::OutboxFile;
use crate::store::sqlite::state::{AccountNumbers, StateFile};
use crate::store::sqlite::{Lock, Place};

/// How long a client may take to send the head of a request.
const HEAD_SECONDS_MAX: u64 = 10;

/// How long an idle connection is kept.
const KEEP_ALIVE_SECONDS: u64 = 75;

/// How long an answer may take once its request is there: longer than a registration waits for its fold.
const ANSWER_SECONDS_MAX: u64 = 20;

/// How long requests in progress may take to end when the process stops.
const DRAIN_SECONDS_MAX: u64 = 20;

/// How often the writer and the gauges are tended.
const TICK: Duration = Duration::from_secs(1);

/// After how many of them the log says what was left out of it.
const LEFT_OUT_TICKS: u64 = 10;

/// What can go wrong at the start.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address.
    #[error("cannot listen on {address}: {source}; is another program using it? Set `listen` to another address")]
    Listen {
        /// The address.
        address: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// The system's randomness.
    #[error("the system has no randomness for an API key; set `api_keys` in the configuration")]
    Randomness,
    /// The server.
    #[error("the server ended: {0}")]
    Server(std::io::Error),
}

impl AppError {
    /// The exit code of the program: 3 when the store cannot be had, 2 for what the configuration can mend, 1 for the rest.
    pub fn exit_code(&self) -> u8 {
        match self {
            AppError::Store(_) => 3,
            AppError::Listen { .. } | AppError::Randomness => 2,
            AppError::Thread(_) | AppError::Server(_) => 1,
        }
    }
}

/// A running service.
pub struct Service {
    /// Where it listens.
    pub address: SocketAddr,
    /// The key that was made at this first start, to be shown once.
    pub new_key: Option<String>,
    /// What does not work.
    pub health: Arc<Health>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    server: ServerHandle,
    running: tokio::task::JoinHandle<std::io::Result<()>>,
    ticking: tokio::task::JoinHandle<()>,
    inbox: Inbox,
    projector: ProjectorHandle,
    streams: Arc<Streams>,
    outbox: OutboxHandle,
    sending: Option<JoinHandle<()>>,
    threads: Vec<JoinHandle<()>>,
    _lock: Lock,
}

/// Where the configured store lies.
pub fn place(config: &Config) -> Place {
    let Database::Sqlite { path } = &config.database;
    Place::new(path.clone())
}

/// Starts everything. Must run inside an actix system.
///
/// # Errors
/// When the store or the address cannot be had; nothing is left running.
pub async fn start(config: &Config, clock: Arc<dyn Clock>) -> Result<Service, AppError> {
    let place = place(config);
    let lock = place.lock()?;
    let listener = listen(&config.listen).map_err(|source| AppError::Listen { address: config.listen.clone(), source })?;
    let address = listener.local_addr().map_err(AppError::Server)?;
    lock.tell(&address.to_string());
    let rules = Arc::new(AccountRules::new(&config.accounts, config.stuck.deadlines.clone()).learning(config.stuck.learned_floor()));
    let signals = Arc::new(Signals::new(config.accounts.iter().map(|a| a.id.clone())));
    let (health, metrics) = (Arc::new(Health::default()), counting(config));

    let mut writer = InboxWriter::open(&place)?;
    writer.ensure_accounts(config.accounts.iter().map(|a| (&a.id, a.provider.slug)))?;
    let (keys, new_key) = api_keys(config, &mut writer, clock.as_ref())?;
    let (handle, projecting) = projecting(config, &place, (&rules, &clock, &health, &metrics), &signals)?;
    let (bound, keep) = (config.limits.inbox_records_max, config.retention.callbacks);
    let (inbox, writing) = Writer::start(writer, handle.clone(), health.clone(), metrics.clone(), bound, keep).map_err(AppError::Thread)?;

    let streams = Arc::new(Streams::default());
    let (outbox, sending) = outgoing(config, &place, &rules, &clock, &metrics)?;
    let app = web::Data::new(App {
        outbox: outbox.clone(),
        inbox: inbox.clone(),
        projector: handle.clone(),
        rules: rules.clone(),
        readers: Readers::new(place.clone(), rules, clock.clone()),
        clock: clock.clone(),
        health: health.clone(),
        metrics: metrics.clone(),
        refusals: Refusals::default(),
        examiner: Examiner::default(),
        signals: signals.clone(),
        bodies: Room::default(),
        streams: streams.clone(),
        keys,
        limits: config.limits.clone(),
        lang: config.lang,
        loopback: address.ip().is_loopback(),
    });
    let routes = move |table: &mut web::ServiceConfig| {
        table.app_data(app.clone()).configure(routes);
    };
    let server = serve_http(listener, routes, metrics.clone(), &config.limits, times(&config.limits)).map_err(AppError::Server)?;
    let server_handle = server.handle();
    let running = tokio::task::spawn_local(server);
    let ticking = tokio::task::spawn_local(tick(inbox.clone(), place, clock, metrics.clone(), health.clone()));
    Ok(Service {
        address,
        new_key,
        health,
        metrics,
        server: server_handle,
        running,
        ticking,
        inbox,
        projector: handle,
        streams,
        outbox,
        sending,
        threads: vec![writing, projecting],
        _lock: lock,
    })
}

/// What folding is handed.
type Handed<'a> = (&'a Arc<AccountRules>, &'a Arc<dyn Clock>, &'a Arc<Health>, &'a Arc<Metrics>);

/// Starts what folds records into messages.
fn projecting(
    config: &Config,
    place: &Place,
    (rules, clock, health, metrics): Handed<'_>,
    signals: &Arc<Signals>,
) -> Result<(ProjectorHandle, JoinHandle<()>), AppError> {
    let inbox = InboxReader::open(place)?;
    let state = StateFile::open_writer(place, AccountNumbers::new(inbox.accounts()?))?;
    let (projector, handle) = Projector::new(Parts {
        inbox,
        state,
        rules: rules.clone(),
        clock: clock.clone(),
        health: health.clone(),
        metrics: metrics.clone(),
        retention: config.retention.clone(),
        sweep_every: config.stuck.sweep_every,
    })?;
    let thread = projector.noticing(signals.clone()).start().map_err(AppError::Thread)?;
    Ok((handle, thread))
}

/// What is counted, with the bounds and with every counter that alarms look at.
fn counting(config: &Config) -> Arc<Metrics> {
    let metrics = Metrics::default();
    publish_limits(config, &metrics);
    metrics.begin(config.accounts.iter().map(|a| a.provider.slug));
    Arc::new(metrics)
}

/// Starts what sends on; with nobody to tell, and no outbox from earlier, there is none.
fn outgoing(
    config: &Config,
    place: &Place,
    rules: &Arc<AccountRules>,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
) -> Result<(OutboxHandle, Option<JoinHandle<()>>), AppError> {
    let targets = Target::all(config);
    let outbox = match targets.is_empty() && !place.outbox().exists() {
        true => None,
        false => {
            let inbox = InboxReader::open(place)?;
            let state = StateFile::open_reader(place, AccountNumbers::new(inbox.accounts()?))?;
            let (rules, public_url) = (rules.clone(), config.public_url.clone());
            let teller = Teller { inbox, state, rules, public_url };
            Some(Outbox::new(OutboxFile::open_writer(place)?, teller, targets.clone(), metrics.clone(), clock.now())?)
        }
    };
    let post = Arc::new(Courier::new(&targets));
    let parts = crate::outbox::Parts { place: place.clone(), outbox, targets, post, clock: clock.clone() };
    crate::outbox::start(parts).map_err(AppError::Thread)
}

/// How long a connection may take for what.
fn times(limits: &Limits) -> Times {
    Times {
        head: Duration::from_secs(HEAD_SECONDS_MAX),
        idle: Duration::from_secs(KEEP_ALIVE_SECONDS),
        answer: Duration::from_secs(HEAD_SECONDS_MAX + limits.body_seconds_max + ANSWER_SECONDS_MAX),
        drain_seconds: DRAIN_SECONDS_MAX,
    }
}

fn publish_limits(config: &Config, metrics: &Metrics) {
    let l = &config.limits;
    let bounds = [
        ("body_bytes_max", l.body_bytes_max as i64),
        ("body_seconds_max", l.body_seconds_max as i64),
        ("long_bodies_bytes_max", crate::http::LONG_BYTES_MAX as i64),
        ("api_body_bytes_max", l.api_body_bytes_max as i64),
        ("inbox_records_max", l.inbox_records_max as i64),
        ("inbox_bytes_max", crate::ingest::INBOX_BYTES_MAX as i64),
        ("batch_records_max", crate::ingest::BATCH_RECORDS_MAX as i64),
        ("fold_records_max", crate::ingest::FOLD_RECORDS_MAX as i64),
        ("sweep_messages_max", crate::ingest::SWEEP_MESSAGES_MAX as i64),
        ("examined_per_minute_max", i64::from(crate::http::EXAMINED_PER_MINUTE_MAX)),
        ("examined_at_once_max", crate::http::EXAMINED_AT_ONCE_MAX as i64),
        ("streams_max", crate::http::STREAMS_MAX as i64),
        ("outbox_waiting_max", crate::outbox::WAITING_MAX as i64),
        ("outbox_dead_max", crate::outbox::DEAD_MAX as i64),
        ("senders", crate::outbox::SENDERS as i64),
        ("connections_max", l.connections_max as i64),
        ("workers", l.workers as i64),
    ];
    for (name, value) in bounds {
        metrics.limits.get_or_create(&PartLabel { part: name.to_owned() }).set(value);
    }
}

/// The keys that are accepted. With none configured and none kept, one is made.
fn api_keys(config: &Config, writer: &mut InboxWriter, clock: &dyn Clock) -> Result<(ApiKeys, Option<String>), AppError> {
    let mut kept = writer.api_keys()?;
    let mut shown = None;
    if config.api_keys.is_empty() && kept.is_empty() {
        let (key, hash) = new_key().map_err(|_| AppError::Randomness)?;
        writer.add_api_key(&hash, "first", clock.now())?;
        kept.push(hash);
        shown = Some(key);
    }
    Ok((ApiKeys::new(config.api_keys.iter().map(|k| k.expose()), kept.into_iter()), shown))
}

/// Tends the writer, the gauges and the log.
async fn tick(inbox: Inbox, place: Place, clock: Arc<dyn Clock>, metrics: Arc<Metrics>, health: Arc<Health>) {
    let mut every = tokio::time::interval(TICK);
    let mut ticks = 0u64;
    loop {
        every.tick().await;
        ticks += 1;
        if ticks.is_multiple_of(LEFT_OUT_TICKS) {
            crate::logging::tell_left_out();
        }
        inbox.tick(clock.now());
        for (name, path) in [("inbox", place.inbox().to_path_buf()), ("state", place.state()), ("outbox", place.outbox())] {
            let bytes = std::fs::metadata(&path).map_or(0, |m| m.len());
            metrics.store_bytes.get_or_create(&PartLabel { part: name.to_owned() }).set(bytes as i64);
        }
        let faults = health.faults();
        for part in ["inbox", "projection"] {
            let well = faults.iter().all(|(p, _)| *p != part);
            metrics.healthy.get_or_create(&PartLabel { part: part.to_owned() }).set(i64::from(well));
        }
    }
}

impl Service {
    /// Stops in order: no new connections, requests in progress end, the inbox drains, the projection catches up, what is on its way to
    /// receivers arrives or is left for the next start, files close.
    ///
    /// # Errors
    /// When the server itself ended with an error.
    pub async fn stop(self) -> Result<(), AppError> {
        self.health.stop();
        self.streams.close();
        self.server.stop(true).await;
        let ended = self.running.await;
        self.ticking.abort();
        self.inbox.close();
        let mut threads = self.threads;
        let (projector, outbox, sending) = (self.projector, self.outbox, self.sending);
        let joined = web::block(move || {
            let projecting = threads.pop();
            for writing in threads {
                let _ = writing.join();
            }
            projector.nudge(Nudge::Stop);
            if let Some(projecting) = projecting {
                let _ = projecting.join();
            }
            outbox.stop();
            if let Some(sending) = sending {
                let _ = sending.join();
            }
        });
        let _ = joined.await;
        match ended {
            Ok(result) => result.map_err(AppError::Server),
            Err(_) => Ok(()),
        }
    }
}

/// Serves until the process is told to end (SIGTERM, SIGINT).
///
/// # Errors
/// When it cannot start, or the server fails.
pub fn serve(config: Config) -> Result<(), AppError> {
    crate::logging::start(&config.log);
    actix_web::rt::System::new().block_on(async move {
        let service = start(&config, Arc::new(WallClock)).await?;
        announce(&service, &config);
        wait_for_signal().await;
        tracing::info!("stopping: no new requests; what was acknowledged is on disk");
        let stopped = service.stop().await;
        tracing::info!("stopped");
        stopped
    })
}

fn announce(service: &Service, config: &Config) {
    tracing::info!(address = %service.address, database = %config.database, accounts = config.accounts.len(), "baophat is listening");
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    // Standard output, for whoever started it: the address (with port 0 the system chose it) and, once, the key.
    let mut lines = format!("baophat is listening on http://{}\n", service.address);
    if let Some(key) = &service.new_key {
        lines.push_str(&format!("API key, shown only now: {key}\n"));
    }
    let _ = std::io::Write::write_all(&mut std::io::stdout(), lines.as_bytes());
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        tracing::error!("signals cannot be received; stop the process with SIGKILL, nothing acknowledged is lost by it");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}
