//! Alerts as mail: one message for each notice, over a connection of its own.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};

use super::ATTEMPT_SECONDS_MAX;
use super::text::Notice;
use crate::config::{Mail, Security};

/// A mail server, and from whom to whom.
pub struct Mailer {
    transport: SmtpTransport,
    from: Mailbox,
    to: Vec<Mailbox>,
}

/// A mailer; the error says what is wrong with its settings.
pub fn mailer(config: &Mail) -> Result<Mailer, String> {
    let address = |text: &String| text.parse::<Mailbox>().map_err(|_| format!("\"{text}\" is no mail address"));
    let tls = || TlsParameters::new(config.host.clone()).map_err(|_| "TLS cannot be set up for this host".to_owned());
    let tls = match config.security {
        Security::Starttls => Tls::Required(tls()?),
        Security::Tls => Tls::Wrapper(tls()?),
        Security::None => Tls::None,
    };
    // "Dangerous" is the builder that takes the protection from whoever calls it: it is set here in every case.
    let mut builder =
        SmtpTransport::builder_dangerous(&config.host).port(config.port).tls(tls).timeout(Some(Duration::from_secs(ATTEMPT_SECONDS_MAX)));
    if let Some((user, password)) = &config.credentials {
        builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
    }
    let to = config.to.iter().map(address).collect::<Result<_, _>>()?;
    Ok(Mailer { transport: builder.build(), from: address(&config.from)?, to })
}

impl Mailer {
    /// Sends a notice. Its id makes the mail's own id, so that mail programs see a repeat for what it is.
    pub fn send(&self, notice: &Notice, id: &str) -> Result<(), String> {
        let subject: String = notice.title.chars().filter(|c| !c.is_control()).collect();
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(subject)
            .message_id(Some(format!("<{id}.baophat@{}>", self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        let message = builder.body(notice.text()).map_err(|_| "the mail could not be made".to_owned())?;
        match self.transport.send(&message) {
            Ok(_) => Ok(()),
            Err(e) if e.is_timeout() => Err(format!("no answer within {ATTEMPT_SECONDS_MAX} s")),
            Err(e) => match e.status() {
                Some(code) => Err(format!("the mail server answered {code}")),
                None if e.is_tls() => Err("TLS failed".into()),
                None => Err("no connection to the mail server".into()),
            },
        }
    }
}
