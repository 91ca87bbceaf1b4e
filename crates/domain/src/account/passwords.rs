//! Which passwords are refused: those that somebody who guesses tries first. Lists of the most frequent passwords of at
//! least ten characters are words with digits, runs of keys, and repetitions; so what is kept here is what these are made
//! of: the words, and (in `common`) what the most common ones are without their digits.

mod common;

use common::COMMON;

/// The shortest password, in characters.
pub const MIN_PASSWORD_CHARS: usize = 10;
/// Longer ones only cost time. Bytes.
pub const MAX_PASSWORD_BYTES: usize = 256;

/// Characters that are left of a password once its frequent words are taken out; with fewer it is nothing else.
const MIN_OWN_CHARS: usize = 5;
/// A password with fewer different characters is a repetition.
const MIN_DIFFERENT: usize = 5;

/// What frequent passwords are made of, besides digits and signs: the words that people choose in the languages in
/// which this shop speaks, and those of its trade. Longer ones stand before those that they contain.
const WORDS: &str = "administrator administrador raspberry raspiblitz lightning satoshi bitcoin electrum umbrella umbrel \
    password passwort passwrd kennwort geheimnis geheim secret security letmein willkommen welcome hallo hello \
    iloveyou ichliebedich liebling schatz sunshine princess football fussball baseball basketball superman batman \
    starwars pokemon dragon master monster michael jennifer jordan thomas andreas daniel alexander sebastian \
    schalke bayern dortmund liverpool chelsea arsenal summer sommer winter spring autumn herbst monday montag january \
    computer internet server router default changeme please trustno qwertz qwerty asdfgh yxcvbn zxcvbn qazwsx wsxedc \
    admin root user test temp guest login access shop tor onion bridge node operator ip2tor nostr \
    money geld gold love liebe baby angel engel cookie flower blume sonne hund katze tiger berlin hamburg münchen \
    deutschland germany america london paris freedom freiheit whatever nothing forever killer hunter shadow \
    pass wort word demo owner my mein ich the";

/// Runs of keys and of the alphabet, forwards; backwards they count as well.
const RUNS: [&str; 9] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertzuiopü",
    "qwertyuiop",
    "asdfghjklöä",
    "yxcvbnm",
    "1q2w3e4r5t6z7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1qay2wsx3edc4rfv5tgb6zhn7ujm8ik9ol0p",
];
/// So many keys of a run, one after the other, count as one.
const RUN_KEYS: usize = 3;

/// What is wrong with a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordFault {
    /// Too few characters.
    TooShort,
    /// Too many bytes.
    TooLong,
    /// It has the name in it, or little else.
    LikeTheName,
    /// It is made of what guessers try first.
    Common,
}

/// What is wrong with a new password of the operator `name`, if anything.
pub fn password_fault(name: &str, password: &str) -> Option<PasswordFault> {
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Some(PasswordFault::TooShort);
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Some(PasswordFault::TooLong);
    }
    let (folded, name) = (password.to_lowercase(), name.to_lowercase());
    if !name.is_empty() && folded.contains(&name) && own_chars(&folded.replace(&name, " ")) < MIN_OWN_CHARS {
        return Some(PasswordFault::LikeTheName);
    }
    let different = folded.chars().collect::<std::collections::BTreeSet<_>>().len();
    (different < MIN_DIFFERENT || own_chars(&folded) < MIN_OWN_CHARS).then_some(PasswordFault::Common)
}

/// How many characters are somebody's own: no sign, frequent word or run of keys, and no second time the same. Digits
/// are as good as letters only where both take turns, as in a random password: behind a word they are a year.
fn own_chars(folded: &str) -> usize {
    let left = without_runs(&without_words(folded));
    let own = without_repetition(&left.chars().filter(|c| c.is_alphanumeric()).collect::<String>());
    let is_random = has_many_turns(&own);
    own.chars().filter(|c| is_random || c.is_alphabetic()).count()
}

