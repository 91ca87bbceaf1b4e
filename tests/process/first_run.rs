//! A shop that nobody runs yet, with the real program: the link that it prints, and the face on which it is opened.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::live::http::{Body, Client};
use crate::live::process::BIN;

/// A folder with a configuration and nothing else.
struct Shop(tempfile::TempDir);

impl Shop {
    fn new(admin_listen: &str) -> Self {
        let shop = Self(tempfile::tempdir().unwrap());
        let config = format!(
            "data_dir = {:?}\n[http]\nlisten = \"127.0.0.1:0\"\nadmin_listen = {admin_listen:?}\n[onion]\nenabled = false\n",
            shop.0.path().join("data").to_str().unwrap()
        );
        std::fs::write(shop.0.path().join("config.toml"), config).unwrap();
        shop
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BIN);
        command.args(args).arg("--config").arg(self.0.path().join("config.toml")).env_remove("RUST_LOG");
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Starts the shop; what it says of itself once it answers.
    fn start(&self) -> (Running, Value) {
        let log = std::fs::File::create(self.log()).unwrap();
        let mut process = self.command(&["serve", "--json"]).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut told = serde_json::Deserializer::from_reader(process.stdout.take().unwrap()).into_iter::<Value>();
        let running = Running(process);
        (running, told.next().unwrap().unwrap())
    }

    fn log(&self) -> std::path::PathBuf {
        self.0.path().join("log")
    }
}

/// A running shop; killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn client(told: &Value, which: &str) -> Client {
    Client::new(told[which].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap())
}

fn key(link: &Value) -> String {
    link.as_str().unwrap().split_once("/admin/#setup=").unwrap().1.to_owned()
}

fn setup(client: &Client, key: &str) -> u16 {
    let body = json!({"token": key, "name": "anna", "password": "a lamp by the window"});
    client.send("POST", "/api/v1/admin/setup/", &Body::Json(body)).unwrap().status
}

#[test]
fn serve_prints_a_link_with_which_the_first_administrator_is_made_and_no_other_when_there_is_one() {
    let shop = Shop::new("127.0.0.1:0");
    let (running, told) = shop.start();
    let first = key(&told["first_run_link"]);
    assert!(told["first_run_link"].as_str().unwrap().starts_with(told["admin_url"].as_str().unwrap()));
    assert_eq!(client(&told, "shop_url").get("/api/v1/admin/setup/").unwrap().status, 404, "on its own face alone");
    drop(running);
    let (running, told) = shop.start();
    let second = key(&told["first_run_link"]);
    let admin = client(&told, "admin_url");
    assert_eq!(setup(&admin, &first), 400, "each start prints a new one");
    assert_eq!(setup(&admin, &second), 200);
    let list: Value = serde_json::from_slice(&shop.run(&["operator", "list", "--json"]).stdout).unwrap();
    assert_eq!((&list[0]["name"], &list[0]["role"]), (&json!("anna"), &json!("administrator")));
    drop(running);
    let (_running, told) = shop.start();
    assert_eq!(told["first_run_link"], Value::Null);
}

#[test]
fn a_new_link_is_made_beside_a_running_shop() {
    let port = crate::port::free_port();
    let shop = Shop::new(&format!("127.0.0.1:{port}"));
    let (_running, told) = shop.start();
    let made = shop.run(&["operator", "first-run-link", "--json"]);
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let admin = client(&told, "admin_url");
    assert_eq!(setup(&admin, &key(&told["first_run_link"])), 400, "the one before is void");
    assert_eq!(setup(&admin, &key(&made["first_run_link"])), 200);
    let refused = shop.run(&["operator", "first-run-link"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("set-password"));
}

/// Takes one message, as a server of ntfy does; what it was sent.
fn take_one(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut sent = Vec::new();
    let mut piece = [0; 4096];
    while !sent.ends_with(b"}") {
        let length = stream.read(&mut piece).unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&sent));
        sent.extend_from_slice(&piece[..length]);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}").unwrap();
    String::from_utf8_lossy(&sent).into_owned()
}

#[test]
fn a_channel_is_tested_over_http_and_its_receiver_has_the_message() {
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let shop = Shop::new("127.0.0.1:0");
    let file = shop.0.path().join("config.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(shop.0.path().join("topic"), "the-topic").unwrap();
    let topic = shop.0.path().join("topic").display().to_string();
    let ntfy =
        format!("[alerts.ntfy]\nurl = \"http://{}\"\ntopic = \"file:{topic}\"\n", receiver.local_addr().unwrap());
    std::fs::write(&file, config + &ntfy).unwrap();
    let (_running, told) = shop.start();
    let admin = client(&told, "admin_url");
    assert_eq!(setup(&admin, &key(&told["first_run_link"])), 200);
    let anna = admin.as_person("anna", "a lamp by the window");
    let taker = std::thread::spawn(move || take_one(&receiver));
    let test = |who: &Client, channel: &str| {
        who.send("POST", &format!("/api/v1/admin/alert-channels/{channel}/test/"), &Body::None).unwrap()
    };
    let tested = test(&anna, "ntfy");
    assert_eq!((tested.status, tested.json()["works"].clone()), (200, json!(true)), "{tested:?}");
    let sent = taker.join().unwrap();
    assert!(sent.starts_with("POST / HTTP/1.1") && sent.contains("\"topic\":\"the-topic\""), "{sent}");
    // Nobody listens there any more.
    let failed = test(&anna, "ntfy");
    assert_eq!((failed.status, failed.json()["works"].clone()), (200, json!(false)), "{failed:?}");
    assert_eq!(test(&anna, "pigeon").status, 404);
    assert_eq!(test(&admin, "ntfy").status, 401);
    let list = anna.get("/api/v1/admin/alert-channels/").unwrap().json();
    assert_eq!((&list[0]["name"], list.as_array().map(Vec::len)), (&json!("ntfy"), Some(1)), "{list}");
}

#[test]
fn a_taken_address_costs_the_shop_that_face_alone() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let shop = Shop::new(&taken.local_addr().unwrap().to_string());
    let (_running, told) = shop.start();
    assert_eq!((&told["admin_url"], &told["first_run_link"]), (&Value::Null, &Value::Null));
    assert_eq!(client(&told, "shop_url").get("/healthz").unwrap().status, 200);
    assert!(std::fs::read_to_string(shop.log()).unwrap().contains("http.admin_listen"));
    let off = Shop::new("off");
    let (_running, told) = off.start();
    assert_eq!(told["admin_url"], Value::Null);
}
