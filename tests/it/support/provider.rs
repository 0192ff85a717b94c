//! A stand-in for who gives out OAuth2 tokens: RFC 6749, 7636 and 8628, as Google and Microsoft document
//! theirs, their faults included. What it gives out is known to the real mail servers of the tests.

use super::web::{Asked, Reply, pairs, serve};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// Every token that is good now, of whatever provider, with the account that it opens.
static GOOD: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
static COUNT: AtomicU64 = AtomicU64::new(0);

/// What a provider knows, and how it behaves.
pub struct State {
    pub client_id: String,
    pub client_secret: Option<String>,
    /// The account that signs in.
    pub user: String,
    /// Seconds that an access token is good.
    pub expires_in: Option<u64>,
    /// Seconds that a sign-in is good, where that is limited.
    pub refresh_expires_in: Option<u64>,
    /// Characters of a token.
    pub length: usize,
    /// Whether a refresh token is good for one use only.
    pub rotates: bool,
    /// Answers of the token endpoint before its usual ones.
    pub first: VecDeque<Reply>,
    /// Error codes for a device that asks, before it gets its token.
    pub device_says: VecDeque<&'static str>,
    /// What the page says instead of giving a code.
    pub page_says: Option<&'static str>,
    refresh_tokens: BTreeSet<String>,
    /// Codes with what they were asked with.
    codes: BTreeMap<String, BTreeMap<String, String>>,
    /// The grant types that were asked for, in order.
    pub grants: Vec<String>,
}

pub struct Provider {
    address: SocketAddr,
    pub state: Arc<Mutex<State>>,
}

impl Provider {
    /// Starts one that lets `user` in.
    pub fn start(user: &str) -> Self {
        let state = Arc::new(Mutex::new(State {
            client_id: "desk-app".to_owned(),
            client_secret: None,
            user: user.to_owned(),
            expires_in: Some(3599),
            refresh_expires_in: None,
            length: 1500,
            rotates: true,
            first: VecDeque::new(),
            device_says: VecDeque::new(),
            page_says: None,
            refresh_tokens: BTreeSet::new(),
            codes: BTreeMap::new(),
            grants: Vec::new(),
        }));
        let shared = state.clone();
        let address = serve(move |asked| shared.lock().unwrap().answer(asked));
        Self { address, state }
    }

    /// The keys of a login that it opens.
    pub fn keys(&self, provider: &str) -> String {
        let url = format!("http://{}", self.address);
        let state = self.state.lock().unwrap();
        let secret = state
            .client_secret
            .as_ref()
            .map_or(String::new(), |secret| format!(", client_secret_command = \"echo {secret}\""));
        format!(
            "oauth = {{ provider = \"{provider}\", client_id = \"{}\", auth_url = \"{url}/authorize\", \
             device_url = \"{url}/device\", token_url = \"{url}/token\", scope = \"mail offline\"{secret} }}\n",
            state.client_id
        )
    }

    pub fn with(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    /// Takes the grant types that were asked for.
    pub fn grants(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().grants)
    }

    /// Takes back every access token that was given out for this account.
    pub fn end_tokens(&self) {
        let user = self.state.lock().unwrap().user.clone();
        GOOD.lock().unwrap().retain(|_, whose| *whose != user);
    }

    /// Ends the sign-in: nothing can be renewed any more.
    pub fn end_sign_in(&self) {
        self.state.lock().unwrap().refresh_tokens.clear();
        self.end_tokens();
    }
}

