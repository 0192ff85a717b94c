//! Words by which a text promises a file, in the languages that staff write in.

/// Beginnings of words; they count where a word begins.
const PROMISES: &[&str] = &[
    // English, German, French, Spanish, Italian, Portuguese.
    "attached",
    "attaching",
    "attachment",
    "enclosed",
    "anbei",
    "im anhang",
    "angehängt",
    "beigefügt",
    "beiliegend",
    "ci-joint",
    "pièce jointe",
    "pièces jointes",
    "adjunto",
    "adjunta",
    "allegat",
    "allego",
    "em anexo",
    "anexado",
    "anexei",
    "segue anexo",
    // Dutch, Swedish, Danish, Norwegian, Finnish.
    "bijlage",
    "bijgevoegd",
    "bijgesloten",
    "bifoga",
    "vedhæft",
    "vedlagt",
    "vedlegg",
    "liitteenä",
    "oheisessa",
    // Polish, Czech, Russian, Ukrainian, Turkish, Hungarian, Greek.
    "w załączniku",
    "załącz",
    "v příloze",
    "přikládám",
    "přiložen",
    "во вложении",
    "прикреп",
    "прилагаю",
    "у вкладенні",
    "прикріп",
    "ekteki",
    "ekli dosya",
    "mellékel",
    "csatolt",
    "συνημμέν",
];
/// Words of scripts that put no blanks between words.
const PROMISES_ANYWHERE: &[&str] = &["添付", "附件", "附上", "첨부"];

/// Gives the word with which a text promises a file; what is quoted or code promises nothing.
pub fn promised(text: &str) -> Option<String> {
    let own = own_words(text).to_lowercase();
    let begins = |word: &&&str| places(&own, word).any(|at| begins_word(&own, at));
    let found = PROMISES.iter().find(begins);
    let found = found.or_else(|| PROMISES_ANYWHERE.iter().find(|word| own.contains(**word)));
    found.map(|word| whole_word(&own, word))
}

/// Gives the first of these words that stands in a text as a whole word, whatever its case.
pub fn internal<'a>(text: &str, words: &'a [String]) -> Option<&'a str> {
    let own = own_words(text).to_lowercase();
    let stands = |word: &&String| {
        let low = word.trim().to_lowercase();
        let ends =
            |at: usize| !own.get(at + low.len()..).unwrap_or_default().starts_with(char::is_alphanumeric);
        !low.is_empty() && places(&own, &low).any(|at| begins_word(&own, at) && ends(at))
    };
    words.iter().find(stands).map(String::as_str)
}

/// Leaves out of a text what its writer did not write: quoted lines and blocks of code.
fn own_words(text: &str) -> String {
    let mut code = false;
    let own = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence && !line.trim_start().starts_with('>')
    });
    own.collect::<Vec<_>>().join("\n")
}

fn places<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(word).map(|(at, _)| at)
}

fn begins_word(text: &str, at: usize) -> bool {
    !text.get(..at).unwrap_or_default().ends_with(char::is_alphanumeric)
}

/// Gives the word of the text that begins like this.
fn whole_word(text: &str, beginning: &str) -> String {
    let rest = text.find(beginning).and_then(|at| text.get(at + beginning.len()..)).unwrap_or_default();
    let end: String = rest.chars().take_while(|c| c.is_alphabetic()).take(20).collect();
    format!("{beginning}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_found_in_many_languages() {
        for (text, word) in [
            ("The log is attached.", "attached"),
            ("Im Anhang finden Sie die Rechnung.", "im anhang"),
            ("Vous trouverez ci-jointe la facture", "ci-jointe"),
            ("Le adjunto la factura", "adjunto"),
            ("In allegato la fattura", "allegato"),
            ("Segue em anexo", "em anexo"),
            ("Zie de bijlagen", "bijlagen"),
            ("Faktura w załączniku", "w załączniku"),
            ("Файл во вложении", "во вложении"),
            ("請求書を添付しました", "添付しました"),
            ("请看附件。", "附件"),
        ] {
            assert_eq!(promised(text).as_deref(), Some(word), "{text}");
        }
    }

    #[test]
    fn what_is_quoted_or_code_or_part_of_a_word_promises_nothing() {
        for text in [
            "> the log is attached\nThank you.",
            "Run this:\n```\nmount attached\n```\n",
            "It was unattached.",
            "Nothing to see here.",
        ] {
            assert_eq!(promised(text), None, "{text}");
        }
    }

    #[test]
    fn an_internal_word_counts_as_a_whole_word_of_ones_own() {
        let words = ["Bluebird".to_owned(), " ".to_owned(), "cost price".to_owned()];
        assert_eq!(internal("as in bluebird, next week", &words), Some("Bluebird"));
        assert_eq!(internal("our COST PRICE is", &words), Some("cost price"));
        assert_eq!(internal("bluebirds\n> bluebird", &words), None);
    }
}
