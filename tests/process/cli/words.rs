//! What commands print and how they fail: for people, for scripts and for terminals.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::{BIN, Shop, error_document, run, stderr, stdout};

#[test]
fn what_cannot_be_printed_is_a_failure_and_a_reader_that_left_is_none() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert_eq!(Command::new(BIN).arg("openapi").stdout(full).status().unwrap().code(), Some(1));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(Command::new(BIN).arg("openapi").stdout(writer).status().unwrap().code(), Some(0));
}

#[test]
fn a_list_of_nothing_is_no_request() {
    assert_eq!(run(&["order", "list", "--limit=0", "--data-dir=/nowhere"]).status.code(), Some(2));
}

#[test]
fn an_address_in_use_is_told_with_the_setting_and_leaves_no_alert() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let shop = Shop::new();
    let refusal = shop.refusal(&["demo", "--listen", &address]);
    assert!(refusal.contains("--listen") && refusal.contains("http.listen"), "{refusal}");
    assert_eq!(shop.json(&["alerts"]), serde_json::json!([]));
}

#[test]
fn with_json_every_failure_is_one_document_that_tells_why() {
    let shop = Shop::with_operator();
    let output = shop.run(&["host", "add", "--ip=nowhere", "--name=www", "--port-range=9-5", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(error_document(&output)["error"].as_str().unwrap().contains("--port-range"));
    let output = shop.run(&["host", "add", "--ip=nowhere", "--name=www", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let document = error_document(&output);
    assert!(document["fields"]["ip"][0].is_string() && document["fields"]["name"][0].is_string(), "{document}");
    assert!(document["error"].as_str().unwrap().contains("--ip: "), "{document}");
    let output = shop.run(&["host", "list", "--bogus", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(error_document(&output)["error"], "unexpected argument '--bogus' found");
    let output = run(&["host", "list", "--json", "--data-dir", "/no/such/folder"]);
    assert_eq!((output.status.code(), &error_document(&output)["fields"]), (Some(1), &serde_json::json!({})));
    std::fs::write(shop.config(), "[http]\nlisten = 5\n").unwrap();
    let output = shop.run(&["host", "list", "--json"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(error_document(&output)["fields"]["http.listen"][0].is_string());
}

#[test]
fn a_wrong_value_is_named_by_the_argument_that_it_came_from() {
    let shop = Shop::new();
    assert!(shop.refusal(&["operator", "add", "a b"]).contains("error: NAME: "));
    let file = shop.0.path().join("password");
    std::fs::write(&file, "short").unwrap();
    let refusal = shop.refusal(&["operator", "add", "anna", "--password-file", file.to_str().unwrap()]);
    assert!(refusal.contains("--password-file or --password-stdin or --password-from: "), "{refusal}");
    let ports = stderr(&run(&["host", "ports"]));
    assert!(ports.contains("--premium") && ports.contains("--silver"), "{ports}");
}

#[test]
fn serve_tells_a_script_where_the_shop_is_as_soon_as_it_answers() {
    let shop = Shop::new();
    let place = shop.0.path().to_str().unwrap();
    let config = format!("data_dir = \"{place}\"\n[http]\nlisten = \"127.0.0.1:0\"\n[onion]\nenabled = false\n");
    std::fs::write(shop.config(), config).unwrap();
    let mut command = Command::new(BIN);
    command.args(["serve", "--json", "--config"]).arg(shop.config()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = command.spawn().unwrap();
    let mut documents = serde_json::Deserializer::from_reader(process.stdout.take().unwrap()).into_iter::<Value>();
    let told = documents.next().unwrap().unwrap();
    let address = told["shop_url"].as_str().unwrap().strip_prefix("http://").unwrap();
    let answers = std::net::TcpStream::connect(address);
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(answers.is_ok() && told["data_dir"] == place, "{told}");
}

#[test]
fn an_operators_password_is_given_or_made_and_shown_once() {
    let shop = Shop::new();
    let made = shop.json(&["operator", "add", "anna", "--role", "administrator"]);
    assert_eq!(made["password"].as_str().map(str::len), Some(24));
    let file = shop.0.path().join("password");
    std::fs::write(&file, "correct horse\n").unwrap();
    let given = shop.json(&["operator", "add", "bert", "--password-file", file.to_str().unwrap()]);
    assert_eq!(given.get("password"), None);
    let list = shop.json(&["operator", "list"]);
    assert_eq!((list[0]["role"].as_str(), list[1]["role"].as_str()), (Some("administrator"), Some("operator")));
    assert!(list[0].get("password").is_none());
    shop.json(&["operator", "set-password", "bert"]);
    assert!(shop.refusal(&["operator", "add", "anna"]).contains("anna"));
    assert!(shop.refusal(&["operator", "set-password", "carl"]).contains("list"));
}

#[test]
fn the_site_and_the_deny_lists_are_kept() {
    let shop = Shop::new();
    shop.json(&["site", "set", "--domain", "shop.example", "--name", "A Shop"]);
    assert_eq!(shop.json(&["site", "show"]), serde_json::json!({"domain": "shop.example", "name": "A Shop"}));
    let target = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
    let entry = shop.json(&["deny", "add", "--target", &target.to_uppercase(), "--comment", "abuse"]);
    assert_eq!((entry["value"].as_str(), entry["is_denied"].as_bool()), (Some(target), Some(true)));
    assert!(shop.refusal(&["deny", "add", "--target", "abc.onion"]).contains("--target: "));
    assert!(shop.refusal(&["deny", "add", "--ip", "1.2.3"]).contains("--ip: "));
    shop.json(&["deny", "add", "--ip", "192.0.2.9", "--status", "in_review"]);
    assert_eq!(shop.json(&["deny", "list"]).as_array().unwrap().len(), 2);
    shop.json(&["deny", "remove", "--target", target]);
    assert_eq!(shop.json(&["deny", "list"])[0]["is_denied"], false);
    assert!(!shop.refusal(&["deny", "remove", "--target", target]).is_empty());
}

#[test]
fn an_empty_shop_says_so() {
    let shop = Shop::with_operator();
    for args in [["host", "list"], ["node", "list"], ["deny", "list"]] {
        assert_eq!(shop.json(&args), serde_json::json!([]), "{args:?}");
        assert!(!stdout(&shop.run(&args)).trim().is_empty(), "{args:?}");
    }
    assert_eq!(shop.json(&["alerts"]), serde_json::json!([]));
}

#[test]
fn the_doctor_says_what_is_missing_and_fails_when_it_is_bad() {
    let shop = Shop::with_operator();
    let output = shop.run(&["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(1), "no node: nobody can pay");
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let find = |about: &str| findings.as_array().unwrap().iter().find(|finding| finding["about"] == about).unwrap();
    assert_eq!((&find("database")["grade"], &find("nodes")["grade"]), (&"good".into(), &"bad".into()));
    assert_eq!(find("onion")["text"], "no address yet: the next start makes one");
}

#[test]
fn a_clock_is_accepted_by_whoever_knows_what_day_it_is() {
    let shop = Shop::with_operator();
    let database = rusqlite::Connection::open(shop.0.path().join("shop.sqlite3")).unwrap();
    // The shop has run in 2100.
    database.execute("INSERT INTO meta (key, value) VALUES ('newest_time', 4102444800000)", []).unwrap();
    let shown = shop.json(&["clock", "show"]);
    assert_eq!((&shown["is_behind"], &shown["newest"]), (&true.into(), &"2100-01-01T00:00:00Z".into()));
    assert!(stdout(&shop.run(&["doctor"])).contains("clock accept --today"));
    assert!(shop.refusal(&["clock", "accept", "--today", "2001-01-01"]).contains("set it first"));
    assert_eq!(shop.run(&["clock", "accept", "--today", "yesterday"]).status.code(), Some(2));

    let today = &shown["now"].as_str().unwrap()[..10];
    let accepted = shop.json(&["clock", "accept", "--today", today]);
    assert_eq!((&accepted["accepted"], &accepted["products"]), (&true.into(), &serde_json::json!([])));
    assert_eq!(shop.json(&["clock", "show"])["is_behind"], false);
    assert_eq!(shop.json(&["clock", "accept", "--today", today])["accepted"], false);
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [&["host", "list", "--bogus"][..], &["nonsense"], &["deny", "add"], &["site", "set", "--data-dir=x"]] {
        assert_eq!(run(args).status.code(), Some(2), "{args:?}");
    }
    assert!(run(&["--version"]).status.success());
}

#[test]
fn a_name_that_does_something_to_a_terminal_is_refused_and_one_that_is_stored_is_shown_by_its_numbers() {
    let shop = Shop::with_operator();
    let rude = "--name=a\u{1b}[2Jb";
    let refused = shop.refusal(&["host", "add", "--ip=192.0.2.1", rude]);
    assert!(refused.contains("--name") && refused.contains("Control characters"), "{refused}");
    let deny = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
    for sign in ["\u{1b}", "\u{202e}", "\u{200b}"] {
        let rude = |flag: &str| format!("{flag}a{sign}b");
        for (args, flag) in [
            (&["host", "add", "--ip=192.0.2.1"][..], "--name="),
            (&["host", "add", "--ip=192.0.2.1", "--name=one"], "--description="),
            (&["host", "add", "--ip=192.0.2.1", "--name=one"], "--terms-of-service="),
            (&["host", "add", "--ip=192.0.2.1", "--name=one"], "--terms-of-service-url=https://"),
            (&["node", "add", "--untested", "--kind=cln"], "--host=/"),
            (&["node", "add", "--untested", "--kind=cln", "--host=/run/socket"], "--name="),
            (&["deny", "add", "--target", deny], "--comment="),
            (&["operator", "add"], ""),
        ] {
            let refused = shop.refusal(&[args, &[rude(flag).as_str()]].concat());
            let named = flag.split('=').next().unwrap();
            assert!(
                refused.contains(named) && refused.contains("can't be seen") && !refused.contains(sign),
                "{refused:?}"
            );
        }
        let misused = shop.run(&["order", "show", sign]);
        assert!(misused.status.code() == Some(2) && !stderr(&misused).contains(sign), "{}", stderr(&misused));
    }
    let host = shop.json(&["host", "add", "--ip=192.0.2.1", "--name=one"]);
    let database = rusqlite::Connection::open(shop.0.path().join("shop.sqlite3")).unwrap();
    database.execute("UPDATE host SET description = 'a' || char(27) || '[2Jb'", []).unwrap();
    let id = host["id"].as_str().unwrap();
    for args in [&["host", "show", id][..], &["host", "show", id, "--json"]] {
        let shown = stdout(&shop.run(args));
        assert!(!shown.contains('\u{1b}') && shown.contains("[2Jb"), "{args:?}: {shown:?}");
    }
}
