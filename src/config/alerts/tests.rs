//! What can be said of the channels, and what is shown of it.

use super::*;
use crate::config::Config;

const ALL: &str = r#"
    [alerts]
    severity = "info"
    quiet_hours = "22:00-07:00"
    [alerts.email]
    server = "smtp.example.com"
    user = "shop"
    password = "cred:smtp"
    from = "Shop <shop@example.com>"
    to = ["me@example.com"]
    [alerts.ntfy]
    url = "https://ntfy.example"
    topic = "file:/topic"
    [alerts.webhook]
    url = "https://hook.example/very-secret-path"
    secret = "env:HOOK"
    [alerts.heartbeat]
    url = "https://beat.example/another-secret"
"#;

#[test]
fn nothing_secret_is_shown_of_a_channel() {
    let config = Config::parse(ALL).unwrap();
    let email = config.alerts.email.as_ref().unwrap();
    assert_eq!((email.port, email.tls), (587, MailTls::StartTls));
    let shown = format!("{:?} {config:?}", config.shown());
    assert!(!shown.contains("secret-path") && !shown.contains("another-secret"), "{shown}");
    assert!(shown.contains("https://hook.example/…") && shown.contains("cred:smtp"), "{shown}");
}

#[test]
fn a_channel_that_can_not_work_is_a_problem_of_the_file() {
    for (text, key) in [
        ("[alerts]\nseverity = \"bad\"", "alerts.severity"),
        ("[alerts]\nquiet_hours = \"night\"", "alerts.quiet_hours"),
        ("[alerts.email]\nfrom = \"a@b.example\"\nto = [\"a@b.example\"]", "alerts.email.server"),
        ("[alerts.email]\nserver = \"a\"\nfrom = \"a@b.example\"", "alerts.email.to"),
        ("[alerts.email]\nserver = \"a\"\nfrom = \"nobody\"\nto = [\"a@b.example\"]", "alerts.email.from"),
        ("[alerts.email]\nserver = \"a:25\"\nfrom = \"a@b.example\"\nto = [\"a@b.example\"]", "alerts.email.server"),
        (
            "[alerts.email]\nserver = \"a\"\ntls = \"none\"\nfrom = \"a@b.example\"\nto = [\"a@b.example\"]",
            "alerts.email.tls",
        ),
        ("[alerts.ntfy]\nurl = \"https://ntfy.example\"\ntopic = \"my-topic\"", "alerts.ntfy.topic"),
        ("[alerts.ntfy]\nurl = \"http://ntfy.example\"\ntopic = \"env:TOPIC\"", "alerts.ntfy.url"),
        ("[alerts.webhook]\nurl = \"https://a.example\"", "alerts.webhook.secret"),
        ("[alerts.heartbeat]\nurl = \"https://a.example\"\ninterval_secs = 1", "alerts.heartbeat.interval_secs"),
        ("[alerts.nostr]\nto = \"npub1\"\nkey = \"env:KEY\"\nrelays = [\"wss://a.example\"]", "alerts.nostr.to"),
        ("[alerts.pager]\nurl = \"https://a.example\"", "alerts.pager"),
    ] {
        let problems = Config::parse(text).unwrap_err();
        assert_eq!(problems.0.iter().map(|problem| problem.key.as_str()).collect::<Vec<_>>(), [key], "{problems}");
    }
}

#[test]
fn a_secret_that_was_written_into_the_file_is_not_repeated() {
    let problems = Config::parse("[alerts.ntfy]\nurl = \"hunter2\"\ntopic = \"hunter2\"").unwrap_err();
    assert!(!problems.to_string().contains("hunter2"), "{problems}");
}
