//! A real browser: started headless with an empty profile, driven, looked at, ended.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::driver::{Command, Driver, element};
use crate::live::port::free_port;
use crate::live::process::{Process, wait_until};

/// A page that does not become what it should within this time never does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who looks.
#[derive(Clone, Copy)]
pub struct Visitor {
    /// Pixels; the height is that of the window.
    pub size: (u32, u32),
    pub language: &'static str,
    pub has_script: bool,
    pub likes_dark: bool,
}

/// A window of a desktop.
pub const DESKTOP: Visitor = Visitor { size: (1280, 900), language: "en", has_script: true, likes_dark: false };
/// The narrowest phone there is.
pub const PHONE: Visitor = Visitor { size: (320, 640), ..DESKTOP };

/// A running browser.
pub struct Browser {
    driver: Driver,
    process: Process,
    _profile: TempDir,
}

/// Whether a program is there; when it must be, and is not, the test fails.
pub fn is_installed(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()));
    assert!(
        found || std::env::var_os("REQUIRE_BROWSERS").is_none(),
        "REQUIRE_BROWSERS is set, but {program} is missing"
    );
    if !found {
        println!("SKIPPED: {program} is not installed (`make test` installs it)");
    }
    found
}

impl Browser {
    /// Chromium, as somebody has set it up.
    pub fn chromium(visitor: Visitor) -> Self {
        let profile = tempfile::tempdir().expect("a profile");
        let port = free_port();
        let mut command = Program::new("chromedriver");
        command.arg(format!("--port={port}"));
        let process = Process::spawn(command, &profile.path().join("driver.log"));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        wait_until(PATIENCE, || std::net::TcpStream::connect(address).ok()).expect("the driver listens");
        let driver = Driver::web_driver(address, &capabilities(profile.path(), visitor));
        let mut browser = Self { driver, process, _profile: profile };
        browser.becomes(visitor);
        browser
    }

    /// Firefox as Tor Browser has it at its level "Safest": neither scripts nor SVG nor fonts from pages.
    pub fn safest() -> Self {
        let profile = tempfile::tempdir().expect("a profile");
        let port = free_port();
        std::fs::write(profile.path().join("user.js"), preferences(port)).expect("the preferences are written");
        let mut command = Program::new("firefox-esr");
        command.args(["--headless", "--marionette", "--no-remote", "--width", "1000", "--height", "1000", "--profile"]);
        command.arg(profile.path()).env("HOME", profile.path());
        let process = Process::spawn(command, &profile.path().join("firefox.log"));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let driver = wait_until(PATIENCE, || Driver::marionette(address)).expect("the browser listens");
        Self { driver, process, _profile: profile }
    }

    /// Somebody sits down, with a window and a liking of their own.
    pub fn becomes(&mut self, visitor: Visitor) {
        let (width, height) = visitor.size;
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.tell(&Command::Chromium("Emulation.setDeviceMetricsOverride", size));
        let scheme = if visitor.likes_dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.tell(&Command::Chromium("Emulation.setEmulatedMedia", features));
    }

    /// From now on a proxy of the operator's stands before the shop, and speaks https outside.
    pub fn comes_by_https(&mut self) {
        self.tell(&Command::Chromium("Network.enable", json!({})));
        let headers = json!({"headers": {"X-Forwarded-Proto": "https"}});
        self.tell(&Command::Chromium("Network.setExtraHTTPHeaders", headers));
    }

    fn tell(&mut self, command: &Command<'_>) -> Value {
        self.driver.call(command).unwrap_or_else(|error| panic!("{error}"))
    }

    pub fn go(&mut self, url: &str) {
        self.tell(&Command::Go(url));
    }

    pub fn address(&mut self) -> String {
        self.tell(&Command::Address).as_str().expect("a URL").to_owned()
    }

    fn find(&mut self, selector: &str) -> Option<String> {
        let found = self.driver.call(&Command::Find(selector)).ok()?;
        element(&found).map(str::to_owned)
    }

    fn must_find(&mut self, selector: &str) -> String {
        self.find(selector).unwrap_or_else(|| panic!("no {selector} at {}", self.address()))
    }

    pub fn has(&mut self, selector: &str) -> bool {
        self.find(selector).is_some()
    }