/// Signs that stand for letters.
const fn plain(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// Takes frequent words out, also where signs stand for some of their letters.
fn without_words(folded: &str) -> String {
    let mut left: Vec<char> = folded.chars().collect();
    for word in COMMON.split_whitespace().chain(WORDS.split_whitespace()) {
        let word: Vec<char> = word.chars().collect();
        for at in 0..(left.len() + 1).saturating_sub(word.len()) {
            let place = &mut left[at..at + word.len()];
            if place.iter().zip(&word).all(|(c, letter)| c == letter || plain(*c) == *letter) {
                place.fill(' ');
            }
        }
    }
    left.into_iter().collect()
}

/// Whether letters and digits take turns as they do by chance alone.
fn has_many_turns(text: &str) -> bool {
    let kinds: Vec<bool> = text.chars().map(char::is_numeric).collect();
    kinds.windows(2).filter(|pair| pair[0] != pair[1]).count() >= 3
}

/// Takes out runs of keys, and the same key again and again.
fn without_runs(text: &str) -> String {
    let keys: Vec<char> = text.chars().collect();
    let is_run = |part: &[char]| {
        let forwards: String = part.iter().collect();
        let backwards: String = part.iter().rev().collect();
        part.iter().all(|key| *key == part[0])
            || RUNS.iter().any(|run| run.contains(&forwards) || run.contains(&backwards))
    };
    let (mut left, mut at) = (String::new(), 0);
    while at < keys.len() {
        let longest = (RUN_KEYS..=keys.len() - at).take_while(|length| is_run(&keys[at..at + length])).last();
        match longest {
            Some(length) => {
                left.push(' ');
                at += length;
            }
            None => {
                left.push(keys[at]);
                at += 1;
            }
        }
    }
    left
}

/// The part that a text repeats, or the text.
fn without_repetition(text: &str) -> String {
    let keys: Vec<char> = text.chars().collect();
    let repeats = |length: &usize| keys.chunks(*length).all(|chunk| keys.starts_with(chunk));
    let length = (1..=keys.len() / 2).find(repeats).unwrap_or(keys.len());
    keys[..length].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_guessers_try_first_is_refused() {
        for password in [
            "1234567890",
            "0987654321",
            "qwertzuiop",
            "qwertyuiop",
            "1q2w3e4r5t",
            "password123",
            "P@ssw0rd2024!",
            "Passwort1234",
            "aaaaaaaaaa",
            "abcabcabcabc",
            "abcdefghij",
            "bitcoin2024",
            "Bitcoin21!!",
            "lightning123",
            "raspiblitz",
            "iloveyou123",
            "administrator",
            "adminadmin",
            "willkommen1",
            "letmein12345",
            "1111111111",
            "passwordpassword",
            "satoshi!!!!",
            "manchester1",
            "Elizabeth2019",
            "1qaz2wsx3edc",
            "mickeymouse",
            "butterfly12!",
            "Sonnenschein1",
            "iloveyou2you",
            "charliecharlie",
            "m1necraft2020",
            "fenerbahce1907",
            "123456789a",
            "bestfriend99",
        ] {
            assert_eq!(password_fault("anna", password), Some(PasswordFault::Common), "{password}");
        }
    }

    #[test]
    fn what_is_somebodys_own_is_taken() {
        for password in [
            "correct horse",
            "correct horse battery staple",
            "7fk2m9x1qz4b",
            "k4q2wmzx7t5bnv3yhdjuc6ae",
            "blaue Lampe am Fenster",
            "the orange kettle whistles",
            "Vj8#kd0!pWq2",
            "мойпарольдлинный",
        ] {
            assert_eq!(password_fault("anna", password), None, "{password}");
        }
    }

    #[test]
    fn words_are_in_small_letters_and_longer_ones_come_before_those_that_they_contain() {
        let words: Vec<_> = COMMON.split_whitespace().collect();
        assert!(words.len() > 190, "{}", words.len());
        for (at, word) in words.iter().enumerate() {
            assert_eq!(*word, word.to_lowercase());
            let swallowed = words[..at].iter().find(|before| word.contains(**before));
            assert_eq!(swallowed, None, "{word} is never found whole");
        }
    }

    #[test]
    fn length_and_name_count() {
        assert_eq!(password_fault("anna", "kurz8#fvx"), Some(PasswordFault::TooShort));
        assert_eq!(password_fault("anna", &"Xyk7 ".repeat(52)), Some(PasswordFault::TooLong));
        assert_eq!(password_fault("annemarie", "Annemarie1984"), Some(PasswordFault::LikeTheName));
        assert_eq!(password_fault("anna", "annaannaanna"), Some(PasswordFault::LikeTheName));
        assert_eq!(password_fault("anna", "annas blaue Lampe"), None);
    }

    #[test]
    fn a_password_has_at_most_256_bytes_and_at_least_five_different_characters() {
        let sentence = "correct horse ";
        let long = |bytes: usize| sentence.repeat(20)[..bytes].to_owned();
        assert_eq!(password_fault("anna", &long(257)), Some(PasswordFault::TooLong));
        assert_ne!(password_fault("anna", &long(256)), Some(PasswordFault::TooLong));
        assert_eq!(password_fault("anna", "kzqbxkqzxb"), None, "five");
        assert_eq!(password_fault("anna", "kzqxkxqzxk"), Some(PasswordFault::Common), "four");
    }

    #[test]
    fn digits_count_where_they_take_turns_with_letters_three_times() {
        assert_eq!(password_fault("anna", "kq72vw8603"), None);
        assert_eq!(password_fault("anna", "72kqvw8603"), Some(PasswordFault::Common), "twice");
        assert_eq!(password_fault("anna", "72kqvwz603"), None, "five letters are enough by themselves");
    }

    #[test]
    fn a_name_that_is_not_known_forbids_nothing() {
        assert_eq!(password_fault("", "correct horse"), None);
        assert_eq!(password_fault("", "bitcoin2024"), Some(PasswordFault::Common));
        assert_eq!(password_fault("annemarie", "annemarie kqvwz"), None, "five characters of one's own besides it");
        assert_eq!(password_fault("annemarie", "annemarie kqvw"), Some(PasswordFault::LikeTheName));
    }
}
