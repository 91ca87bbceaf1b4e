//! How a try to send a message ends.

use crate::services::alert_messages::Refusal;
use crate::web::Answer;

/// A failure that says nothing of when to try again.
pub fn failed(text: impl Into<String>) -> Refusal {
    Refusal { text: text.into(), ..Refusal::default() }
}

/// Whether a web server has taken what it was sent.
///
/// # Errors
/// Why not.
pub fn taken(answer: &Answer) -> Result<(), Refusal> {
    if answer.is_success() {
        return Ok(());
    }
    Err(Refusal { text: answer.problem(), retry_after_secs: answer.retry_after_secs, is_final: false })
}

/// The beginning of a text, in no more than so many bytes.
pub fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most.saturating_sub(3)).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_two_characters() {
        assert_eq!(shortened("short", 5), "short");
        for most in 4..12 {
            let cut = shortened("ääääääää", most);
            assert!(cut.len() <= most && cut.ends_with('…'), "{cut}");
        }
    }
}