    pub fn click(&mut self, selector: &str) {
        // What shows its news by itself may have been drawn anew in between.
        let pressed = (0..3).any(|_| {
            let id = self.must_find(selector);
            match self.driver.call(&Command::Click(&id)) {
                Ok(_) => true,
                Err(error) if error.contains("stale element") => false,
                Err(error) => panic!("{selector}: {error}"),
            }
        });
        assert!(pressed, "{selector} does not stay");
    }

    pub fn fill(&mut self, selector: &str, text: &str) {
        let id = self.must_find(selector);
        self.tell(&Command::Clear(&id));
        self.tell(&Command::Type(&id, text));
    }

    pub fn text(&mut self, selector: &str) -> String {
        let id = self.must_find(selector);
        self.tell(&Command::Text(&id)).as_str().unwrap_or_default().to_owned()
    }

    /// What stands in a field.
    pub fn value(&mut self, selector: &str) -> String {
        let id = self.must_find(selector);
        self.tell(&Command::Property(&id, "value")).as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page has something, without touching it.
    pub fn wait_for(&mut self, selector: &str) {
        let found = wait_until(PATIENCE, || self.find(selector));
        assert!(found.is_some(), "no {selector} at {}: {}", self.address(), self.text("body"));
    }

    /// Runs a script in the page; a promise is waited for.
    pub fn run(&mut self, script: &str) -> Value {
        self.tell(&Command::Run(script))
    }

    /// What the console complains about: errors, and what the page's policy forbids.
    pub fn complaints(&mut self) -> Vec<String> {
        let lines = self.tell(&Command::Console);
        let lines = lines.as_array().cloned().unwrap_or_default();
        lines.iter().map(|line| format!("{}: {}", line["level"], line["message"])).collect()
    }

    /// The whole page as a picture, kept below `target/screenshots`.
    pub fn screenshot(&mut self, name: &str) -> Vec<u8> {
        let whole = json!({"format": "png", "captureBeyondViewport": true});
        let picture = match self.driver {
            Driver::WebDriver { .. } => self.tell(&Command::Chromium("Page.captureScreenshot", whole))["data"].clone(),
            Driver::Marionette { .. } => self.tell(&Command::Screenshot),
        };
        let picture = STANDARD.decode(picture.as_str().expect("a picture")).expect("base64");
        let folder = screenshots();
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        std::fs::write(folder.join(format!("{name}.png")), &picture).expect("the picture is kept");
        picture
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium's driver leaves its browser behind when it ends by a signal.
        let _ = self.driver.call(&Command::End);
        if self.process.is_running() {
            self.process.signal("TERM");
            self.process.wait(Duration::from_secs(10));
        }
    }
}

/// Where pictures are kept.
pub fn screenshots() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots")
}

fn capabilities(profile: &Path, visitor: Visitor) -> Value {
    let mut arguments: Vec<String> = [
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-dev-shm-usage",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "hide-scrollbars",
    ]
    .map(|name| format!("--{name}"))
    .into();
    arguments.push(format!("--user-data-dir={}", profile.join("chromium").display()));
    arguments.push(format!("--accept-lang={}", visitor.language));
    let scripts = if visitor.has_script { 1 } else { 2 };
    let preferences = json!({
        "profile.managed_default_content_settings.javascript": scripts,
        "intl.accept_languages": visitor.language,
    });
    json!({
        "goog:chromeOptions": {"args": arguments, "prefs": preferences},
        "goog:loggingPrefs": {"browser": "ALL"},
        // Milliseconds: a machine that does much else takes longer than the usual half a minute.
        "timeouts": {"script": 55_000},
    })
}

fn preferences(port: u16) -> String {
    let switches = [
        ("javascript.enabled", "false".to_owned()),
        ("svg.disabled", "true".to_owned()),
        ("mathml.disabled", "true".to_owned()),
        ("gfx.downloadable_fonts.enabled", "false".to_owned()),
        ("marionette.port", port.to_string()),
        ("intl.accept_languages", "\"en\"".to_owned()),
        ("app.update.enabled", "false".to_owned()),
        ("datareporting.policy.dataSubmissionEnabled", "false".to_owned()),
        ("toolkit.telemetry.enabled", "false".to_owned()),
        ("browser.shell.checkDefaultBrowser", "false".to_owned()),
    ];
    switches.iter().map(|(name, value)| format!("user_pref(\"{name}\", {value});\n")).collect()
}
