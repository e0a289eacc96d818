//! What the survey's page says, in each language that mails are written in.

/// The texts in one language.
pub(super) struct Texts {
    pub(super) language: &'static str,
    pub(super) title: &'static str,
    /// Before the case's id.
    pub(super) case: &'static str,
    pub(super) question: &'static str,
    /// From 1 to 5.
    pub(super) ratings: [&'static str; 5],
    pub(super) comment: &'static str,
    pub(super) send: &'static str,
    pub(super) rating_missing: &'static str,
    pub(super) thanks: [&'static str; 2],
    pub(super) answered: [&'static str; 2],
    pub(super) expired: [&'static str; 2],
    pub(super) invalid: [&'static str; 2],
    pub(super) too_large: &'static str,
    pub(super) later: [&'static str; 2],
}

impl Texts {
    /// Those of the first tag that is spoken here, English for none.
    pub(super) fn of<'a>(tags: impl IntoIterator<Item = &'a str>) -> &'static Self {
        let spoken = |tag: &str| {
            let base = tag.split('-').next().unwrap_or_default();
            ALL.iter().find(|texts| texts.language.eq_ignore_ascii_case(base))
        };
        tags.into_iter().find_map(spoken).unwrap_or(&ALL[0])
    }
}

static ALL: [Texts; 6] = [
    Texts {
        language: "en",
        title: "How did we do?",
        case: "Case",
        question: "How content are you with our support?",
        ratings: ["1: not at all", "2: not very", "3: so-so", "4: content", "5: very content"],
        comment: "What should we know? (optional)",
        send: "Send",
        rating_missing: "Please choose a rating from 1 to 5.",
        thanks: ["Thank you", "Your answer was saved. You can close this page."],
        answered: ["Already answered", "This survey was answered before. Thank you for that."],
        expired: ["No longer open", "The case has gone on since. We will ask again once it is closed."],
        invalid: [
            "This link does not work",
            "It is incomplete or was changed. Open it from the mail as it came.",
        ],
        too_large: "The text is too long. Please shorten it.",
        later: ["Not possible right now", "Nothing was saved. Please try again in a moment."],
    },
    Texts {
        language: "fr",
        title: "Êtes-vous satisfait ?",
        case: "Dossier",
        question: "Êtes-vous satisfait de notre assistance ?",
        ratings: ["1 : pas du tout", "2 : peu", "3 : moyennement", "4 : satisfait", "5 : très satisfait"],
        comment: "Que devrions-nous savoir ? (facultatif)",
        send: "Envoyer",
        rating_missing: "Choisissez une note de 1 à 5.",
        thanks: ["Merci", "Votre réponse a été enregistrée. Vous pouvez fermer cette page."],
        answered: ["Déjà répondu", "Cette enquête a déjà reçu une réponse. Merci."],
        expired: [
            "Enquête close",
            "Le dossier a repris depuis. Nous vous interrogerons à nouveau à sa clôture.",
        ],
        invalid: [
            "Ce lien ne fonctionne pas",
            "Il est incomplet ou a été modifié. Ouvrez-le depuis le message d'origine.",
        ],
        too_large: "Le texte est trop long. Veuillez le raccourcir.",
        later: ["Impossible pour le moment", "Rien n'a été enregistré. Réessayez dans un instant."],
    },
    Texts {
        language: "de",
        title: "Waren Sie zufrieden?",
        case: "Fall",
        question: "Wie zufrieden sind Sie mit unserer Unterstützung?",
        ratings: ["1: gar nicht", "2: wenig", "3: teils, teils", "4: zufrieden", "5: sehr zufrieden"],
        comment: "Was sollten wir wissen? (freiwillig)",
        send: "Absenden",
        rating_missing: "Bitte wählen Sie eine Bewertung von 1 bis 5.",
        thanks: ["Vielen Dank", "Ihre Antwort ist gespeichert. Sie können diese Seite schließen."],
        answered: ["Schon beantwortet", "Diese Umfrage wurde bereits beantwortet. Vielen Dank dafür."],
        expired: [
            "Nicht mehr offen",
            "Der Fall ist inzwischen weitergegangen. Wir fragen erneut, wenn er geschlossen ist.",
        ],
        invalid: [
            "Dieser Link funktioniert nicht",
            "Er ist unvollständig oder wurde verändert. Öffnen Sie ihn aus der ursprünglichen Nachricht.",
        ],
        too_large: "Der Text ist zu lang. Bitte kürzen Sie ihn.",
        later: [
            "Gerade nicht möglich",
            "Es wurde nichts gespeichert. Bitte versuchen Sie es gleich noch einmal.",
        ],
    },
    Texts {
        language: "es",
        title: "¿Qué le pareció?",
        case: "Caso",
        question: "¿Está satisfecho con nuestra asistencia?",
        ratings: ["1: nada", "2: poco", "3: regular", "4: satisfecho", "5: muy satisfecho"],
        comment: "¿Qué deberíamos saber? (opcional)",
        send: "Enviar",
        rating_missing: "Elija una valoración del 1 al 5.",
        thanks: ["Gracias", "Su respuesta se ha guardado. Puede cerrar esta página."],
        answered: ["Ya respondida", "Esta encuesta ya se respondió. Gracias por ello."],
        expired: [
            "Ya no está abierta",
            "El caso sigue en curso. Le preguntaremos de nuevo cuando se cierre.",
        ],
        invalid: [
            "Este enlace no funciona",
            "Está incompleto o se ha modificado. Ábralo desde el mensaje original.",
        ],
        too_large: "El texto es demasiado largo. Acórtelo, por favor.",
        later: ["No es posible ahora", "No se ha guardado nada. Inténtelo de nuevo en un momento."],
    },
    Texts {
        language: "pt",
        title: "Como foi o atendimento?",
        case: "Caso",
        question: "Está satisfeito com o nosso suporte?",
        ratings: ["1: nada", "2: pouco", "3: mais ou menos", "4: satisfeito", "5: muito satisfeito"],
        comment: "O que devemos saber? (opcional)",
        send: "Enviar",
        rating_missing: "Escolha uma nota de 1 a 5.",
        thanks: ["Obrigado", "A sua resposta foi guardada. Pode fechar esta página."],
        answered: ["Já respondido", "Este questionário já foi respondido. Obrigado."],
        expired: [
            "Já não está aberto",
            "O caso continua em curso. Voltaremos a perguntar quando for encerrado.",
        ],
        invalid: [
            "Esta ligação não funciona",
            "Está incompleta ou foi alterada. Abra-a na mensagem original.",
        ],
        too_large: "O texto é demasiado longo. Encurte-o, por favor.",
        later: ["Não é possível agora", "Nada foi guardado. Tente novamente dentro de momentos."],
    },
    Texts {
        language: "ja",
        title: "サポートはいかがでしたか",
        case: "ケース",
        question: "サポートにどの程度満足していますか。",
        ratings: ["1: 不満", "2: やや不満", "3: どちらでもない", "4: 満足", "5: とても満足"],
        comment: "お気づきの点をお聞かせください（任意）",
        send: "送信",
        rating_missing: "1 から 5 の評価を選択してください。",
        thanks: ["ありがとうございました", "回答を保存しました。このページを閉じてかまいません。"],
        answered: ["回答済みです", "このアンケートにはすでに回答いただいています。ありがとうございました。"],
        expired: ["受付を終了しました", "ケースは引き続き対応中です。クローズ後にあらためてお尋ねします。"],
        invalid: [
            "このリンクは使用できません",
            "リンクが不完全か、変更されています。元のメールから開いてください。",
        ],
        too_large: "文章が長すぎます。短くしてください。",
        later: [
            "現在ご利用いただけません",
            "何も保存されていません。しばらくしてからもう一度お試しください。",
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_is_spoken_is_taken_and_english_for_none() {
        for (tags, language) in [
            (&["de-AT"][..], "de"),
            (&["it", "fr-BE", "en"], "fr"),
            (&["JA"], "ja"),
            (&["it"], "en"),
            (&["", "*"], "en"),
            (&[], "en"),
        ] {
            assert_eq!(Texts::of(tags.iter().copied()).language, language, "{tags:?}");
        }
    }
}
