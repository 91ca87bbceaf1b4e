//! The language of messages: English, or German where the request asks for it.

/// A language of the answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English, also for everything unknown.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// The best known language of an `Accept-Language` header.
    pub fn accepted(header: Option<&str>) -> Self {
        let mut best = (Self::English, 0.0);
        for choice in header.unwrap_or_default().split(',').take(16) {
            let (tag, parameters) = choice.split_once(';').unwrap_or((choice, ""));
            let quality = parameters.trim().strip_prefix("q=").and_then(|q| q.trim().parse().ok()).unwrap_or(1.0);
            let language = match tag.trim().split('-').next().map(str::to_ascii_lowercase).as_deref() {
                Some("de") => Self::German,
                Some("en") => Self::English,
                _ => continue,
            };
            if quality > best.1 {
                best = (language, quality);
            }
        }
        best.0
    }

    /// The value of `Content-Language`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
}

/// The German text of a message; messages without one stay English.
pub fn german(text: &str) -> Option<&'static str> {
    Some(match text {
        "Not found." => "Nicht gefunden.",
        "Authentication credentials were not provided." => "Anmeldedaten fehlen.",
        "You do not have permission to perform this action." => "Das ist mit diesen Rechten nicht erlaubt.",
        "Could not satisfy the request Accept header." => "Keine Antwortform passt zum Accept-Header der Anfrage.",
        "Invalid token." => "Ungültiges Token.",
        "Invalid username/password." => "Benutzername oder Passwort ist falsch.",
        "This field is required." => "Dieses Feld ist zwingend erforderlich.",
        "This field may not be null." => "Dieses Feld darf nicht null sein.",
        "This field may not be blank." => "Dieses Feld darf nicht leer sein.",
        "Not a valid string." => "Kein gültiger Text.",
        "Must be a valid boolean." => "Muss ein gültiger Wahrheitswert sein.",
        "Must be a valid UUID." => "Muss eine gültige UUID sein.",
        "A valid integer is required." => "Eine ganze Zahl ist erforderlich.",
        "No data provided" => "Keine Daten angegeben",
        "Must include a port as last part." => "Am Ende muss ein Port stehen.",
        "Must be an .onion address followed by a port." => "Muss eine .onion-Adresse mit Port sein.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn the_best_known_language_wins_and_english_is_the_default() {
        for (header, tag) in [
            (None, "en"),
            (Some("de"), "de"),
            (Some("de-AT,en;q=0.5"), "de"),
            (Some("fr, de;q=0.2, en;q=0.8"), "en"),
            (Some("fr"), "en"),
            (Some(";;q=x,,"), "en"),
        ] {
            assert_eq!(Language::accepted(header).tag(), tag, "{header:?}");
        }
    }
}