impl State {
    fn answer(&mut self, asked: &Asked) -> Reply {
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/authorize") => self.page(&asked.query.iter().cloned().collect()),
            ("POST", "/device") => self.device(&form(asked)),
            ("POST", "/token") => self.token(&form(asked)),
            _ => Reply::status(404),
        }
    }

    /// The page on which a person says yes; it sends the browser back.
    fn page(&mut self, query: &BTreeMap<String, String>) -> Reply {
        let get = |name: &str| query.get(name).map_or("", String::as_str);
        let right = get("response_type") == "code"
            && get("client_id") == self.client_id
            && get("code_challenge_method") == "S256"
            && get("code_challenge").len() == 43
            && get("state").len() > 20
            && get("scope") == "mail offline"
            && get("login_hint") == self.user;
        if !right {
            return Reply::json(400, &json!({ "error": "invalid_request" }));
        }
        let back = match self.page_says {
            Some(error) => format!("error={error}&error_description=The+user+said+no"),
            None => {
                let code = format!("code/{}", COUNT.fetch_add(1, Ordering::Relaxed));
                self.codes.insert(code.clone(), query.clone());
                format!("code={}", code.replace('/', "%2F"))
            }
        };
        let back = format!("{}/?{back}&state={}", get("redirect_uri"), get("state"));
        Reply::status(302).with("Location", &back)
    }

    fn device(&self, form: &BTreeMap<String, String>) -> Reply {
        if form.get("client_id") != Some(&self.client_id) {
            return no("invalid_client");
        }
        assert_eq!(form.get("scope").map(String::as_str), Some("mail offline"));
        Reply::json(
            200,
            &json!({
                "device_code": "the-device", "user_code": "ABCD-EFGH", "interval": 0, "expires_in": 900,
                "verification_uri": "https://provider.example/device", "message": "Sign in please",
            }),
        )
    }

    fn token(&mut self, form: &BTreeMap<String, String>) -> Reply {
        let get = |name: &str| form.get(name).map_or("", String::as_str);
        self.grants.push(get("grant_type").rsplit(':').next().unwrap().to_owned());
        if let Some(reply) = self.first.pop_front() {
            return reply;
        }
        if get("client_id") != self.client_id || form.get("client_secret") != self.client_secret.as_ref() {
            return no("invalid_client");
        }
        match get("grant_type") {
            "refresh_token" if !self.refresh_tokens.contains(get("refresh_token")) => no("invalid_grant"),
            "refresh_token" => {
                if self.rotates {
                    self.refresh_tokens.remove(get("refresh_token"));
                }
                self.give(self.rotates)
            }
            "authorization_code" => self.by_code(form),
            "urn:ietf:params:oauth:grant-type:device_code" => match self.device_says.pop_front() {
                Some(error) => no(error),
                None if get("device_code") == "the-device" => self.give(true),
                None => no("bad_verification_code"),
            },
            _ => no("unsupported_grant_type"),
        }
    }

    fn by_code(&mut self, form: &BTreeMap<String, String>) -> Reply {
        let get = |name: &str| form.get(name).map_or("", String::as_str);
        // Good for one use, whatever comes of it.
        let Some(asked) = self.codes.remove(get("code")) else { return no("invalid_grant") };
        let verifier = oauth2::PkceCodeVerifier::new(get("code_verifier").to_owned());
        let challenge = oauth2::PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let same =
            asked["code_challenge"] == challenge.as_str() && asked["redirect_uri"] == get("redirect_uri");
        if same { self.give(true) } else { no("invalid_grant") }
    }

    /// Gives out a token.
    fn give(&mut self, renewable: bool) -> Reply {
        let fresh = |kind: &str, length: usize| {
            let start = format!("{kind}{}.", COUNT.fetch_add(1, Ordering::Relaxed));
            let rest = length.saturating_sub(start.len());
            start
                + &"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".repeat(rest / 64 + 1)
                    [..rest]
        };
        let access = fresh("s3cret-access-", self.length);
        GOOD.lock().unwrap().insert(access.clone(), self.user.clone());
        let mut body = json!({ "token_type": "Bearer", "access_token": access, "scope": "mail" });
        if let Some(seconds) = self.expires_in {
            body["expires_in"] = seconds.into();
        }
        if renewable {
            let refresh = fresh("s3cret-refresh-", self.length);
            self.refresh_tokens.insert(refresh.clone());
            body["refresh_token"] = refresh.into();
        }
        if let Some(seconds) = self.refresh_expires_in {
            body["refresh_token_expires_in"] = seconds.into();
        }
        Reply::json(200, &body)
    }
}

fn form(asked: &Asked) -> BTreeMap<String, String> {
    let pairs = asked.form();
    let count = pairs.len();
    let form: BTreeMap<String, String> = pairs.into_iter().collect();
    assert_eq!(form.len(), count, "a field came twice");
    form
}

/// A refusal as RFC 6749, section 5.2, has it.
pub fn no(error: &str) -> Reply {
    Reply::json(400, &json!({ "error": error, "error_description": format!("AADSTS70000: {error} it is.") }))
}

/// Does what a person and a browser do: opens the page, says yes, and goes where it leads.
///
/// Gives what stood on the last page.
pub fn browse(page: &str) -> String {
    let location = redirected(page);
    get(&location)
}

/// Opens a page that leads on; gives where to.
pub fn redirected(page: &str) -> String {
    let answer = get(page);
    let line = answer.lines().find_map(|line| line.strip_prefix("Location: "));
    line.unwrap_or_else(|| panic!("{page} leads nowhere: {answer}")).to_owned()
}

/// Gets a page; gives its head and body.
pub fn get(url: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host.replace("localhost", "127.0.0.1")).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// Where mail servers ask whose a token is, as the form field `token`.
pub fn introspection() -> SocketAddr {
    static SERVER: OnceLock<SocketAddr> = OnceLock::new();
    *SERVER.get_or_init(|| {
        serve(|asked| {
            let body = String::from_utf8_lossy(&asked.body).into_owned();
            let token = pairs(&body).into_iter().find(|(name, _)| name == "token").map(|(_, token)| token);
            let user = token.and_then(|token| GOOD.lock().unwrap().get(&token).cloned());
            match user {
                Some(user) => Reply::json(200, &json!({ "active": true, "username": user })),
                None => Reply::json(200, &json!({ "active": false })),
            }
        })
    })
}

/// Gives a token for an account, as some other program would have got it.
pub fn good_token(user: &str) -> String {
    let token = format!("other-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    GOOD.lock().unwrap().insert(token.clone(), user.to_owned());
    token
}
