//! Signing in by a code that is typed in on another device (RFC 8628).

use super::{
    Granted,
    provider::{Provider, Refused, bad_url, grant, refused, scopes},
};
use crate::config::{OAuth, SecretError};
use oauth2::{DeviceAuthorizationUrl, StandardDeviceAuthorizationResponse};
use std::time::Duration;

/// How long between two questions at least, whatever the provider says.
const LEAST: Duration = Duration::from_millis(100);
/// How long between two questions while nobody answers, at most.
const MOST: Duration = Duration::from_secs(60);

/// A sign-in that waits for a person.
pub struct Device {
    owner: String,
    provider: Provider,
    details: StandardDeviceAuthorizationResponse,
}

impl Device {
    /// Asks for a code, for the mailbox or outlet `owner`.
    pub async fn begin(oauth: &OAuth, owner: &str) -> Result<Self, SecretError> {
        let Some(url) = &oauth.device_url else {
            return Err(SecretError {
                message: format!("the provider of {owner} lets no devices in by a code"),
                hint: format!("run `deskbell login {owner} --browser`, or set device_url in `oauth`"),
                passing: false,
            });
        };
        let place = DeviceAuthorizationUrl::new(url.clone()).map_err(|_| bad_url(url))?;
        let provider = Provider::new(oauth).await?;
        let asking = provider.asking.clone().set_device_authorization_url(place);
        let asked =
            asking.exchange_device_code().add_scopes(scopes(oauth)).request_async(&provider.web).await;
        let details = asked.map_err(|no| refused(no).while_signing_in(owner))?;
        Ok(Self { owner: owner.to_owned(), provider, details })
    }

    /// Gives the page to open.
    pub fn page(&self) -> &str {
        self.details.verification_uri().as_str()
    }

    /// Gives the code to type in there.
    pub fn code(&self) -> &str {
        self.details.user_code().secret()
    }

    /// Gives how long the code is good.
    pub fn lasts(&self) -> Duration {
        self.details.expires_in()
    }

    /// Waits until the person has decided, or the code has ended.
    pub async fn wait(self) -> Result<Granted, SecretError> {
        self.wait_by(|span| tokio::time::sleep(span.max(LEAST))).await
    }

    /// Waits likewise, with `sleep` between two questions.
    async fn wait_by<F>(&self, sleep: impl Fn(Duration) -> F) -> Result<Granted, SecretError>
    where
        F: Future<Output = ()>,
    {
        let asking = self.provider.asking.exchange_device_access_token(&self.details);
        let asking = asking.set_max_backoff_interval(MOST);
        let given = asking.request_async(&self.provider.web, sleep, None).await;
        given.map(|given| Granted(grant(&given))).map_err(|no| self.no(refused(no)))
    }

    fn no(&self, refused: Refused) -> SecretError {
        refused.while_signing_in(&self.owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Provider as Kind, SecretSource};
    use std::sync::Mutex;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    /// Answers one request after the other, each over a connection of its own.
    async fn server(answers: Vec<(u16, String)>) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            for (status, body) in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = Vec::new();
                // Every question names the client last but one, so that its end is known.
                while !String::from_utf8_lossy(&asked).contains("client_id=c") {
                    let mut part = [0; 1024];
                    let count = stream.read(&mut part).await.unwrap();
                    asked.extend_from_slice(&part[..count]);
                }
                let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
                let kind = "Content-Type: application/json\r\nConnection: close\r\n\r\n";
                stream.write_all(format!("{head}{kind}{body}").as_bytes()).await.unwrap();
            }
        });
        port
    }

    #[tokio::test]
    async fn whoever_is_told_to_slow_down_asks_less_often() {
        let no = |error: &str| (400, format!("{{\"error\": \"{error}\"}}"));
        let begun = "{\"device_code\": \"d\", \"user_code\": \"U\", \"verification_url\": \"https://p.example\",                      \"expires_in\": 600}";
        let token = "{\"access_token\": \"t\", \"token_type\": \"Bearer\", \"expires_in\": 60}";
        let port = server(vec![
            (200, begun.to_owned()),
            no("authorization_pending"),
            no("slow_down"),
            (503, String::new()),
            no("authorization_pending"),
            (200, token.to_owned()),
        ])
        .await;
        let oauth = OAuth {
            provider: Kind::Custom,
            client_id: "c".to_owned(),
            client_secret: SecretSource::Absent,
            auth_url: None,
            device_url: Some(format!("http://127.0.0.1:{port}/device")),
            token_url: format!("http://127.0.0.1:{port}/token"),
            keeping: crate::config::Keeping::Auto,
            scope: String::new(),
        };
        let device = Device::begin(&oauth, "support").await.unwrap();
        assert_eq!((device.page(), device.code()), ("https://p.example", "U"));
        let waits = Mutex::new(Vec::new());
        let note = |span: Duration| {
            waits.lock().unwrap().push(span.as_secs());
            async {}
        };
        assert!(device.wait_by(note).await.is_ok());
        // Five seconds where nothing is said, five more, and twice as long while nobody answers.
        assert_eq!(*waits.lock().unwrap(), [5, 10, 20, 20]);
    }
}
