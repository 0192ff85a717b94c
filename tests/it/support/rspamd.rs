//! A throw-away Rspamd on loopback ports, shared by all tests of one process.
//!
//! Watched from outside: when the test process ends, however it ends, it is stopped and its folder removed.

use super::mail_server::keeper;
use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Child,
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

static SERVER: OnceLock<Rspamd> = OnceLock::new();

/// The filter and its ports.
pub struct Rspamd {
    folder: PathBuf,
    worker: u16,
    controller: u16,
    _watchdog: Child,
}

impl Rspamd {
    /// Gives the filter of this process; the first call starts it.
    ///
    /// `CARGO_PKG_NAME` holds the controller's password, `CARGO_PKG_LICENSE` the one that may only look.
    pub fn get() -> &'static Self {
        SERVER.get_or_init(Self::start)
    }

    /// The values of `url` and `controller_url` in the config.
    pub fn urls(&self) -> (String, String) {
        (format!("http://127.0.0.1:{}", self.worker), format!("http://127.0.0.1:{}/", self.controller))
    }

    fn start() -> Self {
        let program = "/usr/bin/rspamd";
        assert!(Path::new(program).exists(), "{program} is missing: install rspamd (tests/run does)");
        let folder = tempfile::Builder::new().prefix("deskbell-rspamd").tempdir().unwrap().keep();
        let held: [TcpListener; 2] = std::array::from_fn(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap());
        let [worker, controller] = held.map(|listener| listener.local_addr().unwrap().port());
        let conf = include_str!("rspamd.conf")
            .replace("@DIR@", &folder.display().to_string())
            .replace("@WORKER@", &worker.to_string())
            .replace("@CONTROLLER@", &controller.to_string());
        fs::write(folder.join("rspamd.conf"), conf).unwrap();
        let server = Self { worker, controller, _watchdog: watchdog(&folder), folder };
        server.wait_for(worker);
        server.wait_for(controller);
        server
    }

    fn wait_for(&self, port: u16) {
        let until = Instant::now() + Duration::from_secs(60);
        while !answers(port) {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < until, "rspamd does not answer on port {port}\n{log}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Asks for a sign of life: the ports are open before the workers listen.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut said = String::new();
    write!(stream, "GET /ping HTTP/1.0\r\n\r\n").is_ok()
        && stream.read_to_string(&mut said).is_ok()
        && said.ends_with("pong\r\n")
}

/// Runs the filter, waits beside this process, and cleans up behind it.
fn watchdog(folder: &Path) -> Child {
    let script = r#"rspamd --no-fork --insecure --config "$0/rspamd.conf" </dev/null >"$0/out" 2>&1 &
        cat >/dev/null
        kill $!
        wait
        rm -rf "$0""#;
    keeper(script, folder)
}
