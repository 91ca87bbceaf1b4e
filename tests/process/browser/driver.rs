//! What drives a browser: the commands that the tests need, as Chromium's driver hears them (WebDriver, over HTTP) and as
//! Firefox does by itself (Marionette, over a connection of its own). Both mean the same by them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::live::http::{Body, Client};

/// The key under which both answer with an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// A command that takes longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a browser is told.
pub enum Command<'a> {
    Go(&'a str),
    Address,
    Find(&'a str),
    Click(&'a str),
    Clear(&'a str),
    Type(&'a str, &'a str),
    Text(&'a str),
    Property(&'a str, &'a str),
    Run(&'a str),
    /// One of Chromium's own, with its parameters.
    Chromium(&'a str, Value),
    /// The lines of the console since the last time.
    Console,
    Screenshot,
    /// Close, and go.
    End,
}

/// The way to a browser.
pub enum Driver {
    WebDriver { client: Client, session: String },
    Marionette { stream: TcpStream, number: u32 },
}

impl Driver {
    /// Begins a session of Chromium's driver.
    pub fn web_driver(address: SocketAddr, capabilities: &Value) -> Self {
        let client = Client::new(address);
        let body = json!({"capabilities": {"alwaysMatch": capabilities}});
        let answer = client.send("POST", "/session", &Body::Json(body)).expect("the driver answers").json();
        let session =
            answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {answer}")).to_owned();
        Self::WebDriver { client, session }
    }

    /// Begins a session of Firefox, or says that it does not listen yet.
    pub fn marionette(address: SocketAddr) -> Option<Self> {
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        read(&mut stream).expect("a greeting");
        let mut driver = Self::Marionette { stream, number: 0 };
        driver.marionette_call("WebDriver:NewSession", &json!({})).expect("a session");
        Some(driver)
    }

    /// Tells the browser something; what went wrong is its own word for it.
    ///
    /// # Errors
    /// The browser's reason.
    pub fn call(&mut self, command: &Command<'_>) -> Result<Value, String> {
        match self {
            Self::WebDriver { client, session } => {
                let (method, path, body) = web_driver_form(command);
                let body = if method == "POST" { Body::Json(body) } else { Body::None };
                let path = format!("/session/{session}/{path}");
                let answer =
                    client.send(method, path.trim_end_matches('/'), &body).map_err(|error| error.to_string())?;
                let value = answer.json()["value"].clone();
                if answer.status == 200 { Ok(value) } else { Err(value["message"].to_string()) }
            }
            Self::Marionette { .. } => {
                let (name, parameters) = marionette_form(command);
                self.marionette_call(name, &parameters).map(|answer| answer.get("value").cloned().unwrap_or(answer))
            }
        }
    }

    fn marionette_call(&mut self, name: &str, parameters: &Value) -> Result<Value, String> {
        let Self::Marionette { stream, number } = self else { return Err("another browser".to_owned()) };
        *number += 1;
        let text = json!([0, number, name, parameters]).to_string();
        stream.write_all(format!("{}:{text}", text.len()).as_bytes()).map_err(|error| error.to_string())?;
        let answer = read(stream)?;
        if answer[2].is_null() { Ok(answer[3].clone()) } else { Err(answer[2]["message"].to_string()) }
    }
}

/// The id of the element that was found.
pub fn element(found: &Value) -> Option<&str> {
    found[ELEMENT].as_str()
}

fn web_driver_form(command: &Command<'_>) -> (&'static str, String, Value) {
    let post = |path: String, body: Value| ("POST", path, body);
    let get = |path: &str| ("GET", path.to_owned(), Value::Null);
    match command {
        Command::Go(url) => post("url".to_owned(), json!({"url": url})),
        Command::Address => get("url"),
        Command::Find(selector) => post("element".to_owned(), by_selector(selector)),
        Command::Click(id) => post(format!("element/{id}/click"), json!({})),
        Command::Clear(id) => post(format!("element/{id}/clear"), json!({})),
        Command::Type(id, text) => post(format!("element/{id}/value"), json!({"text": text})),
        Command::Text(id) => get(&format!("element/{id}/text")),
        Command::Property(id, name) => get(&format!("element/{id}/property/{name}")),
        Command::Run(script) => post("execute/sync".to_owned(), json!({"script": script, "args": []})),
        Command::Chromium(name, parameters) => {
            post("goog/cdp/execute".to_owned(), json!({"cmd": name, "params": parameters}))
        }
        Command::Console => post("se/log".to_owned(), json!({"type": "browser"})),
        Command::Screenshot => get("screenshot"),
        Command::End => ("DELETE", String::new(), Value::Null),
    }
}

fn marionette_form(command: &Command<'_>) -> (&'static str, Value) {
    match command {
        Command::Go(url) => ("WebDriver:Navigate", json!({"url": url})),
        Command::Address => ("WebDriver:GetCurrentURL", json!({})),
        Command::Find(selector) => ("WebDriver:FindElement", by_selector(selector)),
        Command::Click(id) => ("WebDriver:ElementClick", json!({"id": id})),
        Command::Clear(id) => ("WebDriver:ElementClear", json!({"id": id})),
        Command::Type(id, text) => ("WebDriver:ElementSendKeys", json!({"id": id, "text": text})),
        Command::Text(id) => ("WebDriver:GetElementText", json!({"id": id})),
        Command::Property(id, name) => ("WebDriver:GetElementProperty", json!({"id": id, "name": name})),
        Command::Run(script) => ("WebDriver:ExecuteScript", json!({"script": script, "args": []})),
        Command::Screenshot => ("WebDriver:TakeScreenshot", json!({"full": true, "hash": false})),
        Command::End => ("Marionette:Quit", json!({"flags": ["eForceQuit"]})),
        Command::Chromium(name, _) => panic!("{name} is Chromium's"),
        Command::Console => panic!("the console is read in Chromium"),
    }
}

fn by_selector(selector: &str) -> Value {
    json!({"using": "css selector", "value": selector})
}

/// A message of Marionette: its length, a colon, JSON.
fn read(stream: &mut TcpStream) -> Result<Value, String> {
    let mut length = 0;
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).map_err(|error| error.to_string())?;
        match byte[0] {
            b':' => break,
            digit => length = length * 10 + usize::from(digit - b'0'),
        }
    }
    let mut text = vec![0; length];
    stream.read_exact(&mut text).map_err(|error| error.to_string())?;
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}
