//! What the pages that end mails say, in each language that mails are written in.

/// The texts in one language.
pub(super) struct Texts {
    pub(super) language: &'static str,
    /// Before the case's id, over the button that stops.
    pub(super) case: &'static str,
    /// Before the known issue's id.
    pub(super) issue: &'static str,
    /// Where the case's mails were stopped before.
    pub(super) stopped: &'static str,
    /// That a known issue does not affect one.
    pub(super) affected: &'static str,
    pub(super) stop: &'static str,
    pub(super) resume: &'static str,
    pub(super) done: [&'static str; 2],
    pub(super) resumed: [&'static str; 2],
    pub(super) noted: [&'static str; 2],
    pub(super) invalid: [&'static str; 2],
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
        case: "No more mails about this case?",
        issue: "No more mails about this known issue?",
        stopped: "You get no mails about this case",
        affected: "This does not affect me",
        stop: "Unsubscribe",
        resume: "Get mails again",
        done: ["Unsubscribed", "You will get no more of these mails. You can close this page."],
        resumed: ["Subscribed again", "You will get mails about this case again."],
        noted: [
            "Noted",
            "You will get no more mails about this issue; support looks at your case by itself.",
        ],
        invalid: [
            "This link does not work",
            "It is incomplete or was changed. Open it from the mail as it came.",
        ],
        later: ["Not possible right now", "Nothing was changed. Please try again in a moment."],
    },
    Texts {
        language: "fr",
        case: "Ne plus recevoir de messages sur ce dossier ?",
        issue: "Ne plus recevoir de messages sur ce problème connu ?",
        stopped: "Vous ne recevez pas de messages sur ce dossier",
        affected: "Ce problème ne me concerne pas",
        stop: "Se désabonner",
        resume: "Recevoir à nouveau les messages",
        done: [
            "Désabonnement effectué",
            "Vous ne recevrez plus ces messages. Vous pouvez fermer cette page.",
        ],
        resumed: ["Abonnement rétabli", "Vous recevrez à nouveau les messages sur ce dossier."],
        noted: [
            "C'est noté",
            "Vous ne recevrez plus de messages sur ce problème ; votre dossier sera traité individuellement.",
        ],
        invalid: [
            "Ce lien ne fonctionne pas",
            "Il est incomplet ou a été modifié. Ouvrez-le depuis le message d'origine.",
        ],
        later: ["Impossible pour le moment", "Rien n'a été modifié. Réessayez dans un instant."],
    },
    Texts {
        language: "de",
        case: "Keine Mails mehr zu diesem Fall?",
        issue: "Keine Mails mehr zu diesem bekannten Problem?",
        stopped: "Sie erhalten keine Mails zu diesem Fall",
        affected: "Das betrifft mich nicht",
        stop: "Abbestellen",
        resume: "Wieder Mails erhalten",
        done: ["Abbestellt", "Sie erhalten diese Mails nicht mehr. Sie können diese Seite schließen."],
        resumed: ["Wieder bestellt", "Sie erhalten wieder Mails zu diesem Fall."],
        noted: [
            "Vermerkt",
            "Sie erhalten keine Mails mehr zu diesem Problem; Ihr Fall wird für sich bearbeitet.",
        ],
        invalid: [
            "Dieser Link funktioniert nicht",
            "Er ist unvollständig oder wurde verändert. Öffnen Sie ihn aus der Mail, wie sie kam.",
        ],
        later: [
            "Gerade nicht möglich",
            "Es wurde nichts geändert. Bitte versuchen Sie es gleich noch einmal.",
        ],
    },
    Texts {
        language: "es",
        case: "¿No recibir más mensajes sobre este caso?",
        issue: "¿No recibir más mensajes sobre este problema conocido?",
        stopped: "No recibe mensajes sobre este caso",
        affected: "Esto no me afecta",
        stop: "Cancelar la suscripción",
        resume: "Volver a recibir mensajes",
        done: ["Suscripción cancelada", "Ya no recibirá estos mensajes. Puede cerrar esta página."],
        resumed: ["Suscripción restablecida", "Volverá a recibir mensajes sobre este caso."],
        noted: [
            "Anotado",
            "Ya no recibirá mensajes sobre este problema; su caso se atenderá de forma individual.",
        ],
        invalid: [
            "Este enlace no funciona",
            "Está incompleto o ha sido modificado. Ábralo desde el mensaje original.",
        ],
        later: ["No es posible en este momento", "No se ha cambiado nada. Inténtelo de nuevo en un momento."],
    },
    Texts {
        language: "pt",
        case: "Não receber mais mensagens sobre este caso?",
        issue: "Não receber mais mensagens sobre este problema conhecido?",
        stopped: "Não recebe mensagens sobre este caso",
        affected: "Isto não me afeta",
        stop: "Cancelar a subscrição",
        resume: "Voltar a receber mensagens",
        done: ["Subscrição cancelada", "Não receberá mais estas mensagens. Pode fechar esta página."],
        resumed: ["Subscrição reposta", "Voltará a receber mensagens sobre este caso."],
        noted: [
            "Registado",
            "Não receberá mais mensagens sobre este problema; o seu caso será tratado individualmente.",
        ],
        invalid: [
            "Esta ligação não funciona",
            "Está incompleta ou foi alterada. Abra-a a partir da mensagem original.",
        ],
        later: ["Não é possível neste momento", "Nada foi alterado. Tente novamente dentro de momentos."],
    },
    Texts {
        language: "ja",
        case: "このケースに関するメールを停止しますか？",
        issue: "この既知の問題に関するメールを停止しますか？",
        stopped: "このケースに関するメールは停止されています",
        affected: "この問題は私には該当しません",
        stop: "配信を停止する",
        resume: "配信を再開する",
        done: ["配信を停止しました", "今後このメールは届きません。このページを閉じてかまいません。"],
        resumed: ["配信を再開しました", "このケースに関するメールが再び届きます。"],
        noted: [
            "承りました",
            "この問題に関するメールは今後届きません。お客様のケースは個別に対応いたします。",
        ],
        invalid: [
            "このリンクは無効です",
            "リンクが不完全であるか、変更されています。元のメールから開いてください。",
        ],
        later: ["現在処理できません", "変更は行われていません。しばらくしてからもう一度お試しください。"],
    },
];
